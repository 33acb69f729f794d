// From tokens to trees, by recursive descent. Which words are names, letters and functions decides how they are read.
#pragma once

#include <derivation/formula/building.hpp>
#include <derivation/formula/model.hpp>
#include <derivation/read/tokens.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace derivation {

/// The tokens without what people write behind a formula: `\forall k`, `, k = 1, \dots, K`, `(chain rule)`.
std::vector<Token> without_remarks(const Model& model, std::vector<Token> tokens);

/// The letters of the file that stand with a prime in the brackets of these tokens, as k' of z_{k'}: another letter of
/// k's range, which nobody needs to declare.
std::vector<Letter> primed_letters(const Model& model, const std::vector<Token>& tokens);
/// The tokens with each prime joined to its letter, where the model has that.
std::vector<Token> with_primed_letters(const Model& model, std::vector<Token> tokens);

/// What to write instead of a function of NumPy or PyTorch that is not read.
std::string instead_of_function(std::string_view function);

/// What stands at a token, for messages: "there is )".
std::string described(const Token& token);

class Parser {
  public:
    Parser(const Model& model, std::vector<Token> tokens)
        : model_(model), tokens_(with_primed_letters(model, std::move(tokens))) {}

    /// A sum of terms. Throws `Error` where none stands here.
    Expression expression();

    /// A name with its letters, as an entry. Where it declares, `z_1` is a name even if z has entries.
    Expression name(bool declares);

    /// `[0.1, -2]`, nested or not, as numbers in reading order with the length of every axis; or one number.
    struct Numbers {
        std::vector<double> values;
        std::vector<double> tolerances;  ///< half a unit of the last digit printed
        std::vector<std::size_t> shape;
        Span span;
    };
    Numbers numbers();

    const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
    const Token& next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
    bool accept(std::string_view symbol);
    bool accept_word(std::string_view word);
    /// Where a line says what a differential is, dL = tr(G^T dX): the names of what is varied, X; the tokens are then
    /// those of L and of names dX. None elsewhere.
    std::vector<std::string> differentials();
    /// The Δ before a parameter of which a change is given.
    bool accept_change();
    void expect(std::string_view symbol, std::string_view sentence);
    /// Refuses what numbers a line, and words that are no formula.
    void refuse_number_of_line() const;
    bool at_end() const { return peek().kind == TokenKind::end; }
    void expect_end();
    [[noreturn]] void fail(const std::string& sentence) const { throw Error(peek().span, sentence); }

  private:
    struct Level;
    struct Bound;

    Expression term();
    Expression power();
    Expression postfix();
    Expression primary();
    Expression word();
    Expression call(const Token& head, std::string function);
    Expression reduction(const Token& head);
    Expression big_reduction(std::string name);
    static void restrict_to(Expression& reduction, std::vector<Expression> conditions);
    std::vector<Token> bound_tokens(bool in_braces);
    Bound bound_of(const std::vector<Token>& tokens) const;
    std::vector<Expression> between(const std::string& letter, const std::optional<Bound>& from,
                                    const std::optional<Bound>& to);
    Expression fraction();
    Expression group(std::string_view open, std::string_view close);
    static Expression logarithm_to(Expression base, Expression logarithm);
    Expression iverson(std::string_view close);
    Expression comparison();
    Expression cases();
    Expression norm();
    Expression nabla();
    Expression absolute();
    Expression inner_product(std::string_view close);
    Expression expectation();

    // As NumPy and PyTorch are typed.
    bool skip_module();
    Expression einsum_of(Span begin);
    Expression variance(const std::string& function, bool is_of_torch, Span begin);
    std::optional<Expression> size_of_axis(const Expression& e);
    Expression size_along(const std::string& name, double axis, Span span) const;
    bool is_none(std::size_t ahead) const;
    bool is_slice() const;
    Expression with_new_axis(Expression e);
    void keepdims(bool& keeps);
    static Expression with_kept_axis(Expression e, int axis, Span span);
    std::optional<Expression> library_call(const std::string& function, std::vector<Expression> before, Span begin);

    std::optional<Expression> derivative();
    Expression operand_of_derivative();
    Expression differentiate();
    int order_of_derivative();
    int differential_head();
    bool is_differential() const;
    bool is_operator(std::size_t ahead) const;
    void held_fixed(Expression& derivative);

    bool starts_factor() const;
    bool is_of_whole_matrix(std::size_t bracket) const;
    bool is_matrix_function() const;
    bool is_square(const Expression& e) const;
    bool is_vector(const Expression& e) const;
    bool is_matrix(const Expression& e) const;
    bool is_word_of_prose() const;
    bool is_last_axis(int axis, const std::vector<Expression>& of) const;
    static Expression norm_of(Expression x, std::string_view which, Span span);
    bool accept_inverse_transpose();
    Expression with_letters(Expression e);
    bool is_condition(int deepest_bracket) const;
    bool holds_comparison(std::size_t begin, bool with_equals_sign) const;
    void skip_type(bool is_mask);
    bool splits(std::string_view word) const;
    bool is_indexed_name(std::string_view word) const;
    void split_word();
    std::optional<Index> accept_upper_index();
    std::vector<Index> with_upper(const std::string& name, std::vector<Index> upper, std::vector<Index> lower,
                                  Span span) const;
    std::string subscript(Expression& entry, std::string name, bool declares);
    std::vector<Index> indices_until(std::string_view close);
    void indices_of_word(const std::string& word, Span span, std::vector<Index>& indices) const;
    void bind_letters(Expression& reduction, const std::string& word) const;
    bool all_letters(std::string_view word) const;

    const Model& model_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    int depth_ = 0;
    int norms_ = 0;
    int absolutes_ = 0;
    int logarithms_ = 0;  ///< open around what is read
    int whole_sums_ = 0;  ///< sum(X) and the like, without letters
    int comparisons_ = 0;
};

}  // namespace derivation
