// What a derivation declares: ranges and their letters, quantities, functions.
#pragma once

#include <derivation/formula/tree.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace derivation {

struct Range {
    std::string name;
    int size = 0;
    int first = 0;  ///< what its numbers count from
};

struct Letter {
    std::string name;
    int range = -1;
};

enum class Domain { real, positive, nonzero, unit, onehot, probabilities, symmetric, sums_to_one };
enum class Role { given, constant, definition };

struct Quantity {
    std::string name;
    std::vector<int> ranges;
    std::vector<int> letters;  ///< those that it was declared with
    Role role = Role::given;
    Domain domain = Domain::real;
    std::vector<double> values;  ///< where they are the same at every point
    std::vector<double> worked;  ///< the numbers of `at`
    Expression definition;       ///< of a `let`, resolved
    Expression written;          ///< and as it was typed
    Span span;

    std::size_t size(const std::vector<Range>& all) const {
        std::size_t result = 1;
        for (const int range : ranges) result *= static_cast<std::size_t>(all[static_cast<std::size_t>(range)].size);
        return result;
    }
};

struct Function {
    std::string name;
    std::string definition;  ///< empty: any smooth function
};

struct Model {
    std::vector<Range> ranges;
    std::vector<Letter> letters;
    std::vector<Quantity> quantities;
    std::vector<Function> functions;

    int letter(std::string_view name) const;
    int function(std::string_view name) const;
    bool has_quantity(std::string_view name) const;
    /// Whether the name is a quantity or a function.
    bool has(std::string_view name) const { return has_quantity(name) || function(name) >= 0; }
    std::vector<int> quantities_named(std::string_view name) const;
    const Range& range_of(int letter) const {
        return ranges[static_cast<std::size_t>(letters[static_cast<std::size_t>(letter)].range)];
    }
    const Quantity& quantity(int index) const { return quantities[static_cast<std::size_t>(index)]; }

    /// A letter that nobody can type, for arrays that are taken as wholes.
    int fresh_letter(int range);

    /// `w[k,j]`, as it was declared.
    std::string signature(const Quantity& quantity) const;
};

/// Names that every derivation has: exp, log, ..., in the order of the manual.
bool is_builtin(std::string_view name);
/// Whether a builtin takes one number to one number.
bool is_elementary(std::string_view name);

}  // namespace derivation
