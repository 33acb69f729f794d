// Metrics against numbers by hand and by scikit-learn's definitions in plain loops.
#define BOOST_TEST_MODULE metrics
#ifndef BOOST_TEST_DYN_LINK
#define BOOST_TEST_DYN_LINK
#endif
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nn/metrics.hpp>
#include <random>
#include <stdexcept>

#include "check_message.hpp"

namespace {

using autograd::Array;
using autograd::Indices;
using autograd::Shape;

}  // namespace

BOOST_AUTO_TEST_CASE(top_k) {
    const Array<double> scores = {{1, 3, 2}, {5, 5, 1}, {0, 1, 2}};
    const Indices labels = {2, 1, 0};
    BOOST_TEST(nn::top_k_accuracy(scores, labels, 1) == nn::accuracy(scores, labels));
    BOOST_TEST(nn::top_k_accuracy(scores, labels, 2) == 2.0 / 3);
    BOOST_TEST(nn::top_k_accuracy(scores, labels, 3) == 1.0);
    BOOST_CHECK_THROW(nn::top_k_accuracy(scores, labels, 0), std::invalid_argument);
    BOOST_CHECK_THROW(nn::top_k_accuracy(scores, Indices{3, 0, 0}, 1), std::out_of_range);
}

// Two of the four rows of class 0 are right; nothing is taken for class 2, and no row is of class 3.
BOOST_AUTO_TEST_CASE(precision_recall_and_f1) {
    const Indices confusion = {{2, 1, 0, 1}, {0, 3, 0, 0}, {0, 1, 0, 0}, {0, 0, 0, 0}};
    const auto quality = nn::class_qualities(confusion);
    BOOST_TEST(quality[0].precision == 1.0);
    BOOST_TEST(quality[0].recall == 0.5);
    BOOST_TEST(quality[0].f1 == 2.0 / 3);
    BOOST_TEST(quality[1].precision == 0.6);
    BOOST_TEST(quality[1].recall == 1.0);
    BOOST_TEST(quality[1].f1 == 0.75);
    BOOST_TEST(std::isnan(quality[2].precision));
    BOOST_TEST(quality[2].recall == 0.0);
    BOOST_TEST(quality[2].f1 == 0.0);
    BOOST_TEST(quality[3].precision == 0.0);
    BOOST_TEST(std::isnan(quality[3].recall));
    BOOST_CHECK_THROW(nn::class_qualities(Indices(Shape{1, 2}, 1)), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(area_under_the_curve_counts_pairs) {
    std::mt19937_64 engine(1);
    Array<double> scores(Shape{60});
    Indices labels(Shape{60});
    for (std::size_t i = 0; i < 60; ++i) {
        scores(i) = static_cast<double>(engine() % 9);  // many ties
        labels(i) = static_cast<std::int64_t>(engine() % 2);
    }
    double pairs = 0, right = 0;
    for (std::size_t i = 0; i < 60; ++i)
        for (std::size_t k = 0; k < 60; ++k) {
            if (labels(i) != 1 || labels(k) != 0) continue;
            ++pairs;
            right += scores(i) > scores(k) ? 1 : scores(i) == scores(k) ? 0.5 : 0;
        }
    BOOST_TEST(nn::area_under_curve(scores, labels) == right / pairs, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(nn::area_under_curve(Array<float>(Shape{2, 1}, 0.5f), Indices{0, 1}) == 0.5);
    BOOST_TEST(std::isnan(nn::area_under_curve(Array<float>{0.1f, 0.9f}, Indices{1, 1})));
    BOOST_CHECK_THROW(nn::area_under_curve(scores, Indices(Shape{60}, 2)), std::out_of_range);
    BOOST_CHECK_THROW(nn::area_under_curve(scores, Indices{0, 1}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(absolute_errors) {
    const Array<double> predictions = {{1, 5}, {2, 5}}, targets = {{0, 5}, {4, 6}};
    BOOST_TEST(nn::mean_absolute_error(predictions, targets) == (std::vector<double>{1.5, 0.5}),
               boost::test_tools::per_element());
    BOOST_CHECK_THROW(nn::mean_absolute_error(predictions, Array<double>(Shape{1, 2}, 1.0)), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_row_with_a_score_that_is_no_number_is_never_right) {
    const double nan = std::nan("");
    BOOST_TEST(nn::accuracy(Array<double>(Shape{4, 2}, nan), Indices{0, 0, 0, 1}) == 0);
    const Array<double> scores = {{1, 2, nan}, {nan, 2, 1}, {1, 2, 0}, {-INFINITY, 2, 0}};
    const Indices labels = {1, 1, 1, 1};
    BOOST_TEST(nn::accuracy(scores, labels) == 0.5);
    BOOST_TEST(nn::top_k_accuracy(scores, labels, 1) == 0.5);
    BOOST_TEST(nn::top_k_accuracy(scores, labels, 3) == 0.5);
    check_message([&] { nn::confusion_matrix(scores, labels); },
                  "[confusion_matrix] a score at position 0 is NaN: the row is taken for no class");
}
