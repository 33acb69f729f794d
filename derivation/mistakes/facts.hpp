// What edits ask about the file: which quantity is a bias, which loss a cross-entropy, how a factor looks.
#pragma once

#include <algorithm>
#include <derivation/mistakes/editing.hpp>
#include <derivation/resolve/checked.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace derivation {

using Names = std::vector<std::string>;

template <class Test>
bool any_part(const Expression& e, Test test) {
    return test(e) || std::ranges::any_of(e.children, [&](const Expression& child) { return any_part(child, test); });
}

/// Whether a part of the quantity's definition, or of a definition behind it, passes the test.
template <class Test>
bool any_behind(const Model& model, int quantity, Test test) {
    if (quantity < 0) return false;
    for (std::size_t q = 0; q < model.quantities.size(); ++q)
        if (depends_on(model, quantity, static_cast<int>(q)) && any_part(model.quantities[q].definition, test))
            return true;
    return false;
}

bool mentions(const Expression& e, int quantity);
/// Whether the quantity is only ever added: a bias.
bool is_bias(const Model& model, int quantity);
bool is_call(const Expression& e, std::string_view name);
bool has_cross_entropy(const Model& model, int loss);
/// Whether the member names the adjoint of another quantity, which holds derivatives already.
bool uses_adjoint(const Editing& editing);
std::string name_of_removed(const Editing& editing, const Expression& factor);
/// Names the row for one quantity in the place of another.
std::string name_of_exchange(const Model& model, int wrong, int right);
/// The terms of an update beside the parameter itself.
bool is_parameter(const Editing& editing, const Expression& term);
Expression times(double factor, const Expression& e);
std::vector<Expression> sizes(const Editing& editing);
/// The factors of a derivative in a product: a (1 - a), 1 - a^2, [z > 0], f'(z).
bool looks_like_derivative(const Expression& e);
/// dA/dq or a name for it, for every q with entries in scope.
std::vector<Expression> adjoints(const Editing& editing, const Names& letters);
Expression derivative_of(Expression a, Expression b);

}  // namespace derivation
