#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <derivation/formula/model.hpp>

namespace derivation {

namespace {

constexpr std::array<std::string_view, 12> elementary = {"exp", "log",     "sqrt", "tanh",     "sin", "cos",
                                                         "abs", "sigmoid", "relu", "softplus", "ln",  "identity"};
constexpr std::array<std::string_view, 9> structural = {"sum",     "prod", "mean",  "max", "min",
                                                        "softmax", "diag", "outer", "size"};

template <class T>
int find_named(const std::vector<T>& all, std::string_view name) {
    const auto found = std::ranges::find(all, name, &T::name);
    return found == all.end() ? -1 : static_cast<int>(found - all.begin());
}

}  // namespace

bool is_elementary(std::string_view name) { return std::ranges::find(elementary, name) != elementary.end(); }
bool is_builtin(std::string_view name) {
    return is_elementary(name) || std::ranges::find(structural, name) != structural.end();
}

int Model::letter(std::string_view name) const { return find_named(letters, name); }
int Model::function(std::string_view name) const { return find_named(functions, name); }
bool Model::has_quantity(std::string_view name) const { return find_named(quantities, name) >= 0; }

std::vector<int> Model::quantities_named(std::string_view name) const {
    std::vector<int> found;
    for (std::size_t i = 0; i < quantities.size(); ++i)
        if (quantities[i].name == name) found.push_back(static_cast<int>(i));
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
        result += (i > 0 ? "," : "") + letters[static_cast<std::size_t>(quantity.letters[i])].name;
    return result + "]";
}

}  // namespace derivation
