#include "operations_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <iterator>
#include <random>
#include <stdexcept>

namespace {

bool all(const A& x, bool (*holds)(double)) { return std::all_of(x.begin(), x.end(), holds); }
bool far_from_zero(double x) { return std::abs(x) > 0.05; }

bool differ(const A& x, const A& y) {
    broadcast_shapes("apart", std::initializer_list<ShapeView>{x.shape(), y.shape()});
    return all(x - y, far_from_zero);
}

bool elements_differ(const A& x, const A&) {
    std::vector<double> sorted(x.begin(), x.end());
    std::sort(sorted.begin(), sorted.end());
    return std::adjacent_find(sorted.begin(), sorted.end(), [](double a, double b) { return b - a < 0.05; }) ==
           sorted.end();
}

std::string numbers(const double* data, ShapeView shape) {
    if (shape.empty()) return std::isnan(*data) ? "NaN" : fmt::format("{}", *data);
    std::vector<std::string> parts;
    const std::size_t step = size_of(shape.subspan(1));
    for (std::size_t i = 0; i < shape[0]; ++i) parts.push_back(numbers(data + i * step, shape.subspan(1)));
    return fmt::format("[{}]", fmt::join(parts, ", "));
}

}  // namespace

const Domain anywhere{};
const Domain x_positive{0.25, 2, [](const A& x, const A&) { return all(x, [](double v) { return v > 0.2; }); }};
const Domain x_nonzero{-2, 2, [](const A& x, const A&) { return all(x, far_from_zero); }};
const Domain y_nonzero{-2, 2, [](const A&, const A& y) { return all(y, [](double v) { return std::abs(v) > 0.2; }); }};
const Domain apart{-2, 2, differ};
const Domain x_distinct{-2, 2, elements_differ};
/// Away from the bounds of `clip(x, -0.5, 0.75)`.
const Domain x_off_bounds{
    -2, 2, [](const A& x, const A&) { return all(x + 0.5, far_from_zero) && all(x - 0.75, far_from_zero); }};
const Domain probabilities{0.25, 0.9};

bool Formula::uses(char name) const {
    const std::string_view whole = text;
    const auto is_word = [&](std::size_t i) {
        return i < whole.size() && (std::isalnum(static_cast<unsigned char>(whole[i])) || whole[i] == '_');
    };
    for (std::size_t i = 0; i < whole.size(); ++i)
        if (whole[i] == name && !is_word(i - 1) && !is_word(i + 1)) return true;
    return false;
}

Variant::Variant(Formula formula, Scalar element, Domain where) : of(formula), scalar(element), domain(where) {
    if (of.uses('y'))
        samples = {{{2, 3}, {2, 3}}, {{9}, {9}}, {{2, 1}, {3}}, {{}, {2, 2}}, {{2, 3, 2}, {3, 1}}};
    else
        samples = {{{9}}, {{0, 2}}};
}

Variant no_step(Variant variant) {
    variant.is_step = false;
    return variant;
}

Point refuses(Formula of, std::vector<A> at, const char* error) { return {of, std::move(at), {}, {}, {}, error}; }

Point roughly(double tolerance, Point point) {
    point.tolerance = tolerance;
    return point;
}

Point twice(std::vector<A> second, Point point) {
    point.second = std::move(second);
    return point;
}

Point everywhere(Formula of, A value, A first, A second) {
    return twice({std::move(second)}, {of, {extremes}, std::move(value), {std::move(first)}});
}

Point at_odd_numbers(Formula of, A value, std::vector<A> first, std::vector<A> second) {
    return twice(std::move(second), {of, {odd_x, odd_y}, std::move(value), std::move(first)});
}

A zeros(std::size_t count) { return A(Shape{count}, 0.0); }
A ones(std::size_t count) { return A(Shape{count}, 1.0); }
A none(const Shape& shape) { return A::from_shape(shape); }

A column(A values) {
    values.reshape({values.size(), 1});
    return values;
}

const std::vector<Operation>& operations() {
    static const std::vector<Operation> table = [] {
        std::vector<Operation> rows;
        for (auto* topic : {arithmetic_rows, function_rows, reduction_rows, shape_rows, product_rows, matrix_rows,
                            image_rows, loss_rows}) {
            auto some = topic();
            std::move(some.begin(), some.end(), std::back_inserter(rows));
        }
        return rows;
    }();
    return table;
}

std::vector<A> sample(const Variant& variant, const std::vector<Shape>& shapes, unsigned seed) {
    std::mt19937_64 engine(seed);
    std::uniform_real_distribution<double> uniform(variant.domain.low, variant.domain.high);
    for (int attempt = 0; attempt < 10'000; ++attempt) {
        std::vector<A> inputs;
        for (const Shape& shape : shapes) {
            inputs.push_back(A::from_shape(shape));
            for (double& x : inputs.back()) x = uniform(engine);
        }
        if (variant.domain.holds == nullptr || variant.domain.holds(inputs.front(), inputs[inputs.size() > 1]))
            return inputs;
    }
    throw std::logic_error(fmt::format("no sample of {} is in its domain", variant.of.text));
}

std::string text_of(const A& array) {
    return array.size() == 0 ? "none, " + to_string(array.shape()) : numbers(array.data(), array.shape());
}

std::string text_of(const std::vector<A>& arrays, const char* suffix) {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < arrays.size(); ++i)
        parts.push_back(fmt::format("{}{}: {}", "xyw"[i], suffix, text_of(arrays[i])));
    return fmt::format("{}", fmt::join(parts, "; "));
}
