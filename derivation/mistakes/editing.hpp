// How a member is edited: walks over its parts, and what the file offers to put there.
#pragma once

#include <derivation/read/reader.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace derivation {

/// A changed member, and what is to be said where it holds.
struct Edit {
    Expression member;
    Span where;
    std::string sentence;  ///< empty: that of the row of the catalogue
    std::string mistake;   ///< empty: the row's name
};

/// The member that departs and everything that edits of it are made from.
class Editing {
  public:
    /// `offer` says whether the edit holds; then no more are made.
    Editing(const Model& model, const Line& line, Expression member, const Expression& left, bool arrays,
            std::function<bool(Edit)> offer);

    bool done() const { return done_; }
    void offer(Expression member, Span where, std::string sentence = {}, std::string mistake = {});

    /// Letters in the order of the file, without those that belong to whole arrays.
    std::vector<std::string> letters_of_range(int range) const;
    int range_of(const std::string& letter) const;
    /// A letter of the range that the member and the left side do not use; empty where there is none.
    std::string unused_letter(int range) const;

    /// visit(node, letters, commit): the node may be changed in place, `letters` are those in scope there, and
    /// commit(where, sentence, mistake) offers the whole member with the change. The change is then undone.
    using Commit = std::function<void(Span, std::string, std::string)>;
    using Visit = std::function<void(Expression& node, const std::vector<std::string>& letters, const Commit& commit)>;
    void each_node(const Visit& visit);
    /// The same for every term: of the member, and of what is summed in it.
    void each_term(const Visit& visit);

    /// The entries of a quantity with letters in scope.
    std::vector<Expression> entries_of(int quantity, const std::vector<std::string>& letters,
                                       std::size_t most = 6) const;

    /// The derivative of an activation that stands in a definition, as people write it.
    struct Activation {
        int quantity;           ///< the let that holds it
        Expression call;        ///< f(z[j])
        Expression derivative;  ///< f'(z[j]), or a[j] * (1 - a[j])
        std::vector<int> letters;
        std::string name;  ///< of the function, or its definition
    };
    const std::vector<Activation>& activations() const { return activations_; }
    /// The same formula with letters in scope for those of the definition.
    std::vector<Expression> instances(const Expression& e, const std::vector<int>& of,
                                      const std::vector<std::string>& letters, std::size_t most = 6) const;

    const Model& model;
    const Line& line;
    const Expression member;
    const Expression left;  ///< resolved
    const bool arrays;
    std::vector<std::string> free;
    // The quantities of the derivative on the left side, or of the one that the left side is a name for; -1 for none.
    int of = -1, by = -1;
    bool second_order = false;
    Expression by_entry, of_entry;

  private:
    void walk(Expression& root, Expression& node, std::vector<std::string>& letters, const Visit& visit, bool terms,
              bool is_term);
    void find_activations(const Expression& e, int quantity);

    std::function<bool(Edit)> offer_;
    bool done_ = false;
    std::vector<Activation> activations_;
};

Expression call_of(std::string name, int order, Expression argument);
/// The derivative of a call by its argument, as people write it: exp(x), 1/x, f'(x).
Expression slope_of(const Expression& call);
Expression transpose_of(Expression e);
Expression kronecker(const std::string& a, const std::string& b);
bool uses_letter(const Expression& e, const std::string& letter);
void rename_letter(Expression& e, const std::string& from, const std::string& to);
/// Whether a part of the formula is this one.
bool contains(const Expression& e, const Expression& part);

}  // namespace derivation
