#include <fmt/format.h>

#include <autograd/operations.hpp>
#include <cmath>
#include <nn/attention.hpp>
#include <nn/layers.hpp>
#include <nn/layers/masks.hpp>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::Axes;
using autograd::Indices;
using autograd::Parameter;
using autograd::Shape;
using autograd::to_string;
using autograd::Variable;

template <class T>
MultiHeadAttention<T>::MultiHeadAttention(std::size_t width, std::size_t heads, std::mt19937_64& engine,
                                          AttentionOptions options)
    : in_proj_weight("in_proj_weight", glorot_uniform<T>(Shape{3 * width, width}, engine)),
      in_proj_bias("in_proj_bias", Array<T>(Shape{options.bias ? 3 * width : 0}, T(0))),
      out_proj(width, width, engine, options.bias),
      heads_(heads),
      options_(options) {
    if (heads == 0 || width % heads != 0)
        throw std::invalid_argument(
            fmt::format("[multi_head_attention] {} heads do not divide a width of {}", heads, width));
}

template <class T>
Variable<T> MultiHeadAttention<T>::operator()(const Variable<T>& query, const Variable<T>& key,
                                              const Variable<T>& value, const std::optional<Indices>& lengths) const {
    const std::size_t width = in_proj_weight.shape()[1], n = query.shape().empty() ? 0 : query.shape()[0];
    const bool fits = query.dimension() == 3 && key.dimension() == 3 && query.shape()[2] == width &&
                      key.shape()[2] == width && key.shape()[0] == n && value.shape() == key.shape();
    if (!fits)
        throw std::invalid_argument(
            fmt::format("[multi_head_attention] a query of shape {}, a key of {} and a value of {} do not fit: each is "
                        "(n, places, {}), and key and value have as many places",
                        to_string(query.shape()), to_string(key.shape()), to_string(value.shape()), width));
    if (lengths) check_lengths("multi_head_attention", *lengths, key.shape());

    static const Axes to_heads{0, 2, 1, 3}, to_columns{0, 2, 3, 1};
    autograd::Tape<T>& tape = query.tape();
    const std::size_t each = width / heads_, places = query.shape()[1], seen = key.shape()[1];
    const Variable<T> w = tape.watch(in_proj_weight);
    // Part number k of the projection, a matrix for each head.
    const auto heads_of = [&](const Variable<T>& x, std::ptrdiff_t k, const Axes& axes) {
        const auto rows = static_cast<std::ptrdiff_t>(width);
        const Variable<T> own = slice(w, 0, k * rows, (k + 1) * rows);
        const Variable<T> z = options_.bias
                                  ? linear(x, own, slice(tape.watch(in_proj_bias), 0, k * rows, (k + 1) * rows))
                                  : linear(x, own);
        return transpose(reshape(z, Shape{n, x.shape()[1], heads_, each}), axes);
    };
    const Variable<T> q = heads_of(query, 0, to_heads) * static_cast<T>(1 / std::sqrt(static_cast<double>(each)));
    const Variable<T> scores = matmul(q, heads_of(key, 1, to_columns));
    Variable<T> shares;
    if (!options_.causal && !lengths) {
        shares = softmax(scores);
    } else {
        const auto sees = [&](std::size_t i, std::size_t j, std::size_t row) {
            return (!options_.causal || j <= i) && (!lengths || static_cast<std::int64_t>(j) < lengths->data()[row]);
        };
        const std::size_t rows = lengths ? n : 1;
        shares = softmax(scores, filled(tape, Shape{rows, 1, places, seen}, [&](Array<T>& mask) {
                             T* place = mask.data();
                             for (std::size_t row = 0; row < rows; ++row)
                                 for (std::size_t i = 0; i < places; ++i)
                                     for (std::size_t j = 0; j < seen; ++j) *place++ = sees(i, j, row) ? T(1) : T(0);
                         }));
    }
    const Variable<T> together = transpose(matmul(shares, heads_of(value, 2, to_heads)), to_heads);
    return out_proj(reshape(together, Shape{n, places, width}));
}

template <class T>
std::vector<Parameter<T>> MultiHeadAttention<T>::parameters() const {
    if (options_.bias)
        return parameters_of<T>("in_proj_weight", in_proj_weight, "in_proj_bias", in_proj_bias, "out_proj", out_proj);
    return parameters_of<T>("in_proj_weight", in_proj_weight, "out_proj", out_proj);
}

template class MultiHeadAttention<float>;
template class MultiHeadAttention<double>;

}  // namespace nn
