// Large matrices, which are taken apart in blocks, against plain loops.
#define BOOST_TEST_MODULE factorizations
#include <algorithm>
#include <autograd/array.hpp>
#include <autograd/kernels/factorizations.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

using autograd::Array;
using Matrix = Array<double>;

namespace {

template <class Kernel>
Matrix value(const Kernel& kernel) {
    Matrix result(kernel.shape());
    kernel.evaluate_into(result);
    return result;
}

Matrix product(const Matrix& a, const Matrix& b) {
    Matrix c = xt::zeros<double>({a.shape()[0], b.shape()[1]});
    for (std::size_t i = 0; i < a.shape()[0]; ++i)
        for (std::size_t k = 0; k < a.shape()[1]; ++k)
            for (std::size_t j = 0; j < b.shape()[1]; ++j) c(i, j) += a(i, k) * b(k, j);
    return c;
}

Matrix transpose(const Matrix& a) {
    Matrix b(autograd::Shape{a.shape()[1], a.shape()[0]});
    for (std::size_t i = 0; i < a.shape()[0]; ++i)
        for (std::size_t j = 0; j < a.shape()[1]; ++j) b(j, i) = a(i, j);
    return b;
}

Matrix random_matrix(std::size_t m, std::size_t n) {
    static std::mt19937_64 engine(1);
    std::uniform_real_distribution<double> any(-1, 1);
    Matrix a(autograd::Shape{m, n});
    for (double& number : a) number = any(engine);
    return a;
}

/// A lower triangular one, far from singular.
Matrix random_factor(std::size_t n) {
    Matrix l = random_matrix(n, n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = i; j < n; ++j) l(i, j) = i == j ? 8 + l(i, j) : 0;
    return l;
}

double farthest(const Matrix& a, const Matrix& b) {
    BOOST_REQUIRE(a.shape() == b.shape());
    double most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a.flat(i) - b.flat(i)));
    return most;
}

Matrix one(std::size_t n) {
    Matrix unit = xt::zeros<double>({n, n});
    for (std::size_t i = 0; i < n; ++i) unit(i, i) = 1;
    return unit;
}

/// Fewer rows than a block has, as many, and more.
const std::size_t sizes[] = {1, 63, 64, 65, 128, 150, 193};

}  // namespace

BOOST_AUTO_TEST_CASE(an_inverse_times_its_matrix_is_one) {
    for (const std::size_t n : sizes) {
        const Matrix a = random_matrix(n, n);
        const Matrix z = value(autograd::inverse(a));
        BOOST_TEST(farthest(product(a, z), one(n)) < 1e-9, n);
        BOOST_TEST(farthest(product(z, a), one(n)) < 1e-9, n);
    }
}

BOOST_AUTO_TEST_CASE(a_solution_fits_its_matrix) {
    for (const std::size_t n : sizes)
        for (const std::size_t columns : {1, 70}) {
            const Matrix a = random_matrix(n, n), b = random_matrix(n, columns);
            const Matrix z = value(autograd::solve(a, b));
            BOOST_TEST(farthest(product(a, z), b) < 1e-10, n << " " << columns);
        }
}

BOOST_AUTO_TEST_CASE(a_square_has_its_root_as_its_factor_and_known_determinants) {
    for (const std::size_t n : sizes) {
        const Matrix l = random_factor(n), a = product(l, transpose(l));
        const Matrix z = value(autograd::cholesky(a));
        BOOST_TEST(farthest(z, l) < 1e-9, n);
        double log = 0;
        for (std::size_t i = 0; i < n; ++i) log += 2 * std::log(l(i, i));
        const Matrix found = value(autograd::logdet(a));
        BOOST_TEST(std::abs(found() - log) < 1e-10 * std::max(1.0, log), n);
        // An exchange of rows is a sign.
        Matrix exchanged = random_factor(n);
        double whole = 1;
        for (double& number : exchanged) number /= 8;
        for (std::size_t i = 0; i < n; ++i) whole *= exchanged(i, i);
        for (std::size_t j = 0; j < n && n > 1; ++j) std::swap(exchanged(0, j), exchanged(n - 1, j));
        const Matrix determinant = value(autograd::det(exchanged));
        BOOST_TEST(std::abs(determinant() / (n > 1 ? -whole : whole) - 1) < 1e-9, n);
    }
}

BOOST_AUTO_TEST_CASE(the_dependent_column_and_the_row_without_a_root_are_named_in_every_block) {
    const std::size_t n = 150;
    const auto begins_with = [](const char* text) {
        return [text](const std::exception& error) { return std::string(error.what()).starts_with(text); };
    };
    for (const std::size_t column : {5, 63, 64, 149}) {
        Matrix a = random_matrix(n, n);
        for (std::size_t i = 0; i < n; ++i) a(i, column) = a(i, 1) - 2 * a(i, 3);
        const std::string text = "[inverse] a matrix of shape (150, 150) is singular: column " +
                                 std::to_string(column) + " is made of those before it";
        BOOST_CHECK_EXCEPTION(value(autograd::inverse(a)), std::invalid_argument, begins_with(text.c_str()));
        Matrix l = random_factor(n), square = product(l, transpose(l));
        square(column, column) = -1;
        const std::string first = "[cholesky] a matrix of shape (150, 150) is not positive definite: its first " +
                                  std::to_string(column + 1) + " rows and columns are not";
        BOOST_CHECK_EXCEPTION(value(autograd::cholesky(square)), std::invalid_argument, begins_with(first.c_str()));
    }
}
