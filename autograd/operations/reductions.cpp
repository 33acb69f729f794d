// Sums and what is made of them. `kept` is x's shape with a 1 in the place of every reduced axis.
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <autograd/kernels/axis_view.hpp>
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace autograd {

kernels::Reduced reduced(const char* operation, const Shape& shape, const Axes& axes, bool keepdims) {
    const Shape kept = kept_shape(operation, shape, axes);
    if (keepdims) return {kept, kept};
    Shape result;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const auto drops = [&](std::ptrdiff_t axis) { return axis_of(operation, axis, shape.size()) == i; };
        if (std::none_of(axes.begin(), axes.end(), drops)) result.push_back(shape[i]);
    }
    return {kept, result};
}

template <class T>
void bring_together(Variable<T>& x, Shape& kept) {
    Shape order;
    std::size_t changes = 0;
    const auto reduced = [&](std::size_t i) { return kept[i] != x.shape()[i]; };
    bool last = false;
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (x.shape()[i] == 1 || reduced(i) == last) continue;
        last = reduced(i);
        ++changes;
    }
    if (changes <= 2) return;
    for (std::size_t i = 0; i < kept.size(); ++i)
        if (!reduced(i)) order.push_back(i);
    for (std::size_t i = 0; i < kept.size(); ++i)
        if (reduced(i)) order.push_back(i);
    x = permute(x, order);
    Shape moved = kept;
    for (std::size_t i = 0; i < kept.size(); ++i) moved[i] = kept[order[i]];
    kept = moved;
}

namespace {

template <class T>
Axes all_axes(const Variable<T>& x) {
    Axes axes(x.dimension());
    std::iota(axes.begin(), axes.end(), 0);
    return axes;
}

// z = max(x)           xbar += zbar / ties where x = z
template <class T>
Variable<T> extremum(const char* operation, bool largest, Variable<T> x, const Axes& axes, bool keepdims) {
    kernels::Reduced shapes = reduced(operation, x.shape(), axes, keepdims);
    if (x.size() == 0 && size_of(shapes.kept) != 0)
        throw std::invalid_argument(
            fmt::format("[{}] an array of shape {} has no elements to compare", operation, to_string(x.shape())));
    bring_together(x, shapes.kept);
    return record(operation, {x}, kernels::Extremum<T>{shapes, x.value(), largest},
                  [x, kept = shapes.kept](auto& at) { at.adjoint(x) += share_ties(at(x), at.z(), at.zbar(), kept); });
}

}  // namespace

FACTS("sum", "sum(x)", "xbar += zbar, repeated", {{AT(std::isinf(x) && std::isnan(z)), "inf - inf"}});
template <class T>
Variable<T> sum_to(Variable<T> x, const Shape& kept, const Shape& shape) {
    return record("sum", {x}, sum_to(x.value(), kept, shape),
                  [x, kept](auto& at) { at.adjoint(x) += spread(at.zbar(), kept, at(x).shape()); });
}
UNARY(sum_to, const Shape&, const Shape&);

FACTS("broadcast_to", "x, repeated", "xbar += zbar, summed");
template <class T>
Variable<T> spread(Variable<T> x, const Shape& kept, const Shape& shape) {
    return record("broadcast_to", {x}, spread(x.value(), kept, shape),
                  [x, kept](auto& at) { at.adjoint(x) += sum_to(at.zbar(), kept, at(x).shape()); });
}
UNARY(spread, const Shape&, const Shape&);

template <class T>
Variable<T> sum(Variable<T> x, const Axes& axes, bool keepdims) {
    const auto [kept, result] = reduced("sum", x.shape(), axes, keepdims);
    return sum_to(x, kept, result);
}
UNARY(sum, const Axes&, bool);

FACTS("mean", "sum(x) / n", "xbar += zbar / n, repeated",
      {{AT(std::isinf(x) && std::isnan(z)), "inf - inf"}, {AT(std::isnan(x) && !operand_nan), "no elements, 0 / 0"}});
template <class T>
Variable<T> mean_to(Variable<T> x, const Shape& kept, const Shape& shape) {
    const T n = kernels::count_of<T>(x.shape(), kept);
    return record("mean", {x}, mean_to(x.value(), kept, shape),
                  [x, kept, n](auto& at) { at.adjoint(x) += spread(at.evaluate(at.zbar() / n), kept, at(x).shape()); });
}
UNARY(mean_to, const Shape&, const Shape&);

namespace {

/// The shape with all axes reduced.
Shape ones_like(Shape shape) {
    std::fill(shape.begin(), shape.end(), std::size_t{1});
    return shape;
}

}  // namespace

template <class T>
Variable<T> mean(Variable<T> x, const Axes& axes, bool keepdims) {
    const auto [kept, result] = reduced("mean", x.shape(), axes, keepdims);
    return mean_to(x, kept, result);
}
UNARY(mean, const Axes&, bool);

FACTS("variance", "sum((x - m)^2) / c, m = mean(x)", "xbar += zbar * (x - m) * 2 / c",
      {{AT(std::isfinite(x)), "n - ddof is 0, or the squares are too large for {type}"}});
template <class T>
Variable<T> variance(Variable<T> x, const Axes& axes, std::ptrdiff_t ddof, bool keepdims) {
    if (ddof < 0) throw std::invalid_argument(fmt::format("[variance] ddof is {}: it cannot be negative", ddof));
    kernels::Reduced shapes = reduced("variance", x.shape(), axes, keepdims);
    bring_together(x, shapes.kept);
    const T n = kernels::count_of<T>(x.shape(), shapes.kept), left = n - static_cast<T>(ddof);
    const T c = left < 0 ? std::numeric_limits<T>::quiet_NaN() : left;
    return record("variance", {x}, kernels::Variance<T>{shapes, x.value(), n, c},
                  [x, c, kept = shapes.kept](auto& at) {
                      const auto& m = at.evaluate(mean_to(at(x), kept, kept));
                      at.adjoint(x) += reshape(at.zbar(), kept) * (at(x) - m) * (T(2) / c);
                  });
}
UNARY(variance, const Axes&, std::ptrdiff_t, bool);

namespace {

/// The shape of x with a 1 in the place of the axes that w has. Throws where w is not of x's last axes.
template <class T>
Shape kept_by_layer_norm(const Variable<T>& x, const Variable<T>& w, const Variable<T>& b) {
    Shape kept = x.shape();
    const std::size_t axes = w.dimension();
    if (w.size() == 0 || axes == 0 || axes > kept.size() || w.shape() != b.shape() ||
        !equal_shapes(ShapeView(kept).subspan(kept.size() - axes), w.shape()))
        throw std::invalid_argument(fmt::format(
            "[layer_norm] an input of shape {} does not fit a weight of shape {} and a bias of shape {}: both have the "
            "shape of its last axes",
            to_string(x.shape()), to_string(w.shape()), to_string(b.shape())));
    std::fill(kept.end() - static_cast<std::ptrdiff_t>(axes), kept.end(), 1);
    return kept;
}

}  // namespace

FACTS("layer_norm", "u * w + b, u = (x - m) * r, r = 1 / sqrt(variance(x) + epsilon), m = mean(x)",
      "xbar += (g - mean(g) - u * mean(g * u)) * r, g = zbar * w; wbar += zbar * u, summed over the rows; bbar += "
      "zbar, summed over the rows",
      {}, {}, "x w b");
template <class T>
Variable<T> layer_norm(Variable<T> x, Variable<T> w, Variable<T> b, double eps) {
    if (!(eps >= 0))
        throw std::invalid_argument(fmt::format("[layer_norm] epsilon is {}, but cannot be negative", eps));
    const Shape kept = kept_by_layer_norm(x, w, b);
    const T epsilon = static_cast<T>(eps);
    return record("layer_norm", {x, w, b}, kernels::LayerNorm<T>{x.value(), w.value(), b.value(), epsilon},
                  [x, w, b, kept, epsilon](auto& at) {
                      const auto& m = at.evaluate(mean_to(at(x), kept, kept));
                      const auto& r = at.evaluate(inverse_deviation(at(x), kept, epsilon));
                      at.adjoint(x) += layer_norm_gradient(at(x), m, r, at(w), at.zbar());
                      at.adjoint(w) += at.zbar() * ((at(x) - m) * r);
                      at.adjoint(b) += at.zbar();
                  });
}
template Variable<float> layer_norm(Variable<float>, Variable<float>, Variable<float>, double);
template Variable<double> layer_norm(Variable<double>, Variable<double>, Variable<double>, double);

template <class T>
Variable<T> inverse_deviation(Variable<T> x, const Shape& kept, T epsilon) {
    Axes axes;
    for (std::size_t i = 0; i < kept.size(); ++i)
        if (kept[i] != x.shape()[i]) axes.push_back(static_cast<std::ptrdiff_t>(i));
    return T(1) / sqrt(variance(x, axes, 0, true) + epsilon);
}
template Variable<float> inverse_deviation(Variable<float>, const Shape&, float);
template Variable<double> inverse_deviation(Variable<double>, const Shape&, double);

template <class T>
Variable<T> layer_norm_gradient(Variable<T> x, Variable<T> m, Variable<T> r, Variable<T> w, Variable<T> zbar) {
    const Shape& kept = m.shape();
    const Variable<T> g = zbar * w, u = (x - m) * r;
    return (g - mean_to(g, kept, kept) - u * mean_to(g * u, kept, kept)) * r;
}
template Variable<float> layer_norm_gradient(Variable<float>, Variable<float>, Variable<float>, Variable<float>,
                                             Variable<float>);
template Variable<double> layer_norm_gradient(Variable<double>, Variable<double>, Variable<double>, Variable<double>,
                                              Variable<double>);

namespace {

/// A power of two for each number of x, seen as (outer, length, inner), by which products of those that stand side by
/// side neither overflow nor underflow, 1 where none does; and two whose product takes those of all others away again.
template <class T>
std::array<Array<T>, 3> scales_of_factors(const Array<T>& x, const kernels::AxisView& rows) {
    std::array<Array<T>, 3> scales;
    scales.fill(Array<T>(Shape{rows.outer, rows.length, rows.inner}, T(1)));
    std::vector<int> exponents(rows.length);
    constexpr int most = std::numeric_limits<T>::max_exponent - 2, far = most / 8;
    for (std::size_t o = 0; o < rows.outer; ++o)
        for (std::size_t k = 0; k < rows.inner; ++k) {
            const auto at = [&](std::size_t i) { return (o * rows.length + i) * rows.inner + k; };
            T mantissa = 1;
            int exponent = 0;  // of the running product
            std::int64_t all = 0;
            for (std::size_t i = 0; i < rows.length; ++i) {
                const T factor = x.data()[at(i)];
                exponents[i] = 0;
                if (factor == 0 || !std::isfinite(factor)) continue;
                int own = 0, moved = 0;
                mantissa = std::frexp(mantissa * std::frexp(factor, &own), &moved);
                exponent += own + moved;
                if (std::abs(exponent) <= far) continue;
                exponents[i] = std::clamp(exponent, -most, most);
                exponent -= exponents[i];
                all += exponents[i];
                scales[0].data()[at(i)] = std::ldexp(T(1), -exponents[i]);
            }
            for (std::size_t i = 0; i < rows.length; ++i) {
                const auto others = static_cast<int>(std::clamp<std::int64_t>(all - exponents[i], -2 * most, 2 * most));
                scales[1].data()[at(i)] = std::ldexp(T(1), others / 2);
                scales[2].data()[at(i)] = std::ldexp(T(1), others - others / 2);
            }
        }
    return scales;
}

}  // namespace

FACTS("prod", "prod(x)", "xbar += zbar * the product of all others");
template <class T>
Variable<T> prod(Variable<T> x, const Axes& axes, bool keepdims) {
    kernels::Reduced shapes = reduced("prod", x.shape(), axes, keepdims);
    bring_together(x, shapes.kept);
    return record("prod", {x}, kernels::RowProduct<T>{shapes, x.value()}, [x, kept = shapes.kept](auto& at) {
        at.adjoint(x) += reshape(at.zbar(), kept) * at.evaluate(exclusive_product(at(x), kept));
    });
}
UNARY(prod, const Axes&, bool);

// On variables: running products from both sides, each made in log2(n) doublings, of scaled numbers.
template <class T>
Variable<T> exclusive_product(Variable<T> x, const Shape& kept) {
    const kernels::AxisView shape(x.shape(), kept);
    const auto ones = [&](std::size_t count) {
        return x.tape().constant(Array<T>(Shape{shape.outer, count, shape.inner}, T(1)));
    };
    const std::size_t n = shape.length;
    if (n <= 1) return x.tape().constant(Array<T>(x.shape(), T(1)));
    const auto last = static_cast<std::ptrdiff_t>(n);
    const auto [scales, half, rest] = scales_of_factors(x.value(), shape);
    const auto by = [&](Variable<T> u, const Array<T>& factors) {
        return std::all_of(factors.begin(), factors.end(), [](T factor) { return factor == 1; })
                   ? u
                   : u * x.tape().constant(factors);
    };
    const Variable<T> rows = by(reshape(x, Shape{shape.outer, n, shape.inner}), scales);
    Variable<T> before = concatenate<T>({ones(1), slice(rows, 1, 0, last - 1)}, 1);
    Variable<T> behind = concatenate<T>({slice(rows, 1, 1, last), ones(1)}, 1);
    for (std::size_t step = 1; step < n; step *= 2) {
        const auto s = static_cast<std::ptrdiff_t>(step);
        before = before * concatenate<T>({ones(step), slice(before, 1, 0, last - s)}, 1);
        behind = behind * concatenate<T>({slice(behind, 1, s, last), ones(step)}, 1);
    }
    return reshape(by(by(before * behind, half), rest), x.shape());
}
UNARY(exclusive_product, const Shape&);

// On variables: which elements are the extremum is constant almost everywhere.
template <class T>
Variable<T> share_ties(Variable<T> x, Variable<T> z, Variable<T> zbar, const Shape& kept) {
    const Array<T> ones(z.shape(), T(1));
    Array<T> shares(x.shape());
    share_ties(x.value(), z.value(), ones, kept).evaluate_into(shares);
    const Variable<T> share = x.tape().constant(shares);
    return choose(share, share * reshape(zbar, kept), T(0));
}

FACTS("amax", "the largest of x", "xbar += zbar / ties where x = z");
template <class T>
Variable<T> amax(Variable<T> x, const Axes& axes, bool keepdims) {
    return extremum("amax", true, x, axes, keepdims);
}
UNARY(amax, const Axes&, bool);

FACTS("amin", "the smallest of x", "xbar += zbar / ties where x = z");
template <class T>
Variable<T> amin(Variable<T> x, const Axes& axes, bool keepdims) {
    return extremum("amin", false, x, axes, keepdims);
}
UNARY(amin, const Axes&, bool);

FACTS("norm", "sqrt(sum(x^2))", "xbar += zbar * x / z, 0 where z is 0");
template <class T>
Variable<T> norm(Variable<T> x, const Axes& axes, bool keepdims) {
    kernels::Reduced shapes = reduced("norm", x.shape(), axes, keepdims);
    bring_together(x, shapes.kept);
    return record("norm", {x}, kernels::Norm<T>{shapes, x.value()}, [x, kept = shapes.kept](auto& at) {
        at.adjoint(x) += norm_gradient(at(x), at.z(), at.zbar(), kept);
    });
}

// On variables. A row whose norm is infinite has a direction that is constant.
template <class T>
Variable<T> norm_gradient(Variable<T> x, Variable<T> z, Variable<T> zbar, const Shape& kept) {
    // x / z is at most 1, where 1 / z may be infinite.
    const auto of_finite = [&](const auto& xs, const auto& zs) {
        return over_nonzero(xs, reshape(zs, kept)) * reshape(zbar, kept);
    };
    const Array<T> is_infinite = xt::cast<T>(xt::isinf(z.value()));
    if (std::none_of(is_infinite.begin(), is_infinite.end(), [](T value) { return value != 0; }))
        return of_finite(x, z);
    Array<T> directions(x.shape());
    norm_gradient(x.value(), z.value(), Array<T>(z.shape(), T(1)), kept).evaluate_into(directions);
    Tape<T>& tape = x.tape();
    const Variable<T> infinite = tape.constant(is_infinite), rows = reshape(infinite, kept);
    const Variable<T> direction = choose(rows, tape.constant(directions), T(0));
    return of_finite(choose(rows, T(0), x), choose(infinite, T(1), z)) +
           choose(direction, direction * reshape(zbar, kept), T(0));
}

constexpr char quotient_or_zero[] = "div\0quotient_or_zero";
FACTS(quotient_or_zero, "x / y, 0 where y is 0", "xbar += zbar / y, 0 where y is 0; ybar += -zbar * z / y");
template <class T>
Variable<T> over_nonzero(Variable<T> u, Variable<T> z) {
    return record(quotient_or_zero, {u, z}, over_nonzero(u.value(), z.value()), [u, z](auto& at) {
        at.adjoint(u) += over_nonzero(at.zbar(), at(z));
        at.adjoint(z) += -(at.zbar() * at.z()) / at(z);
    });
}
UNARY(norm, const Axes&, bool);
BINARY(over_nonzero);

// Over all axes.
template <class T>
Variable<T> sum(Variable<T> x) {
    return sum_to(x, ones_like(x.shape()), Shape{});
}
UNARY(sum);
template <class T>
Variable<T> mean(Variable<T> x) {
    return mean_to(x, ones_like(x.shape()), Shape{});
}
UNARY(mean);
template <class T>
Variable<T> variance(Variable<T> x) {
    return variance(x, all_axes(x), 0, false);
}
UNARY(variance);
template <class T>
Variable<T> prod(Variable<T> x) {
    return prod(x, all_axes(x));
}
UNARY(prod);
template <class T>
Variable<T> amax(Variable<T> x) {
    return amax(x, all_axes(x));
}
UNARY(amax);
template <class T>
Variable<T> amin(Variable<T> x) {
    return amin(x, all_axes(x));
}
UNARY(amin);
template <class T>
Variable<T> norm(Variable<T> x) {
    return norm(x, all_axes(x));
}
UNARY(norm);

template Variable<float> share_ties(Variable<float>, Variable<float>, Variable<float>, const Shape&);
template Variable<double> share_ties(Variable<double>, Variable<double>, Variable<double>, const Shape&);
template Variable<float> norm_gradient(Variable<float>, Variable<float>, Variable<float>, const Shape&);
template Variable<double> norm_gradient(Variable<double>, Variable<double>, Variable<double>, const Shape&);
template void bring_together(Variable<float>&, Shape&);
template void bring_together(Variable<double>&, Shape&);

FACTS_OF_THIS_FILE(facts_of_reductions)

}  // namespace autograd
