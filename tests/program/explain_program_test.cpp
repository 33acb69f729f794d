// deltarule explain: a network at a row of a table, against plain loops over the arrays of its file.
#define BOOST_TEST_MODULE explain_program
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "program.hpp"

namespace tt = boost::test_tools;
using nlohmann::json;

namespace {

const std::string diabetes = DELTARULE_SOURCE_DIR "/examples/data/diabetes.csv";

std::string trained(const std::string& name, const std::string& options) {
    const std::string path = folder / name;
    const Result result = run("train " + options + " --save " + path);
    BOOST_TEST_REQUIRE(result.exit == 0, result.error);
    return path;
}

const json& named(const json& data, const std::string& name) {
    for (const json& node : data.at("nodes"))
        if (node.at("name") == name) return node;
    throw std::invalid_argument("no node " + name);
}

std::vector<double> numbers(const json& array) { return array.at("values").get<std::vector<double>>(); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_row_of_iris_forward_and_backward) {
    const std::string model =
        trained("iris.safetensors", "--csv " + iris + " --hidden 5 --activation tanh --epochs 20");
    const std::string file = folder / "row.json";
    const Result result = run("explain " + model + " " + iris + " --row 52 -o " + file);
    BOOST_TEST_REQUIRE(result.exit == 0, result.error);
    const json data = json::parse(bytes_of(file));
    BOOST_TEST(data.at("title") == "iris.safetensors, row 52 of iris.csv");
    BOOST_TEST(data.at("precision") == "float");

    // Forward and backward again, by hand: z = W1 x + b1, a = tanh(z), s = W2 a + b2, the loss is -log(softmax(s)[1]).
    const auto x = numbers(named(data, "x").at("value")), w1 = numbers(named(data, "0.weight").at("value")),
               b1 = numbers(named(data, "0.bias").at("value")), w2 = numbers(named(data, "2.weight").at("value")),
               b2 = numbers(named(data, "2.bias").at("value"));
    std::vector<double> a(5), s(3), delta2(3), delta1(5), xbar(4);
    double sum = 0;
    for (std::size_t j = 0; j < 5; ++j) {
        double z = b1[j];
        for (std::size_t i = 0; i < 4; ++i) z += w1[4 * j + i] * x[i];
        a[j] = std::tanh(z);
    }
    for (std::size_t k = 0; k < 3; ++k) {
        s[k] = b2[k];
        for (std::size_t j = 0; j < 5; ++j) s[k] += w2[5 * k + j] * a[j];
        sum += std::exp(s[k]);
    }
    for (std::size_t k = 0; k < 3; ++k) delta2[k] = std::exp(s[k]) / sum - (k == 1 ? 1 : 0);
    for (std::size_t j = 0; j < 5; ++j) {
        for (std::size_t k = 0; k < 3; ++k) delta1[j] += (1 - a[j] * a[j]) * w2[5 * k + j] * delta2[k];
        for (std::size_t i = 0; i < 4; ++i) xbar[i] += w1[4 * j + i] * delta1[j];
    }
    const auto near = [](const std::vector<double>& got, const std::vector<double>& wanted) {
        BOOST_TEST_REQUIRE(got.size() == wanted.size());
        for (std::size_t i = 0; i < got.size(); ++i) BOOST_TEST(std::abs(got[i] - wanted[i]) < 2e-6);
    };
    near(numbers(named(data, "loss").at("value")), {std::log(sum) - s[1]});
    near(numbers(named(data, "scores").at("value")), s);
    near(numbers(named(data, "scores").at("adjoint")), delta2);
    near(numbers(named(data, "linear#1").at("adjoint")), delta1);
    near(numbers(named(data, "0.bias").at("adjoint")), delta1);
    near(numbers(named(data, "x").at("adjoint")), xbar);
    BOOST_TEST(named(data, "tanh#1").at("group") == "0");
    BOOST_TEST(named(data, "scores").at("group") == "2");
    BOOST_TEST(named(data, "loss").at("group") == "");
    BOOST_TEST(named(data, "scores").at("digits").get<double>() > 5);
    // The row is the one that predict reads.
    BOOST_TEST(result.out.starts_with("the cross-entropy for the class 'versicolor' at row 52: "), result.out);
}

BOOST_AUTO_TEST_CASE(pages_drawings_and_the_terminal) {
    const std::string model = trained("small.npz", "--csv " + iris + " --hidden 3 --epochs 2");
    const std::string page = folder / "row.html", drawing = folder / "row.dot";
    BOOST_TEST(run("explain " + model + " " + iris + " --output " + page).exit == 0);
    BOOST_TEST(bytes_of(page).starts_with("<!DOCTYPE html>"));
    BOOST_TEST(run("explain " + model + " " + iris + " --output " + drawing).exit == 0);
    BOOST_TEST(bytes_of(drawing).starts_with("digraph "));
    const Result table = run("explain " + model + " " + iris);
    BOOST_TEST(table.exit == 0);
    BOOST_TEST(has(table.out, "softmax_cross_entropy(scores, softmax#1)"));
}

BOOST_AUTO_TEST_CASE(without_the_target_the_answer_is_explained) {
    const std::string model = trained("two.safetensors", "--csv " + iris + " --hidden 3 --epochs 2");
    const std::string rows = folder / "rows.csv", file = folder / "answer.json";
    // The names of the columns are the table's own.
    std::string header = bytes_of(iris);
    header = header.substr(0, header.rfind(',', header.find('\n')));
    std::ofstream(rows) << header << "\n5.1,3.5,1.4,0.2\n";
    const Result result = run("explain " + model + " " + rows + " -o " + file);
    BOOST_TEST_REQUIRE(result.exit == 0, result.error);
    const json data = json::parse(bytes_of(file));
    const auto scores = numbers(named(data, "scores").at("value"));
    BOOST_TEST(numbers(named(data, "answer").at("value"))[0] == *std::max_element(scores.begin(), scores.end()));

    const std::string fitted = trained("fitted.safetensors", "--csv " + diabetes + " --hidden 4 --epochs 2");
    BOOST_TEST_REQUIRE(run("explain " + fitted + " " + diabetes + " --row 442 -o " + file).exit == 0);
    const json loss = json::parse(bytes_of(file));
    const double error = numbers(named(loss, "scores").at("value"))[0] - numbers(named(loss, "target").at("value"))[0];
    BOOST_TEST(numbers(named(loss, "loss").at("value"))[0] == error * error, tt::tolerance(1e-5));
    BOOST_TEST(numbers(named(loss, "scores").at("adjoint"))[0] == 2 * error, tt::tolerance(1e-5));
}

// Several targets are told by their names, in whatever order --label has them.
BOOST_AUTO_TEST_CASE(targets_in_another_order_are_the_same) {
    const std::string model =
        trained("both.safetensors", "--csv " + diabetes + " --label tch,ltg --hidden 4 --epochs 2");
    const auto explained = [&](const std::string& label) {
        const Result result = run("explain " + model + " " + diabetes + " --row 5" + label);
        BOOST_TEST(result.exit == 0, result.error);
        return result.out;
    };
    const auto judged = [&](const std::string& label) {
        return run("predict " + model + " --metric --csv " + diabetes + label).error;
    };
    BOOST_TEST(explained(" --label tch,ltg") == explained(""));
    BOOST_TEST(explained(" --label ltg,tch") == explained(""));
    BOOST_TEST(has(judged(""), "tch: "), judged(""));
    BOOST_TEST(judged(" --label tch,ltg") == judged(""));
    BOOST_TEST(judged(" --label ltg,tch") == judged(""));
    refuses("explain " + model + " " + diabetes + " --label tch", "predicts 2 columns, but --label names 1");
    std::string without = bytes_of(diabetes);  // its columns under other names
    for (const char* name : {"tch", "ltg"}) without.replace(without.find(name), 3, "other");
    refuses("explain " + model + " " + folder.write("without.csv", without), "--label names them");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_explained_is_said_in_a_sentence) {
    const std::string model = trained("three.safetensors", "--csv " + iris + " --hidden 3 --epochs 2"),
                      never = " --output " + (folder / "never");
    refuses("explain " + model + " " + iris + " --row 151" + never, "there is no row 151, but 150 rows");
    refuses("explain " + model + " " + iris + " --row 0" + never, "not a whole number");
    refuses("explain " + model + never, "deltarule explain MODEL TABLE --row 1");
    refuses("explain " + model + " " + diabetes + never, diabetes);
    refuses("explain " + iris + " " + iris + never, iris);
    std::string twice = bytes_of(iris);  // which one is the class?
    for (std::size_t at = 0; (at = twice.find('\n', at)) != std::string::npos; at += 9) twice.insert(at, ",species");
    refuses("explain " + model + " " + folder.write("twice.csv", twice) + never, "two columns have the name 'species'");
    refuses("explain " + model + " " + iris + " --label 0,1" + never, "");
    refuses("explain " + model + " " + iris + " --output " + iris, "");
    refuses("explain " + model + " " + iris + " --output " + model, "");
    BOOST_TEST(run("info " + model).exit == 0);
}
