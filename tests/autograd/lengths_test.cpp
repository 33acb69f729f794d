// Rows and columns of many lengths, around the sizes of registers and blocks, against plain loops.
#define BOOST_TEST_MODULE lengths
#include <autograd/autograd.hpp>
#include <autograd/kernels/windows.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <random>

using namespace autograd;

namespace {

const std::size_t lengths[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 255, 256, 257, 300, 511, 513, 600};

template <class T>
Array<T> random_array(const Shape& shape, unsigned seed) {
    std::mt19937_64 engine(seed);
    std::uniform_real_distribution<double> number(0.5, 1.5);
    Array<T> array = Array<T>::from_shape(shape);
    for (T& value : array) value = static_cast<T>(number(engine));
    return array;
}

template <class T>
void check_close(T got, double expected) {
    const double tolerance = std::is_same_v<T, float> ? 2e-5 : 1e-12;
    if (!(std::abs(double(got) - expected) <= tolerance * std::max(1.0, std::abs(expected))))
        BOOST_TEST(got == static_cast<T>(expected));
}

}  // namespace

using Types = std::tuple<float, double>;

// A transcendental function of what repeats along a row, or from row to row, and of an expression.
BOOST_AUTO_TEST_CASE_TEMPLATE(functions_of_what_broadcasts, T, Types) {
    for (const std::size_t n : lengths)
        for (const Shape& other : {Shape{3, n}, Shape{n}, Shape{3, 1}, Shape{}}) {
            Tape<T> tape;
            const auto x = tape.variable(random_array<T>({3, n}, 1)), y = tape.variable(random_array<T>(other, 2));
            const Array<T> seed = random_array<T>({3, n}, 3);
            const auto power = pow(x, y), either = logaddexp(x, y);
            const auto of_power = tape.backward(power, seed), of_either = tape.backward(either, seed);
            Array<double> ybar(other, 0.0), either_ybar(other, 0.0);
            for (std::size_t i = 0; i < 3; ++i)
                for (std::size_t k = 0; k < n; ++k) {
                    const std::size_t at = other.empty()          ? 0
                                           : other == Shape{3, n} ? i * n + k
                                           : other == Shape{n}    ? k
                                                                  : i;
                    const double a = x.value()(i, k), b = y.value().data()[at], u = seed(i, k), z = std::pow(a, b);
                    const double share = 1 / (1 + std::exp(b - a));
                    check_close(power.value()(i, k), z);
                    check_close(of_power[x](i, k), u * b * std::pow(a, b - 1));
                    check_close(either.value()(i, k), std::log(std::exp(a) + std::exp(b)));
                    check_close(of_either[x](i, k), u * share);
                    ybar.data()[at] += u * z * std::log(a);
                    either_ybar.data()[at] += u * (1 - share);
                }
            for (std::size_t i = 0; i < ybar.size(); ++i) {
                check_close(of_power[y].data()[i], ybar.data()[i]);
                check_close(of_either[y].data()[i], either_ybar.data()[i]);
            }
        }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(reductions_of_rows_and_columns, T, Types) {
    for (const std::size_t n : lengths) {
        Tape<T> tape;
        const std::size_t rows = 1 + n % 70;
        Array<T> values = random_array<T>({rows, n}, 4);
        values(0, n / 2) = 2;
        const auto x = tape.variable(values);
        const auto most = amax(x, {1}), least = amin(x, {1}), columns = sum(x, {0}), product = prod(x, {1});
        const auto length = norm(x, {1}), spread = variance(x, {1}), soft = logsumexp(x, {1});
        const Array<T> seed = random_array<T>({rows}, 5);
        const auto of_most = tape.backward(most, seed), of_product = tape.backward(product, seed);
        Array<double> sums(Shape{n}, 0.0);
        for (std::size_t i = 0; i < rows; ++i) {
            double largest = values(i, 0), smallest = largest, squares = 0, total = 0, squared_distance = 0, log = 0,
                   exponentials = 0;
            for (std::size_t k = 0; k < n; ++k) {
                const double value = values(i, k);
                largest = std::max(largest, value);
                smallest = std::min(smallest, value);
                squares += value * value;
                total += value;
                log += std::log(value);
                exponentials += std::exp(value);
                sums(k) += value;
            }
            for (std::size_t k = 0; k < n; ++k) squared_distance += std::pow(values(i, k) - total / double(n), 2);
            check_close(most.value()(i), largest);
            check_close(least.value()(i), smallest);
            check_close(length.value()(i), std::sqrt(squares));
            check_close(spread.value()(i), squared_distance / double(n));
            check_close(soft.value()(i), std::log(exponentials));
            BOOST_TEST(product.value()(i) == static_cast<T>(std::exp(log)),
                       boost::test_tools::tolerance(T(sizeof(T) == 4 ? 1e-3 : 1e-11)));
            for (std::size_t k = 0; k < n; ++k) {
                check_close(of_most[x](i, k), values(i, k) == most.value()(i) ? double(seed(i)) : 0.0);
                check_close(of_product[x](i, k) * values(i, k) / product.value()(i), seed(i));
            }
        }
        for (std::size_t k = 0; k < n; ++k) check_close(columns.value()(k), sums(k));
        for (const std::size_t place : {std::size_t{0}, n / 2, n - 1}) {
            Array<T> with_nan = values;
            with_nan(rows - 1, place) = std::numeric_limits<T>::quiet_NaN();
            BOOST_TEST(std::isnan(amax(tape.variable(with_nan), {1}).value()(rows - 1)));
            BOOST_TEST(std::isnan(amin(tape.variable(with_nan), {1}).value()(rows - 1)));
            Array<T> with_zero = values;
            with_zero(rows - 1, place) = 0;
            const auto y = tape.variable(with_zero);
            const auto of_zero = tape.backward(prod(y, {1}), seed);
            double others = seed(rows - 1);
            for (std::size_t k = 0; k < n; ++k) others *= k == place ? 1.0 : double(values(rows - 1, k));
            bool right = true;
            for (std::size_t k = 0; k < n; ++k) right &= k == place || of_zero[y](rows - 1, k) == 0;
            BOOST_TEST(right, "row of " << n << " with a 0 at " << place);
            BOOST_TEST(double(of_zero[y](rows - 1, place)) == others,
                       boost::test_tools::tolerance(sizeof(T) == 4 ? 1e-3 : 1e-11));
            Array<T> infinite = values;
            infinite(rows - 1, place) = std::numeric_limits<T>::infinity();
            BOOST_TEST(std::isinf(amax(tape.variable(infinite), {1}).value()(rows - 1)));
            BOOST_TEST(!std::isinf(amin(tape.variable(infinite), {1}).value()(rows - 1)) == (n > 1));
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(softmax_and_its_losses, T, Types) {
    for (const std::size_t n : lengths)
        for (const std::size_t rows : {std::size_t{1}, std::size_t{3}, 1 + n % 40}) {
            Tape<T> tape;
            const auto x = tape.variable(random_array<T>({rows, n}, 15));
            Indices labels = Indices::from_shape({rows});
            for (std::size_t i = 0; i < rows; ++i) labels(i) = static_cast<std::int64_t>((7 * i + 3) % n);
            const auto p = softmax(x), logs = log_softmax(x), loss = softmax_cross_entropy(x, labels);
            const Array<T> seed = random_array<T>({rows, n}, 16);
            // Each twice: the first gradient is assigned, the second one added.
            const auto of_p = tape.backward(p + softmax(x), seed), of_logs = tape.backward(logs + log_softmax(x), seed),
                       of_loss = tape.backward(loss + softmax_cross_entropy(x, labels));
            double total = 0;
            for (std::size_t i = 0; i < rows; ++i) {
                double exponentials = 0, product = 0, seeds = 0;
                for (std::size_t k = 0; k < n; ++k) exponentials += std::exp(double(x.value()(i, k)));
                const auto share = [&](std::size_t k) { return std::exp(double(x.value()(i, k))) / exponentials; };
                for (std::size_t k = 0; k < n; ++k) {
                    product += share(k) * double(seed(i, k));
                    seeds += double(seed(i, k));
                }
                for (std::size_t k = 0; k < n; ++k) {
                    const double is_label = static_cast<std::size_t>(labels(i)) == k ? 1 : 0;
                    check_close(p.value()(i, k), share(k));
                    check_close(logs.value()(i, k), std::log(share(k)));
                    check_close(of_p[x](i, k), 2 * share(k) * (double(seed(i, k)) - product));
                    check_close(of_logs[x](i, k), 2 * (double(seed(i, k)) - share(k) * seeds));
                    check_close(of_loss[x](i, k), 2 * (share(k) - is_label) / double(rows));
                    if (is_label == 1) total -= std::log(share(k)) / double(rows);
                }
            }
            check_close(loss.item(), total);
        }
}

// A row for all rows, and its gradient, the sum of theirs.
BOOST_AUTO_TEST_CASE_TEMPLATE(rows_repeated_and_averaged, T, Types) {
    for (const std::size_t n : lengths)
        for (const std::size_t rows : {std::size_t{1}, std::size_t{2}, 1 + n % 70}) {
            Tape<T> tape;
            const auto row = tape.variable(random_array<T>({n}, 17)), x = tape.variable(random_array<T>({rows, n}, 18));
            const auto repeated = broadcast_to(row, {rows, n}), average = mean(x, {0});
            const Array<T> seed = random_array<T>({rows, n}, 19), of_row = random_array<T>({n}, 20);
            const auto sums = tape.backward(repeated + broadcast_to(row, {rows, n}), seed),
                       shares = tape.backward(average + mean(x, {0}), of_row), whole = tape.backward(mean(x));
            for (std::size_t k = 0; k < n; ++k) {
                double total = 0, seeds = 0;
                for (std::size_t i = 0; i < rows; ++i) {
                    BOOST_TEST(repeated.value()(i, k) == row.value()(k));
                    total += double(x.value()(i, k));
                    seeds += double(seed(i, k));
                    check_close(shares[x](i, k), 2 * double(of_row(k)) / double(rows));
                    check_close(whole[x](i, k), 1 / double(rows * n));
                }
                check_close(average.value()(k), total / double(rows));
                check_close(sums[row](k), 2 * seeds);
            }
        }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(products_and_gathers, T, Types) {
    for (const std::size_t m : {1, 2, 5, 15, 40})
        for (const std::size_t k : {1, 3, 8, 20, 70})
            for (const std::size_t n : {1, 2, 6, 16, 17, 33, 65}) {  // the largest of them go to BLAS
                Tape<T> tape;
                const auto x = tape.variable(random_array<T>({m, k}, 6)), w = tape.variable(random_array<T>({n, k}, 7));
                const auto b = tape.variable(random_array<T>({n}, 8));
                const auto z = linear(x, w, b);
                const Array<T> seed = random_array<T>({m, n}, 9);
                const auto gradients = tape.backward(z + linear(x, w, b), seed);  // assigned, then added
                for (std::size_t i = 0; i < m; ++i)
                    for (std::size_t j = 0; j < n; ++j) {
                        double sum = b.value()(j);
                        for (std::size_t l = 0; l < k; ++l) sum += double(x.value()(i, l)) * double(w.value()(j, l));
                        check_close(z.value()(i, j), sum);
                    }
                for (std::size_t j = 0; j < n; ++j)
                    for (std::size_t l = 0; l < k; ++l) {
                        double sum = 0;
                        for (std::size_t i = 0; i < m; ++i) sum += 2 * double(seed(i, j)) * double(x.value()(i, l));
                        check_close(gradients[w](j, l), sum);
                    }
                for (std::size_t i = 0; i < m; ++i)
                    for (std::size_t l = 0; l < k; ++l) {
                        double sum = 0;
                        for (std::size_t j = 0; j < n; ++j) sum += 2 * double(seed(i, j)) * double(w.value()(j, l));
                        check_close(gradients[x](i, l), sum);
                    }
            }
    for (const std::size_t n : lengths)
        for (const std::ptrdiff_t axis : {0, 1}) {
            Tape<T> tape;
            const Shape shape = axis == 1 ? Shape{3, n} : Shape{n, 3};
            const auto x = tape.variable(random_array<T>(shape, 10));
            Indices places = Indices::from_shape(shape);
            std::mt19937_64 engine(11);
            for (auto& place : places) place = std::int64_t(engine() % (2 * n)) - std::int64_t(n);
            const auto z = take_along_axis(x, places, axis);
            const Array<T> seed = random_array<T>(shape, 12);
            const auto gradients = tape.backward(z, seed);
            Array<double> xbar(shape, 0.0);
            for (std::size_t i = 0; i < shape[0]; ++i)
                for (std::size_t k = 0; k < shape[1]; ++k) {
                    const std::int64_t place = places(i, k) < 0 ? places(i, k) + std::int64_t(n) : places(i, k);
                    const auto from = static_cast<std::size_t>(place);
                    BOOST_TEST(z.value()(i, k) == (axis == 1 ? x.value()(i, from) : x.value()(from, k)));
                    (axis == 1 ? xbar(i, from) : xbar(from, k)) += seed(i, k);
                }
            for (std::size_t i = 0; i < xbar.size(); ++i) check_close(gradients[x].data()[i], xbar.data()[i]);
        }
}

// Halves of many images are added up: their kernel's gradient is that of few at a time.
BOOST_AUTO_TEST_CASE_TEMPLATE(kernels_of_many_images, T, Types) {
    for (const std::size_t n : {1, 63, 64, 65, 129, 300}) {
        Tape<T> tape;
        const auto x = tape.constant(random_array<T>({n, 4, 3, 3}, 21));
        const auto w = tape.variable(random_array<T>({6, 2, 2, 2}, 22));
        const auto z = conv2d(x, w, {.groups = 2});
        const auto seed = tape.constant(random_array<T>({n, 6, 2, 2}, 23));
        const auto gradients = tape.backward(z + conv2d(x, w, {.groups = 2}), seed.value());  // assigned, then added
        Array<double> expected(w.shape(), 0.0);
        for (std::size_t i = 0; i < n; ++i) {
            const auto from = static_cast<std::ptrdiff_t>(i);
            const auto one = tape.backward(conv2d(slice(x, 0, from, from + 1), w, {.groups = 2}),
                                           slice(seed, 0, from, from + 1).value());
            for (std::size_t k = 0; k < expected.size(); ++k) expected.data()[k] += 2 * double(one[w].data()[k]);
        }
        for (std::size_t k = 0; k < expected.size(); ++k) check_close(gradients[w].data()[k], expected.data()[k]);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(transposes, T, Types) {
    for (const std::size_t n : lengths)
        for (const std::size_t k : {1, 3, 4, 15, 16, 17, 40})
            for (const std::size_t planes : {1, 3}) {
                Tape<T> tape;
                const auto x = tape.variable(random_array<T>({planes, n, k}, 13));
                const auto z = transpose(x, {0, 2, 1});
                const Array<T> seed = random_array<T>({planes, k, n}, 14);
                const auto gradients = tape.backward(z + transpose(x, {0, 2, 1}), seed);  // assigned, then added
                bool right = z.shape() == Shape{planes, k, n};
                for (std::size_t p = 0; right && p < planes; ++p)
                    for (std::size_t i = 0; right && i < n; ++i)
                        for (std::size_t j = 0; right && j < k; ++j)
                            right =
                                z.value()(p, j, i) == x.value()(p, i, j) && gradients[x](p, i, j) == 2 * seed(p, j, i);
                BOOST_TEST(right, "shape " << to_string(x.shape()));
            }
}

// Most of such a window lies in the padding. What is read before the first pixel, the sanitizer sees.
BOOST_AUTO_TEST_CASE_TEMPLATE(maxima_of_images_that_are_smaller_than_the_padding, T, Types) {
    const auto x = random_array<T>({40, 1, 1, 1}, 1);
    for (const std::ptrdiff_t padding : {2, 5, 17}) {
        const Window window{Extent(1, 2 * padding + 1), Extent(1), Extent(0, padding), Extent(1)};
        std::vector<std::int32_t> found(x.size(), -1);
        kernels::find_maxima(x, plan_window("max_pool2d", x.shape(), window), found);
        for (std::size_t i = 0; i < found.size(); ++i) BOOST_TEST(found[i] == static_cast<std::int32_t>(i));
    }
}
