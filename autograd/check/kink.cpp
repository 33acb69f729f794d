#include <autograd/check/kink.hpp>
#include <autograd/print.hpp>

namespace autograd::taylor {

template <class T>
Kink find_kink(const Tape<T>& tape, Line<T>& line, std::size_t step, bool jump) {
    // Slopes that differ by less are no kink that a gradient could be wrong on.
    constexpr double least_bend = 1e-8;
    const double order_of_smooth = jump ? order_of_jump : order_of_right;

    const double t = std::abs(line.at(step, 1).t);
    const double steps[] = {t, -t, t / shrink, -t / shrink};
    Tape<T> tapes[4];
    for (std::size_t i = 0; i < 4; ++i) line.record(tapes[i], steps[i]);
    for (std::uint32_t n = 0; n < tape.size(); ++n) {
        const Node<T>& node = node_at(tape, n);
        if (node.inputs.empty()) continue;
        for (const Tape<T>& other : tapes)
            if (n >= other.size() || !equal_shapes(node_at(other, n).value->shape(), node.value->shape())) return {};
        for (std::size_t i = 0; i < node.value->size(); ++i) {
            const double value = node.value->data()[i];
            const auto change = [&](std::size_t k) { return double(node_at(tapes[k], n).value->data()[i]) - value; };
            // How far the value jumps between x - h and x + h, or bends: the tapes of the latter are `above` and the
            // next.
            const auto size = [&](std::size_t above) {
                return jump ? std::max(std::abs(change(above)), std::abs(change(above + 1)))
                            : std::abs(change(above) + change(above + 1));
            };
            const double wide = size(0), narrow = std::max(size(2), almost_zero);
            const bool clear = wide > clear_margin * std::numeric_limits<T>::epsilon() * std::abs(value);
            if (!clear || !(wide > least_bend * t) || std::log(wide / narrow) > order_of_smooth * std::log(shrink))
                continue;
            const std::string place = node.value->dimension() > 0 ? " at " + index_of(i, node.value->shape()) : "";
            return {node.operation, fmt::format("'{}' (%{}{})", node.operation, n, place)};
        }
    }
    return {};
}

template Kink find_kink(const Tape<float>&, Line<float>&, std::size_t, bool);
template Kink find_kink(const Tape<double>&, Line<double>&, std::size_t, bool);

}  // namespace autograd::taylor
