// The numerical conventions: one table, which the tests below hold against the engine and from which docs/numerics.md
// is printed (`numerics_test -- --write`).
#define BOOST_TEST_MODULE numerics
#include <autograd/autograd.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <nn/nn.hpp>
#include <random>
#include <regex>
#include <sstream>

#include "conventions.hpp"
#include "temporary_folder.hpp"

using namespace autograd;
using Xs = std::vector<Variable<double>>;

namespace {

const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
const double ln2 = std::log(2.0);

// clang-format off
// The text and the function of an expression of x and y.
#define OF(...)                                                     \
    #__VA_ARGS__, [](const Xs& inputs) {                            \
        [[maybe_unused]] const auto x = inputs.front();             \
        [[maybe_unused]] const auto y = inputs.back();              \
        return __VA_ARGS__;                                         \
    }
// clang-format on

Point refuses(const char* text, Function f, std::vector<A> at, const char* error) {
    return {text, std::move(f), std::move(at), {}, {}, {}, error};
}

/// Where rounding of a large number limits what can be had.
Point roughly(double tolerance, Point point) {
    point.tolerance = tolerance;
    return point;
}

A none(const Shape& shape) { return A::from_shape(shape); }

/// Shape (n, 1).
A column(A values) {
    values.reshape({values.size(), 1});
    return values;
}

void exp_in_float() {
    Tape<float> tape;
    const auto z = exp(tape.variable(Array<float>{88.7f, 88.73f}));
    BOOST_TEST(z.value()(0) == 3.32598698e38f, boost::test_tools::tolerance(1e-5f));
    BOOST_TEST(z.value()(1) == std::numeric_limits<float>::infinity());
}

void same_seed_same_training() {
    const auto weights = [] {
        std::mt19937_64 engine(3);
        std::normal_distribution<float> normal;
        Parameter<float> w1("w1", Array<float>(Shape{16, 8})), w2("w2", Array<float>(Shape{3, 16}));
        Array<float> x(Shape{32, 8});
        for (auto* w : {&w1, &w2})
            w->edit([&](auto& values) {
                for (float& value : values) value = normal(engine);
            });
        for (float& value : x) value = normal(engine);
        const Indices labels(Shape{32}, 1);
        nn::Adam<float> optimizer({w1, w2});
        Tape<float> tape;
        for (int i = 0; i < 20; ++i) {
            tape.rewind();
            const auto hidden = tanh(linear(tape.constant(x), tape.watch(w1)));
            optimizer.step(tape.backward(softmax_cross_entropy(linear(hidden, tape.watch(w2)), labels)));
        }
        return std::pair(w1.value(), w2.value());
    };
    BOOST_TEST((weights() == weights()));
}

// Every operation that works element by element, and those that change a shape.
void any_shape_is_welcome() {
    // clang-format off
    const std::pair<const char*, Function> functions[] = {
        {OF(x + y)}, {OF(x - y)}, {OF(x * y)}, {OF(x / y)}, {OF(x + 1)}, {OF(x * 2)}, {OF(1 / x)}, {OF(x / 2)},
        {OF(-x)}, {OF(exp(x))}, {OF(expm1(x))}, {OF(log(x))}, {OF(log1p(x))}, {OF(sqrt(x))}, {OF(abs(x))},
        {OF(sign(x))}, {OF(sin(x))}, {OF(cos(x))}, {OF(tanh(x))}, {OF(erf(x))}, {OF(sigmoid(x))}, {OF(relu(x))},
        {OF(softplus(x))}, {OF(gelu(x))}, {OF(gelu_tanh(x))}, {OF(silu(x))}, {OF(pow(x, 2))}, {OF(pow(x, y))},
        {OF(maximum(x, y))}, {OF(minimum(x, y))}, {OF(logaddexp(x, y))}, {OF(clip(x, 0, 1))}, {OF(where(x, x, y))},
        {OF(reshape(x, x.shape()))}, {OF(broadcast_to(x, x.shape()))}, {OF(squeeze(expand_dims(x, 0), {0}))},
        {OF(sum(x, {}))}, {OF(mean(x, {}))}, {OF(prod(x, {}))}, {OF(amax(x, {}))},
        {OF(binary_cross_entropy_with_logits(x, y, Reduction::none))},
        {OF(mean_squared_error(x, y, Reduction::none))}};
    // clang-format on
    for (const auto& [text, f] : functions)
        for (const Shape& shape : {Shape{}, Shape{0}, Shape{0, 2}, Shape{2, 0}, Shape{1}, Shape{3, 1, 2}}) {
            BOOST_TEST_CONTEXT(text << " of shape " << to_string(shape)) {
                Tape<double> tape;
                const auto x = tape.variable(A(shape, 0.5)), y = tape.variable(A(shape, 0.25));
                const auto result = f({x, y});
                BOOST_TEST(to_string(result.shape()) == to_string(shape));
                BOOST_TEST(to_string(tape.backward(result, A(shape, 1.0))[x].shape()) == to_string(shape));
                BOOST_TEST(to_string(vjp(result, {x}, tape.constant(A(shape, 1.0)))[0].shape()) == to_string(shape));
            }
        }
}

const std::vector<Convention> conventions = {
    {"`relu`, `abs`, `clip` at the kink",
     "derivative 0 at 0 for `relu` and `abs`; `clip` passes the gradient on the closed interval",
     {{OF(relu(x)), {{-1, 0, 1}}, {0, 0, 1}, {{0, 0, 1}}},
      {OF(abs(x)), {{-1, 0, 1}}, {1, 0, 1}, {{-1, 0, 1}}},
      {OF(clip(x, -1, 1)), {{-2, -1, 0, 1, 2}}, {-1, -1, 0, 1, 1}, {{0, 1, 1, 1, 0}}}}},
    {"`maximum`, `minimum`, `amax`, `amin` at ties",
     "the gradient is split evenly among the tied elements, in both forms alike",
     {{OF(maximum(x, y)), {{1, 2, 3}, {2, 2, 2}}, {2, 2, 3}, {{0, 0.5, 1}, {1, 0.5, 0}}},
      {OF(minimum(x, y)), {{1, 2, 3}, {2, 2, 2}}, {1, 2, 2}, {{1, 0.5, 0}, {0, 0.5, 1}}},
      {OF(maximum(x, x)), {A(2.0)}, A(2.0), {A(1.0)}},
      {OF(amax(x)), {{1, 3, 3, 3, 3}}, A(3.0), {{0, 0.25, 0.25, 0.25, 0.25}}},
      {OF(amin(x, {1})), {{{1, 3, 1}, {5, 4, 6}}}, {1, 4}, {{{0.5, 0, 0.5}, {0, 1, 0}}}}}},
    {"`sqrt` at 0",
     "+inf; `norm` at 0: subgradient 0",
     {{OF(sqrt(x)), {{0, 4}}, {0, 2}, {{infinity, 0.25}}},
      {OF(sqrt(x)), {A(-1.0)}, A(nan), {A(nan)}},
      {OF(norm(x)), {{0, 0}}, A(0.0), {{0, 0}}},
      {OF(norm(x, {1})), {{{3, -4}, {0, 0}}}, {5, 0}, {{{0.6, -0.8}, {0, 0}}}}}},
    {"`pow(x, y)`",
     "gradient by x is 0 where y is 0; gradient by y uses a guarded log where x is 0; a constant exponent never "
     "touches "
     "log (negative bases work)",
     {{OF(pow(x, y)), {{0, 3}, {0, 0}}, {1, 1}, {{0, 0}, {0, std::log(3.0)}}},
      {OF(pow(x, y)), {{0, 0}, {1, 2}}, {0, 0}, {{1, 0}, {0, 0}}},
      {OF(pow(x, y)), {A(-2.0), A(3.0)}, A(-8.0), {A(12.0), A(nan)}},
      {OF(pow(x, 3)), {{-2, 0}}, {-8, 0}, {{12, 0}}},
      {OF(pow(x, 2)), {{-2, 0}}, {4, 0}, {{-4, 0}}},
      {OF(pow(x, 0.5)), {{4, 0}}, {2, 0}, {{0.25, infinity}}},
      {OF(pow(x, 0)), {{-2, 0}}, {1, 1}, {{0, 0}}}}},
    {"`x / y`",
     "gradient by y is `-(zbar * z) / y`: y squared is never formed",
     {{OF(x / y), {{1e200, 1e-200}, {1e200, 1e-200}}, {1, 1}, {{1e-200, 1e200}, {-1e-200, -1e200}}},
      {OF(1 / x), {A(1e-160)}, A(1e160), {A(-infinity)}},
      {OF(x / y), {{1, 0}, {0, 0}}, {infinity, nan}, {{infinity, infinity}, {-infinity, nan}}}}},
    {"`prod` with zeros",
     "exact: exclusive products, no division",
     {{OF(prod(x)), {{0, 2, 3}}, A(0.0), {{6, 0, 0}}},
      {OF(prod(x)), {{0, 2, 0}}, A(0.0), {{0, 0, 0}}},
      {OF(prod(x, {0})), {{{0, 1}, {2, 5}}}, {0, 5}, {{{2, 5}, {0, 1}}}},
      {OF(grad(sum(grad(prod(x), x)), x)), {{0, 0, 3}}, {3, 3, 0}, {{2, 2, 2}}}}},
    {"`logsumexp`",
     "the maximum is subtracted, or 0 where it is not finite; all -inf gives -inf with gradient 0",
     {roughly(1e-12, {OF(logsumexp(x, {0})), {{1e4, 1e4}}, A(1e4 + ln2), {{0.5, 0.5}}}),
      roughly(1e-12, {OF(logsumexp(x, {0})), {{-1e4, -1e4}}, A(-1e4 + ln2), {{0.5, 0.5}}}),
      {OF(logsumexp(x, {0})), {{-infinity, 1}}, A(1.0), {{0, 1}}},
      {OF(logsumexp(x, {0})), {{-infinity, -infinity}}, A(-infinity), {{0, 0}}}}},
    {"`log_softmax`",
     "`(x - m) - log(sum(exp(x - m)))`, in that order",
     {{OF(log_softmax(x)), {{1e16, 1e16}}, {-ln2, -ln2}, {{0, 0}}},
      {OF(log_softmax(x)), {{1e4, -1e4}}, {0, -2e4}, {{-1, 1}}},
      {OF(log_softmax(x)), {{0, -infinity}}, {0, -infinity}, {{-1, 1}}}}},
    {"`softmax`",
     "a row of -inf only is NaN; `softmax(x, mask)` gives 0 with gradient 0 for a fully masked row",
     {{OF(softmax(x)), {{1e4, -1e4}}, {1, 0}, {{0, 0}}, A{3, 2}},
      {OF(softmax(x)), {{0, -infinity, 0}}, {0.5, 0, 0.5}, {{0.25, 0, -0.25}}, A{3, 7, 2}},
      {OF(softmax(x)), {{-infinity, -infinity}}, {nan, nan}, {{nan, nan}}},
      {OF(softmax(x, A{{1, 1, 0}, {0, 0, 0}})),
       {{{0, 0, 9}, {1, 2, 3}}},
       {{0.5, 0.5, 0}, {0, 0, 0}},
       {{{0.25, -0.25, 0}, {0, 0, 0}}},
       A{{3, 2, 7}, {1, 2, 3}}}}},
    {"`softmax_cross_entropy(logits, labels)`",
     "fused and stable for logits of +-1e4; backward is `(p - t) * scale` directly; labels may be class indices or "
     "rows "
     "of probabilities (0 log 0 is 0); options: reduction none, mean, sum; class weights; label smoothing; an ignored "
     "label. The mean divides by the summed weight of the rows that count; all rows ignored is an error",
     {{OF(softmax_cross_entropy(x, Indices{1})), {{{1e4, -1e4}}}, A(2e4), {{{1, -1}}}},
      {OF(softmax_cross_entropy(x, Indices{0})), {{{1e4, -1e4}}}, A(0.0), {{{0, 0}}}},
      {OF(softmax_cross_entropy(x, Indices{0, 1}, {.reduction = Reduction::none})),
       {{{0, 0}, {1e4, 0}}},
       {ln2, 1e4},
       {{{-0.5, 0.5}, {1, -1}}}},
      {OF(softmax_cross_entropy(x, Indices{0, 1}, {.reduction = Reduction::sum})),
       {{{0, 0}, {1e4, 0}}},
       A(ln2 + 1e4),
       {{{-0.5, 0.5}, {1, -1}}}},
      {OF(softmax_cross_entropy(x, A{{1, 0}})), {{{0, -infinity}}}, A(0.0), {{{0, 0}}}},
      {OF(softmax_cross_entropy(x, A{{0.25, 0.75}})), {{{0, 0}}}, A(ln2), {{{0.25, -0.25}}}},
      {OF(softmax_cross_entropy(x, Indices{0, 1}, {.class_weights = {1, 3}})),
       {{{0, 0}, {0, 0}}},
       A(ln2),
       {{{-0.125, 0.125}, {0.375, -0.375}}}},
      {OF(softmax_cross_entropy(x, Indices{0}, {.label_smoothing = 0.5})), {{{0, 0}}}, A(ln2), {{{-0.25, 0.25}}}},
      {OF(softmax_cross_entropy(x, Indices{0, -1}, {.ignored_label = -1})),
       {{{0, 0}, {7, infinity}}},
       A(ln2),
       {{{-0.5, 0.5}, {0, 0}}}},
      refuses(OF(softmax_cross_entropy(x, Indices{-1}, {.ignored_label = -1})), {{{0, 0}}},
              "[softmax_cross_entropy] no row counts: every label is ignored, or of weight 0")}},
    {"`binary_cross_entropy_with_logits`",
     "one primitive; value and derivative right at 0 and at +-1e4",
     {{OF(binary_cross_entropy_with_logits(x, y, Reduction::none)),
       {{0, 1e4, 1e4, -1e4, -1e4}, {1, 1, 0, 0, 1}},
       {ln2, 0, 1e4, 0, 1e4},
       {{-0.5, 0, 1, 0, -1}, {0, -1e4, -1e4, 1e4, 1e4}}}}},
    {"`sigmoid`",
     "two branches; `1 - sigmoid(x)` is `sigmoid(-x)`",
     {{OF(sigmoid(x)), {{-1e4, 0, 1e4}}, {0, 0.5, 1}, {{0, 0.25, 0}}},
      {OF(sigmoid(x)), {{40, -40}}, {1, std::exp(-40.0)}, {{std::exp(-40.0), std::exp(-40.0)}}}}},
    {"`softplus`, `logaddexp`, `log1p`, `expm1`",
     "primitives with stable tails; derivative of `logaddexp` is a sigmoid",
     {{OF(softplus(x)), {{-1e4, -40, 0, 1e4}}, {0, std::exp(-40.0), ln2, 1e4}, {{0, std::exp(-40.0), 0.5, 1}}},
      {OF(logaddexp(x, y)),
       {{1e4, 1e4, -1e4}, {1e4, -1e4, -1e4}},
       {1e4 + ln2, 1e4, -1e4 + ln2},
       {{0.5, 1, 0.5}, {0.5, 0, 0.5}}},
      {OF(logaddexp(x, y)), {{-infinity, -infinity}, {1, -infinity}}, {1, -infinity}, {{0, 0}, {1, 0}}},
      {OF(log1p(x)), {{1e-20, -1}}, {1e-20, -infinity}, {{1, infinity}}},
      {OF(expm1(x)), {{1e-20, -1e4}}, {1e-20, -1}, {{1, 0}}}}},
    {"`tanh`",
     "derivative `1 - z * z`; `gelu` is exact (erf), `gelu_tanh` is the approximation",
     {{OF(tanh(x)), {{-1e4, 0, 1e4}}, {-1, 0, 1}, {{0, 1, 0}}},
      {OF(gelu(x)), {{-1e4, 0, 1, 1e4}}, {0, 0, 0.8413447460685429, 1e4}, {{0, 0.5, 1.0833154705876862, 1}}},
      {OF(gelu_tanh(x)), {{-1e4, 0, 1, 1e4}}, {0, 0, 0.8411919906082768, 1e4}, {{0, 0.5, 1.0829640838457826, 1}}}}},
    {"`where`",
     "the cotangent is selected, not multiplied; the inactive branch gets exact zeros",
     {{OF(where(A{1, 0}, x, y)),
       {{1, nan}, {infinity, 4}},
       {1, 4},
       {{infinity, 0}, {0, infinity}},
       A{infinity, infinity}},
      {OF(where(x, x* y, log(x))), {{2, 0}, {3, 3}}, {6, -infinity}, {{3, infinity}, {2, 0}}},
      {OF(where(A{0, 0}, log(x), y)), {{0, -1}, {3, 4}}, {3, 4}, {{nan, 0}, {1, 1}}}}},
    {"`take`, `take_along_axis`",
     "repeated indices add up",
     {{OF(take(x, Indices{1, 1, -1})), {{5, 6, 7}}, {6, 6, 7}, {{0, 2, 1}}},
      {OF(take(x, Indices{0, 0}, 1)), {{{1, 2}, {3, 4}}}, {{1, 1}, {3, 3}}, {{{2, 0}, {2, 0}}}},
      {OF(take_along_axis(x, Indices{{0, 0}, {1, 0}}, 1)), {{{1, 2}, {3, 4}}}, {{1, 1}, {4, 3}}, {{{2, 0}, {1, 1}}}},
      refuses(OF(take(x, Indices{3})), {{5, 6, 7}}, "[take] index 3 is out of range for an axis of length 3")}},
    {"`variance`",
     "two passes; `ddof` is explicit",
     {{OF(variance(x, {0})), {{1e9, 1e9 + 3, 1e9 + 6}}, A(6.0), {{-2, 0, 2}}},
      {OF(variance(x, {0}, 1)), {{1e9, 1e9 + 3, 1e9 + 6}}, A(9.0), {{-3, 0, 3}}},
      {OF(variance(x, {0})), {{7}}, A(0.0), {{0}}},
      {OF(variance(x, {0}, 1)), {{7}}, A(nan), {{nan}}}}},
    {"`mean` of no elements, sizes 0, rank 0",
     "every operation accepts zero-size and rank-0 arrays where NumPy does; `mean` of none is NaN, `amax` of none is "
     "an "
     "error",
     {{OF(mean(x)), {none({0})}, A(nan), {none({0})}},
      {OF(sum(x)), {none({0})}, A(0.0), {none({0})}},
      {OF(prod(x)), {none({0})}, A(1.0), {none({0})}},
      {OF(norm(x)), {none({0})}, A(0.0), {none({0})}},
      {OF(logsumexp(x, {0})), {none({0})}, A(-infinity), {none({0})}},
      {OF(sum(x, {0})), {none({0, 2})}, {0, 0}, {none({0, 2})}},
      {OF(amax(x, {1})), {none({0, 2})}, none({0}), {none({0, 2})}},
      {OF(sum(x) * mean(x) * prod(x) * amax(x)), {A(2.0)}, A(16.0), {A(32.0)}},
      {OF(matmul(x, y)), {none({2, 0}), none({0, 3})}, {{0, 0, 0}, {0, 0, 0}}, {none({2, 0}), none({0, 3})}},
      {OF(softmax(x)), {none({2, 0})}, none({2, 0}), {none({2, 0})}},
      {OF(take(x, Indices(Shape{0}))), {{1, 2}}, none({0}), {{0, 0}}},
      refuses(OF(amax(x)), {none({0})}, "[amax] an array of shape (0,) has no elements to compare"),
      refuses(OF(amin(x, {0})), {none({0, 2})}, "[amin] an array of shape (0, 2) has no elements to compare")},
     any_shape_is_welcome},
    {"losses",
     "predictions and targets must have equal shapes: (n, 1) against (n) is an error, never a broadcast",
     {refuses(OF(mean_squared_error(x, y)), {column({1, 2}), {1, 2}},
              "[mean_squared_error] predictions have shape (2, 1), targets (2,): they must be equal"),
      refuses(OF(binary_cross_entropy_with_logits(x, y)), {column({1, 2}), {1, 2}},
              "[binary_cross_entropy_with_logits] predictions have shape (2, 1), targets (2,): they must be equal"),
      refuses(OF(softmax_cross_entropy(x, A{1, 0})), {{{1, 0}}},
              "[softmax_cross_entropy] predictions have shape (1, 2), targets (2,): they must be equal"),
      {OF(mean_squared_error(x, y)), {{1, 2}, {1, 4}}, A(2.0), {{0, -2}, {0, 2}}}}},
    {"optimizers",
     "trajectories equal PyTorch's for the same start, data and options (SGD with momentum, Nesterov, weight decay; "
     "Adam, AdamW, RMSprop) to 1e-6 relative after 100 steps in double",
     {},
     nullptr,
     "golden/golden_test.cpp"},
    {"random numbers",
     "one explicit engine passed in; the same seed gives the same training run, bit for bit, on the same build with "
     "one "
     "thread",
     {},
     same_seed_same_training},
};

const std::vector<Convention> other_operations = {
    {"`+`, `-`, `*`",
     "as IEEE 754 has it",
     {{OF(x + y), {A(infinity), A(-infinity)}, A(nan), {A(1.0), A(1.0)}},
      {OF(x - y), {A(infinity), A(infinity)}, A(nan), {A(1.0), A(-1.0)}},
      {OF(x * y), {A(0.0), A(infinity)}, A(nan), {A(infinity), A(0.0)}},
      {OF(-x), {A(infinity)}, A(-infinity), {A(-1.0)}}}},
    {"NaN",
     "is handed on by what compares, too",
     {{OF(relu(x)), {A(nan)}, A(nan), {A(1.0)}},
      {OF(clip(x, -1, 1)), {A(nan)}, A(nan), {A(0.0)}},
      {OF(maximum(x, y)), {{nan, 1}, {1, nan}}, {nan, nan}, {{0, 0}, {0, 0}}},
      {OF(minimum(x, y)), {{nan, 1}, {1, nan}}, {nan, nan}, {{0, 0}, {0, 0}}},
      {OF(amax(x)), {{nan, 1, 2}}, A(nan), {{0, 0, 0}}},
      {OF(amin(x)), {{1, 2, nan}}, A(nan), {{0, 0, 0}}}}},
    {"`exp`",
     "overflows to +inf beyond 709.78 in double and 88.72 in float",
     {{OF(exp(x)),
       {{-1e4, 0, 709.7, 710}},
       {0, 1, 1.6549840276802644e308, infinity},
       {{0, 1, 1.6549840276802644e308, infinity}}}},
     exp_in_float},
    {"`log`",
     "-inf at 0, NaN below",
     {{OF(log(x)), {{1, 0, -1, 1e-310}}, {0, -infinity, nan, -713.8013788281542}, {{1, infinity, -1, infinity}}}}},
    {"`sin`, `cos`",
     "NaN at infinity",
     {{OF(sin(x)), {{0, infinity}}, {0, nan}, {{1, nan}}}, {OF(cos(x)), {{0, infinity}}, {1, nan}, {{0, nan}}}}},
    {"`erf`", "its tails are flat", {{OF(erf(x)), {{-1e300, 0, infinity}}, {-1, 0, 1}, {{0, 2 / std::sqrt(M_PI), 0}}}}},
    {"`silu`",
     "x * sigmoid(x), and so 0 far to the left",
     {{OF(silu(x)), {{-1e4, 0, 1e4}}, {0, 0, 1e4}, {{0, 0.5, 1}}}}},
    {"`sign`", "0 at 0; its derivative is 0 everywhere", {{OF(sign(x)), {{-2, 0, 2}}, {-1, 0, 1}, {{0, 0, 0}}}}},
    {"`sum`, `mean` over no axes",
     "change nothing",
     {{OF(sum(x, {})), {{1, 2}}, {1, 2}, {{1, 1}}}, {OF(mean(x, {})), {{1, 2}}, {1, 2}, {{1, 1}}}}},
    {"`reshape`, `squeeze`, `expand_dims`, `broadcast_to`",
     "accept what keeps the elements, and refuse the rest",
     {{OF(reshape(x, {2, 1})), {{1, 2}}, column({1, 2}), {{1, 1}}},
      {OF(squeeze(x)), {{{1, 2}}}, {1, 2}, {{{1, 1}}}},
      {OF(expand_dims(x, -1)), {{1, 2}}, column({1, 2}), {{1, 1}}},
      {OF(broadcast_to(x, {2, 2})), {{1, 2}}, {{1, 2}, {1, 2}}, {{2, 2}}},
      {OF(broadcast_to(x, {0, 2})), {{1, 2}}, none({0, 2}), {{0, 0}}},
      refuses(OF(reshape(x, {3})), {{1, 2}}, "[reshape] an array of shape (2,) cannot take the shape (3,)"),
      refuses(OF(squeeze(x, {0})), {{1, 2}}, "[squeeze] an axis to be dropped is not of length 1 in shape (2,)"),
      refuses(OF(broadcast_to(x, {3})), {{1, 2}}, "[broadcast_to] an array of shape (2,) does not broadcast to (3,)")}},
    {"`transpose`, `matrix_transpose`",
     "leave a vector as it is; `matrix_transpose` wants two axes",
     {{OF(transpose(x)), {{1, 2}}, {1, 2}, {{1, 1}}},
      {OF(matrix_transpose(x)), {{{1, 2}}}, column({1, 2}), {{{1, 1}}}},
      refuses(OF(matrix_transpose(x)), {{1, 2}}, "[matrix_transpose] an array of shape (2,) is no matrix")}},
    {"`slice`, `pad`",
     "`slice` takes what is there, as Python does",
     {{OF(slice(x, 0, -9, 9)), {{1, 2}}, {1, 2}, {{1, 1}}},
      {OF(slice(x, 0, 2, 1)), {{1, 2, 3}}, none({0}), {{0, 0, 0}}},
      {OF(slice(x, 0, 2, {}, -2)), {{1, 2, 3}}, {3, 1}, {{1, 0, 1}}},
      {OF(pad(x, 0, 1, 0)), {{1, 2}}, {0, 1, 2}, {{1, 1}}}}},
    {"`concatenate`, `stack`",
     "accept parts of length 0; a part given twice gets both gradients",
     {{OF(concatenate<double>({x, y, x})), {{1, 2}, none({0})}, {1, 2, 1, 2}, {{2, 2}, none({0})}},
      {OF(stack<double>({x, x})), {{1, 2}}, {{1, 2}, {1, 2}}, {{2, 2}}},
      refuses(OF(concatenate<double>({x, y})), {{1, 2}, {{1, 2}}},
              "[concatenate] shapes do not fit along axis 0: (2,) and (1, 2)")}},
    {"`matmul`, `linear`",
     "NumPy's shapes; inner sizes must be equal",
     {{OF(matmul(x, y)), {{1, 2}, {3, 4}}, A(11.0), {{3, 4}, {1, 2}}},
      {OF(matmul(x, y)), {{1, 2}, column({3, 4})}, {11}, {{3, 4}, column({1, 2})}},
      {OF(linear(x, y)), {{{1, 2}}, {{3, 4}}}, column({11}), {{{3, 4}}, {{1, 2}}}},
      refuses(OF(matmul(x, y)), {{1, 2}, {1, 2, 3}}, "[matmul] inner sizes differ: (1, 2) x (3, 1)"),
      refuses(OF(linear(x, y)), {{{1, 2}}, {{3, 4, 5}}},
              "[linear] an input of shape (1, 2) does not fit a weight of shape (1, 3) (out, in)")}},
};

const std::vector<Convention>* const tables[] = {&conventions, &other_operations};

// ---- the documentation

std::string documentation() {
    std::string text =
        "# Numerical conventions\n\n"
        "Printed from the table in `tests/autograd/numerics_test.cpp`, whose tests hold every line against the engine\n"
        "(`numerics_test -- --write` prints it anew). Where peers disagree, the choice here is stated.\n\n"
        "The derivatives are those of the sum of the value, or along the adjoint `zbar` where one is given; `A` is\n"
        "`autograd::Array<double>`.\n\n"
        "## Promises\n";
    for (const Convention& convention : conventions) text += section(convention);
    text += "\n## The other operations at their edges\n";
    for (const Convention& convention : other_operations) text += section(convention);
    return text;
}

// ---- the tests

std::string with_single_spaces(std::string text) {
    text = std::regex_replace(text, std::regex("\n\\s*//+"), " ");
    return std::regex_replace(text, std::regex("\\s+"), " ");
}

/// Up to a few units in the last place; infinities and NaN exactly.
bool same(double got, double expected, double tolerance) {
    if (std::isnan(expected)) return std::isnan(got);
    if (std::isinf(expected) || std::isinf(got)) return got == expected;
    return std::abs(got - expected) <= tolerance * std::abs(expected) + 1e-300;
}

void check_same(const A& got, const A& expected, double tolerance) {
    bool equal = got.shape() == expected.shape();
    for (std::size_t i = 0; equal && i < got.size(); ++i) equal = same(got.data()[i], expected.data()[i], tolerance);
    BOOST_TEST(equal, "expected " << text_of(expected) << ", got " << text_of(got));
}

void check(const Point& point) {
    Tape<double> tape;
    Xs inputs;
    for (const A& array : point.at) inputs.push_back(tape.variable(array));
    if (point.error != nullptr) {
        BOOST_CHECK_EXCEPTION(point.f(inputs), std::exception, [&](const std::exception& error) {
            BOOST_TEST_MESSAGE(error.what());
            return std::string(error.what()) == point.error;
        });
        return;
    }
    const auto result = point.f(inputs);
    check_same(result.value(), point.value, point.tolerance);
    const A seed = point.seed.value_or(A(result.shape(), 1.0));
    const auto gradients = tape.backward(result, seed);
    const auto recorded = vjp(result, inputs, tape.constant(seed));
    BOOST_TEST_REQUIRE(point.derivatives.size() == inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        check_same(gradients[inputs[i]], point.derivatives[i], point.tolerance);
        check_same(recorded[i].value(), point.derivatives[i], point.tolerance);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_convention_is_kept) {
    for (const auto* table : tables)
        for (const Convention& convention : *table) {
            BOOST_TEST_CONTEXT(convention.where << ": " << convention.promise) {
                BOOST_TEST((!convention.points.empty() || convention.check || convention.cited_in));
                for (const Point& point : convention.points)
                    BOOST_TEST_CONTEXT(point.text << " at " << text_of(point.at, "")) { check(point); }
                if (convention.check != nullptr) convention.check();
                if (convention.cited_in != nullptr) {
                    const std::string path = std::string(DELTARULE_SOURCE_DIR "/tests/") + convention.cited_in;
                    BOOST_TEST(with_single_spaces(bytes_of(path)).find(convention.promise) != std::string::npos);
                }
            }
        }
}

// Whoever adds an operation says here what it does at its edge.
BOOST_AUTO_TEST_CASE(every_operation_is_in_the_table) {
    std::string all;
    for (const auto* table : tables)
        for (const Convention& convention : *table)
            for (const Point& point : convention.points) all += std::string(point.text) + " ";
    std::istringstream header(bytes_of(DELTARULE_SOURCE_DIR "/autograd/operations.hpp"));
    const std::regex declaration("^Variable<T> ([a-z_0-9]+)\\(");
    std::size_t count = 0;
    bool for_rules = false;
    for (std::string line; std::getline(header, line);) {
        if (line.starts_with("// ----")) for_rules = false;
        if (line.starts_with("// The names that rules share") || line.starts_with("// The partners that rules call"))
            for_rules = true;
        std::smatch match;
        if (for_rules || !std::regex_search(line, match, declaration)) continue;
        ++count;
        BOOST_TEST(std::regex_search(all, std::regex("\\b" + match[1].str() + "(<double>)?\\(")),
                   match[1].str() << " has no line in the table");
    }
    BOOST_TEST(count > 60u);
}

BOOST_AUTO_TEST_CASE(the_documentation_is_printed_from_the_table) {
    const std::string path = DELTARULE_SOURCE_DIR "/docs/numerics.md";
    const auto& suite = boost::unit_test::framework::master_test_suite();
    if (suite.argc > 1 && std::string_view(suite.argv[1]) == "--write") std::ofstream(path) << documentation();
    BOOST_TEST((bytes_of(path) == documentation()), "docs/numerics.md is not what numerics_test -- --write writes");
}
