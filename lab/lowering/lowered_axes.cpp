// Arrays are brought to the same axes: by transposes, by axes of length 1, by broadcasts.
#include <lab/lowering/lowerer.hpp>

namespace lab::lowering {

Value Lowerer::arranged(const Value& value, const Letters& axes) {
    if (value.is_number() || value.axes == axes) return value;
    Axes order;
    for (const int axis : axes) order.push_back(std::ranges::find(value.axes, axis) - value.axes.begin());
    const bool reversed = axes.size() == 2;
    return noted(reversed ? transpose(*value.node) : transpose(*value.node, order), axes);
}

Letters Lowerer::those_of(const Letters& order, const Letters& axes) {
    Letters result;
    for (const int one : order)
        if (is_among(axes, one)) result.push_back(one);
    return result;
}

Variable Lowerer::aligned(const Value& value, const Letters& axes) {
    if (value.is_number()) return as_node(value);
    const Value in_order = arranged(value, those_of(axes, value.axes));
    const auto first = std::ranges::find_if(axes, [&](int axis) { return is_among(value.axes, axis); });
    if (static_cast<std::size_t>(axes.end() - first) == value.axes.size()) return *in_order.node;
    Shape shape;
    for (auto axis = first; axis != axes.end(); ++axis)
        shape.push_back(is_among(value.axes, *axis) ? size_of(*axis) : 1);
    return reshape(*in_order.node, shape);
}

Value Lowerer::spread(Value value, const Letters& axes) {
    if (value.axes.size() == axes.size()) return arranged(value, axes);
    return noted(broadcast_to(aligned(value, axes), shape_of(axes)), axes);
}

Letters Lowerer::joined(const Letters& a, const Letters& b) const {
    if (without(b, a).empty()) return a;
    if (without(a, b).empty()) return b;
    Letters all = a;
    for (const int axis : without(b, a)) all.push_back(axis);
    std::ranges::stable_sort(all, {}, [&](int axis) { return rank(axis); });
    return all;
}

std::size_t Lowerer::rank(int axis) const {
    return static_cast<std::size_t>(std::ranges::find(order_, axis) - order_.begin());
}

Value Lowerer::plus(const Value& a, const Value& b, bool minus) {
    const double sign = minus ? -1 : 1;
    if (a.is_number() && b.is_number()) return number(a.number + sign * b.number);
    if (b.is_number()) return b.number == 0 ? a : alone(a, [&](auto& x) { return x + sign * b.number; });
    if (a.is_number() && a.number == 0) return minus ? negative(b) : b;
    if (a.is_number()) return alone(b, [&](auto& y) { return minus ? a.number - y : y + a.number; });
    return together(a, b, [&](auto& x, auto& y) { return minus ? x - y : x + y; });
}

Value Lowerer::negative(const Value& a) {
    return a.is_number() ? number(-a.number) : alone(a, [](auto& x) { return -x; });
}

Value Lowerer::times(const Value& a, const Value& b) {
    if (a.is_number() && b.is_number()) return number(a.number * b.number);
    if (a.is_number()) return times(b, a);
    if (b.is_number() && b.number == 0) return b;  // as h[t-1] is at the first t
    if (b.is_number())
        return b.number == 1 ? a : b.number == -1 ? negative(a) : alone(a, [&](auto& x) { return x * b.number; });
    return together(a, b, [](auto& x, auto& y) { return x * y; });
}

Value Lowerer::over(const Value& a, const Value& b) {
    if (a.is_number() && b.is_number()) return number(a.number / b.number);
    if (b.is_number()) return b.number == 1 ? a : alone(a, [&](auto& x) { return x / b.number; });
    if (a.is_number()) return alone(b, [&](auto& y) { return a.number / y; });
    return together(a, b, [](auto& x, auto& y) { return x / y; });
}

}  // namespace lab::lowering
