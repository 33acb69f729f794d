// Products of matrices of every kind beside plain loops: the two ways that do without BLAS, and the one that chooses.
#define BOOST_TEST_MODULE multiplication
#include <algorithm>
#include <array>
#include <autograd/kernels/multiplication.hpp>
#include <autograd/kernels/tiles.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using autograd::kernels::Multiplication;

namespace {

enum class Start { none, result, row };

/// How far the way's result is from a sum in long double, in units of what rounding may make of it.
template <class T, class Way>
long double error_of(Way way, std::size_t m, std::size_t k, std::size_t n, bool a_transposed, bool b_transposed,
                     Start from) {
    std::mt19937 engine(static_cast<unsigned>(m + 31 * k + 997 * n));
    std::uniform_real_distribution<T> uniform(-1, 1);
    const auto random = [&](std::size_t size) {
        std::vector<T> numbers(size);
        for (T& number : numbers) number = uniform(engine);
        return numbers;
    };
    const std::vector<T> a = random(m * k), b = random(k * n), before = random(m * n), row = random(n);
    std::vector<T> c = before;
    way(Multiplication<T>{a.data(), a_transposed, b.data(), b_transposed, c.data(), m, k, n,
                          from == Start::none     ? nullptr
                          : from == Start::result ? c.data()
                                                  : row.data(),
                          from == Start::result ? n : 0});
    long double worst = 0;
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            long double sum = from == Start::none ? 0 : from == Start::result ? before[i * n + j] : row[j], size = 1;
            for (std::size_t l = 0; l < k; ++l) {
                const long double term = static_cast<long double>(a_transposed ? a[l * m + i] : a[i * k + l]) *
                                         (b_transposed ? b[j * k + l] : b[l * n + j]);
                sum += term;
                size += std::abs(term);
            }
            const long double error = std::abs(c[i * n + j] - sum) / (size * std::numeric_limits<T>::epsilon());
            worst = std::isnan(error) ? std::numeric_limits<long double>::infinity() : std::max(worst, error);
        }
    return worst;
}

template <class T, class Way>
void check(Way way, std::initializer_list<std::array<std::size_t, 3>> sizes) {
    for (const auto& [m, k, n] : sizes)
        for (const bool a_transposed : {false, true})
            for (const bool b_transposed : {false, true})
                for (const Start from : {Start::none, Start::result, Start::row})
                    BOOST_TEST(error_of<T>(way, m, k, n, a_transposed, b_transposed, from) < 16,
                               m << " x " << k << " x " << n << (a_transposed ? ", a transposed" : "")
                                 << (b_transposed ? ", b transposed" : "") << ", start " << static_cast<int>(from));
}

template <class T>
void check_all() {
    const auto small = {std::array<std::size_t, 3>{1, 1, 1}, {2, 3, 4}, {5, 7, 17}, {9, 0, 3}, {33, 64, 31}, {0, 3, 2}};
    check<T>([](const auto& of) { autograd::kernels::multiply_in_tiles(of); }, small);
    check<T>([](const auto& of) { autograd::kernels::multiply_in_blocks(of); }, small);
    // Larger than a block in one direction, in two, in all; vectors on either side; sums by halves.
    const auto large = {std::array<std::size_t, 3>{1, 300, 70},
                        {70, 300, 1},
                        {129, 5, 3},
                        {3, 129, 65},
                        {2, 128, 64},
                        {130, 257, 131},
                        {1, 200000, 1},
                        {1, 1000, 1000},
                        {20, 300, 300},
                        {20, 300, 1000},
                        {5, 1300, 70},
                        {1, 9001, 3},
                        {3, 9001, 1}};
    check<T>([](const auto& of) { autograd::kernels::multiply_in_blocks(of); }, large);
    check<T>([](const auto& of) { autograd::kernels::multiply(of); }, small);
    check<T>([](const auto& of) { autograd::kernels::multiply(of); }, large);
}

}  // namespace

BOOST_AUTO_TEST_CASE(floats) { check_all<float>(); }
BOOST_AUTO_TEST_CASE(doubles) { check_all<double>(); }
