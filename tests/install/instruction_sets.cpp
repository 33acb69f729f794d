// What the headers' templates compute, held against plain loops, as the function NAME: instruction_sets.sh compiles it
// for several instruction sets and links one program of them.
#include <autograd/autograd.hpp>
#include <cmath>
#include <iostream>

using autograd::Array, autograd::Tape, autograd::Variable;

// Operations of one's own, as the headers compile them for whoever writes them: the first is one loop with functions
// that the library has loops for, the second has an operand that repeats along rows, and one along columns.
namespace autograd {

template <class T>
Variable<T> bent(const Variable<T>& x, const Variable<T>& y) {
    return record("bent", {x, y},
                  tanh(x.value()) * x.value() + pow(x.value(), 1.5) + pow(x.value(), y.value()) + normal_cdf(x.value()),
                  [x, y](auto& at) {
                      const auto& t = at.evaluate(tanh(at(x)));
                      const auto& p = at.evaluate(pow(at(x), at(y)));
                      at.adjoint(x) += at.zbar() * (t + at(x) * (1 - t * t));
                      at.adjoint(x) += at.zbar() * T(1.5) * pow(at(x), 0.5);
                      at.adjoint(x) += at.zbar() * (at(y) * p / at(x) + bell(at(x), 0.5) * T(0.3989422804014327));
                      at.adjoint(y) += at.zbar() * p * log(at(x));
                  });
}

template <class T>
Variable<T> spread_out(const Variable<T>& x, const Variable<T>& row, const Variable<T>& column) {
    return record("spread_out", {x, row, column}, x.value() * row.value() - column.value() / 4,
                  [x, row, column](auto& at) {
                      at.adjoint(x) += at.zbar() * at(row);
                      at.adjoint(row) += at.zbar() * at(x);
                      at.adjoint(column) += at.zbar() * (T(-0.25) + at(column) * T(0));
                  });
}

}  // namespace autograd

namespace {

int wrong = 0;

template <class T>
void expect(const char* what, T value, double right) {
    const double room = (std::is_same_v<T, float> ? 2e-5 : 1e-12) * (1 + std::abs(right));
    if (std::abs(static_cast<double>(value) - right) <= room) return;
    if (++wrong < 10) std::cout << what << " is " << value << ", not " << right << '\n';
}

template <class T>
Array<T> numbers(std::vector<std::size_t> shape, double first) {
    auto x = Array<T>::from_shape(shape);
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<T>(first + 0.37 * static_cast<double>(i % 7));
    return x;
}

template <class T>
void loop(std::size_t n) {
    const Array<T> x = numbers<T>({n}, 0.25), y = numbers<T>({n}, -0.75);
    Tape<T> tape;
    const auto u = tape.variable(x), v = tape.variable(y);
    const auto z = bent(u, v);
    const auto gradients = tape.backward(sum(z));
    for (std::size_t i = 0; i < n; ++i) {
        const double a = x(i), b = y(i), t = std::tanh(a), p = std::pow(a, b);
        expect<T>("bent", z.value()(i), t * a + std::pow(a, 1.5) + p + std::erfc(-a / std::sqrt(2.)) / 2);
        expect<T>("bent by x", gradients[u](i),
                  t + a * (1 - t * t) + 1.5 * std::sqrt(a) + b * p / a + std::exp(-a * a / 2) * 0.3989422804014327);
        expect<T>("bent by y", gradients[v](i), p * std::log(a));
    }
    // Expressions outside of a tape: xtensor's own loops with the functions of the headers.
    const Array<T> own = autograd::sigmoid(x) + autograd::pow(x, y) * xt::exp(y);
    for (std::size_t i = 0; i < n; ++i)
        expect<T>("an expression", own(i),
                  1 / (1 + std::exp(-double(x(i)))) + std::pow(double(x(i)), double(y(i))) * std::exp(double(y(i))));
}

template <class T>
void rows(std::size_t m, std::size_t n) {
    const Array<T> x = numbers<T>({m, n}, -1), r = numbers<T>({n}, 0.5), c = numbers<T>({m, 1}, 2);
    Tape<T> tape;
    const auto u = tape.variable(x), v = tape.variable(r), w = tape.variable(c);
    const auto z = spread_out(u, v, w);
    const auto gradients = tape.backward(sum(z));
    double column = 0;
    for (std::size_t j = 0; j < n; ++j) {
        double by_row = 0;
        for (std::size_t i = 0; i < m; ++i) {
            expect<T>("spread_out", z.value()(i, j), double(x(i, j)) * double(r(j)) - double(c(i, 0)) / 4);
            expect<T>("spread_out by x", gradients[u](i, j), r(j));
            by_row += double(x(i, j));
        }
        expect<T>("spread_out by row", gradients[v](j), by_row);
        column -= 0.25;
    }
    for (std::size_t i = 0; i < m; ++i) expect<T>("spread_out by column", gradients[w](i, 0), column);
    // What the library computes, given what this source made.
    const auto s = tape.backward(sum(softmax(u, 1) * matmul(u, transpose(u)).value()(0, 0)));
    for (std::size_t i = 0; i < m; ++i) {
        double of_row = 0;
        for (std::size_t j = 0; j < n; ++j) of_row += double(s[u](i, j));
        expect<T>("softmax's gradient along a row", static_cast<T>(of_row / double(n)), 0);
    }
}

}  // namespace

int NAME() {
    for (const std::size_t n : {1, 3, 4, 7, 8, 15, 16, 33, 700}) {
        loop<float>(n);
        loop<double>(n);
    }
    for (const std::size_t n : {1, 5, 17, 64}) {
        rows<float>(6, n);
        rows<double>(6, n);
    }
    return wrong;
}
