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

namespace {

/// The data of a page of a training: each step whole.
std::vector<json> steps_of(const std::string& page) {
    const std::string begin = R"(<script type="application/json" id="recording">)";
    const std::size_t at = page.find(begin) + begin.size();
    json first = json::parse(page.substr(at, page.find("</script", at) - at));
    const json later = first.contains("training") ? first.at("training") : json::array();
    first.erase("training");
    std::vector<json> steps = {first};
    for (const json& step : later) {
        steps.push_back(steps.back());
        for (std::size_t i = 0; i < step.at("nodes").size(); ++i)
            steps.back().at("nodes")[i].update(step.at("nodes")[i]);
    }
    return steps;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_training_step_by_step) {
    const std::string page = folder / "training.html";
    const std::string model =
        trained("taught.safetensors", "--csv " + iris + " --hidden 5 --activation tanh --epochs 61 --player " + page);
    const std::vector<json> steps = steps_of(bytes_of(page));
    BOOST_TEST(steps.size() == 32u);  // before it, after every second epoch, and after the last
    BOOST_TEST(steps[0].at("title") == iris + ", 8 rows for training");
    // Each loss again, by hand, where the right class is that whose score has a negative adjoint.
    for (const json& step : steps) {
        const auto x = numbers(named(step, "x").at("value")), w1 = numbers(named(step, "0.weight").at("value")),
                   b1 = numbers(named(step, "0.bias").at("value")), w2 = numbers(named(step, "2.weight").at("value")),
                   b2 = numbers(named(step, "2.bias").at("value")),
                   delta = numbers(named(step, "scores").at("adjoint"));
        BOOST_TEST_REQUIRE(x.size() == 8 * 4u);
        double loss = 0;
        for (std::size_t n = 0; n < 8; ++n) {
            std::vector<double> s = b2;
            for (std::size_t j = 0; j < 5; ++j) {
                double z = b1[j];
                for (std::size_t i = 0; i < 4; ++i) z += w1[4 * j + i] * x[4 * n + i];
                for (std::size_t k = 0; k < 3; ++k) s[k] += w2[5 * k + j] * std::tanh(z);
            }
            double sum = 0, right = 0;
            for (std::size_t k = 0; k < 3; ++k) {
                sum += std::exp(s[k]);
                if (delta[3 * n + k] < 0) right = s[k];
            }
            loss += (std::log(sum) - right) / 8;
        }
        BOOST_TEST(numbers(named(step, "loss").at("value"))[0] == loss, tt::tolerance(1e-5));
    }
    // The last step has the weights that were saved.
    BOOST_TEST_REQUIRE(run("explain " + model + " " + iris + " -o " + folder / "row.json").exit == 0);
    const json saved = json::parse(bytes_of(folder / "row.json"));
    for (const char* name : {"0.weight", "0.bias", "2.weight", "2.bias"}) {
        BOOST_TEST(named(steps.back(), name).at("value") == named(saved, name).at("value"));
        BOOST_TEST(named(steps.front(), name).at("value") != named(saved, name).at("value"));
    }
    // Numbers are learned as well; a layer that differs in training evaluates.
    BOOST_TEST(run("train --csv " + diabetes +
                   " --layers \"dense 3, batchnorm, tanh, dropout 0.5, dense\" --epochs 2 --player " + page)
                   .exit == 0);
    const std::vector<json> numbered = steps_of(bytes_of(page));
    BOOST_TEST(numbered.size() == 3u);
    BOOST_TEST(named(numbered[0], "target").at("shape") == json({8, 1}));
    refuses("train --stream --player " + page, "excludes");
    refuses("train --folds 3 --player " + page, "excludes");
    refuses("train --player " + page + " --report " + page, "is to be written twice");
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
