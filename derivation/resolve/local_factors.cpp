#include <fmt/format.h>

#include <derivation/formula/notations.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/resolve/local_factors.hpp>

namespace derivation {

namespace {

/// The names that stand in a definition beside one quantity, without constants.
void add_other_names(const Model& model, const Expression& e, int except, std::vector<std::string>& names) {
    if (e.kind == Kind::entry && e.symbol && e.symbol != except && model.quantity(e).role != Role::constant &&
        std::ranges::find(names, e.name) == names.end())
        names.push_back(e.name);
    for (const Expression& child : e.children) add_other_names(model, child, except, names);
}

}  // namespace

bool make_local(const Model& model, Expression& e, std::vector<std::string>& said) {
    bool any = false;
    if (is_simple_derivative(e)) {
        const Quantity& of = model.quantity(e.numerator());
        const int by = *e.denominator().symbol;
        std::vector<std::string> others;
        add_other_names(model, of.definition, by, others);
        const bool stands_there = mentions(of.definition, by) && model.quantity(by).role != Role::constant;
        // Two arrays of one name cannot be told apart in what is said to be held fixed.
        const bool has_namesake = std::ranges::find(others, model.quantity(by).name) != others.end();
        if (of.role == Role::definition && stands_there && !has_namesake && !has_derivative(of.definition)) {
            e.local = any = true;
            const std::string one = fmt::format("{} at fixed {}", to_text(e), listed(others));
            if (!others.empty() && std::ranges::find(said, one) == said.end()) said.push_back(one);
        }
    }
    for (Expression& child : e.children) any = make_local(model, child, said) || any;
    return any;
}

}  // namespace derivation
