// The tree of a formula as plain data. The parser makes it as it was typed; the checker returns it resolved.
#pragma once

#include <algorithm>
#include <cstdint>
#include <derivation/formula/fault.hpp>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace derivation {

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
    norm,       ///< ||x||^2
    of_matrix,  ///< once resolved: `name` (inverse, det, logdet) of the matrix whose entries the child is, its rows and
                ///< columns being `letters`; of an inverse the entry at `indices`
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

/// Whether the factors are multiplied as matrices are.
constexpr bool is_of_matrices(Joint joint) {
    return joint == Joint::juxtaposed || joint == Joint::dot || joint == Joint::matrix;
}

/// One letter of an index, counted `sign` times.
struct IndexTerm {
    std::string name;
    int sign = 1;
    std::optional<int> letter = {};  ///< its number in the model, once it is resolved
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
    std::optional<int> symbol = {};  ///< once resolved: the number of an entry's quantity, of a call's function
    bool local = false;              ///< of a derivative: the other names of its numerator's definition are held fixed

    // What the children of a derivative are: dA/(dB dC)|(mu) has the numerator A, the denominators B and C, and holds
    // mu fixed.
    const Expression& numerator() const { return children[0]; }
    Expression& numerator() { return children[0]; }
    const Expression& denominator() const { return children[1]; }  ///< the first, and most often the only one
    Expression& denominator() { return children[1]; }
    std::span<const Expression> denominators() const { return std::span(children).subspan(1, times_taken()); }
    std::span<Expression> denominators() { return std::span(children).subspan(1, times_taken()); }
    std::span<const Expression> held() const { return std::span(children).subspan(1 + times_taken()); }
    std::span<Expression> held() { return std::span(children).subspan(1 + times_taken()); }

    // Of a power.
    const Expression& base() const { return children[0]; }
    Expression& base() { return children[0]; }
    const Expression& exponent() const { return children[1]; }
    Expression& exponent() { return children[1]; }

    // Of a reduction; a call's first argument; what is transposed or measured by a norm.
    const Expression& body() const { return children[0]; }
    Expression& body() { return children[0]; }
    const Expression* condition() const { return children.size() > 1 ? &children[1] : nullptr; }
    const Expression& argument() const { return children[0]; }
    Expression& argument() { return children[0]; }

    // The sides of a comparison.
    const Expression& left() const { return children[0]; }
    const Expression& right() const { return children[1]; }

  private:
    std::size_t times_taken() const { return static_cast<std::size_t>(order); }
};

/// Whether two formulas are the same but for where they stand.
bool same(const Expression& a, const Expression& b);
/// One number for those that are the same.
std::uint64_t hash_of(const Expression& e);

/// Whether the formula or a part of it passes the test.
template <class Test>
bool any_part(const Expression& e, const Test& test) {
    return test(e) || std::ranges::any_of(e.children, [&](const Expression& child) { return any_part(child, test); });
}

/// The first part of the formula that passes the test, or nothing.
template <class Test>
const Expression* first_part(const Expression& e, const Test& test) {
    if (test(e)) return &e;
    for (const Expression& child : e.children)
        if (const Expression* found = first_part(child, test)) return found;
    return nullptr;
}

/// The value of a formula that is made of numbers, and of entries with a value; or nothing.
using ValueOfEntry = std::function<std::optional<double>(const Expression& entry)>;
std::optional<double> value_of_numbers(const Expression& e, const ValueOfEntry& value_of_entry = {});
/// Whether it is typed as A^-1, however the -1 is written.
bool is_inverse(const Expression& e);
/// Whether a part of the formula is this one.
bool contains(const Expression& e, const Expression& part);
bool is_number(const Expression& e, double value);
bool is_call(const Expression& e, std::string_view name);
/// The names of calls that nobody can type as such: x[:, None] and x[None, :], NumPy's column and row.
inline constexpr std::string_view new_column = "[:, None]", new_row = "[None, :]";
/// <x, y>, of arrays of one shape; and einsum with the letters behind it.
inline constexpr std::string_view angle_brackets = "<,>", einsum = "einsum ";
/// Whether it is one of the first two.
inline bool has_new_axis(const Expression& e) { return is_call(e, new_column) || is_call(e, new_row); }
/// Whether it is ||x||, the root of a norm's square.
bool is_length(const Expression& e);
/// Whether it is a derivative of first order of a name by another, with nothing held fixed.
bool is_simple_derivative(const Expression& e);
/// Whether every part has the parts that its kind needs: a power two, a sum of letters a comparison as its condition.
/// What is typed always is one; what an edit makes may not be.
bool is_formula(const Expression& e);
/// The first positive number of a formula, or 0.
double first_number(const Expression& e);
/// Whether a derivative stands in it.
bool has_derivative(const Expression& e);

/// Whether the letter stands in it, bound or free.
bool uses_letter(const Expression& e, const std::string& letter);
/// Whether a reduction in it runs over the letter.
bool binds_letter(const Expression& e, const std::string& letter);
void rename_letter(Expression& e, const std::string& from, const std::string& to);

/// Replaces letters by others everywhere, resolved letters only. Several are replaced at once, so that two of them may
/// change places.
struct Substitution {
    int letter, replacement;
    std::string name;  ///< of the replacement
};
void substitute(Expression& e, const std::vector<Substitution>& all);
void substitute(Expression& e, int letter, int replacement, const std::string& name);

}  // namespace derivation
