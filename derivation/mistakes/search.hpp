// The search for an edit of a member that makes the line hold.
#pragma once

#include <derivation/mistakes/catalogue.hpp>
#include <derivation/truth/target.hpp>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace derivation {

/// Whether a repair that holds at the points of the file is none by accident, and can be read as it is printed.
using Confirm = std::function<bool(const Expression& repair)>;

class Search {
  public:
    /// The target is what the member should be equal to.
    Search(Model& model, const Line& line, Target& target, Expression member, Confirm confirm);

    /// The first edit in the order of the catalogue that makes the line hold; else the first two of them together.
    std::optional<Edit> run();

    /// The value that the chain rule gives.
    std::optional<Expression> from_definitions();

    bool of_arrays() const { return arrays_; }

    /// Whether a repair that was found may be written so.
    bool is_right_as(const Expression& repair);

  private:
    template <class Choose, class Remember>
    std::optional<Edit> try_rows(Choose choose, const Expression& member, Remember remember);
    bool holds(const Expression& edited);
    bool is_right(const Expression& checked);
    Expression without_idle_parts(const Expression& formula);
    bool has_idle_terms(const Expression& checked);
    bool has_idle_sums(const Expression& e, const Expression& root);
    bool smuggles(const Expression& checked) const;

    Model& model_;
    const Line& line_;
    Target& target_;
    Confirm confirm_;
    Expression member_, original_;  ///< as it was typed, and checked
    std::vector<Expression> aliases_;
    bool arrays_ = false;
    std::size_t tried_ = 0, most_edits_ = 0;
    std::unordered_set<std::uint64_t> seen_;
};

/// The first edit of these rows of the catalogue that makes a step of the line, once it is resolved.
std::optional<Edit> edit_of_step(Model& model, const Line& line, const std::vector<std::string_view>& rows,
                                 const std::function<bool(const Expression&)>& is_step);

/// Whether the line holds with the letters of one entry exchanged.
bool transposition_repairs(Model& model, const Line& line, std::size_t member, Target& target);

}  // namespace derivation
