// Networks as headers of C++: each compiles under strict warnings, allocates nothing, and answers as `predict` does.
#define BOOST_TEST_MODULE export_program
#include <cmath>
#include <nlohmann/json.hpp>
#include <nn/safetensors.hpp>
#include <sstream>
#include <vector>

#include "program/program.hpp"

namespace {

const std::string diabetes = DELTARULE_SOURCE_DIR "/examples/data/diabetes.csv";

std::vector<std::string> fields_of(const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream text(line);
    for (std::string field; std::getline(text, field, ',');) fields.push_back(field);
    return fields;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

/// A program that answers for each line of its input: numbers, words where a column has them, nothing where a cell is
/// missing.
std::string program(const std::string& name, bool words, bool beside) {
    std::string text = "#include \"" + name + ".hpp\"\n" + R"(#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <new>
static bool may_allocate = true;
void* operator new(std::size_t size) {
    if (!may_allocate) std::abort();
    return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#include <fstream>
#include <iostream>
#include <string>
namespace net = )" + name +
                       R"(_network;
int main(int argc, char** argv) {
    if (argc != 3) return 2;
)";
    if (beside)
        text += R"(    std::ifstream file(argv[2], std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const auto weights = net::Weights::of(bytes.data(), bytes.size());
    if (!weights || net::Weights::of(bytes.data(), bytes.size() - 4)) return 3;
    std::string changed = bytes;
    changed[5] = static_cast<char>(changed[5] ^ 1);
    if (net::Weights::of(changed.data(), changed.size())) return 4;
)";
    text += R"(    std::ifstream lines(argv[1]);
    for (std::string line; std::getline(lines, line);) {
        net::Row row{};
        std::size_t at = 0;
        for (std::size_t j = 0; j < row.size(); ++j) {
            std::size_t end = line.find(',', at);
            if (end == std::string::npos) end = line.size();
            const std::string field = line.substr(at, end - at);
            at = end + 1;
            char* rest = nullptr;
            row[j] = std::strtod(field.c_str(), &rest);
            if (field.empty()) row[j] = std::nan("");
)";
    text += words ? "            else if (*rest != 0) row[j] = net::category(j, field);\n" : "";
    text += std::string(R"(        }
        may_allocate = false;
        const auto answer = net::predict(row)") +
            (beside ? ", *weights" : "") + R"();
        may_allocate = true;
        if (!answer) std::printf("none\n");
        for (std::size_t k = 0; answer && k < answer->size(); ++k)
            std::printf("%.12g%s", (*answer)[k], k + 1 < answer->size() ? "," : "\n");
    }
}
)";
    return text;
}

/// Exports the model under this name, and answers with it for lines of a table without a header.
std::vector<std::string> answers(const std::string& model, const std::string& name, const std::string& lines,
                                 bool words = false, bool beside = false, const std::string& flags = "-O1") {
    const Result exported = run("export " + model + " --cpp " + folder / (name + ".hpp"));
    BOOST_REQUIRE_MESSAGE(exported.exit == 0, exported.error);
    BOOST_TEST(has(exported.out, "namespace " + name + "_network"));
    BOOST_TEST(std::filesystem::exists(folder / (name + ".bin")) == beside);
    folder.write("main.cpp", program(name, words, beside));
    folder.write("lines", lines);
    const std::string command = DELTARULE_COMPILER " -std=c++17 " + flags +
                                " -Wall -Wextra -Wshadow -Wconversion -Werror -pedantic " + folder / "main.cpp" +
                                " -o " + folder / "main" + " && " + folder / "main" + " " + folder / "lines" + " " +
                                folder / (name + ".bin") + " > " + folder / "answers";
    BOOST_REQUIRE_MESSAGE(std::system(command.c_str()) == 0, command);
    return lines_of(bytes_of(folder / "answers"));
}

/// The largest difference between the header's numbers and the program's, which are rounded to what is printed.
double difference(const std::vector<std::string>& answers, const Result& predicted, std::size_t names) {
    const auto lines = lines_of(predicted.out);
    BOOST_REQUIRE_MESSAGE(lines.size() == answers.size() + 1, predicted.error);
    double largest = 0;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const auto here = fields_of(answers[i]), there = fields_of(lines[i + 1]);
        BOOST_REQUIRE(here.size() + names == there.size());
        for (std::size_t k = 0; k < here.size(); ++k) {
            const double x = std::stod(here[k]), y = std::stod(there[k + names]);
            largest = std::max(largest, std::abs(x - y) / std::max(1.0, std::abs(y)));
        }
    }
    return largest;
}

std::string without_header(const std::string& text) { return text.substr(text.find('\n') + 1); }

constexpr double printed = 1e-6 + 5e-7;  // six decimals

}  // namespace

BOOST_AUTO_TEST_CASE(classes_of_a_table_are_those_of_predict) {
    for (const std::string activation : {"relu", "tanh", "sigmoid", "gelu", "silu", "softplus", "identity"}) {
        const std::string model = folder / "iris.safetensors";
        BOOST_REQUIRE(
            run("train --csv " + iris + " --hidden 16,8 --epochs 60 --activation " + activation + " --save " + model)
                .exit == 0);
        const auto here = answers(model, "iris", without_header(bytes_of(iris)));
        BOOST_TEST(here.size() == 150u);
        BOOST_TEST(difference(here, run("predict " + model + " --csv " + iris + " --probabilities"), 1) <= printed,
                   activation);
    }
    const std::string header = bytes_of(folder / "iris.hpp");
    BOOST_TEST(has(header, "\"setosa\", \"versicolor\", \"virginica\""));
    BOOST_TEST(has(header, "\"sepal length\""));
}

BOOST_AUTO_TEST_CASE(numbers_of_a_regression_are_in_their_units) {
    const std::string model = folder / "diabetes.npz";
    BOOST_REQUIRE(
        run("train --csv " + diabetes + " --hidden 16 --scale standard --activation tanh --save " + model).exit == 0);
    const auto here = answers(model, "diabetes", without_header(bytes_of(diabetes)));
    BOOST_TEST(here.size() == 442u);
    BOOST_TEST(difference(here, run("predict " + model + " --csv " + diabetes), 0) <= 1e-6);
}

BOOST_AUTO_TEST_CASE(layers_compute_what_they_compute_in_pytorch) {
    for (const std::string name : {"pictures", "rows"}) {
        const std::string path = DELTARULE_SOURCE_DIR "/tests/golden/networks/" + name;
        const auto here = answers(path + ".safetensors", name, bytes_of(path + "_rows.csv"));
        const auto there = lines_of(bytes_of(path + "_answers.csv"));
        BOOST_TEST_REQUIRE(here.size() == there.size());
        for (std::size_t i = 0; i < here.size(); ++i) {
            const auto mine = fields_of(here[i]), theirs = fields_of(there[i]);
            BOOST_TEST_REQUIRE(mine.size() == theirs.size());
            for (std::size_t k = 0; k < mine.size(); ++k)
                BOOST_TEST(std::abs(std::stod(mine[k]) - std::stod(theirs[k])) < 1e-6, name << " " << i << " " << k);
        }
    }
}

BOOST_AUTO_TEST_CASE(pictures_of_a_large_network_are_taken_as_predict_takes_them) {
    BOOST_REQUIRE(std::system(("zcat " + digits + " | head -n 100 > " + folder / "digits.csv").c_str()) == 0);
    const std::string model = folder / "pictures.safetensors";
    BOOST_REQUIRE(run("train --epochs 1 --layers 'conv 8 3 padding 1, batchnorm, relu, maxpool 2, conv 16 3, relu, "
                      "flatten, dropout 0.1, dense 300, layernorm, relu, dense' --save " +
                      model)
                      .exit == 0);
    const auto here = answers(model, "digits", bytes_of(folder / "digits.csv"), false, true);
    const Result there =
        run("predict " + model + " --csv " + folder / "digits.csv" + " --header no --label 64 --probabilities");
    BOOST_TEST(difference(here, there, 1) <= printed);
}

BOOST_AUTO_TEST_CASE(a_large_network_has_its_numbers_beside_it) {
    std::string lines, rows;
    BOOST_REQUIRE(std::system(("zcat " + digits + " | head -n 300 > " + folder / "digits.csv").c_str()) == 0);
    lines = bytes_of(folder / "digits.csv");
    for (const bool beside : {false, true}) {
        const std::string model = folder / "digits.safetensors", name = beside ? "many" : "few";
        BOOST_REQUIRE(
            run(std::string("train --epochs 4 --hidden ") + (beside ? "256,100" : "128") + " --save " + model).exit ==
            0);
        const auto here = answers(model, name, lines, false, beside);
        BOOST_TEST(
            difference(here,
                       run("predict " + model + " --csv " + folder / "digits.csv" + " --label 64 --probabilities"),
                       1) <= printed);
    }
}

BOOST_AUTO_TEST_CASE(words_and_missing_cells_are_taken_as_predict_takes_them) {
    std::string table = "size,\"co\"\"l?\?/our\",weight,kind\n";
    for (int i = 0; i < 60; ++i) {
        const std::string colour = std::string(i % 3 == 0 ? "red" : i % 3 == 1 ? "gr\xc3\xbcn" : "blue, \"dark\"");
        const bool missing = i % 7 == 3;
        table += (missing ? "" : std::to_string(i % 11)) + ",\"" + (colour[0] == 'b' ? "blue, \"\"dark\"\"" : colour) +
                 "\"," + std::to_string(i * i % 17) + ".5," + (i % 11 + i % 3 > 6 ? "\"a?\?/\\\"" : "b") + "\n";
    }
    const std::string csv = folder.write("words.csv", table), model = folder / "words.npz";
    BOOST_REQUIRE(run("train --csv " + csv + " --hidden 8 --missing mean --save " + model).exit == 0);
    const std::string asked = "3,gr\xc3\xbcn,4.5\n,red,1.5\n7,,2.5\n,,\n";
    const auto there = run("predict " + model + " --probabilities --csv " +
                           folder.write("asked.csv", "size,\"co\"\"l?\?/our\",weight\n" + asked));
    for (const char* flags : {"-O1", "-O2 -ffast-math"}) {
        const auto here = answers(model, "words", asked + "3,pink,4.5\n1e300,red,1.5\ninf,red,1\n", true, false, flags);
        BOOST_REQUIRE(here.size() == 7u);
        BOOST_TEST(difference({here.begin(), here.begin() + 4}, there, 1) <= printed);
        for (std::size_t i = 4; i < 7; ++i) BOOST_TEST(here[i] == "none", flags);
    }
    refuses("predict " + model + " --csv " + folder.write("asked.csv", "size,\"co\"\"l?\?/our\",weight\n3,pink,4.5\n"),
            "categories");

    BOOST_REQUIRE(run("train --csv " + csv + " --hidden 8 --activation tanh --missing drop --save " + model).exit == 0);
    const auto strict = answers(model, "strict", "3,red,4.5\n,red,1.5\n3,,1.5\n1e300,red,1.5\n", true);
    BOOST_TEST(strict[0] != "none");
    BOOST_TEST(strict[1] == "none");
    BOOST_TEST(strict[2] == "none");
    BOOST_TEST(strict[3] == "none");  // too far, though tanh would answer
}

BOOST_AUTO_TEST_CASE(what_cannot_be_exported_is_refused) {
    const std::string model = folder / "small.npz";
    BOOST_REQUIRE(run("train --csv " + iris + " --hidden 2 --epochs 1 --save " + model).exit == 0);
    refuses("export " + folder / "none" + " --cpp " + folder / "never", "cannot be opened");
    refuses("export " + iris + " --cpp " + folder / "never", "not a safetensors file");
    refuses("export " + model, "--cpp or --onnx is required");
    const Result onnx = run("export " + model + " --onnx " + folder / "net.onnx");
    BOOST_TEST((onnx.exit == 0 ? std::filesystem::exists(folder / "net.onnx") : has(onnx.error, "built without ONNX")));
    refuses("export " + model + " --cpp " + model, "one of the files that are read");
    refuses("export " + model + " --cpp " + folder / "nowhere/net.hpp", "there is no folder");
    BOOST_REQUIRE(run("train --csv " + iris + " --hidden 3000 --epochs 1 --save " + model).exit == 0);
    refuses("export " + model + " --cpp " + folder / "net.bin", "cannot be called");
    std::filesystem::create_symlink("linked.bin", folder / "linked.hpp");
    refuses("export " + model + " --cpp " + folder / "linked.hpp", "cannot be called");
    BOOST_TEST(!std::filesystem::exists(folder / "linked.bin"));
    refuses("export " + model + " --cpp " + folder / "one" + " --onnx " + folder / "./one", "to be written twice");
    // A name goes into a comment, and does not end it.
    BOOST_REQUIRE(run("export " + model + " --cpp '" + folder / "two\nlines.hpp'").exit == 0);
    for (const std::string& line : lines_of(bytes_of(folder / "two\nlines.hpp")))
        BOOST_TEST(!line.starts_with("lines"));
    for (const auto& [file, name] :
         {std::pair{"2 d-x.hpp", "network_2_d_x"}, {"\xc3\xa9.hpp", "network"}, {"int", "int_network"}}) {
        const Result result = run("export " + model + " --cpp '" + folder / file + "'");
        BOOST_TEST(has(result.out, std::string("namespace ") + name + " in"), result.out + result.error);
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_holds_another_network_than_it_says_is_refused) {
    const std::string model = folder / "honest";
    BOOST_REQUIRE(run("train --csv " + iris + " --hidden 5 --epochs 1 --save " + model).exit == 0);
    const nn::Tensors<float> file = nn::read_safetensors<float>(model);
    const auto predict = [&](nn::Metadata metadata, const std::string& more, const std::string& part) {
        std::vector<autograd::Parameter<float>> parameters;
        for (const auto& [name, array] : file.arrays) parameters.emplace_back(name, array);
        if (!more.empty()) parameters.emplace_back(more, file.arrays.at("2.bias"));
        nn::save(folder / "other", parameters, metadata);
        refuses("predict " + folder / "other" + " --csv " + iris + " --label species", part);
    };
    BOOST_REQUIRE(run("predict " + model + " --csv " + iris + " --label species").exit == 0);
    // As a layer behind the last, or a normalization, has it.
    predict(file.metadata, "4.bias", "other: '4.bias' is no part of a network of 4-5-3");
    for (const char* widths : {"[4,5.5,3]", "[4,-5,3]"}) {
        nn::Metadata metadata = file.metadata;
        metadata["widths"] = widths;
        predict(metadata, "", "do not describe a network");
    }
    std::string complex = bytes_of(model);
    for (std::size_t at = 0; (at = complex.find("F32", at)) != std::string::npos;) complex.replace(at, 3, "C32");
    refuses("predict " + folder.write("other", complex) + " --csv " + iris,
            "has elements of type C32, which is not read");
}

BOOST_AUTO_TEST_CASE(info_says_what_a_file_holds) {
    const std::string model = folder / "iris.npz";
    BOOST_REQUIRE(run("train --csv " + iris + " --hidden 5 --epochs 1 --save " + model).exit == 0);
    const Result text = run("info " + model);
    BOOST_TEST(text.exit == 0);
    for (const char* part :
         {"NumPy's .npz, format 1\n3 classes in species: setosa, versicolor, virginica\n4 columns, which give 4 "
          "numbers:\n",
          "\n  sepal length: (x - 4.3) * 0.27", "\n3 layers: dense 5, relu, dense 3\n",
          "\n0  Dense  (1, 5)          25             20    120\n",
          "\n1  relu   (1, 5)           0              0     20\n",
          "\n2  Dense  (1, 3)          18             15     84\n",
          "\n   total  (1, 3)          43             35    224\n", "\n  0.weight (5, 4) <f4\n",
          "\n43 numbers in 172 bytes\n"})
        BOOST_TEST(has(text.out, part), text.out);
    const auto report = nlohmann::json::parse(run("info --json " + model).out);
    BOOST_TEST(report.at("task") == "classification");
    BOOST_TEST(report.at("format") == 1);
    BOOST_TEST(report.at("widths") == (std::vector{4, 5, 3}));
    BOOST_TEST(report.at("layers")[2] == nlohmann::json::parse(R"({"layer": "dense 3", "shape": [3], "parameters": 18,
                                                                  "buffers": 0, "multiply_adds": 15})"));
    BOOST_TEST(report.at("target").at("classes").size() == 3u);
    BOOST_TEST(report.at("columns")[3].at("name") == "petal width");
    BOOST_TEST(report.at("arrays")[0].at("shape") == (std::vector{5, 4}));
    BOOST_TEST(report.at("parameters") == 43);

    BOOST_REQUIRE(run("train --csv " + diabetes + " --hidden 0 --epochs 1 --save " + model).exit == 0);
    BOOST_TEST(has(run("info " + model).out, "regression of progression\n10 columns"));
    BOOST_TEST(nlohmann::json::parse(run("info --json " + model).out).at("target").at("numbers")[0].at("name") ==
               "progression");
    BOOST_TEST(has(run("info " + case_of("without_format.safetensors")).out, "from before format 1"));
    // Arrays that are no network of ours are listed; a network must be whole.
    const Result arrays = run("info " DELTARULE_SOURCE_DIR "/tests/golden/numpy/metadata.npz");
    BOOST_TEST(arrays.exit == 0);
    BOOST_TEST(
        has(arrays.out, "do not describe a network for predict\n1 array:\n  w (2,) <f8\nsteps = 3\ntrained in = Z"),
        arrays.out);
    BOOST_TEST(has(run("info " DELTARULE_SOURCE_DIR "/tests/golden/numpy/block.npy").out, "NumPy's .npy"));
    std::string damaged = bytes_of(DELTARULE_SOURCE_DIR "/tests/fuzz/seeds/network/iris.safetensors");
    damaged.replace(damaged.find("relu"), 4, "rule");
    refuses("info " + folder.write("damaged", damaged), "do not describe a network");
    refuses("info --json " + folder / "none", "cannot be opened");
}
