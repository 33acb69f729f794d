#include <algorithm>
#include <array>
#include <autograd/operations.hpp>
#include <cmath>
#include <derivation/formula/building.hpp>
#include <derivation/formula/elementary.hpp>

namespace derivation {

namespace {

namespace on_numbers {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double relu(double x) { return x > 0 ? x : 0; }
double softplus(double x) { return x > 30 ? x : std::log1p(std::exp(x)); }
double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

}  // namespace on_numbers

// The derivative of each function by its order, for numbers and for variables of a tape alike: the names find both.
using on_numbers::relu, on_numbers::sigmoid, on_numbers::sign, on_numbers::softplus;
using std::abs, std::cos, std::exp, std::log, std::sin, std::sqrt, std::tanh;

constexpr auto sigmoid_by_order = []<class T>(int order, T x) -> T {
    const T s = sigmoid(x);
    if (order == 0) return s;
    const T g = s * (1.0 - s);
    return order == 1 ? g : order == 2 ? g * (1.0 - 2.0 * s) : g * (1.0 - 6.0 * s + 6.0 * (s * s));
};
constexpr auto tanh_by_order = []<class T>(int order, T x) -> T {
    const T t = tanh(x);
    if (order == 0) return t;
    const T s = 1.0 - t * t;
    return order == 1 ? s : order == 2 ? -2.0 * t * s : -2.0 * s * (1.0 - 3.0 * (t * t));
};
constexpr auto relu_by_order = []<class T>(int order, T x) -> T {
    return order == 0 ? relu(x) : order == 1 ? 0.5 * (sign(x) + 1.0) : 0.0 * x;
};
constexpr auto softplus_by_order = []<class T>(int order, T x) -> T {
    return order == 0 ? softplus(x) : sigmoid_by_order(order - 1, x);
};
constexpr auto exp_by_order = []<class T>(int, T x) -> T { return exp(x); };
constexpr auto log_by_order = []<class T>(int order, T x) -> T {
    return order == 0 ? log(x) : order == 1 ? 1.0 / x : order == 2 ? -1.0 / (x * x) : 2.0 / (x * x * x);
};
constexpr auto sqrt_by_order = []<class T>(int order, T x) -> T {
    if (order == 0) return sqrt(x);
    return order == 1 ? 0.5 / sqrt(x) : order == 2 ? -0.25 / (x * sqrt(x)) : 0.375 / (x * x * sqrt(x));
};
constexpr auto sin_by_order = []<class T>(int order, T x) -> T {
    return order == 0 ? sin(x) : order == 1 ? cos(x) : order == 2 ? -sin(x) : -cos(x);
};
constexpr auto cos_by_order = []<class T>(int order, T x) -> T {
    return order == 0 ? cos(x) : order == 1 ? -sin(x) : order == 2 ? -cos(x) : sin(x);
};
constexpr auto identity_by_order = []<class T>(int order, T x) -> T {
    return order == 0 ? x + 0.0 : order == 1 ? 0.0 * x + 1.0 : 0.0 * x;
};
constexpr auto sign_by_order = []<class T>(int order, T x) -> T { return order == 0 ? sign(x) : 0.0 * x; };
constexpr auto step_by_order = []<class T>(int order, T x) -> T {
    return order == 0 ? 0.5 * (sign(x) + 1.0) : 0.0 * x;
};
constexpr auto sech_by_order = []<class T>(int order, T x) -> T {
    const T s = 2.0 / (exp(x) + exp(-x));
    if (order == 0) return s;
    const T t = tanh(x);
    return order == 1 ? -s * t : order == 2 ? s * (t * t - s * s) : s * t * (5.0 * (s * s) - t * t);
};
constexpr auto cosh_by_order = []<class T>(int order, T x) -> T {
    return order % 2 == 0 ? 0.5 * (exp(x) + exp(-x)) : 0.5 * (exp(x) - exp(-x));
};
constexpr auto sinh_by_order = []<class T>(int order, T x) -> T { return cosh_by_order(order + 1, x); };
constexpr auto coth_by_order = []<class T>(int order, T x) -> T {
    const T c = 1.0 / tanh(x);
    if (order == 0) return c;
    const T s = 1.0 - c * c;
    return order == 1 ? s : order == 2 ? -2.0 * c * s : -2.0 * s * (1.0 - 3.0 * (c * c));
};
constexpr auto tan_by_order = []<class T>(int order, T x) -> T {
    const T t = sin(x) / cos(x);
    if (order == 0) return t;
    const T s = 1.0 + t * t;
    return order == 1 ? s : order == 2 ? 2.0 * t * s : 2.0 * s * (1.0 + 3.0 * (t * t));
};
constexpr auto abs_by_order = []<class T>(int order, T x) -> T {
    return order == 0 ? abs(x) : order == 1 ? sign(x) : 0.0 * x;
};

Expression one_minus(const Expression& e) { return sum_of_terms({{number_of(1), Joint::plus}, {e, Joint::minus}}); }
Expression times_one_minus(const Expression& e) { return product_of({e, one_minus(e)}); }
Expression inverse_of_twice(const Expression& e) { return quotient_of(number_of(1), product_of({number_of(2), e})); }

// The functions are listed in errors, and supposed one after the other, in the order of these rows.
constexpr std::array rows = {
    Elementary{.name = "sigmoid",
               .slope_by_value = times_one_minus,
               .on_numbers = sigmoid_by_order,
               .on_tape = sigmoid_by_order},
    Elementary{.name = "tanh",
               .latex_command = true,
               .slope_by_value = [](const Expression& a) { return one_minus(power_of(a, number_of(2))); },
               .on_numbers = tanh_by_order,
               .on_tape = tanh_by_order},
    Elementary{.name = "relu",
               .has_kink = true,
               .slope = [](const Expression& call) { return comparison_of(call.argument(), ">", number_of(0)); },
               .on_numbers = relu_by_order,
               .on_tape = relu_by_order},
    Elementary{.name = "softplus",
               .slope = [](const Expression& call) { return call_of("sigmoid", 0, call.argument()); },
               .on_numbers = softplus_by_order,
               .on_tape = softplus_by_order},
    Elementary{.name = "exp",
               .latex_command = true,
               .is_supposed = false,
               .is_activation = false,
               .slope = [](const Expression& call) { return call; },
               .slope_by_value = [](const Expression& a) { return a; },
               .on_numbers = exp_by_order,
               .on_tape = exp_by_order},
    Elementary{.name = "log",
               .other_name = "ln",
               .latex_command = true,
               .is_activation = false,
               .slope = [](const Expression& call) { return quotient_of(number_of(1), call.argument()); },
               .on_numbers = log_by_order,
               .on_tape = log_by_order},
    Elementary{.name = "sqrt",
               .is_activation = false,
               .slope = inverse_of_twice,
               .on_numbers = sqrt_by_order,
               .on_tape = sqrt_by_order},
    Elementary{.name = "sin",
               .latex_command = true,
               .slope = [](const Expression& call) { return call_of("cos", 0, call.argument()); },
               .on_numbers = sin_by_order,
               .on_tape = sin_by_order},
    Elementary{.name = "cos",
               .latex_command = true,
               .slope = [](const Expression& call) { return negated(call_of("sin", 0, call.argument())); },
               .on_numbers = cos_by_order,
               .on_tape = cos_by_order},
    Elementary{.name = "identity", .is_supposed = false, .on_numbers = identity_by_order, .on_tape = identity_by_order},
    Elementary{.name = "abs",
               .has_kink = true,
               .defines = false,
               .is_supposed = false,
               .is_activation = false,
               .slope = [](const Expression& call) { return call_of("sign", 0, call.argument()); },
               .on_numbers = abs_by_order,
               .on_tape = abs_by_order},
    Elementary{.name = "sign",
               .other_name = "sgn",
               .has_kink = true,
               .defines = false,
               .is_supposed = false,
               .gives_way = true,
               .is_activation = false,
               .on_numbers = sign_by_order,
               .on_tape = sign_by_order},
    Elementary{.name = "step",
               .other_name = "heaviside",
               .has_kink = true,
               .defines = false,
               .is_supposed = false,
               .gives_way = true,
               .is_activation = false,
               .on_numbers = step_by_order,
               .on_tape = step_by_order},
    Elementary{.name = "sech",
               .defines = false,
               .is_supposed = false,
               .gives_way = true,
               .is_activation = false,
               .on_numbers = sech_by_order,
               .on_tape = sech_by_order},
    Elementary{.name = "cosh",
               .latex_command = true,
               .defines = false,
               .is_supposed = false,
               .gives_way = true,
               .is_activation = false,
               .slope = [](const Expression& call) { return call_of("sinh", 0, call.argument()); },
               .on_numbers = cosh_by_order,
               .on_tape = cosh_by_order},
    Elementary{.name = "sinh",
               .latex_command = true,
               .defines = false,
               .is_supposed = false,
               .gives_way = true,
               .is_activation = false,
               .slope = [](const Expression& call) { return call_of("cosh", 0, call.argument()); },
               .on_numbers = sinh_by_order,
               .on_tape = sinh_by_order},
    Elementary{.name = "coth",
               .latex_command = true,
               .defines = false,
               .is_supposed = false,
               .gives_way = true,
               .is_activation = false,
               .slope = [](const Expression& call) { return one_minus(power_of(call, number_of(2))); },
               .on_numbers = coth_by_order,
               .on_tape = coth_by_order},
    Elementary{
        .name = "tan",
        .latex_command = true,
        .defines = false,
        .is_supposed = false,
        .gives_way = true,
        .is_activation = false,
        .slope = [](const Expression& call) { return sum_of(number_of(1), power_of(call, number_of(2)), Joint::plus); },
        .on_numbers = tan_by_order,
        .on_tape = tan_by_order},
};

/// What takes more than a number: it reduces, or makes arrays of arrays.
constexpr std::array<std::string_view, 9> structural = {"sum",     "prod", "mean",  "max", "min",
                                                        "softmax", "diag", "outer", "size"};

bool is_structural(std::string_view name) { return std::ranges::find(structural, name) != structural.end(); }

}  // namespace

std::span<const Elementary> elementary_functions() { return rows; }

const Elementary* find_elementary(std::string_view name) {
    const auto found = std::ranges::find_if(
        rows, [&](const Elementary& one) { return one.name == name || (!name.empty() && one.other_name == name); });
    return found == rows.end() ? nullptr : &*found;
}

std::string_view matrix_function(std::string_view word) {
    if (word == "trace" || word == "Tr") return "tr";
    if (word == "inv") return "inverse";
    for (const std::string_view name : {"tr", "det", "logdet", "solve", "inverse"})
        if (word == name) return name;
    return {};
}

bool gives_way(std::string_view word) {
    const Elementary* one = find_elementary(word);
    return word == "norm" || word == "dot" || word == "inner" || (one != nullptr && one->gives_way);
}

bool is_builtin(std::string_view name) { return find_elementary(name) != nullptr || is_structural(name); }

bool has_latex_command(std::string_view function) {
    if (const Elementary* one = find_elementary(function)) return one->latex_command;
    return function == "max" || function == "min" || function == "det";
}

Expression slope_of(const Expression& call) {
    const Elementary* function = call.symbol || call.order > 0 ? nullptr : find_elementary(call.name);
    if (function != nullptr && function->slope != nullptr) return function->slope(call);
    if (function != nullptr && function->slope_by_value != nullptr) return function->slope_by_value(call);
    Expression derivative = call;
    ++derivative.order;
    return derivative;
}

}  // namespace derivation
