// The table of operations: one row each, and everything that tests know of it. From a row follow its value, derivatives
// of three orders and its edges (operations_test), docs/numerics.md (numerics_test), the steps of random programs
// (random_programs_test) and the functions that golden files call (golden_test).
#pragma once

#include <autograd/autograd.hpp>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "exact.hpp"

using namespace autograd;
using A = Array<double>;

inline const double infinity = std::numeric_limits<double>::infinity(), NaN = std::numeric_limits<double>::quiet_NaN(),
                    ln2 = std::log(2.0);

template <class T>
using Inputs = std::vector<Variable<T>>;

/// A function of inputs, and perhaps of more, in both precisions.
template <class... More>
struct InBothPrecisions {
    Variable<double> (*in_double)(const Inputs<double>&, const More&...) = nullptr;
    Variable<float> (*in_float)(const Inputs<float>&, const More&...) = nullptr;

    InBothPrecisions() = default;
    template <class F>
    InBothPrecisions(F f) : in_double(f), in_float(f) {}

    template <class T>
    Variable<T> operator()(const Inputs<T>& inputs, const More&... more) const {
        if constexpr (std::is_same_v<T, float>)
            return in_float(inputs, more...);
        else
            return in_double(inputs, more...);
    }
};

/// A formula of x, y and w: its text and its function. `OF(exp(x))` makes one.
struct Formula : InBothPrecisions<> {
    const char* text;

    template <class F>
    Formula(const char* words, F f) : InBothPrecisions(f), text(words) {}
    bool uses(char name) const;
};

// clang-format off
#define OF(...)                                                                                      \
    Formula(#__VA_ARGS__, []<class T>(const Inputs<T>& inputs) -> Variable<T> {                      \
        [[maybe_unused]] const auto x = inputs[0], y = inputs[inputs.size() > 1], w = inputs.back(); \
        return __VA_ARGS__;                                                                          \
    })
// One element of an elementwise formula, in plain scalar code, for doubles and for 50 digits; `Number` is either.
#define IS(...)                                                                      \
    [](auto x [[maybe_unused]], auto y [[maybe_unused]]) -> decltype(x) {            \
        using Number [[maybe_unused]] = decltype(x);                                 \
        return __VA_ARGS__;                                                          \
    }
// A formula of x, y and the options `o` that a golden file gives.
#define WITH(...)                                                                 \
    []<class T>(const Inputs<T>& inputs, const Options& o) -> Variable<T> {       \
        [[maybe_unused]] const auto x = inputs[0], y = inputs[inputs.size() > 1]; \
        return __VA_ARGS__;                                                       \
    }
// clang-format on

/// One element of a formula; none for a formula that is not elementwise.
struct Scalar {
    double (*in_double)(double x, double y) = nullptr;
    Exact (*exactly)(Exact x, Exact y) = nullptr;

    Scalar(std::nullptr_t = nullptr) {}
    template <class F>
    requires std::is_class_v<F> Scalar(F f) : in_double(f), exactly(f) {}

    double operator()(double x, double y) const { return in_double(x, y); }
    bool operator==(std::nullptr_t) const { return in_double == nullptr; }
};

/// Where a formula has derivatives that differences can see, away from kinks, poles and jumps: samples are drawn
/// between `low` and `high` until `holds`.
struct Domain {
    double low = -2, high = 2;
    bool (*holds)(const A& x, const A& y) = nullptr;
};
extern const Domain anywhere, x_positive, x_nonzero, y_nonzero, apart, x_distinct, x_off_bounds, probabilities;

/// A formula and what it is tried at.
struct Variant {
    /// An elementwise formula: it takes any shape, and inputs that broadcast.
    Variant(Formula formula, Scalar element, Domain where = anywhere);
    /// An elementwise formula whose inputs must have equal shapes.
    Variant(Formula formula, Scalar element, std::vector<Shape> shapes, Domain where = anywhere)
        : of(formula), scalar(element), samples{std::move(shapes)}, domain(where) {}
    /// Any other.
    Variant(Formula formula, std::vector<Shape> shapes, Domain where = anywhere)
        : of(formula), samples{std::move(shapes)}, domain(where) {}

    Formula of;
    Scalar scalar;                            ///< the value of an element, where the formula is elementwise
    std::vector<std::vector<Shape>> samples;  ///< the shapes of its inputs
    Domain domain;
    bool is_step = true;  ///< random programs may use it, with x and y of any shape that it accepts
};

/// A formula that few shapes fit, so that random programs would seldom reach it.
Variant no_step(Variant variant);

/// What a formula gives at a point. The derivative is by x, y, ... along the seed, or of the sum of the result.
struct Point {
    Formula of;
    std::vector<A> at;
    A value = {};
    std::vector<A> derivatives = {};
    std::optional<A> seed = {};
    const char* error = nullptr;  ///< what is thrown instead
    double tolerance = 1e-14;     ///< relative
    std::vector<A> second = {};   ///< derivatives of the derivatives: see `twice`
};

Point refuses(Formula of, std::vector<A> at, const char* error);
/// Where rounding of a large number limits what can be had.
Point roughly(double tolerance, Point point);

/// A point with its second derivatives, of the sum of the value or along the seed: by x twice, by x and y, by y twice.
/// Each is a matrix, of the elements of one input by those of the other; or for an elementwise formula its diagonal, of
/// an input's shape.
Point twice(std::vector<A> second, Point point);

// Where every operation says what it does, to the second derivative: where its inputs are not finite or are huge.
inline const A extremes{-infinity, -1e300, -1e20, -1, 0, 1, 1e20, 1e300, infinity, NaN};
inline const A odd_x{infinity, -infinity, NaN, 2, 2, 2}, odd_y{2, 2, 2, infinity, -infinity, NaN};
/// A function of one number at the extremes.
Point everywhere(Formula of, A value, A first, A second);
/// A function of two numbers where one of them is not finite.
Point at_odd_numbers(Formula of, A value, std::vector<A> first, std::vector<A> second);

A zeros(std::size_t count);
A ones(std::size_t count);
A none(const Shape& shape);  ///< of no elements
A column(A values);          ///< of shape (n, 1)

/// What golden files say beside the inputs.
struct Options {
    Axes axes = {};
    bool keepdims = false;
    std::ptrdiff_t axis = -1;
    std::ptrdiff_t ddof = 0;
    Indices indices = {};
    A mask = {};
    std::optional<A> probabilities = {};
    Reduction reduction = Reduction::mean;
    CrossEntropyOptions cross_entropy = {};
};

struct Operation {
    const char* name;  ///< as it is declared
    const char* note;  ///< what it does at its edges, in words
    std::vector<Variant> variants;
    std::vector<Point> edges;
    InBothPrecisions<Options> golden = {};  ///< what golden files call where they give options
};

const std::vector<Operation>& operations();

// Its rows by topic, each in the source of that name.
std::vector<Operation> arithmetic_rows(), function_rows(), reduction_rows(), shape_rows(), product_rows(),
    matrix_rows(), image_rows(), loss_rows();

// ---- what the tests of the table share

/// Inputs of these shapes from the variant's domain.
std::vector<A> sample(const Variant& variant, const std::vector<Shape>& shapes, unsigned seed);

std::string text_of(const A& array);
/// `x: 1; y: [2, 3]`, or with a suffix `xbar: ...`.
std::string text_of(const std::vector<A>& arrays, const char* suffix = "");
