#define BOOST_TEST_MODULE data
#include <autograd/error.hpp>
#include <boost/test/unit_test.hpp>
#include <nn/data.hpp>

#include "temporary_folder.hpp"

namespace {

const Folder folder;

std::string written(const std::string& text) { return folder.write("table.csv", text); }

void refuses(const std::string& text, const std::string& part) {
    BOOST_CHECK_EXCEPTION(nn::read_csv<double>(written(text)), autograd::FileError,
                          [&](const autograd::FileError& error) {
                              BOOST_TEST_MESSAGE(error.what());
                              return std::string(error.what()).find(part) != std::string::npos;
                          });
}

}  // namespace

BOOST_AUTO_TEST_CASE(reads_the_real_files) {
    const auto digits = nn::read_csv<float>(DELTARULE_SOURCE_DIR "/examples/data/digits.csv.gz");
    BOOST_TEST(digits.size() == 1797u);
    BOOST_TEST(digits.features.shape()[1] == 64u);
    BOOST_TEST(digits.classes() == 10u);
    BOOST_TEST(digits.class_names[9] == "9");
    const auto iris = nn::read_csv<double>(DELTARULE_SOURCE_DIR "/examples/data/iris.csv");
    BOOST_TEST(iris.size() == 150u);
    BOOST_TEST(iris.classes() == 3u);
}

BOOST_AUTO_TEST_CASE(label_by_name_numbers_before_words) {
    const auto data = nn::read_csv<double>(written("kind,x,y\nb,1,2\n10,3,4\n9,5,6\nb,7,8e1\r\n"), "kind");
    BOOST_TEST((data.class_names == std::vector<std::string>{"9", "10", "b"}));
    BOOST_TEST(data.labels(0) == 2);
    BOOST_TEST(data.labels(1) == 1);
    BOOST_TEST(data.features(3, 1) == 80);
}

BOOST_AUTO_TEST_CASE(quoted_fields_may_hold_commas) {
    const auto data = nn::read_csv<double>(written("\"x\",\"kind\"\n\"1\",\"a, b\"\n2,\"c\"\n"), "kind");
    BOOST_TEST((data.class_names == std::vector<std::string>{"a, b", "c"}));
    BOOST_TEST(data.features(0, 0) == 1);
    BOOST_TEST(data.features(1, 0) == 2);
}

BOOST_AUTO_TEST_CASE(features_without_a_class) {
    const std::string path = written("x,y,z\n1,2,3\n4,5,6\n");
    BOOST_TEST((nn::read_csv_features<double>(path) == autograd::Array<double>{{1, 2, 3}, {4, 5, 6}}));
    BOOST_TEST((nn::read_csv_features<double>(path, "y") == autograd::Array<double>{{1, 3}, {4, 6}}));
}

BOOST_AUTO_TEST_CASE(bad_files_are_named_with_their_line) {
    BOOST_CHECK_THROW(nn::read_csv<double>("/nonexistent.csv"), autograd::FileError);
    refuses("", "no rows");
    refuses("x,y\n", "no rows");
    refuses("x,y\n1,a\n1,2,a\n", ":3: 3 fields");
    refuses("x,y\n1,a\nfour,b\n", ":3: 'four' in column 0");
    refuses("x,y\nnan,a\n", ":2: 'nan'");
    refuses("1,2\ninf,3\n", ":2: 'inf'");
    refuses("x,y\n1,\n", ":2: the class is missing");
    refuses("x\n1\n", "only one column");
    BOOST_CHECK_THROW(nn::read_csv<double>(written("x,y\n1,a\n"), "z"), autograd::FileError);
    const std::string bytes = bytes_of(DELTARULE_SOURCE_DIR "/examples/data/digits.csv.gz");
    refuses(bytes.substr(0, bytes.size() / 2), "cut short");
}

BOOST_AUTO_TEST_CASE(every_mutation_is_read_or_refused) {
    std::mt19937_64 engine(3);
    const std::string valid = "a,b,c\n1,2.5,x\n-3,4e2,y\n5,6,x\n";
    for (int i = 0; i < 2000; ++i) {
        std::string text = valid;
        for (int k = 0; k < 3; ++k) text[engine() % text.size()] = static_cast<char>(engine() % 256);
        text.resize(engine() % (text.size() + 1));
        try {
            nn::read_csv<double>(written(text));
        } catch (const autograd::FileError&) {
        }
    }
}

BOOST_AUTO_TEST_CASE(batches_pass_over_every_row_once_and_again_the_same_with_the_same_seed) {
    nn::Dataset<double> data{autograd::Array<double>(xt::reshape_view(xt::arange<double>(10), {10, 1})),
                             autograd::Indices(xt::arange<std::int64_t>(10)),
                             {}};
    const auto pass = [&](unsigned seed) {
        std::mt19937_64 engine(seed);
        nn::Batches<double> batches(data, 4, engine);
        autograd::Array<double> x;
        autograd::Indices labels;
        std::vector<std::int64_t> seen;
        while (batches.next(x, labels))
            for (std::size_t i = 0; i < labels.size(); ++i) {
                BOOST_TEST(x(i, 0) == static_cast<double>(labels(i)));
                seen.push_back(labels(i));
            }
        return seen;
    };
    auto first = pass(1);
    BOOST_TEST((first == pass(1)));
    BOOST_TEST((first != pass(2)));
    std::sort(first.begin(), first.end());
    BOOST_TEST((first == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

BOOST_AUTO_TEST_CASE(split_and_accuracy) {
    std::mt19937_64 engine(1);
    const auto iris = nn::read_csv<double>(DELTARULE_SOURCE_DIR "/examples/data/iris.csv");
    const auto [training, test] = nn::split(iris, 0.2, engine);
    BOOST_TEST(training.size() == 120u);
    BOOST_TEST(test.size() == 30u);
    BOOST_CHECK_THROW(nn::split(iris, 0.0, engine), std::invalid_argument);
    BOOST_TEST((nn::confusion_matrix(autograd::Array<double>{{0.1, 0.9}, {0.8, 0.2}}, autograd::Indices{1, 1}) ==
                autograd::Indices{{0, 0}, {1, 1}}));
    BOOST_CHECK_THROW(nn::accuracy(autograd::Array<double>{{0.1, 0.9}}, autograd::Indices{2}), std::out_of_range);
    BOOST_CHECK_THROW(nn::accuracy(autograd::Array<double>{{0.1, 0.9}}, autograd::Indices{1, 1}),
                      std::invalid_argument);
    BOOST_TEST(nn::accuracy(autograd::Array<double>{{0.1, 0.9}, {0.8, 0.2}}, autograd::Indices{1, 1}) == 0.5);
}
