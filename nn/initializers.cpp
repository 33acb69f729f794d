#include <fmt/format.h>

#include <cmath>
#include <nn/initializers.hpp>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::Shape;

namespace {

void check(const char* name, const Shape& shape) {
    if (shape.size() != 2 || shape[0] == 0 || shape[1] == 0)
        throw std::invalid_argument(fmt::format("[{}] a weight has the shape (out, in), both at least 1, not {}", name,
                                                autograd::to_string(shape)));
    autograd::checked_size(name, shape);
}

template <class T, class Draw>
Array<T> filled(const Shape& shape, Draw draw) {
    Array<T> array(shape);
    for (T& value : array.storage()) value = static_cast<T>(draw());
    return array;
}

template <class T>
Array<T> uniform_within(double bound, const Shape& shape, std::mt19937_64& engine) {
    return filled<T>(shape, [&] { return bound * (2 * uniform(engine) - 1); });
}

template <class T>
Array<T> normal_of(double deviation, const Shape& shape, std::mt19937_64& engine) {
    return filled<T>(shape, [&] { return deviation * normal(engine); });
}

double in(const Shape& shape) { return static_cast<double>(shape[1]); }
double in_and_out(const Shape& shape) { return static_cast<double>(shape[0]) + static_cast<double>(shape[1]); }

}  // namespace

double uniform(std::mt19937_64& engine) { return static_cast<double>(engine() >> 11) * 0x1p-53; }

double normal(std::mt19937_64& engine) {
    // The method gives two numbers; the second is dropped, so that the engine alone holds the state.
    for (;;) {
        const double x = 2 * uniform(engine) - 1;
        const double y = 2 * uniform(engine) - 1;
        const double square = x * x + y * y;
        if (square > 0 && square < 1) return x * std::sqrt(-2 * std::log(square) / square);
    }
}

template <class T>
Array<T> glorot_uniform(const Shape& shape, std::mt19937_64& engine) {
    check("glorot_uniform", shape);
    return uniform_within<T>(std::sqrt(6 / in_and_out(shape)), shape, engine);
}

template <class T>
Array<T> glorot_normal(const Shape& shape, std::mt19937_64& engine) {
    check("glorot_normal", shape);
    return normal_of<T>(std::sqrt(2 / in_and_out(shape)), shape, engine);
}

template <class T>
Array<T> he_uniform(const Shape& shape, std::mt19937_64& engine) {
    check("he_uniform", shape);
    return uniform_within<T>(std::sqrt(6 / in(shape)), shape, engine);
}

template <class T>
Array<T> he_normal(const Shape& shape, std::mt19937_64& engine) {
    check("he_normal", shape);
    return normal_of<T>(std::sqrt(2 / in(shape)), shape, engine);
}

template Array<float> glorot_uniform(const Shape&, std::mt19937_64&);
template Array<float> glorot_normal(const Shape&, std::mt19937_64&);
template Array<float> he_uniform(const Shape&, std::mt19937_64&);
template Array<float> he_normal(const Shape&, std::mt19937_64&);
template Array<double> glorot_uniform(const Shape&, std::mt19937_64&);
template Array<double> glorot_normal(const Shape&, std::mt19937_64&);
template Array<double> he_uniform(const Shape&, std::mt19937_64&);
template Array<double> he_normal(const Shape&, std::mt19937_64&);

}  // namespace nn
