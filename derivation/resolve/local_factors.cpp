#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/notations.hpp>
#include <derivation/resolve/checked.hpp>
#include <derivation/resolve/local_factors.hpp>

namespace derivation {

std::string listed(const std::vector<std::string>& names) {
    std::string result;
    for (std::size_t i = 0; i < names.size(); ++i)
        result += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
    return result;
}

namespace {

void add_names(const Model& model, const Expression& e, int except, std::vector<std::string>& names) {
    if (e.kind == Kind::entry && e.symbol >= 0 && e.symbol != except &&
        model.quantity(e.symbol).role != Role::constant && std::ranges::find(names, e.name) == names.end())
        names.push_back(e.name);
    for (const Expression& child : e.children) add_names(model, child, except, names);
}

}  // namespace

bool make_local(const Model& model, Expression& e, std::vector<std::string>& said) {
    bool any = false;
    if (e.kind == Kind::derivative && e.order == 1 && e.children.size() == 2 && e.children[0].kind == Kind::entry) {
        const Quantity& of = model.quantity(e.children[0].symbol);
        std::vector<std::string> others;
        add_names(model, of.definition, e.children[1].symbol, others);
        std::vector<std::string> all;
        add_names(model, of.definition, -1, all);
        if (of.role == Role::definition && all.size() > others.size() && !has_derivative(of.definition)) {
            e.local = any = true;
            if (!others.empty()) {
                const std::string one = fmt::format("{} at fixed {}", to_text(e), listed(others));
                if (std::ranges::find(said, one) == said.end()) said.push_back(one);
            }
        }
    }
    for (Expression& child : e.children) any = make_local(model, child, said) || any;
    return any;
}

}  // namespace derivation
