// What is known of an operation beside its rule: for pages, prints and messages. A program that asks for none of it
// holds none of it, as nothing but the functions below refers to it.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

namespace autograd {

/// The numbers that a reason is told from: one element of the operands x and y and of the result z. Of an operation
/// that is not elementwise, each operand's most conspicuous one. NaN stands for an operand that is not there.
struct Element {
    double x = NAN, y = NAN, z = NAN;
    bool binary = false;
    bool operand_infinite = false, operand_nan = false;  ///< any of them, however many there are
};

/// Why a number is not finite, in words: `{x}` and `{type}` stand for the first operand and for float or double.
struct Reason {
    bool (*fits)(const Element& e) = nullptr;
    const char* words = "";
};

/// The facts of an operation, in the names of its rule: x and y are its inputs, z its result, zbar the result's
/// adjoint.
struct Facts {
    const char* name = "";              ///< as it is recorded: "mul"
    const char* formula = "";           ///< "x * y"
    const char* derivative = "";        ///< how the inputs' adjoints grow: "xbar += zbar * y; ybar += zbar * x"
    Reason value_reasons[4] = {};       ///< of a value that is not finite; the first that fits is the likely one
    Reason derivative_reasons[4] = {};  ///< of such an adjoint
    const char* inputs = "x y";  ///< the names of its inputs, in their order; the last one stands for all that follow
};

std::vector<Facts> all_facts();

/// The facts of an operation by its name, or null for one that is the user's own.
const Facts* facts_of(std::string_view name);

/// Those of a node, by `Node::operation`. Where rules of several forms are recorded under one name, as x / c and c / x
/// are both "div", each has facts of its own, and an array of its own with the name: the node's pointer tells them
/// apart. Behind the name's zero other letters stand in each, as compilers and linkers make one of equal arrays.
const Facts* facts_of_node(const char* operation);

// In a source of rules, FACTS(...) stands above each rule, with AT(x < 0) for the test of a reason. FACTS_OF_THIS_FILE,
// at its end, defines the function that gathers what stands on the file's lines. Of a line that has none nothing is
// made: it would be 400 bytes of a program.
#define AT(condition)                                                                      \
    [](const Element& e) {                                                                 \
        [[maybe_unused]] const auto& [x, y, z, binary, operand_infinite, operand_nan] = e; \
        return condition;                                                                  \
    }
// The file is a part of the name: GCC 16 gives such a specialization and its lambdas to all files, even where it is
// static or in a nameless namespace.
constexpr std::uint64_t number_of(const char* file) {
    std::uint64_t number = 14695981039346656037u;
    for (; *file != '\0'; ++file) number = (number ^ static_cast<unsigned char>(*file)) * 1099511628211u;
    return number;
}
template <std::uint64_t File, int Line>
constexpr Facts facts_on_line = {};
#define FACTS(...) \
    template <>    \
    constexpr Facts facts_on_line<number_of(__FILE__), __LINE__> = {__VA_ARGS__}
// What a line without facts would hold is not made: it would be 400 bytes of a program for each.
#define FACTS_OF_THIS_FILE(function)                                                            \
    std::vector<Facts> function() {                                                             \
        std::vector<Facts> facts;                                                               \
        const auto add = [&]<int Line>(std::integral_constant<int, Line>) {                     \
            if constexpr (*facts_on_line<number_of(__FILE__), Line>.name != '\0')               \
                facts.push_back(facts_on_line<number_of(__FILE__), Line>);                      \
        };                                                                                      \
        [&]<int... Line>(std::integer_sequence<int, Line...>) {                                 \
            (void)std::initializer_list<int>{(add(std::integral_constant<int, Line>()), 0)...}; \
        }                                                                                       \
        (std::make_integer_sequence<int, __LINE__>());                                          \
        return facts;                                                                           \
    }

// Below a rule: compiles it for float and for double. It takes one variable or two, and what else is named, which must
// not depend on the precision.
#define UNARY(function, ...)                                                       \
    template Variable<float> function(Variable<float> __VA_OPT__(, ) __VA_ARGS__); \
    template Variable<double> function(Variable<double> __VA_OPT__(, ) __VA_ARGS__)
#define BINARY(function, ...)                                                                       \
    template Variable<float> function(Variable<float>, Variable<float> __VA_OPT__(, ) __VA_ARGS__); \
    template Variable<double> function(Variable<double>, Variable<double> __VA_OPT__(, ) __VA_ARGS__)

// One for each source of rules.
std::vector<Facts> facts_of_arithmetic();
std::vector<Facts> facts_of_elementwise();
std::vector<Facts> facts_of_powers();
std::vector<Facts> facts_of_activations();
std::vector<Facts> facts_of_choices();
std::vector<Facts> facts_of_reductions();
std::vector<Facts> facts_of_softmax();
std::vector<Facts> facts_of_shapes();
std::vector<Facts> facts_of_products();
std::vector<Facts> facts_of_square_matrices();
std::vector<Facts> facts_of_convolutions();
std::vector<Facts> facts_of_losses();

}  // namespace autograd
