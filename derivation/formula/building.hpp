// Formulas are put together and taken apart.
#pragma once

#include <derivation/formula/tree.hpp>
#include <string>
#include <vector>

namespace derivation {

Expression number_of(double value);
/// A letter as a number, as between the brackets of [k == n].
Expression letter_of(const std::string& name);
/// An index that is one letter.
Index index_of(std::string letter);
Expression entry_of(std::string name, std::vector<std::string> letters);

Expression negated(Expression e);
Expression product_of(std::vector<Expression> factors);
Expression quotient_of(Expression a, Expression b);
Expression power_of(Expression base, Expression exponent);
Expression call_of(std::string name, int order, Expression argument);
/// a + b, or a - b.
Expression sum_of(Expression a, Expression b, Joint joint);
Expression sum_over(std::vector<std::string> letters, Expression body);
Expression derivative_of(Expression numerator, Expression denominator);
Expression comparison_of(Expression left, std::string sign, Expression right);
/// [a == b], of two letters.
Expression kronecker(const std::string& a, const std::string& b);
Expression transpose_of(Expression e);
/// The transpose: of a transpose what stands below it, and a diagonal matrix as it is.
Expression turned(const Expression& e);

/// The terms of a sum with their signs, or the whole as its one term; the factors of a product likewise.
struct Part {
    Expression expression;
    Joint joint = Joint::times;
};
using Parts = std::vector<Part>;
Parts terms_of(Expression e);
Parts factors_of(Expression e);
Expression sum_of_terms(Parts terms);
Expression product_of_factors(Parts factors);
/// All but one of them.
Parts without(Parts parts, std::size_t one);

/// The same formula without the difference between `*`, blanks and the like, and with nested sums and products
/// flattened. Not for lines of arrays, where these differ.
Expression normalized(Expression e);

}  // namespace derivation
