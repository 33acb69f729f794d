// The two ways to resolve a formula: over letters, and over whole arrays, which become formulas over letters of their
// own.
#pragma once

#include <fmt/format.h>

#include <derivation/formula/building.hpp>
#include <derivation/formula/model.hpp>
#include <string>
#include <utility>
#include <vector>

namespace derivation {

/// A formula over letters, with the letters that stand for the axes of an array.
struct Lowered {
    Expression body;
    std::vector<int> axes;
    bool row = false;
    bool identity = false;  ///< the number times I, whose size what stands beside it says
    bool kept = false;      ///< of one axis, with another of length 1, as NumPy's (n, 1) and in a row (1, n)
};

/// Resolves the names and letters of one formula.
class Checker {
  public:
    /// Of a let, `of_let` are the letters of its name.
    explicit Checker(Model& model, std::vector<int> of_let = {}) : model_(model), of_let_(std::move(of_let)) {}

    std::vector<int> free;  ///< the letters that are not bound in it

    /// A formula over letters.
    Expression resolve(Expression e);
    void resolve_children(Expression& e);
    /// A formula over arrays, with a letter for each axis.
    Lowered lower(const Expression& e);
    std::string shape_of(const Lowered& x) const;
    /// Gives I, or a number times I, the size of the square matrix beside it.
    void give_size(Lowered& identity, const Lowered& other);
    /// Throws where nothing says its size.
    static void check_size(const Lowered& x, Span span);
    void rename(Expression& e, int from, int to) const;

  private:
    int letter(const std::string& name, Span span);
    bool is_bound(int letter) const { return std::ranges::find(bound_, letter) != bound_.end(); }
    void add_free(int letter);
    /// Resolves the body of a reduction, where its letters are bound.
    template <class Body>
    void bind(Expression& e, Body body) {
        const std::size_t before = bound_.size();
        for (IndexTerm& term : e.letters) {
            const std::optional<int> found = model_.find_letter(term.name);
            if (!found)
                throw IllFormed(e.span, fmt::format("the letter {} was never declared", term.name),
                                "undeclared-letter");
            if (is_bound(*found))
                throw IllFormed(e.span,
                                fmt::format("the letter {} is bound here, inside a sum over {}", term.name, term.name),
                                "bound-twice");
            term.letter = found;
            bound_.push_back(*found);
        }
        body();
        bound_.resize(before);
    }
    Expression entry(Expression e);
    /// Makes the numbers of the indices count from 0.
    void place(Expression& e) const;
    int range(int letter) const { return model_.letter(letter).range; }
    bool same_range(int a, int b) const { return range(a) == range(b); }
    bool declared(const Expression& e, const std::vector<int>& ranges) const;
    /// p - alpha * dL/dp.
    Expression after_step(Expression e);
    Expression call(Expression e);
    void check_arguments(Expression& e);
    Expression softmax(const Expression& body, int over, Span span);
    int letter_of_softmax(const Expression& body, const std::vector<int>& letters, Span span) const;
    Expression reduced(const std::string& name, const std::vector<int>& letters, Expression body, Span span) const;
    void check_denominator(const Expression& by) const;
    Expression derivative(Expression e);
    void held(Expression& e);
    Lowered whole(const Expression& e);
    IllFormed mixed(Span span, const std::string& what) const;
    void check_letters_in_order(const Expression& e, const std::vector<int>& typed,
                                const std::vector<int>& declared) const;
    /// Gives a the shape that both have together, and b the axes of a in it: as NumPy's, shapes fit that are the same
    /// from the right, or 1. A number fits everything.
    void fit(Lowered& a, Lowered& b, Span span);
    /// Throws where a vector beside a square matrix may be its rows or its columns.
    void check_sides(const Lowered& a, const Lowered& b, Span span) const;
    Lowered with_new_axis(const Expression& e);
    Lowered of_matrix(std::string name, Lowered x, Span span);
    Lowered function_of_matrix(const Expression& e);
    Lowered differential(const Expression& e);
    Expression entry_of_array(const Expression& e, bool of_letters);
    Lowered inner_product_of(const Expression& e);
    Lowered einsum_of(const Expression& e);
    Lowered multiply(Lowered a, Lowered b, Joint joint, Span span);
    Lowered product(const Expression& e);
    Lowered call_of_arrays(const Expression& e);
    Lowered derivative_of_arrays(const Expression& e);

    Model& model_;
    std::vector<int> of_let_;
    std::vector<int> bound_;
    int comparisons_ = 0;  ///< how many brackets of conditions are open: a letter is a number only in them
};

}  // namespace derivation
