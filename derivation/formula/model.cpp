#include <fmt/format.h>

#include <derivation/formula/model.hpp>

namespace derivation {

namespace {

template <class T>
std::optional<int> find_named(const std::vector<T>& all, std::string_view name) {
    const auto found = std::ranges::find(all, name, &T::name);
    if (found == all.end()) return {};
    return static_cast<int>(found - all.begin());
}

}  // namespace

std::size_t Model::size(const Quantity& quantity) const {
    std::size_t result = 1;
    for (const int one : quantity.ranges) result *= static_cast<std::size_t>(range(one).size);
    return result;
}

std::optional<int> Model::find_letter(std::string_view name) const { return find_named(letters, name); }
std::optional<int> Model::find_function(std::string_view name) const { return find_named(functions, name); }
bool Model::is_quantity(std::string_view name) const { return find_named(quantities, name).has_value(); }

bool Model::is_direction(std::string_view name) const {
    return std::ranges::any_of(quantities, [&](const Quantity& one) { return one.is_direction && one.name == name; });
}

std::vector<int> Model::quantities_named(std::string_view name) const {
    std::vector<int> found;
    for (int q = 0; q < count(); ++q)
        if (quantity(q).name == name) found.push_back(q);
    return found;
}

int Model::fresh_letter(int range) {
    letters.push_back({fmt::format("_{}", letters.size()), range});
    return static_cast<int>(letters.size()) - 1;
}

std::string Model::signature(const Quantity& quantity) const {
    if (quantity.letters.empty()) return quantity.name;
    std::string result = quantity.name + "[";
    for (std::size_t i = 0; i < quantity.letters.size(); ++i)
        result += (i > 0 ? "," : "") + letter(quantity.letters[i]).name;
    return result + "]";
}

}  // namespace derivation
