// The same number everywhere: an elementwise value or derivative has the same bits whatever the array's length, the
// position, the neighbours, the broadcasting.
#define BOOST_TEST_MODULE neighbours
#include <bit>
#include <boost/test/unit_test.hpp>
#include <random>

#include "operations_table.hpp"

namespace {

/// Numbers of many sizes, and those at the edges.
template <class T>
std::vector<T> numbers(std::mt19937_64& engine, std::size_t n) {
    using limits = std::numeric_limits<T>;
    const T edges[] = {0,
                       T(-0.0),
                       1,
                       -1,
                       2,
                       T(0.5),
                       3,
                       limits::infinity(),
                       -limits::infinity(),
                       100,
                       -100,
                       1000,
                       -7.5,
                       limits::quiet_NaN(),
                       limits::min(),
                       limits::max(),
                       T(1e7),
                       T(43319.11),
                       limits::denorm_min(),
                       limits::max() / 2};
    std::uniform_real_distribution<double> small(-4, 4), exponent(-30, 30);
    std::vector<T> result;
    for (std::size_t i = 0; i < n; ++i) {
        const auto kind = engine() % 8;
        result.push_back(kind == 0   ? edges[engine() % std::size(edges)]
                         : kind == 1 ? static_cast<T>(std::exp(exponent(engine)))
                                     : static_cast<T>(small(engine)));
    }
    return result;
}

template <class T>
Array<T> array_of(std::span<const T> values) {
    Array<T> array = Array<T>::from_shape({values.size()});
    std::copy(values.begin(), values.end(), array.begin());
    return array;
}

/// NaN is NaN, of whatever bits.
template <class T>
bool same(T a, T b) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    return (std::isnan(a) && std::isnan(b)) || std::bit_cast<Bits>(a) == std::bit_cast<Bits>(b);
}

/// The value, and the derivatives along the seed.
template <class T>
std::vector<Array<T>> results(const Formula& of, const std::vector<Array<T>>& inputs, const Array<T>& seed) {
    Tape<T> tape;
    Inputs<T> xs;
    for (const auto& input : inputs) xs.push_back(tape.variable(input));
    const auto z = of(xs);
    const auto gradients = tape.backward(z, seed);
    std::vector<Array<T>> all{z.value()};
    for (const auto& x : xs) all.push_back(gradients[x]);
    return all;
}

template <class T>
void check(const Formula& of, bool broadcasts, unsigned random) {
    std::mt19937_64 engine(random);
    const std::size_t n = 301, count = of.uses('y') ? 2 : 1;
    std::vector<std::vector<T>> whole;
    for (std::size_t k = 0; k < count; ++k) whole.push_back(numbers<T>(engine, n));
    std::vector<T> seeds;
    for (std::size_t i = 0; i < n; ++i) seeds.push_back(T(0.5) + T(engine() % 1000) / 700);
    const auto part = [](const std::vector<T>& values, std::size_t from, std::size_t some) {
        return array_of(std::span<const T>(values).subspan(from, some));
    };
    const auto of_part = [&](std::size_t from, std::size_t some) {
        std::vector<Array<T>> inputs;
        for (const auto& values : whole) inputs.push_back(part(values, from, some));
        return results(of, inputs, part(seeds, from, some));
    };
    const auto expected = of_part(0, n);
    const auto compare_part = [&](const std::vector<Array<T>>& got, std::size_t from, const char* how) {
        for (std::size_t k = 0; k < got.size(); ++k)
            for (std::size_t i = 0; i < got[k].size(); ++i)
                if (!same(got[k].data()[i], expected[k].data()[from + i])) {
                    BOOST_TEST(false, of.text << (k == 0 ? "" : ", a derivative,") << " of " << whole[0][from + i]
                                              << (count > 1 ? " and " + std::to_string(whole[1][from + i]) : "")
                                              << " is " << expected[k].data()[from + i] << " among " << n
                                              << " numbers, " << got[k].data()[i] << " " << how);
                    return;
                }
    };
    for (std::size_t i = 0; i < n; ++i) compare_part(of_part(i, 1), i, "alone");
    for (const std::size_t some : {2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100})
        for (std::size_t trial = 0; trial < 8; ++trial) {
            const std::size_t from = engine() % (n - some);
            compare_part(of_part(from, some), from, "among fewer");
        }
    if (!broadcasts) return;
    // One number beside a row, and a column beside a row; derivatives of what is repeated are sums.
    for (std::size_t i = 0; i < 40; ++i)
        for (const std::size_t repeated : {0, 1}) {
            std::vector<Array<T>> inputs{part(whole[0], 0, n), part(whole[1], 0, n)};
            inputs[repeated] = Array<T>(Shape{n}, whole[repeated][i]);
            const auto all = results(of, inputs, part(seeds, 0, n));
            inputs[repeated] = Array<T>(Shape{1}, whole[repeated][i]);
            const auto by_one = results(of, inputs, part(seeds, 0, n));
            for (const std::size_t k : {std::size_t{0}, 2 - repeated})
                for (std::size_t j = 0; j < n; ++j)
                    if (!same(all[k].data()[j], by_one[k].data()[j])) {
                        BOOST_TEST(false, of.text << " is " << all[k].data()[j] << ", and " << by_one[k].data()[j]
                                                  << " where an input is repeated");
                        return;
                    }
        }
}

}  // namespace

using Types = std::tuple<float, double>;

// Formulas that want one shape, or reduce over no axes, are left out.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_number_does_not_depend_on_its_neighbours, T, Types) {
    for (const Operation& operation : operations())
        for (const Variant& variant : operation.variants) {
            const std::string_view text = variant.of.text;
            const bool fits = text.find("A{1, 0, 1}") == text.npos && text.find("{}") == text.npos;
            const bool broadcasts = variant.of.uses('y') && variant.samples.size() > 1;
            if (variant.scalar != nullptr && fits) check<T>(variant.of, broadcasts, 1);
        }
}

BOOST_AUTO_TEST_CASE(the_cases_that_were_seen) {
    std::vector<float> sixteen(16, 2.5f);
    sixteen[3] = 43319.11f;
    for (const bool with_zero : {false, true}) {
        if (with_zero) sixteen[9] = 0;
        Tape<float> tape;
        BOOST_TEST(pow(tape.variable(array_of<float>(sixteen)), 7.0f).value()(3) == std::pow(43319.11f, 7.0f));
    }
    for (const std::size_t n : {1, 4, 8}) {
        Tape<double> tape;
        BOOST_TEST(pow(tape.variable(A(Shape{n}, 1.1e77)), 4.0).value()(0) == std::pow(1.1e77, 4.0),
                   boost::test_tools::tolerance(1e-15));
    }
}
