// From typed trees to checked ones: what every name and letter means. Lines of arrays become index lines here, with
// letters of their own, so that everything behind the checker knows scalars over letters only.
#pragma once

#include <derivation/formula/model.hpp>
#include <vector>

namespace derivation {

/// The members of a line, resolved.
struct Checked {
    std::vector<Expression> members;
    std::vector<int> free;  ///< the letters of the first member that are not bound in it
    bool arrays = false;    ///< whether the line was one of arrays
    bool row = false;       ///< whether it was one of row vectors
    bool kept = false;      ///< of one axis, with another of length 1: of NumPy's, which may be a vector as well
};

/// How many operations it takes to evaluate a resolved formula for all values of the letters.
double work_of(const Model& model, const Expression& e, const std::vector<int>& free);

/// Resolves the members of a claim or an update, of which all must have the first one's letters or fewer. Throws
/// `IllFormed`; `at` is then the member that is at fault.
Checked check_line(Model& model, const std::vector<Expression>& members, std::size_t& at);

/// Resolves one more formula for the place of a later member of that line.
Expression check_member(Model& model, const Checked& line, const Expression& member);

/// Resolves the right side of a definition whose left side has these letters; where it has none, `letters` of the
/// result are those that an array comes to.
struct Definition {
    Expression body;
    std::vector<int> letters;
    bool keeps_axis = false, is_row = false;  ///< as a `Quantity`
};
Definition check_definition(Model& model, const Expression& body, const std::vector<int>& letters, bool may_be_array);

}  // namespace derivation
