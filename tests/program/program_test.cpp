// The program deltarule as its user meets it.
#define BOOST_TEST_MODULE program
#include <fmt/format.h>

#include <autograd/config.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cmath>

#include "program/program.hpp"

namespace {

std::string saved_iris() {
    static const std::string path = [] {
        const std::string file = folder / "iris.safetensors";
        BOOST_TEST_REQUIRE(run("train --csv " + iris + " --hidden 16 --epochs 200 --batch 16 --save " + file).exit ==
                           0);
        return file;
    }();
    return path;
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_options_it_learns_the_digits) {
    const Result result = run("train");
    BOOST_TEST(accuracy(result) >= 97.0);
    const std::size_t last_epoch = result.out.find("epoch 30/30: loss ");
    BOOST_REQUIRE(last_epoch != std::string::npos);
    // On the rows that it was trained on.
    double loss = 0, percent = 0;
    BOOST_REQUIRE(
        std::sscanf(result.out.c_str() + last_epoch, "epoch 30/30: loss %lf, accuracy %lf", &loss, &percent) == 2);
    BOOST_TEST((percent > 97 && percent <= 100), percent);
    BOOST_TEST(result.out.find('\r') == std::string::npos);  // plain lines where there is no terminal
    const Result twice[] = {run("train --epochs 2"), run("train --epochs 2"), run("train --epochs 2 --seed 2")};
    BOOST_TEST(twice[0].out == twice[1].out);
    BOOST_TEST(twice[0].out != twice[2].out);
}

BOOST_AUTO_TEST_CASE(every_optimizer_and_activation_learns) {
#ifdef __SANITIZE_ADDRESS__  // which takes ten times as long
    const std::string length = " --epochs 5";
    const double least = 70;
#else
    const std::string length;
    const double least = 92;
#endif
    for (const char* choice : {"--optimizer sgd", "--optimizer momentum", "--optimizer adamw", "--optimizer rmsprop",
                               "--activation tanh", "--activation sigmoid", "--activation gelu", "--activation silu",
                               "--activation softplus", "--hidden 64,32", "--hidden 0"})
        BOOST_TEST_CONTEXT(choice) { BOOST_TEST(accuracy(run(std::string("train ") + choice + length)) >= least); }
}

BOOST_AUTO_TEST_CASE(a_terminal_shows_how_much_is_done) {
    const std::string command = "script -qec '" DELTARULE_PROGRAM " train --epochs 2 --csv " DELTARULE_SOURCE_DIR
                                "/examples/data/iris.csv' /dev/null > " +
                                folder / "terminal";
    const auto start = std::chrono::steady_clock::now();
    BOOST_TEST(std::system(command.c_str()) == 0);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const std::string shown = bytes_of(folder / "terminal");
    BOOST_TEST(has(shown, "\r" + std::string(15, '#') + std::string(15, '.') + " epoch 1/2"), shown);
    BOOST_TEST(has(shown, "\r" + std::string(30, '#') + " epoch 2/2"), shown);
    BOOST_TEST((has(shown, " epoch 2/2  loss 0.") || has(shown, " epoch 2/2  loss 1.")), shown);
    BOOST_TEST((has(shown, ", accuracy ") && has(shown, "  0:00 left ")), shown);
    // 120 rows twice in less time than all of this took.
    const std::size_t unit = shown.rfind(" examples/s");
    BOOST_TEST_REQUIRE(unit != std::string::npos);
    BOOST_TEST(std::stod(shown.substr(shown.rfind(' ', unit - 1))) >= std::floor(240 / seconds));
}

BOOST_AUTO_TEST_CASE(a_folder_with_the_files_of_mnist) {
    // 64 images of 2 by 2: the class is which half is bright. The test set is gzipped or not, as the file is called.
    const Folder set;
    for (const std::string name : {"train", "t10k"}) {
        std::string images("\0\0\x08\x03\0\0\0\x40\0\0\0\x02\0\0\0\x02", 16), labels("\0\0\x08\x01\0\0\0\x40", 8);
        for (int i = 0; i < 64; ++i) {
            images += i % 2 ? std::string("\xf0\xf0\x10\x10", 4) : std::string("\x05\x0f\xff\xe0", 4);
            labels += static_cast<char>(i % 2);
        }
        set.write(name + "-images-idx3-ubyte", images);
        set.write(name + "-labels-idx1-ubyte", labels);
    }
    BOOST_TEST(std::system(("gzip " + set / "t10k-images-idx3-ubyte").c_str()) == 0);
    BOOST_TEST(accuracy(run("train --idx " + set / "" + " --hidden 8 --rate 0.03 --confusion")) == 100.0);
    set.write("t10k-labels-idx1-ubyte", std::string("\0\0\x08\x01\0\0\0\x40", 8) + std::string(64, '\x07'));
    refuses("train --idx " + set / "" + " --save " + folder / "never", "not those of the training set");
    // A test set that is cut short is named before the training.
    set.write("t10k-labels-idx1-ubyte", bytes_of(set / "train-labels-idx1-ubyte"));
    const std::string whole = bytes_of(set / "train-images-idx3-ubyte");
    std::filesystem::remove(set / "t10k-images-idx3-ubyte.gz");
    set.write("t10k-images-idx3-ubyte", whole.substr(0, whole.size() - 1));
    const Result cut = run("train --epochs 1 --stream --idx " + set / "");
    BOOST_TEST(has(cut.error, "the header promises 256 bytes, but 255 follow"), cut.error);
    BOOST_TEST(!has(cut.out, "epoch"), cut.out);
    // Images of 1 x 4 have as many numbers, but others.
    std::string wide("\0\0\x08\x03\0\0\0\x40\0\0\0\x01\0\0\0\x04", 16);
    set.write("t10k-images-idx3-ubyte", wide + std::string(256, '\x05'));
    set.write("t10k-labels-idx1-ubyte", std::string("\0\0\x08\x01\0\0\0\x40", 8) + std::string(64, '\x01'));
    for (const char* stream : {"", " --stream"})
        refuses("train --idx " + set / "" + stream + " --save " + folder / "never", "not those of the training set");
    // A channel alone may be written down.
    set.write("t10k-images-idx3-ubyte",
              std::string("\0\0\x08\x04\0\0\0\x40\0\0\0\x01\0\0\0\x02\0\0\0\x02", 20) + std::string(256, '\x05'));
    run("train --idx " + set / "" + " --hidden 8 --epochs 1");
}

BOOST_AUTO_TEST_CASE(a_saved_network_predicts) {
    const Result result = run("predict " + saved_iris() + " --csv " + iris + " --label species");
    BOOST_TEST(result.exit == 0);
    BOOST_TEST_MESSAGE(result.error);
    std::istringstream predictions(result.out), rows(bytes_of(iris));
    std::string prediction, row;
    std::getline(predictions, prediction);
    BOOST_TEST(prediction == "class,probability");
    std::getline(rows, row);
    int right = 0, n = 0;
    while (std::getline(predictions, prediction) && std::getline(rows, row)) {
        ++n;
        right += prediction.substr(0, prediction.find(',')) == row.substr(row.rfind(',') + 1);
        const double probability = std::stod(prediction.substr(prediction.find(',') + 1));
        BOOST_TEST((probability > 1.0 / 3 && probability <= 1));
    }
    BOOST_TEST(n == 150);
    BOOST_TEST(right >= 140);
}

BOOST_AUTO_TEST_CASE(bad_input_gets_a_sentence) {
    const std::string save = " --save " + folder / "never";
    refuses("train --csv " + folder / "nothing" + save, "nothing: the file cannot be opened");
    refuses("train --csv " + folder / "" + save, "a folder");
    refuses("train --csv " + folder.write("short.csv", "a,b,c\n1,2,x\n1,x\n") + save, "short.csv:3: 2 fields");
    refuses("train --csv " + folder.write("word.csv", "a,b\n1,x\none,x\n") + save, "word.csv:3: 'one'");
    refuses("train --csv " + folder.write("nan.csv", "a,b\n1,x\nnan,x\n") + save, "nan.csv:3: 'nan'");
    refuses("train --csv " + folder.write("empty.csv", "") + save, "no rows");
    refuses("train --csv " + folder.write("latin.csv", "a,b\n1,\xe9\n2,y\n3,z\n4,y\n5,y\n") + save, "UTF-8");
    refuses("train --csv " + iris + " --label nothing" + save, "no column 'nothing'");
    refuses("train --idx " + folder / "" + save, "train-images");
    refuses("train --hidden 8,0" + save, "each at least 1");
    refuses("train --activation step" + save, "there are relu");
    refuses("train --optimizer luck" + save, "luck");
    refuses("train --rate -1" + save, "rate");
    for (const char* number : {"--rate", "--holdout", "--clip", "--epochs", "--batch", "--micro-batch", "--seed",
                               "--folds", "--hidden", "--validation", "--patience"})
        for (const char* text : {"''", "' '", "1,5", "0x10"})
            if (number != std::string("--hidden") || text != std::string("1,5"))
                refuses(fmt::format("train {} {}{}", number, text, save), number);
    refuses("grade a b --hint ''", "--hint");
    for (const char* number : {"rate", "holdout", "epochs"})
        refuses("train --config " + folder.write("empty.ini", fmt::format("[train]\n{} = \"\"\n", number)) + save,
                number);
    refuses("train --rate 1e30 --optimizer sgd" + save, "overflows");
    refuses("train --batch 0" + save, "--batch");
    refuses("train --epochs 0" + save, "--epochs");
    refuses("train --holdout 1" + save, "leaves one side empty");
    refuses("train --csv " + iris + " --idx " + folder / "", "excludes");
    refuses("train --save " + folder / "no/folder", "no folder");
    refuses("train --frobnicate", "--frobnicate");
    refuses("", "subcommand");
    refuses("trian --csv " + iris, "'trian' is no command; --help lists them");
    refuses("--csv " + iris, "'--csv' is no option");
    refuses("predict " + saved_iris() + " --csv " + digits, "65 columns");
    refuses("predict " + saved_iris() + " --csv " + folder.write("nan.csv", "nan,1,1,1\n"), "nan");
    refuses("predict " + iris + " --csv " + iris, "not a safetensors file");
    const std::string bytes = bytes_of(saved_iris());
    refuses("predict " + folder.write("half", bytes.substr(0, bytes.size() / 2)) + " --csv " + iris, "half");
    for (const auto& [from, to] : {std::pair{"[4,16,3]", "[4,99,3]"},
                                   {"[4,16,3]", "[4,16,9]"},
                                   {"[4,16,3]", "[4,16  "},
                                   {"\"relu\"", "\"step\""},
                                   {"0.weight", "7.weight"},
                                   {"widths", "height"}}) {
        std::string changed = bytes;
        BOOST_TEST_REQUIRE(changed.find(from) != std::string::npos);
        changed.replace(changed.find(from), std::string(from).size(), to);
        refuses("predict " + folder.write("lie", changed) + " --csv " + iris, "lie: ");
    }
}

BOOST_AUTO_TEST_CASE(it_says_its_version_and_helps) {
    BOOST_TEST(run("--version").out == "deltarule " DELTARULE_VERSION "\n");
    BOOST_TEST(bytes_of(DELTARULE_SOURCE_DIR "/CHANGELOG.md").find("# Changelog\n\n## " DELTARULE_VERSION " ") == 0u);
    const std::string help = run("train --help").out;
    std::size_t at = 0;  // an option below each heading
    for (const char* text : {"\nData:\n", "--csv", "--stream", "\nNetwork:\n", "--layers", "\nTraining:\n", "--epochs",
                             "--patience", "\nTest:\n", "--holdout", "--top", "\nResults:\n", "--save", "--report"}) {
        at = help.find(text, at);
        BOOST_TEST_REQUIRE(at != std::string::npos, text << help);
    }
}
