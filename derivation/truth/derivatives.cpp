#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <derivation/resolve/dependence.hpp>
#include <derivation/truth/derivatives.hpp>
#include <derivation/truth/formula_key.hpp>

namespace derivation {

template <class Record>
Adjoints Derivatives::walked_back_from(const Record& record) {
    recorder_.kinked_in_formula = false;
    Adjoints adjoints = walked_back(record());
    adjoints.kinked = recorder_.kinked_in_formula;
    return adjoints;
}

Rounded Derivatives::at(const Expression& e, const Letters& letters, bool& kinked) {
    if (e.local && e.order == 1)
        if (const std::optional<Rounded> factor = local(e.numerator(), e.denominator(), letters, kinked))
            return *factor;
    Version& version = recorder_.holding_as(e);
    if (!place_of(model_, e.denominator(), letters)) return {};
    const Adjoints& adjoints =
        e.order == 1 ? adjoints_of(version, e.numerator(), letters) : adjoints_of_lower(version, e, letters);
    kinked = kinked || adjoints.kinked;
    Rounded total;
    for (const autograd::Variable<double>& node : recorder_.nodes_by(version, e.denominators().back(), letters))
        if (node.on(recorder_.tape())) total = total + adjoints.at(node);
    return total;
}

const Adjoints& Derivatives::adjoints_of(Version& version, const Expression& of, const Letters& letters) {
    if (of.kind == Kind::entry) {
        const std::optional<std::size_t> place = place_of(model_, of, letters);
        if (!place) return nothing_;
        const autograd::Variable<double> node = recorder_.entry(version, *of.symbol, *place);
        const auto found = of_nodes_.find(node.index());
        return found != of_nodes_.end() ? found->second
                                        : of_nodes_.emplace(node.index(), walked_back(node)).first->second;
    }
    std::string key;
    for (const int held : version.held()) key += fmt::format("{}|", held);
    write_key(model_, of, letters, key);
    const auto found = of_formulas_.find(key);
    if (found != of_formulas_.end()) return found->second;
    return of_formulas_.emplace(key, walked_back_from([&] { return recorder_.record_at(version, of, letters); }))
        .first->second;
}

/// Of a derivative of higher order: of the one that is lower by one order, which is recorded. One walk back serves
/// every entry that is differentiated by last.
const Adjoints& Derivatives::adjoints_of_lower(Version& version, const Expression& e, const Letters& letters) {
    const auto all_but_the_last = e.denominators().first(e.denominators().size() - 1);
    std::string key;
    for (const int held : version.held()) key += fmt::format("{}|", held);
    write_key(model_, e.numerator(), letters, key);
    for (const Expression& by : all_but_the_last) write_key(model_, by, letters, key += '/');
    const auto found = of_formulas_.find(key);
    if (found != of_formulas_.end()) return found->second;
    const auto gradient = [&] {
        autograd::Variable<double> lower = recorder_.record_at(version, e.numerator(), letters);
        for (const Expression& by : all_but_the_last) lower = recorder_.gradient_by(version, lower, by, letters);
        return lower;
    };
    return of_formulas_.emplace(key, walked_back_from(gradient)).first->second;
}

Adjoints Derivatives::walked_back(const autograd::Variable<double>& y) {
    constexpr std::size_t work_of_a_node = 20, bytes_of_an_adjoint = 32;
    model_.budget->work(work_of_a_node * (y.index() + 1));
    Adjoints adjoints = walk_back(recorder_.tape(), y);
    const std::size_t bytes = bytes_of_an_adjoint * adjoints.nodes.size();
    bytes_ += bytes;
    model_.budget->memory(bytes);
    return adjoints;
}

/// The derivative of an entry by one that stands in its own definition, the other names there held fixed.
std::optional<Rounded> Derivatives::local(const Expression& of, const Expression& by, const Letters& letters,
                                          bool& kinked) {
    if (of.kind != Kind::entry || model_.quantity(of).role != Role::definition) return {};
    const Expression& definition = recorder_.definition(*of.symbol);
    if (has_derivative(definition)) return {};
    const std::optional<std::size_t> of_place = place_of(model_, of, letters), by_place = place_of(model_, by, letters);
    if (!of_place || !by_place) return Rounded();
    std::vector<int> held;
    add_entries(definition, held);
    std::erase(held, *by.symbol);
    std::ranges::sort(held);
    held.erase(std::unique(held.begin(), held.end()), held.end());
    Version& version = recorder_.holding(held);
    const std::tuple key(*of.symbol, *of_place, *by.symbol);
    auto found = of_definitions_.find(key);
    if (found == of_definitions_.end()) {
        Letters inner = letters_of(model_, model_.quantity(of), *of_place);
        found =
            of_definitions_.emplace(key, walked_back_from([&] { return recorder_.record(version, definition, inner); }))
                .first;
    }
    kinked = kinked || found->second.kinked;
    return found->second.at(recorder_.entry(version, *by.symbol, *by_place));
}

}  // namespace derivation
