// What edits ask about the file: which quantity is a bias, which loss a cross-entropy, how a factor looks.
#pragma once

#include <derivation/mistakes/editing.hpp>
#include <derivation/resolve/dependence.hpp>
#include <optional>
#include <string>
#include <vector>

namespace derivation {

/// Whether a part of the quantity's definition, or of a definition behind it, passes the test.
template <class Test>
bool any_behind(const Model& model, std::optional<int> quantity, const Test& test) {
    if (!quantity) return false;
    for (int q = 0; q < model.count(); ++q)
        if (depends_on(model, *quantity, q) && any_part(model.quantity(q).definition, test)) return true;
    return false;
}

/// Whether the quantity is only ever added: a bias.
bool is_bias(const Model& model, std::optional<int> quantity);
bool has_cross_entropy(const Model& model, std::optional<int> loss);
/// Whether the member names the adjoint of another quantity, which holds derivatives already.
bool uses_adjoint(const Editing& editing);
/// Names the row for a factor that should not be there.
std::string name_of_removed(const Editing& editing, const Expression& factor);
/// Names the row for one quantity in the place of another.
std::string name_of_exchange(const Model& model, int wrong, int right);
/// Whether it is the parameter itself, of the terms of an update.
bool is_parameter(const Editing& editing, const Expression& term);
Expression times(double factor, const Expression& e);
/// The constants that are called what a range's size is, and size(k) for ranges without one.
std::vector<Expression> sizes(const Editing& editing);
/// The factors of a derivative in a product: a (1 - a), 1 - a^2, [z > 0], f'(z).
bool looks_like_derivative(const Expression& e);
/// The numbers of the file, scalars and what definitions make of them or divide by: d, sqrt(d), s^2, w^T w.
std::vector<Expression> scalars(const Editing& editing);
/// dA/dq or a name for it, for every q with entries in scope.
std::vector<Expression> adjoints(const Editing& editing, const Names& letters);

}  // namespace derivation
