// The two ways to resolve a formula: over letters, and over whole arrays, which become formulas over letters of their
// own.
#pragma once

#include <fmt/ranges.h>

#include <algorithm>
#include <derivation/resolve/checked.hpp>
#include <string>
#include <utility>
#include <vector>

namespace derivation {

IllFormed ill_formed(Span span, const std::string& sentence, std::string mistake);
bool contains(const std::vector<int>& all, int one);

/// A formula over letters, with the letters that stand for the axes of an array.
struct Lowered {
    Expression body;
    std::vector<int> axes;
    bool row = false;
};

/// Resolves the names and letters of one formula.
class Checker {
  public:
    explicit Checker(Model& model) : model_(model) {}

    bool arrays = false;
    std::vector<int> free;  ///< the letters that are not bound in it

    /// A formula over letters.
    Expression resolve(Expression e);
    void resolve_children(Expression& e);
    /// A formula over arrays, with a letter for each axis.
    Lowered lower(const Expression& e);
    std::string shape_of(const Lowered& x) const;
    void rename(Expression& e, int from, int to) const;

  private:
    int letter(const std::string& name, Span span);
    template <class Body>
    void bind(Expression& e, Body body) {
        const std::size_t before = bound_.size();
        for (IndexTerm& term : e.letters) {
            const int found = model_.letter(term.name);
            if (found < 0)
                throw ill_formed(e.span, fmt::format("the letter {} was never declared", term.name),
                                 "undeclared-letter");
            if (contains(bound_, found))
                throw ill_formed(e.span,
                                 fmt::format("the letter {} is bound here, inside a sum over {}", term.name, term.name),
                                 "bound-twice");
            term.letter = found;
            bound_.push_back(found);
        }
        body();
        bound_.resize(before);
    }
    Expression entry(Expression e);
    /// Makes the numbers of the indices count from 0.
    void place(Expression& e) const;
    int range(int letter) const { return model_.letters[static_cast<std::size_t>(letter)].range; }
    bool same_range(int a, int b) const { return range(a) == range(b); }
    bool declared(const Expression& e, const std::vector<int>& ranges) const;
    /// p - alpha * dL/dp.
    Expression after_step(Expression e);
    Expression call(Expression e);
    void check_arguments(Expression& e);
    Expression softmax(const Expression& body, int over, Span span);
    Expression reduced(const std::string& name, const std::vector<int>& letters, Expression body, Span span) const;
    void check_denominator(const Expression& by) const;
    Expression derivative(Expression e);
    void held(Expression& e);
    Lowered whole(const Expression& e);
    Expression after_step_of_array(const Expression& e) { return after_step(e); }
    /// Gives b the axes of a where their shapes fit; a number fits everything.
    void fit(Lowered& a, Lowered& b, bool adds, Span span);
    Lowered multiply(Lowered a, Lowered b, Joint joint, Span span);
    Lowered product(const Expression& e);
    Lowered call_of_arrays(const Expression& e);
    Lowered derivative_of_arrays(const Expression& e);

    Model& model_;
    std::vector<int> bound_;
    std::vector<std::pair<int, int>> renamed_;
    int comparisons_ = 0;
};

}  // namespace derivation
