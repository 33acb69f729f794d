#include <fmt/format.h>
#include <fmt/ranges.h>

#include <autograd/operations/partners.hpp>
#include <cmath>
#include <derivation/formula/notations.hpp>
#include <derivation/truth/kinks.hpp>
#include <lab/lowering/written.hpp>
#include <map>
#include <numeric>

namespace lab {

std::string code_of(double number) {
    if (std::isnan(number)) return "NAN";
    if (std::isinf(number)) return number > 0 ? "INFINITY" : "-INFINITY";
    const std::string text = fmt::format("{}", number);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

}  // namespace lab

namespace lab::lowering {

namespace {

constexpr int sums = 1, products = 2, signs = 3, calls = 4;  // what binds closer has a larger level

/// The place of a node in code: on the left or the right of an operator, or anywhere else.
std::string place(const Variable& x, char side = 'a') { return fmt::format("\x01{}{}\x02", side, x.index()); }
std::string left(const Variable& x) { return place(x, 'l'); }
std::string right(const Variable& x) { return place(x, 'r'); }

Variable made(const autograd::Variable<double>& node, const Variable& from, std::string text, int level = calls) {
    return {node, from.codes(), {std::move(text), level}};
}

const autograd::Variable<double>& plain(const Variable& x) { return x; }

std::vector<autograd::Variable<double>> plain(const std::vector<Variable>& xs) { return {xs.begin(), xs.end()}; }

Variable call(const char* name, const autograd::Variable<double>& node, const Variable& x) {
    return made(node, x, fmt::format("{}({})", name, place(x)));
}
Variable call(const char* name, const autograd::Variable<double>& node, const Variable& x, const Variable& y) {
    return made(node, x, fmt::format("{}({}, {})", name, place(x), place(y)));
}
template <class Numbers>
Variable call(const char* name, const autograd::Variable<double>& node, const Variable& x, const Numbers& numbers) {
    return made(node, x, fmt::format("{}({}, {{{}}})", name, place(x), fmt::join(numbers, ", ")));
}
Variable infix(const char* sign, const autograd::Variable<double>& node, const Variable& x, const Variable& y,
               int level) {
    return made(node, x, fmt::format("{} {} {}", left(x), sign, right(y)), level);
}

std::string list(const std::vector<Variable>& xs) {
    std::string all;
    for (const Variable& x : xs) all += (all.empty() ? "" : ", ") + place(x);
    return all;
}

}  // namespace

Variable operator+(const Variable& x, const Variable& y) { return infix("+", plain(x) + plain(y), x, y, sums); }
Variable operator-(const Variable& x, const Variable& y) { return infix("-", plain(x) - plain(y), x, y, sums); }
Variable operator*(const Variable& x, const Variable& y) { return infix("*", plain(x) * plain(y), x, y, products); }
Variable operator/(const Variable& x, const Variable& y) { return infix("/", plain(x) / plain(y), x, y, products); }
Variable operator+(const Variable& x, double c) {
    const bool is_minus = c < 0;
    return made(plain(x) + c, x, fmt::format("{} {} {}", left(x), is_minus ? "-" : "+", code_of(is_minus ? -c : c)),
                sums);
}
Variable operator*(const Variable& x, double c) {
    return made(plain(x) * c, x, fmt::format("{} * {}", code_of(c), right(x)), products);
}
Variable operator/(const Variable& x, double c) {
    return made(plain(x) / c, x, fmt::format("{} / {}", left(x), code_of(c)), products);
}
Variable operator-(double c, const Variable& x) {
    return made(c - plain(x), x, fmt::format("{} - {}", code_of(c), right(x)), sums);
}
Variable operator/(double c, const Variable& x) {
    return made(c / plain(x), x, fmt::format("{} / {}", code_of(c), right(x)), products);
}
Variable operator-(const Variable& x) { return made(-plain(x), x, "-" + right(x), signs); }
Variable pow(const Variable& x, const Variable& y) { return call("pow", autograd::pow(plain(x), plain(y)), x, y); }
Variable pow(const Variable& x, double c) {
    return made(autograd::pow(plain(x), c), x, fmt::format("pow({}, {})", place(x), code_of(c)));
}
Variable maximum(const Variable& x, const Variable& y) {
    return call("maximum", autograd::maximum(plain(x), plain(y)), x, y);
}
Variable minimum(const Variable& x, const Variable& y) {
    return call("minimum", autograd::minimum(plain(x), plain(y)), x, y);
}
Variable log(const Variable& x) { return call("log", autograd::log(plain(x)), x); }
Variable abs(const Variable& x) { return call("abs", autograd::abs(plain(x)), x); }
Variable sum(const Variable& x) { return call("sum", autograd::sum(plain(x)), x); }
Variable mean(const Variable& x) { return call("mean", autograd::mean(plain(x)), x); }
Variable prod(const Variable& x) { return call("prod", autograd::prod(plain(x)), x); }
Variable amax(const Variable& x) { return call("amax", autograd::amax(plain(x)), x); }
Variable amin(const Variable& x) { return call("amin", autograd::amin(plain(x)), x); }
Variable sum(const Variable& x, const Axes& axes) { return call("sum", autograd::sum(plain(x), axes), x, axes); }
Variable mean(const Variable& x, const Axes& axes) { return call("mean", autograd::mean(plain(x), axes), x, axes); }
Variable prod(const Variable& x, const Axes& axes) { return call("prod", autograd::prod(plain(x), axes), x, axes); }
Variable amax(const Variable& x, const Axes& axes) { return call("amax", autograd::amax(plain(x), axes), x, axes); }
Variable amin(const Variable& x, const Axes& axes) { return call("amin", autograd::amin(plain(x), axes), x, axes); }
Variable logsumexp(const Variable& x, const Axes& axes) {
    return call("logsumexp", autograd::logsumexp(plain(x), axes), x, axes);
}
Variable softmax(const Variable& x, std::ptrdiff_t axis) {
    const autograd::Variable<double> node = autograd::softmax(plain(x), axis);
    return axis == -1 ? call("softmax", node, x) : made(node, x, fmt::format("softmax({}, {})", place(x), axis));
}
Variable transpose(const Variable& x, const Axes& axes) {
    const autograd::Variable<double> node = autograd::transpose(plain(x), axes);
    return axes.empty() ? call("transpose", node, x) : call("transpose", node, x, axes);
}
Variable reshape(const Variable& x, const Shape& shape) {
    return made(autograd::reshape(plain(x), shape), x,
                fmt::format("reshape({}, autograd::Shape{{{}}})", place(x), fmt::join(shape, ", ")));
}
Variable broadcast_to(const Variable& x, const Shape& shape) {
    return call("broadcast_to", autograd::broadcast_to(plain(x), shape), x, shape);
}
Variable pad(const Variable& x, std::ptrdiff_t axis, std::ptrdiff_t before, std::ptrdiff_t after) {
    return made(autograd::pad(plain(x), axis, before, after), x,
                fmt::format("pad({}, {}, {}, {})", place(x), axis, before, after));
}
Variable take(const Variable& x, const Indices& indices, std::ptrdiff_t axis) {
    const std::vector<std::int64_t> all(indices.begin(), indices.end());
    return made(autograd::take(plain(x), indices, axis), x,
                fmt::format("take({}, indices({{{}}}, {{{}}}), {})", place(x), fmt::join(indices.shape(), ", "),
                            fmt::join(all, ", "), axis));
}
Variable stack(const std::vector<Variable>& parts) {
    return made(autograd::stack(plain(parts)), parts.front(), fmt::format("autograd::stack({{{}}})", list(parts)));
}
Variable where(const Variable& mask, const Variable& x, const Variable& y) {
    return made(autograd::where(plain(mask), plain(x), plain(y)), mask,
                fmt::format("where({}, {}, {})", place(mask), place(x), place(y)));
}
Variable matmul(const Variable& x, const Variable& y) {
    return call("matmul", autograd::matmul(plain(x), plain(y)), x, y);
}
Variable det(const Variable& x) { return call("det", autograd::det(plain(x)), x); }
Variable logdet(const Variable& x) { return call("logdet", autograd::logdet(plain(x)), x); }
Variable inverse(const Variable& x) { return call("inverse", autograd::inverse(plain(x)), x); }
Variable grad(const Variable& y, const Variable& x) { return call("grad", autograd::grad(plain(y), plain(x)), y, x); }
std::vector<Variable> grad(const Variable& y, const std::vector<Variable>& xs) {
    std::vector<Variable> all;
    for (const auto& node : autograd::grad(plain(y), plain(xs)))
        all.push_back(made(node, y, fmt::format("grad({}, {})", place(y), place(xs[all.size()]))));
    return all;
}

Variable bracket(const derivation::Expression& comparison, const Variable& x, const Variable& y) {
    Array<double> result = x.value();
    for (std::size_t i = 0; i < result.size(); ++i)
        result.data()[i] = derivation::holds(comparison, x.value().data()[i], y.value().data()[i]) ? 1 : 0;
    static const std::map<std::string_view, const char*> names = {
        {"==", "equal_to"}, {"!=", "not_equal_to"}, {"<", "less"}, {">", "greater"}, {"<=", "less_equal"}};
    const auto found = names.find(comparison.name);
    return made(x.tape().constant(result, to_text(comparison)), x,
                fmt::format("tape.constant(bracket({}.value(), {}.value(), std::{}<>()))", left(x), left(y),
                            found == names.end() ? "greater_equal" : found->second));
}

Variable held(const Variable& x, const std::string& name) {
    return made(x.tape().constant(x.value(), name), x, fmt::format("tape.constant({}.value())", left(x)));
}
Variable computed_variable(const Variable& x, const std::string& name) {
    return made(x.tape().variable(x.value(), name), x, fmt::format("tape.variable({}.value())", left(x)));
}

Variable derivative_at(const derivation::Curve& f, int order, const Variable& x) {
    const autograd::Variable<double> node = derivation::derivative_at(f, order, plain(x));
    // A mixture that satisfies no identity is none that somebody typed.
    if (f.elementary == nullptr || (order > 0 && !x.requires_gradient())) return node;
    const std::string_view name = f.elementary->name;
    std::string text = name == "identity" ? fmt::format("({} + 0.0)", left(x))
                       : name == "step"   ? fmt::format("(0.5 * (sign({}) + 1.0))", place(x))
                       : name == "sech"   ? fmt::format("(2.0 / (exp({0}) + exp(-{0})))", place(x))
                       : name == "cosh"   ? fmt::format("(0.5 * (exp({0}) + exp(-{0})))", place(x))
                       : name == "sinh"   ? fmt::format("(0.5 * (exp({0}) - exp(-{0})))", place(x))
                       : name == "coth"   ? fmt::format("(1.0 / tanh({}))", place(x))
                       : name == "tan"    ? fmt::format("(sin({0}) / cos({0}))", place(x))
                                          : fmt::format("{}({})", name, place(x));
    for (int k = 0; k < order; ++k) text = fmt::format("grad(sum({}), {})", text, place(x));
    return made(node, x, text);
}

/// z = w x of a matrix and a column, where `autograd::matmul` makes a matrix of the column first.
// wbar += zbar x^T     xbar += w^T zbar
Variable times_column(const Variable& w, const Variable& x) {
    const autograd::Variable<double> v = w, u = x;
    using autograd::reshape, autograd::sum;
    const std::size_t rows = w.shape()[0], columns = w.shape()[1];
    const Shape column = {rows, 1};
    Array<double> z = Array<double>::from_shape({rows});
    for (std::size_t k = 0; k < rows; ++k)
        z(k) = std::inner_product(u.value().begin(), u.value().end(), v.value().begin() + k * columns, 0.0);
    const auto node = autograd::record("matmul", {v, u}, z, [v, u, column](auto& at) {
        at.adjoint(v) += reshape(at.zbar(), column) * at(u);
        if (at.wants(u)) at.adjoint(u) += sum(at.evaluate(reshape(at.zbar(), column) * at(v)), {0});
    });
    return call("matmul", node, w, x);
}

/// z = x w of a row and a matrix likewise.
// xbar += w zbar       wbar += x^T zbar
Variable row_times(const Variable& x, const Variable& w) {
    const autograd::Variable<double> u = x, v = w;
    using autograd::reshape, autograd::sum;
    const std::size_t rows = w.shape()[0], columns = w.shape()[1];
    const Shape column = {rows, 1};
    Array<double> z = Array<double>::from_shape({columns});
    std::ranges::fill(z, 0);
    for (std::size_t i = 0; i < w.size(); ++i) z(i % columns) += u.value()(i / columns) * v.value().data()[i];
    const auto node = autograd::record("matmul", {u, v}, z, [u, v, column](auto& at) {
        if (at.wants(u)) at.adjoint(u) += sum(at.evaluate(at(v) * at.zbar()), {1});
        at.adjoint(v) += reshape(at(u), column) * at.zbar();
    });
    return call("matmul", node, x, w);
}

}  // namespace lab::lowering
