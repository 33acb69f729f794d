#include <fmt/format.h>

#include <algorithm>
#include <autograd/operations.hpp>
#include <cmath>
#include <nn/initializers.hpp>
#include <nn/layers/masks.hpp>
#include <nn/recurrent.hpp>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::Indices;
using autograd::Parameter;
using autograd::Shape;
using autograd::to_string;
using autograd::Variable;

template <class T>
Variable<T> Recurrent<T>::from(const Variable& h, const Variable& w, const Variable& b) const {
    return options_.bias ? linear(h, w, b) : linear(h, w);
}

template <class T>
Variable<T> Recurrent<T>::gate(const Variable& gates, std::size_t k) const {
    const auto hidden = static_cast<std::ptrdiff_t>(hidden_), first = static_cast<std::ptrdiff_t>(k) * hidden;
    return slice(gates, 1, first, first + hidden);
}

template <class T>
auto Rnn<T>::step(const Variable<T>& a, const Memory& before, const Variable<T>& w, const Variable<T>& b) const
    -> Memory {
    return {tanh(a + this->from(before.h, w, b)), {}};
}

template <class T>
auto Gru<T>::step(const Variable<T>& a, const Memory& before, const Variable<T>& w, const Variable<T>& b) const
    -> Memory {
    const Variable<T> u = this->from(before.h, w, b);
    const Variable<T> r = sigmoid(this->gate(a, 0) + this->gate(u, 0)),
                      z = sigmoid(this->gate(a, 1) + this->gate(u, 1)),
                      n = tanh(this->gate(a, 2) + r * this->gate(u, 2));
    return {(T(1) - z) * n + z * before.h, {}};
}

template <class T>
auto Lstm<T>::step(const Variable<T>& a, const Memory& before, const Variable<T>& w, const Variable<T>& b) const
    -> Memory {
    const Variable<T> gates = a + this->from(before.h, w, b);
    const Variable<T> i = sigmoid(this->gate(gates, 0)), f = sigmoid(this->gate(gates, 1)),
                      g = tanh(this->gate(gates, 2)), o = sigmoid(this->gate(gates, 3));
    const Variable<T> c = f * before.c + i * g;
    return {o * tanh(c), c};
}

template <class T>
Recurrent<T>::Recurrent(const char* name, std::size_t gates, bool has_cell, std::size_t in, std::size_t hidden,
                        std::mt19937_64& engine, RecurrentOptions options)
    : name_(name), in_(in), hidden_(hidden), has_cell_(has_cell), options_(options) {
    if (in == 0 || hidden == 0 || options.layers == 0)
        throw std::invalid_argument(fmt::format("[{}] {} inputs, {} hidden units and {} layers: each is at least 1",
                                                name, in, hidden, options.layers));
    const auto start = [&](const std::string& what, const Shape& shape) {
        const double bound = 1 / std::sqrt(static_cast<double>(hidden));
        autograd::checked_size(name, shape);
        Array<T> values(shape);
        for (T& value : values) value = static_cast<T>(bound * (2 * uniform(engine) - 1));
        return Parameter<T>(what, std::move(values));
    };
    const std::size_t directions = options.bidirectional ? 2 : 1, rows = gates * hidden;
    for (std::size_t k = 0; k < options.layers * directions; ++k) {
        const std::size_t layer = k / directions, columns = layer == 0 ? in : directions * hidden;
        const std::string suffix = fmt::format("_l{}{}", layer, k % directions == 1 ? "_reverse" : "");
        const Shape bias{options.bias ? rows : 0};
        weights_.push_back({start("weight_ih" + suffix, {rows, columns}), start("weight_hh" + suffix, {rows, hidden}),
                            start("bias_ih" + suffix, bias), start("bias_hh" + suffix, bias)});
    }
}

template <class T>
std::vector<Parameter<T>> Recurrent<T>::parameters() const {
    std::vector<Parameter<T>> listed;
    for (const Weights& weights : weights_) {
        listed.insert(listed.end(), {weights.ih, weights.hh});
        if (options_.bias) listed.insert(listed.end(), {weights.bias_ih, weights.bias_hh});
    }
    return listed;
}

/// Which steps are within a sequence's length, (n, steps) of 1 and 0, and the 0 that stands elsewhere.
template <class T>
struct Recurrent<T>::Masks {
    Variable within, zero;
};

template <class T>
Variable<T> Recurrent<T>::go_through(const Variable& x, const Weights& weights, bool reverse, const Masks* masks,
                                     Memory& memory) const {
    autograd::Tape<T>& tape = x.tape();
    const std::size_t n = x.shape()[0], steps = x.shape()[1];
    const auto bias = [&](const Parameter<T>& b) { return options_.bias ? tape.watch(b) : Variable(); };
    const Variable w = tape.watch(weights.hh), b = bias(weights.bias_hh);
    const Variable given = from(x, tape.watch(weights.ih), bias(weights.bias_ih));
    const std::span<Variable> outputs = tape.template allocate<Variable>(steps);
    for (std::size_t i = 0; i < steps; ++i) {
        const auto t = static_cast<std::ptrdiff_t>(reverse ? steps - 1 - i : i);
        const Variable a = reshape(slice(given, 1, t, t + 1), Shape{n, given.shape()[2]});
        Memory next = step(a, memory, w, b);
        Variable output = next.h;
        if (masks != nullptr) {
            const Variable within = slice(masks->within, 1, t, t + 1);
            output = where(within, next.h, masks->zero);
            next.h = where(within, next.h, memory.h);
            if (has_cell_) next.c = where(within, next.c, memory.c);
        }
        outputs[static_cast<std::size_t>(t)] = reshape(output, Shape{n, 1, hidden_});
        memory = next;
    }
    return concatenate(std::span<const Variable>(outputs), 1);
}

template <class T>
Recurrence<T> Recurrent<T>::run(const Variable& x, const std::optional<Indices>& lengths,
                                const std::optional<RecurrentState<T>>& start) const {
    if (x.dimension() != 3 || x.shape()[2] != in_ || x.shape()[1] == 0)
        throw std::invalid_argument(
            fmt::format("[{}] the input has shape {}, but must be (n, steps, {}), with one step or more", name_,
                        to_string(x.shape()), in_));
    const std::size_t n = x.shape()[0], steps = x.shape()[1], count = weights_.size();
    autograd::Tape<T>& tape = x.tape();
    const Shape states{count, n, hidden_}, one{1, n, hidden_}, row{n, hidden_};
    if (start) {
        if (start->cell.on(tape) != has_cell_)
            throw std::invalid_argument(fmt::format("[{}] the state at the start has {} cell: it is another layer's",
                                                    name_, has_cell_ ? "no" : "a"));
        for (const Variable* given : {&start->hidden, &start->cell})
            if ((given == &start->hidden || has_cell_) && given->shape() != states)
                throw std::invalid_argument(fmt::format("[{}] the state at the start has shape {}, but must have {}",
                                                        name_, to_string(given->shape()), to_string(states)));
    }
    std::optional<Masks> masks;
    if (lengths) {
        check_lengths(name_, *lengths, x.shape());
        masks =
            Masks{filled(tape, Shape{n, steps},
                         [&](Array<T>& within) {
                             for (std::size_t i = 0; i < within.size(); ++i)
                                 within.data()[i] =
                                     static_cast<std::int64_t>(i % steps) < lengths->data()[i / steps] ? T(1) : T(0);
                         }),
                  tape.constant(T(0))};
    }
    Variable zeros;
    if (!start) zeros = filled(tape, row, [](Array<T>& array) { array.fill(T(0)); });
    const auto part = [&](const Variable& whole, std::size_t k) {
        const auto first = static_cast<std::ptrdiff_t>(k);
        return start ? reshape(slice(whole, 0, first, first + 1), row) : zeros;
    };

    const std::span<Variable> hidden = tape.template allocate<Variable>(count),
                              cells = tape.template allocate<Variable>(has_cell_ ? count : 0);
    const std::size_t directions = options_.bidirectional ? 2 : 1;
    // What stands behind a length may be NaN, whose gradient 0 times would be NaN, too.
    Variable output = masks ? where(reshape(masks->within, Shape{n, steps, 1}), x, masks->zero) : x;
    for (std::size_t k = 0; k < count; k += directions) {
        Variable sides[2];
        for (std::size_t d = 0; d < directions; ++d) {
            Memory memory{part(start ? start->hidden : zeros, k + d), {}};
            if (has_cell_) memory.c = part(start ? start->cell : zeros, k + d);
            sides[d] = go_through(output, weights_[k + d], d == 1, masks ? &*masks : nullptr, memory);
            hidden[k + d] = reshape(memory.h, one);
            if (has_cell_) cells[k + d] = reshape(memory.c, one);
        }
        output = directions == 1 ? sides[0] : concatenate(std::span<const Variable>(sides), 2);
    }
    const auto all = [](std::span<Variable> parts) { return concatenate(std::span<const Variable>(parts), 0); };
    return {output, {all(hidden), has_cell_ ? all(cells) : Variable()}};
}

#define INSTANTIATE(T)           \
    template class Recurrent<T>; \
    template class Rnn<T>;       \
    template class Gru<T>;       \
    template class Lstm<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
