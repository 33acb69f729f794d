// Networks that a line describes, from the training to the answers, beside PyTorch's for the same weights.
#define BOOST_TEST_MODULE layers_program
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "program/program.hpp"

namespace {

const std::string golden = DELTARULE_SOURCE_DIR "/tests/golden/networks/";

/// The numbers of a table, without its first lines and columns.
std::vector<std::vector<double>> numbers_in(const std::string& text, std::size_t lines, std::size_t columns) {
    std::vector<std::vector<double>> rows;
    std::istringstream in(text);
    std::string line, field;
    for (std::size_t i = 0; std::getline(in, line); ++i) {
        if (i < lines) continue;
        rows.emplace_back();
        std::istringstream fields(line);
        for (std::size_t j = 0; std::getline(fields, field, ','); ++j)
            if (j >= columns) rows.back().push_back(std::atof(field.c_str()));
    }
    return rows;
}

/// Pictures of 6 x 5: a bar, down or across, on noise.
void write_bars(const Folder& set) {
    const auto byte = [](std::size_t x) { return static_cast<char>(static_cast<unsigned char>(x)); };
    std::size_t state = 1;
    const auto noise = [&] { return (state = state * 6364136223846793005u + 1442695040888963407u) >> 33; };
    std::string table;
    for (const std::string name : {"train", "t10k"}) {
        constexpr std::size_t n = 210;
        std::string images{0, 0, 8, 3, 0, 0, 0, byte(n), 0, 0, 0, 6, 0, 0, 0, 5}, labels{0, 0, 8, 1, 0, 0, 0, byte(n)};
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t at = noise() % 5;
            for (std::size_t pixel = 0; pixel < 30; ++pixel) {
                const std::size_t value = noise() % 100 + ((i % 2 == 0 ? pixel % 5 : pixel / 5) == at ? 150 : 0);
                images += byte(value);
                if (name == "t10k") table += std::to_string(value) + ",";
            }
            labels += byte(i % 2);
            if (name == "t10k") table += std::to_string(i % 2) + "\n";
        }
        set.write(name + "-images-idx3-ubyte", images);
        set.write(name + "-labels-idx1-ubyte", labels);
    }
    set.write("test.csv", table);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    BOOST_REQUIRE_MESSAGE(has(text, from), from);
    return text.replace(text.find(from), from.size(), to);
}

/// A file of safetensors with another header, whose length stands before it.
std::string with_header(const std::string& bytes, const std::string& from, const std::string& to) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 8; ++i) length |= std::size_t(static_cast<unsigned char>(bytes[i])) << (8 * i);
    std::string header = replaced(bytes.substr(8, length), from, to);
    header.resize((header.size() + 7) / 8 * 8, ' ');
    std::string changed;
    for (std::size_t i = 0; i < 8; ++i) changed += static_cast<char>(header.size() >> (8 * i));
    return changed + header + bytes.substr(8 + length);
}

}  // namespace

BOOST_AUTO_TEST_CASE(answers_are_those_of_pytorch) {
    for (const std::string name : {"pictures", "rows"}) {
        const bool classes = name == "pictures";
        const Result predicted = run("predict " + golden + name + ".safetensors --header no --csv " + golden + name +
                                     "_rows.csv" + (classes ? " --probabilities" : ""));
        BOOST_REQUIRE_MESSAGE(predicted.exit == 0, predicted.error);
        const auto here = numbers_in(predicted.out, 1, classes ? 1 : 0),
                   there = numbers_in(bytes_of(golden + name + "_answers.csv"), 0, 0);
        BOOST_TEST_REQUIRE(here.size() == 12u);
        BOOST_TEST_REQUIRE(there.size() == 12u);
        for (std::size_t i = 0; i < here.size(); ++i) {
            BOOST_TEST_REQUIRE(here[i].size() == there[i].size());
            for (std::size_t k = 0; k < here[i].size(); ++k)
                BOOST_TEST(std::abs(here[i][k] - there[i][k]) < 1.5e-6, name << ", row " << i);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_line_is_said_by_layer_and_shape) {
    const auto refused = [](const std::string& line, const std::string& part, const std::string& more = "") {
        refuses("train --epochs 1 --layers '" + line + "' --save " + folder / "never" + " " + more, part);
    };
    for (const auto& [line, part] : std::initializer_list<std::pair<std::string, std::string>>{
             {"conv 16 9, flatten, dense", "layer 0, 'conv 16 9': a window of 9 x 9 (dilation 1 x 1) is larger than"},
             {"conv 16 3, dense",
              "layer 1, 'dense 10': dense takes rows of numbers, but gets (16, 6, 6): flatten must"},
             {"dense", "layer 0, 'dense 10': dense takes rows of numbers, but gets (1, 8, 8): flatten must"},
             {"flatten, conv 4 3",
              "layer 1, 'conv 4 3': conv takes pictures of (channels, height, width), but gets (64,)"},
             {"conv -3 3", "layer 0, 'conv -3 3': '-3' is not a whole number from 1 to 2147483647"},
             {"conv 3.5 3", "'3.5' is not a whole number"},
             {"conv 18446744073709551617 3", "'18446744073709551617' is not a whole number"},
             {"conv 0 3", "'0' is not a whole number"},
             {"conv 3", "layer 0, 'conv 3': a size is missing"},
             {"conv 4 3x", "'' is not a whole number"},
             {"conv 4 3 stride", "a size is missing"},
             {"conv 4 3 stride 0", "'0' is not a whole number"},
             {"conv 4 3 stride 2 padding 1 stride 1", "'stride' stands there twice"},
             {"conv 4 3 padding 3", "a padding of 3 x 3 is no smaller than a window of 3 x 3"},
             {"maxpool 2 padding 2", "a padding of 2 x 2 is more than half of a window of 2 x 2"},
             {"maxpool 2 groups 2", "'groups' has no meaning there"},
             {"avgpool 2 dilation 2", "'dilation' has no meaning there"},
             {"conv 4 3 groups 3", "3 groups do not divide 1 channels into 4"},
             {"conv 2147483647 3", "it makes (2147483647, 6, 6) of (1, 8, 8), and 268435456 numbers are the most"},
             {"flatten, dense 2147483647, dense", "layer 1, 'dense 2147483647': it makes (2147483647,) of (64,)"},
             {"flatten, dense 200000000, dense 200000000, dense", "layer 2, 'dense 200000000': 4e+16 products"},
             {"flatten, dense 1000000, dense 1000000, dense",
              "a network of flatten, dense 1000000, dense 1000000, dense 10 needs 16001 GB"},
             {"flatten, dense, relu, dense", "layer 1, 'dense': the number of its outputs is missing"},
             {"flatten, dense 3, relu", "layer 2, 'relu': the last layer makes (3,), but (10,) is to be predicted"},
             {"flatten, unflatten 2 4 9, flatten, dense", "pictures of (2, 4, 9) have 72 numbers, but it gets (64,)"},
             {"flatten, dropout 1, dense", "'1' is no rate"},
             {"flatten, dropout nan, dense", "'nan' is no rate"},
             {"flatten, dens 4", "layer 1, 'dens 4': there is no layer 'dens'; there are dense, conv,"},
             {"flatten, dense 10,", "layer 2: it is empty"},
             {"flatten,, dense", "layer 1: it is empty"},
             {" ", "layer 0: it is empty"},
             {"flatten, relu 3, dense", "'3' has no meaning there"}})
        refused(line, part);
    // 1437 rows of 2^28 numbers: more than any machine has.
    refused("conv 4000000 1, globalavgpool, dense 10", "choose a smaller --batch", "--batch 1437");
    refused("dense 8, batchnorm, relu, dense", "micro-batches of 17 leave one row for the last of these",
            "--csv " + iris + " --batch 35 --micro-batch 17");
    refused("flatten, dense", "excludes", "--hidden 8");
    refused("flatten, dense", "excludes", "--activation relu");
    refused("dense 8, batchnorm, relu, dense", "leave one row for the last batch", "--csv " + iris + " --batch 119");
    refused("dense 8, batchnorm, relu, dense", "leave one row for the last batch", "--csv " + iris + " --batch 1");
    for (const std::string hidden : {"8,", ",8", "8,,4", "", " ", "8,4,", "8 4 ,"})
        refuses("train --hidden '" + hidden + "' --save " + folder / "never", "--hidden: '");
}

BOOST_AUTO_TEST_CASE(a_perceptron_in_layers_is_the_one_of_hidden) {
    const std::string layers = folder / "layers.npz", hidden = folder / "hidden.npz";
    BOOST_REQUIRE(
        run("train --epochs 3 --csv " + iris + " --layers 'dense 16, tanh,dense 8,  tanh, dense' --save " + layers)
            .exit == 0);
    BOOST_REQUIRE(run("train --epochs 3 --csv " + iris + " --hidden 16,8 --activation tanh --save " + hidden).exit ==
                  0);
    BOOST_TEST((bytes_of(layers) == bytes_of(hidden)));
    // Options in a file: a list, and a text.
    const std::string options = folder.write("options", "[train]\nhidden = [16, 8]\nactivation = tanh\n"),
                      line = folder.write("line", "[train]\nlayers = \"dense 16, tanh, dense 8, tanh, dense\"\n");
    for (const std::string& path : {options, line}) {
        BOOST_REQUIRE(run("train --epochs 3 --csv " + iris + " --config " + path + " --save " + layers).exit == 0);
        BOOST_TEST((bytes_of(layers) == bytes_of(hidden)));
    }
}

BOOST_AUTO_TEST_CASE(predict_evaluates_what_was_trained) {
    const Folder bars;
    write_bars(bars);
    const std::string model = bars / "bars.safetensors";
    const Result trained = run("train --idx " + bars / "" +
                               " --layers 'conv 6 3, batchnorm, relu, maxpool 2, flatten, "
                               "dropout 0.3, dense 16, batchnorm, relu, dense' --epochs 12 --rate 0.01 --save " +
                               model);
    BOOST_REQUIRE_MESSAGE(trained.exit == 0, trained.error);
    BOOST_TEST(accuracy(trained) > 80);
    const Result predicted = run("predict " + model + " --header no --metric --label 30 --csv " + bars / "test.csv");
    BOOST_TEST(has(predicted.error, trained.last_line().substr(trained.last_line().find(": ") + 2)),
               predicted.error + trained.last_line());
    // One row's answer does not depend on the rows beside it.
    const std::string table = bytes_of(bars / "test.csv");
    const Result one = run("predict " + model + " --header no --label 30 --csv " +
                           bars.write("one.csv", table.substr(0, table.find('\n') + 1)));
    BOOST_TEST(predicted.out.starts_with(one.out), one.out + one.error);

    const std::string said = run("info " + model).out;
    for (const char* part : {"safetensors, format 2\n",
                             "\n10 layers: conv 6 3, batchnorm, relu, maxpool 2, flatten, "
                             "dropout 0.3, dense 16, batchnorm, relu, dense 2\n",
                             "input      (1, 1, 6, 5)", "0  Conv2d     (1, 6, 4, 3)          60            648",
                             "1  BatchNorm  (1, 6, 4, 3)     12 + 12              0", "  1.running_var (6,) F32\n"})
        BOOST_TEST(has(said, part), said);
    const auto report = nlohmann::json::parse(run("info --json " + model).out);
    BOOST_TEST(report.at("input") == (std::vector{1, 6, 5}));
    BOOST_TEST(report.at("layers")[3].at("shape") == (std::vector{6, 2, 1}));
    BOOST_TEST(!report.contains("widths"));
}

BOOST_AUTO_TEST_CASE(explain_shows_what_layers_compute) {
    const std::string table = folder.write("table.csv", bytes_of(golden + "pictures_rows.csv"));
    const Result text = run("explain " + golden + "pictures.safetensors " + table + " --header no --row 2");
    BOOST_REQUIRE_MESSAGE(text.exit == 0, text.error);
    for (const char* part : {"conv2d", "max_pool2d", "gelu"}) BOOST_TEST(has(text.out, part), text.out);
    const Result drawn =
        run("explain " + golden + "pictures.safetensors " + table + " --header no --row 2 -o " + folder / "page.json");
    BOOST_REQUIRE_MESSAGE(drawn.exit == 0, drawn.error);
    BOOST_TEST(has(drawn.out, "the answer at row 2: "), drawn.out);
}

BOOST_AUTO_TEST_CASE(a_training_of_layers_goes_on_where_it_was) {
    const Folder files;
    const std::string training = "train --layers 'conv 4 3, batchnorm, relu, flatten, dropout 0.2, dense' ";
    BOOST_REQUIRE(run(training + "--epochs 4 --checkpoint " + files / "one" + " --save " + files / "whole").exit == 0);
    BOOST_REQUIRE(run(training + "--epochs 2 --checkpoint " + files / "two").exit == 0);
    BOOST_REQUIRE(run(training + "--epochs 4 --resume " + files / "two" + " --save " + files / "resumed").exit == 0);
    BOOST_TEST((bytes_of(files / "whole") == bytes_of(files / "resumed")));
    refuses(
        "train --layers 'conv 5 3, batchnorm, relu, flatten, dropout 0.2, dense' --epochs 4 --resume " + files / "two",
        "made with --layers conv 4 3, batchnorm, relu, flatten, dropout 0.2, dense 10, not conv 5 3");
    refuses("train --epochs 4 --resume " + files / "two", "made with --activation none, not relu");
}

BOOST_AUTO_TEST_CASE(a_file_that_describes_another_network_is_refused) {
    const std::string bytes = bytes_of(golden + "rows.safetensors");
    const auto refused = [&](const std::string& from, const std::string& to, const std::string& part) {
        refuses("predict " + folder.write("changed", with_header(bytes, from, to)) + " --header no --csv " + golden +
                    "rows_rows.csv",
                part);
    };
    refused(R"("format":"2")", R"("format":"3")", "its format is 3, but the newest that this program reads is 2");
    refused(R"("layers":"dense 12)", R"("layers":"dense 13)",
            "layer 4, 'unflatten 3 2 2': pictures of (3, 2, 2) have 12");
    refused(", dense 4,", ", dense 5,", "there is no array '8.weight' of (5, 3) for a network of dense 12, batchnorm");
    refused("leakyrelu 0.2", "leakyrelu 7", "layer 2, 'leakyrelu 7': '7' is no slope");
    refused("leakyrelu 0.2", "leakyrelu 0.2, relu", "there is no array '9.weight' of (4, 3)");
    refused("unflatten 3 2 2", "unflatten 3 4294967296 2", "layer 4, 'unflatten 3 4294967296 2': '4294967296' is not");
    refused("dropout 0.2", "\\u001b[2Jdropout 0.2", "layer 3, '");
    refused(R"("input":"[6]")", R"("input":"[2, 3]")",
            "the network takes (2, 3), but the columns in the metadata give 6");
    refused(R"("input":"[6]")", R"("input":"[4294967296, 4294967296, 6]")", "but the columns in the metadata give 6");
    refused(R"("input":"[6]")", R"("input":"[-6]")", "do not describe a network");
    refused(", dense 2\"", ", dense 2, relu, dense\"", "there is no array '14.weight'");
    refused(", dense 2\"", "\"", "the last layer makes (4,), but (2,) is to be predicted");
    refused("1.num_batches_tracked", "1.num_batches_trackeb", "'1.num_batches_trackeb' is no part of");
    refused("1.num_batches_tracked", "2.num_batches_tracked", "'2.num_batches_tracked' is no part of");
}
