// What formulas of whole arrays are made of, for the rules that differentiate them.
#pragma once

#include <derivation/formula/building.hpp>
#include <derivation/mistakes/editing.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace derivation {

/// Formulas as they were typed, and what in them changes with one quantity.
class ArrayFormulas {
  public:
    ArrayFormulas(const Editing& editing, int by)
        : model(editing.model), editing_(editing), activations_(editing.activations()), by_(by) {}

    bool varies(const Expression& e) const;
    bool is_array(const Expression& e) const;
    /// Whether it is the quantity itself.
    bool is_by(const Expression& e) const;
    /// The definition behind a name, in which the quantity stands.
    const Quantity* definition(const Expression& e) const;
    /// The derivative of the function that such a definition is a call of, by the value where people write it so.
    std::optional<Expression> slope_at(const Quantity& quantity) const;

    /// p * (1 - p) as p ⊙ (1 - p).
    Expression by_entries(Expression e) const;

    /// The letters of its rows and columns, or none where they cannot be said: of a number there are none, a vector is
    /// a column.
    struct Axes {
        Names rows = {}, columns = {};
        std::size_t count() const { return rows.size() + columns.size(); }
    };
    std::optional<Axes> axes_of(const Expression& e) const;
    /// How many entries it has: size(n), or a product of such.
    std::optional<Expression> count_of(const Expression& e) const;
    /// sum(n, y[n] * log(p[n])) as sum(y ⊙ log(p)), and a mean likewise; any other formula as it stands.
    Expression without_letter(const Expression& reduction) const;

    const Model& model;

  private:
    std::optional<Axes> axes_of_product(const Expression& e) const;
    std::optional<Expression> stripped(const Expression& e, const std::string& letter) const;

    const Editing& editing_;
    const std::vector<Activation>& activations_;
    const int by_;
};

Expression inverted(const Expression& e);
/// e^n, or 1/e^-n.
Expression power(const Expression& base, double n);
/// f'(x), by the value f(x) where there is no plainer form.
Expression slope_of_call(const Model& model, const Expression& call);
/// Whether it is a function of one number, applied to each entry.
bool is_of_each_entry(const Model& model, const Expression& e);
/// Whether it is sum(x) or mean(x) of a whole array.
bool is_of_whole(const Expression& e, std::string_view name);
Parts joined(Parts a, const Parts& b);
/// A B C, as matrices are multiplied.
Expression product_of_matrices(const std::vector<Expression>& factors);

/// A product of numbers, gathered: 2 * (1/2) * (2 * y) * y is 2 y^2.
class Gathered {
  public:
    explicit Gathered(const Parts& numbers);
    bool is_negative() const { return factor_ < 0; }
    /// Without its sign.
    Parts parts() const;

  private:
    void multiply(const Expression& e, int times);

    double factor_ = 1;
    std::vector<std::pair<Expression, int>> powers_;
};

}  // namespace derivation
