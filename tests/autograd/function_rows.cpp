// Functions of one number, element by element.
#include "operations_table.hpp"

namespace {

template <class T>
T sigma(T x) {
    return 1 / (1 + exp(-x));
}
template <class T>
T phi(T x) {
    return erfc(-x / sqrt(T(2))) / 2;
}
template <class T>
T cubic(T x) {
    return sqrt(2 / pi<T>()) * (x + T(44715) / 1'000'000 * x * x * x);
}

}  // namespace

std::vector<Operation> function_rows() {
    return {
        {"exp",
         "overflows to +inf beyond 709.78 in double and 88.72 in float",
         {{OF(exp(x)), IS(exp(x))}},
         {{OF(exp(x)),
           {{-1e4, 0, 709.7, 710}},
           {0, 1, 1.6549840276802644e308, infinity},
           {{0, 1, 1.6549840276802644e308, infinity}}},
          {OF(exp(x)), {{infinity, -infinity, NaN}}, {infinity, 0, NaN}, {{infinity, 0, NaN}}}}},
        {"expm1",
         "keeps the digits of small numbers",
         {{OF(expm1(x)), IS(expm1(x))}},
         {{OF(expm1(x)), {{1e-20, -1e4}}, {1e-20, -1}, {{1, 0}}},
          {OF(expm1(x)), {{infinity, -infinity, NaN}}, {infinity, -1, NaN}, {{infinity, 0, NaN}}}}},
        {"log",
         "-inf at 0, NaN below",
         {{OF(log(x)), IS(log(x)), x_positive}},
         {{OF(log(x)), {{1, 0, -1, 1e-310}}, {0, -infinity, NaN, -713.8013788281542}, {{1, infinity, -1, infinity}}},
          {OF(log(x)), {{infinity, NaN}}, {infinity, NaN}, {{0, NaN}}}}},
        {"log1p",
         "keeps the digits of small numbers",
         {{OF(log1p(x)), IS(log1p(x)), x_positive}},
         {{OF(log1p(x)), {{1e-20, -1}}, {1e-20, -infinity}, {{1, infinity}}},
          {OF(log1p(x)), {{infinity, NaN}}, {infinity, NaN}, {{0, NaN}}}}},
        {"sqrt",
         "derivative +inf at 0",
         {{OF(sqrt(x)), IS(sqrt(x)), x_positive}},
         {{OF(sqrt(x)), {{0, 4}}, {0, 2}, {{infinity, 0.25}}},
          {OF(sqrt(x)), {A(-1.0)}, A(NaN), {A(NaN)}},
          {OF(sqrt(x)), {{infinity, -infinity, NaN}}, {infinity, NaN, NaN}, {{0, NaN, NaN}}}}},
        {"abs",
         "derivative 0 at 0",
         {{OF(abs(x)), IS(fabs(x)), x_nonzero}},
         {{OF(abs(x)), {{-1, 0, 1}}, {1, 0, 1}, {{-1, 0, 1}}},
          {OF(abs(x)), {{infinity, -infinity, NaN}}, {infinity, infinity, NaN}, {{1, -1, NaN}}}}},
        {"sin",
         "NaN at infinity",
         {{OF(sin(x)), IS(sin(x))}},
         {{OF(sin(x)), {{0, infinity}}, {0, NaN}, {{1, NaN}}},
          {OF(sin(x)), {{1e7, NaN}}, {0.42054779319078249, NaN}, {{-0.90727038618173956, NaN}}}}},
        {"cos",
         "NaN at infinity",
         {{OF(cos(x)), IS(cos(x))}},
         {{OF(cos(x)), {{0, infinity}}, {1, NaN}, {{0, NaN}}},
          {OF(cos(x)), {{1e7, NaN}}, {-0.90727038618173956, NaN}, {{-0.42054779319078249, NaN}}}}},
        {"tanh",
         "flat at its tails",
         {{OF(tanh(x)), IS(tanh(x))}},
         {{OF(tanh(x)), {{-1e4, 0, 1e4}}, {-1, 0, 1}, {{0, 1, 0}}},
          {OF(tanh(x)), {{infinity, -infinity, NaN}}, {1, -1, NaN}, {{0, 0, NaN}}}}},
        {"erf",
         "its tails are flat",
         {{OF(erf(x)), IS(erf(x))}},
         {{OF(erf(x)), {{-1e300, 0, infinity}}, {-1, 0, 1}, {{0, 2 / std::sqrt(M_PI), 0}}},
          {OF(erf(x)), {{1.5, -infinity, NaN}}, {0.9661051464753108, -1, NaN}, {{0.11893028922362936, 0, NaN}}}}},
        {"sigmoid",
         "two branches, so that it keeps its digits on both sides",
         {{OF(sigmoid(x)), IS(sigma(x))}},
         {{OF(sigmoid(x)), {{-1e4, 0, 1e4}}, {0, 0.5, 1}, {{0, 0.25, 0}}},
          {OF(sigmoid(x)), {{40, -40}}, {1, std::exp(-40.0)}, {{std::exp(-40.0), std::exp(-40.0)}}},
          {OF(sigmoid(x)), {{infinity, -infinity, NaN}}, {1, 0, NaN}, {{0, 0, NaN}}}}},
        {"relu",
         "derivative 0 at 0",
         {{OF(relu(x)), IS(std::max(x, Number(0))), x_nonzero}},
         {{OF(relu(x)), {{-1, 0, 1}}, {0, 0, 1}, {{0, 0, 1}}},
          {OF(relu(x)), {{infinity, -infinity, NaN}}, {infinity, 0, NaN}, {{1, 0, NaN}}}}},
        {"softplus",
         "stable on both sides",
         {{OF(softplus(x)), IS(log_of_1_plus_exp(x))}},
         {{OF(softplus(x)), {{-1e4, -40, 0, 1e4}}, {0, std::exp(-40.0), ln2, 1e4}, {{0, std::exp(-40.0), 0.5, 1}}},
          {OF(softplus(x)), {{infinity, -infinity, NaN}}, {infinity, 0, NaN}, {{1, 0, NaN}}}}},
        {"gelu",
         "exact, by erf",
         {{OF(gelu(x)), IS(x * phi(x))}},
         {{OF(gelu(x)), {{-1e4, 0, 1, 1e4}}, {0, 0, 0.8413447460685429, 1e4}, {{0, 0.5, 1.0833154705876862, 1}}},
          {OF(gelu(x)), {{infinity, -infinity, NaN}}, {infinity, 0, NaN}, {{1, 0, NaN}}},
          {OF(gelu(x)),
           {{-3, -8, 1e20, -1e20}},
           {-0.0040496940948902836, -4.9767684594174273e-15, 1e20, 0},
           {{-0.011945647204183927, -3.979607261086796e-14, 1, 0}}}}},
        {"gelu_tanh",
         "the approximation by tanh",
         {{OF(gelu_tanh(x)), IS(x * sigma(2 * cubic(x)))}},
         {{OF(gelu_tanh(x)), {{-1e4, 0, 1, 1e4}}, {0, 0, 0.8411919906082768, 1e4}, {{0, 0.5, 1.0829640838457826, 1}}},
          {OF(gelu_tanh(x)), {{infinity, -infinity, NaN}}, {infinity, 0, NaN}, {{1, 0, NaN}}},
          {OF(gelu_tanh(x)), {{1e20, -1e20, 1e200, -1e200}}, {1e20, 0, 1e200, 0}, {{1, 0, 1, 0}}}}},
        {"silu",
         "x * sigmoid(x), and so 0 far to the left",
         {{OF(silu(x)), IS(x * sigma(x))}},
         {{OF(silu(x)), {{-1e4, 0, 1e4}}, {0, 0, 1e4}, {{0, 0.5, 1}}},
          {OF(silu(x)), {{infinity, -infinity, NaN}}, {infinity, 0, NaN}, {{1, 0, NaN}}}}},
        {"sign",
         "0 at 0; its derivative is 0 everywhere",
         {{OF(sign(x)), IS((x > 0) - (x < 0)), x_nonzero}},
         {{OF(sign(x)), {{-2, 0, 2}}, {-1, 0, 1}, {{0, 0, 0}}},
          {OF(sign(x)), {{infinity, -infinity, NaN}}, {1, -1, NaN}, {{0, 0, 0}}}}},
    };
}
