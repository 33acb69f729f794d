// How a member is edited: walks over its parts, and what the file offers to put there.
#pragma once

#include <cstdint>
#include <derivation/formula/building.hpp>
#include <derivation/read/reader.hpp>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace derivation {

using Names = std::vector<std::string>;

/// Why an edit is made: a sentence, in which {} stands for the factor that is missing or should not be there.
struct Reason {
    Reason() = default;
    Reason(std::string said) : sentence(std::move(said)) {}
    Reason(const char* said) : sentence(said) {}
    Reason(const char* said, Expression one) : sentence(said), factor(std::move(one)) {}
    static Reason missing(Expression factor) { return {"The factor {} is missing.", std::move(factor)}; }

    std::string sentence;  ///< empty: that of the row of the catalogue
    std::optional<Expression> factor;
};
std::string to_text(const Reason& reason);

/// A changed member, and what is to be said where it holds.
struct Edit {
    Expression member;
    Span where;
    Reason reason;
    std::string mistake;  ///< empty: the row's name
};

/// The derivative of an activation that stands in a definition, as people write it.
struct Activation {
    int quantity;           ///< the let that holds it
    Expression call;        ///< f(z[j])
    Expression derivative;  ///< f'(z[j]), or a[j] * (1 - a[j])
    std::vector<int> letters;
    std::string name;  ///< of the function, or its definition
};

/// The member that departs and everything that edits of it are made from.
class Editing {
  public:
    /// `offer` says whether the edit holds; then no more are made.
    Editing(const Model& model, const Line& line, Expression member, const Expression& left, bool arrays,
            std::function<bool(Edit)> offer);

    bool done() const { return done_; }
    void offer(Expression member, Span where, Reason reason = {}, std::string mistake = {});

    /// Letters in the order of the file, without those that belong to whole arrays.
    Names letters_of_range(int range) const;
    /// All of them that are not in scope.
    Names letters_beside(const Names& in_scope) const;
    std::optional<int> range_of(const std::string& letter) const;
    bool same_range(const std::string& a, const std::string& b) const { return range_of(a) == range_of(b); }
    /// A letter of the same range that the member and the left side do not use; empty where there is none.
    std::string unused_letter_like(const std::string& letter) const;

    /// visit(node, letters, commit): the node may be changed in place, `letters` are those in scope there, and
    /// commit(where, reason, mistake) offers the whole member as it is then. Only after the visit is the node undone.
    using Commit = std::function<void(Span, Reason, std::string)>;
    using Visit = std::function<void(Expression& node, const Names& letters, const Commit& commit)>;
    void each_node(const Visit& visit);
    /// The same for every term: of the member, and of what is summed in it.
    void each_term(const Visit& visit);
    /// The same for factors of a product, alone and several in a row, as a product of their own.
    void each_run(const Visit& visit);

    /// The entries of a quantity with letters in scope.
    std::vector<Expression> entries_of(int quantity, const Names& letters, std::size_t most = 6) const;
    /// The same formula with letters in scope for those of the definition.
    std::vector<Expression> instances(const Expression& e, const std::vector<int>& of, const Names& letters,
                                      std::size_t most = 6) const;
    const std::vector<Activation>& activations() const { return activations_; }

    const Model& model;
    const Line& line;
    const Expression member;
    const Expression left;  ///< resolved
    const bool arrays;
    Names free;
    // The quantities of the derivative on the left side, or of the one that the left side is a name for.
    std::optional<int> of, by;
    bool second_order = false;
    Expression by_entry, of_entry;

  private:
    void walk(Expression& root, Expression& node, Names& letters, const Visit& visit, bool terms, bool is_term);
    void find_derivative();
    void find_activations(const Expression& e, int quantity);
    void add_derivative_by_value(const Activation& activation);

    std::function<bool(Edit)> offer_;
    bool done_ = false, differentiates_formulas_ = false;
    std::unordered_set<std::uint64_t> tried_;  // the members that edits of a part have made
    std::vector<Activation> activations_;
};

}  // namespace derivation
