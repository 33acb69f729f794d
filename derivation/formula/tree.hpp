// The tree of a formula as plain data. The parser makes it as it was typed; the checker returns it resolved.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace derivation {

/// Bytes `begin` to `end` of the file.
struct Span {
    std::size_t begin = 0, end = 0;
};

inline Span join(Span a, Span b) { return {a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end}; }

/// A file that cannot be read: one sentence, and where.
struct Error : std::runtime_error {
    Error(Span where, const std::string& sentence) : std::runtime_error(sentence), span(where) {}
    Span span;
};

/// A mistake in the letters or the shapes. In a claim or an update it is a verdict, elsewhere an error of the file.
struct IllFormed : Error {
    using Error::Error;
    std::string mistake = "ill-formed";
    std::string undeclared = {};  ///< the name, where it is one that has no declaration
};

enum class Kind {
    number,
    entry,       ///< w[j,i]; a whole array or a scalar where nothing stands in the brackets
    letter,      ///< a letter as a number, between the brackets of [k == n]
    add,         ///< terms; `joints` has the sign of each
    product,     ///< factors; `joints` says how each joins what stands before it
    power,       ///< base, exponent
    call,        ///< f(x) or, with `order` primes, a derivative of f
    reduce,      ///< sum, prod, mean, max, min over `letters`: the body, and perhaps a condition
    derivative,  ///< what is differentiated, `order` entries, and then what is held fixed
    iverson,     ///< [a == b]; `name` is the comparison
    transpose,
    norm,  ///< ||x||^2
};

/// How a factor joins the product before it.
enum class Joint : char {
    times = '*',
    divided = '/',
    juxtaposed = ' ',  // the product of matrices, in array lines
    dot = '.',         // as juxtaposed, and between two columns their inner product
    matrix = '@',
    elementwise = 'o',
    plus = '+',
    minus = '-',
};

/// One letter of an index, counted `sign` times.
struct IndexTerm {
    std::string name;
    int sign = 1;
    int letter = -1;  ///< resolved
};

/// An index: a letter, a number, or a sum of such.
struct Index {
    std::vector<IndexTerm> terms;
    int offset = 0;
    Span span = {};

    bool is_letter() const { return terms.size() == 1 && terms[0].sign == 1 && offset == 0; }
    bool is_number() const { return terms.empty(); }
};

struct Expression {
    Kind kind = Kind::number;
    Span span = {};
    std::string name = {};                ///< of an entry, a call, a reduction, a comparison; a number as it was typed
    double number = 0;                    ///< its value
    int order = 0;                        ///< primes of a call; how often a derivative is taken
    std::vector<Index> indices = {};      ///< of an entry
    std::vector<Joint> joints = {};       ///< one for each child of a sum or a product
    std::vector<IndexTerm> letters = {};  ///< bound by a reduction; the letter itself where the kind is `letter`
    std::vector<Expression> children = {};
    int symbol = -1;     ///< resolved: the quantity of an entry, the function of a call
    bool local = false;  ///< of a derivative: the other names of its numerator's definition are held fixed
};

/// Whether two formulas are the same but for where they stand.
bool same(const Expression& a, const Expression& b);

/// The same formula without the difference between `*`, blanks and the like, and with nested sums and products
/// flattened. Not for lines of arrays, where these differ.
Expression normalized(Expression e);

/// Replaces a letter by another everywhere, resolved letters only.
void substitute(Expression& e, int letter, int replacement, const std::string& name);

Expression number_of(double value);
Expression letter_entry(std::string name, std::vector<std::string> letters);
Expression negated(Expression e);
Expression product_of(std::vector<Expression> factors);
Expression quotient_of(Expression a, Expression b);
Expression sum_over(std::vector<std::string> letters, Expression body);

/// The terms of a sum with their signs, or the whole as its one term; the factors of a product likewise.
struct Part {
    Expression expression;
    Joint joint = Joint::times;
};
std::vector<Part> terms_of(const Expression& e);
std::vector<Part> factors_of(const Expression& e);
Expression sum_of_terms(const std::vector<Part>& terms);
Expression product_of_factors(const std::vector<Part>& factors);

}  // namespace derivation
