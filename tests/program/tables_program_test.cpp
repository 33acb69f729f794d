// What the program makes of a table, and that what was tested is what is saved.
#define BOOST_TEST_MODULE tables_program
#include <fmt/format.h>
#include <zlib.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "program/program.hpp"

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

std::string trained(const std::string& name, const std::string& options) {
    const Result result = run("train " + options + " --save " + folder / name);
    BOOST_TEST_REQUIRE(result.exit == 0, result.error);
    return folder / name;
}

std::string predictions(const std::string& model, const std::string& options) {
    const Result result = run("predict " + model + " --csv " + options);
    BOOST_TEST_REQUIRE(result.exit == 0, result.error);
    return result.out;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    BOOST_TEST_REQUIRE(has(text, from));
    return text.replace(text.find(from), from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_learned_is_decided_and_said) {
    const auto out = [](const std::string& options) {
        const Result result = run("train --epochs 1 --hidden 4 --csv " + options);
        BOOST_TEST(result.exit == 0, result.error);
        return result.out;
    };
    const std::string real = case_of("real_target.csv"), save = " --save " + folder / "never";
    BOOST_TEST(has(out(real),
                   "the target is in 'y'\nregression of y (--task classification takes each number for a "
                   "class)\n"));
    BOOST_TEST(has(out(real), "epoch 1/1: loss "));
    BOOST_TEST(has(out(real), "\ntest R² "));
    BOOST_TEST(has(out(real + " --task classification"), "\n60 classes in y\n"));
    for (const char* given : {" --label b,y", " --label b --label y"})
        BOOST_TEST(has(out(real + given), "\n2 targets: b, y\n"), given);
    BOOST_TEST(has(out(iris), "\n3 classes in species\n"));
    std::string ages = "x,age\n", halves = "x,half\n", wrong = "x,y\n";
    for (int i = 0; i < 400; ++i) {
        ages += std::to_string(i) + "," + std::to_string(i % 70) + "\n";
        halves += std::to_string(i) + "," + std::to_string(i % 10) + ".5\n";
        wrong += std::to_string(i) + "," + (i == 300 ? "abc" : std::to_string(i) + ".5") + "\n";
    }
    BOOST_TEST(has(out(folder.write("ages.csv", ages)), "\nregression of age (--task"));
    const std::string ratings = folder.write("halves.csv", halves);  // ten of them
    BOOST_TEST(has(out(ratings), "\n10 classes in half (--task regression learns their numbers)\n"));
    BOOST_TEST(has(out(ratings + " --task regression"), "\nregression of half\n"));
    std::string mixed = "x,c\n";
    for (int i = 0; i < 60; ++i) mixed += fmt::format("{},{}\n", i, i % 3 == 0 ? "0" : i % 3 == 1 ? "1" : "unknown");
    BOOST_TEST(has(out(folder.write("mixed.csv", mixed)), "\n3 classes in c\n"));  // which are not all numbers
    refuses("train --csv " + folder.write("wrong.csv", wrong) + save,
            "wrong.csv:302: 'abc' in the target, column 'y', is not a finite number (--task classification");
    refuses("train --csv " + iris + " --task regression" + save, "'setosa' in the target, column 'species'");
    refuses("train --csv " + real + " --label a,y --task classification" + save, "one column can hold the class");
    refuses("train --csv " + real + " --label y,y" + save, "'y' is named twice");
    refuses("train --csv " + real + " --label y,a,b" + save, "no column is left");
    std::string prices = "x;price\n";
    for (int i = 0; i < 60; ++i) prices += std::to_string(i) + ";" + std::to_string(i) + ",5\n";
    refuses("train --csv " + folder.write("prices.csv", prices) + save,
            "'0,5' in the target, column 'price', has a decimal");
    refuses("train --csv " + folder.write("one.csv", "x,c\n1,a\n2,a\n") + save, "only one class, 'a'");
    BOOST_TEST(has(run("train --csv " + folder / "one.csv" + save).out, "\n1 class in c\n"));
    refuses("train --csv " + folder.write("two.csv", "x,c\n1,2.5\n2,2.50\n") + save, "only one class, '2.5'");
    refuses("train --csv " + folder.write("two.csv", "x,c\n1,2.5\n2,2.50\n") + " --task regression" + save,
            "column 'c', is always 2.5");
    for (const char* option : {"--confusion", "--balanced", "--stratify"})
        refuses("train --csv " + real + " " + option + save, std::string(option) + " is for classes");
}

BOOST_AUTO_TEST_CASE(a_regression_answers_in_the_units_of_its_target) {
    // y and z are linear in a and b; far from 0, and of scales that a float could not hold beside the offset.
    std::string rows = "a,b,y,z\n", header_only = "b,a\n";
    std::vector<double> y, z;
    for (int i = 0; i < 200; ++i) {
        const int a = i * 7 % 20, b = i * 3 % 11;
        y.push_back(16'000'000 + 0.25 * a - 0.5 * b);
        z.push_back(1e-9 * (3 * a + b));
        rows += fmt::format("{},{},{},{}\n", a, b, y.back(), z.back());
        header_only += fmt::format("{},{}\n", b, a);
    }
    const std::string path = folder.write("linear.csv", rows);
    const std::string options = "--label y,z --hidden 0 --epochs 400 --rate 0.01 --csv " + path;
    const Result training = run("train " + options + " --save " + folder / "linear.st");
    BOOST_TEST_REQUIRE(training.exit == 0, training.error);
    BOOST_TEST(training.last_line().starts_with("test y: R² "), training.out);
    const auto lines = lines_of(predictions(folder / "linear.st", folder.write("only.csv", header_only)));
    BOOST_TEST_REQUIRE(lines.size() == 201u);
    BOOST_TEST(lines[0] == "y,z");
    for (std::size_t i = 0; i < 200; ++i) {
        double first = 0, second = 0;
        BOOST_TEST_REQUIRE(std::sscanf(lines[i + 1].c_str(), "%lf,%lf", &first, &second) == 2);
        BOOST_TEST(std::abs(first - y[i]) < 0.01, lines[i + 1] << " for " << y[i]);
        BOOST_TEST(std::abs(second - z[i]) < 2e-10, lines[i + 1] << " for " << z[i]);
    }
    const Result judged = run("predict " + folder / "linear.st" + " --metric --csv " + path);
    BOOST_TEST(has(judged.error, "; y: R² 1.0000, RMSE "), judged.error);
    BOOST_TEST(has(judged.error, "; z: R² 1.0000, RMSE "), judged.error);
    refuses("predict " + folder / "linear.st" + " --probabilities --csv " + path, "is for classes");
    refuses("predict " + folder / "linear.st" + " --metric --csv " + folder / "only.csv", "no column 'y'");
    // Under other names they come in the network's order, but its own names stand for themselves.
    const std::string renamed =
        " --metric --csv " + folder.write("renamed.csv", "a,b,other,z" + rows.substr(rows.find('\n')));
    BOOST_TEST(has(run("predict " + folder / "linear.st" + renamed + " --label other,z").error, "; y: R² 1.0000"));
    refuses("predict " + folder / "linear.st" + renamed + " --label z,other",
            "'z' is one of the targets, but --label names it in the place of 'y'");
}

BOOST_AUTO_TEST_CASE(what_was_tested_is_what_is_saved) {
    // 433 rows are tested and 9 are not, which are predicted better: all together lie just below.
    const std::string rows = DELTARULE_SOURCE_DIR "/examples/data/diabetes.csv";
    const std::string options = "--hidden 8 --epochs 10 --scale standard --holdout 0.98 --csv " + rows;
    const Result training = run("train --rate 0.01 " + options + " --save " + folder / "d.st");
    BOOST_TEST_REQUIRE(training.exit == 0, training.error);
    double r2 = 0, error = 0, all_r2 = 0, all_error = 0;
    BOOST_TEST_REQUIRE(std::sscanf(training.last_line().c_str(), "test R² %lf, RMSE %lf", &r2, &error) == 2);
    const Result judged = run("predict " + folder / "d.st" + " --metric --csv " + rows);
    const std::size_t at = judged.error.find("; R² ");
    BOOST_TEST_REQUIRE(at != std::string::npos, judged.error);
    BOOST_TEST_REQUIRE(std::sscanf(judged.error.c_str() + at, "; R² %lf, RMSE %lf", &all_r2, &all_error) == 2);
    BOOST_TEST(all_error < error);
    BOOST_TEST(all_error > error * std::sqrt(433. / 442) * 0.9999);
    BOOST_TEST(std::abs(all_r2 - r2) < 0.1);
    // The same from the rows that were printed.
    const auto predicted = lines_of(judged.out), given = lines_of(bytes_of(rows));
    BOOST_TEST_REQUIRE(predicted.size() == given.size());
    double squares = 0, distances = 0, absolute = 0;
    for (std::size_t i = 1; i < given.size(); ++i) {
        const double off = std::stod(predicted[i]) - std::stod(given[i].substr(given[i].rfind(',') + 1));
        squares += off * off;
        distances += std::abs(off);
    }
    BOOST_TEST(std::abs(std::sqrt(squares / 442) / all_error - 1) < 1e-5);
    BOOST_TEST_REQUIRE(std::sscanf(judged.error.c_str() + at, "; R² %*f, RMSE %*f, MAE %lf", &absolute) == 1);
    BOOST_TEST(std::abs(distances / 442 / absolute - 1) < 1e-5);
    const Result json = run("train --json --rate 0.01 " + options);
    BOOST_TEST(has(training.last_line(),
                   fmt::format(", MAE {:.6g}",
                               nlohmann::json::parse(json.out).at("test")[0].at("mean_absolute_error").get<double>())));
}

BOOST_AUTO_TEST_CASE(folds_test_every_row_once) {
    const std::string rows = DELTARULE_SOURCE_DIR "/examples/data/diabetes.csv";
    const Result result =
        run("train --csv " + rows + " --folds 5 --hidden 0 --epochs 100 --scale standard --rate 0.01");
    BOOST_TEST_REQUIRE(result.exit == 0, result.error);
    double r2 = 0;
    BOOST_TEST_REQUIRE(std::sscanf(result.last_line().c_str(), "mean of 5 folds: R² %lf", &r2) == 1, result.out);
    BOOST_TEST(r2 > 0.44);  // a least-squares line on other folds: 0.482
    BOOST_TEST(
        has(run("train --csv " + iris + " --folds 3 --epochs 30 --rate 0.01").out, "mean accuracy of 3 folds: 9"));
    const std::string save = " --save " + folder / "never";
    refuses("train --csv " + iris + " --folds 151", "150 rows cannot be split into 151 folds");
    // Of two classes the mean of what each fold says besides, too.
    std::string two = "x,y,c\n";
    for (int i = 0; i < 60; ++i)
        two += std::to_string(i % 11) + "," + std::to_string(i % 7) + "," + (i % 11 + i % 7 < 8 ? "a\n" : "b\n");
    const Result areas = run("train --top 1 --folds 3 --epochs 20 --csv " + folder.write("two.csv", two));
    double sum_of_areas = 0, sum_of_tops = 0, mean = 0, area = 0, top = 0;
    for (std::size_t at = 0; (at = areas.out.find(": accuracy", at)) != std::string::npos; ++at) {
        double in_fold = 0, top_in_fold = 0;
        BOOST_TEST_REQUIRE(std::sscanf(areas.out.c_str() + at, ": accuracy: %*f %%, AUC %lf, top-1 accuracy %lf",
                                       &in_fold, &top_in_fold) == 2);
        sum_of_areas += in_fold;
        sum_of_tops += top_in_fold;
    }
    BOOST_TEST_REQUIRE(std::sscanf(areas.last_line().c_str(),
                                   "mean accuracy of 3 folds: %lf ± %*f %%, AUC %lf ± %*f, top-1 accuracy %lf", &mean,
                                   &area, &top) == 3,
                       areas.out);
    BOOST_TEST(std::abs(area - sum_of_areas / 3) < 1e-4);
    BOOST_TEST(std::abs(top - sum_of_tops / 3) < 0.01);
    BOOST_TEST(top == mean);
    refuses("train --csv " + iris + " --folds 5" + save, "--folds excludes --save");
}

BOOST_AUTO_TEST_CASE(probabilities_and_the_accuracy_of_a_prediction) {
    const std::string model =
        trained("all.st", "--hidden 8 --stratify --balanced --epochs 50 --rate 0.01 --csv " + iris);
    const Result result = run("predict " + model + " --probabilities --metric --csv " + iris);
    BOOST_TEST_REQUIRE(result.exit == 0, result.error);
    const auto lines = lines_of(result.out), given = lines_of(bytes_of(iris));
    BOOST_TEST(lines[0] == "class,setosa,versicolor,virginica");
    BOOST_TEST_REQUIRE(lines.size() == given.size());
    int right = 0;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const std::size_t comma = lines[i].find(',');
        double p[3];
        BOOST_TEST_REQUIRE(std::sscanf(lines[i].c_str() + comma, ",%lf,%lf,%lf", p, p + 1, p + 2) == 3);
        BOOST_TEST(std::abs(p[0] + p[1] + p[2] - 1) < 2e-6);
        right += given[i].ends_with("," + lines[i].substr(0, comma));
    }
    BOOST_TEST(has(result.error, fmt::format("; accuracy {:.2f} %", 100. * right / 150)), result.error);
    std::string other = replaced(bytes_of(iris), "versicolor", "tulip");
    const Result refused = run("predict " + model + " --metric --csv " + folder.write("other.csv", other));
    BOOST_TEST(has(refused.error, "the class 'tulip' of row 51 is none of the network's: setosa, versicolor"));
}

BOOST_AUTO_TEST_CASE(columns_can_be_left_out) {
    const std::string model = trained("left.st", "--drop \"sepal length,petal width\" --epochs 1 --csv " + iris);
    BOOST_TEST(lines_of(predictions(model, iris)).size() == 151u);
    const std::string save = " --save " + folder / "never";
    refuses("train --csv " + iris + " --drop species" + save, "'species' cannot be left out");
    refuses("train --csv " + iris + " --drop colour" + save, "no column 'colour'");
    for (const std::string names : {"'sepal width,'", "',sepal width'", "'sepal width,,0'", "','"})
        for (const std::string option : {" --drop ", " --label 0 --drop ", " --label "})
            refuses("train --csv " + iris + option + names + save,
                    names.substr(1, names.size() - 2) + "' names columns, and has a comma too many");
    BOOST_TEST(has(run("train --epochs 1 --csv " + iris + " --drop 0 --drop 1").out, "network of 2-128-3"));
}

#ifndef __SANITIZE_ADDRESS__  // it takes more addresses than any limit leaves
BOOST_AUTO_TEST_CASE(a_table_larger_than_memory_is_refused_however_small_it_is_packed) {
    const std::string path = folder / "zeros.csv.gz";
    std::string rows;
    while (rows.size() < 65536) rows += "0,0\n";
    const gzFile file = gzopen(path.c_str(), "wb1");
    for (int i = 0; i < 800; ++i) gzwrite(file, rows.data(), static_cast<unsigned>(rows.size()));
    gzclose(file);
    BOOST_TEST(std::filesystem::file_size(path) < 1'000'000u);
    const std::string command =
        "ulimit -v 500000; " DELTARULE_PROGRAM " train --csv " + path + " 2> " + folder / "error";
    BOOST_TEST(std::system(command.c_str()) != 0);
    BOOST_TEST(
        has(bytes_of(folder / "error"), ": the table is larger than a quarter of the memory that there is, which is"));
    BOOST_TEST(bytes_of(folder / "error").starts_with("deltarule: "));
}

BOOST_AUTO_TEST_CASE(a_network_larger_than_memory_is_refused_however_small_it_is_packed) {
    const std::string path = folder / "zeros.safetensors";
    const std::size_t size = std::size_t{400} << 20;
    std::string header = R"({"a":{"dtype":"F32","shape":[)" + std::to_string(size / 4) + R"(],"data_offsets":[0,)" +
                         std::to_string(size) + "]}}";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = header.size();
    const gzFile file = gzopen(path.c_str(), "wb1");
    gzwrite(file, &length, sizeof length);
    gzwrite(file, header.data(), static_cast<unsigned>(header.size()));
    const std::string zeros(1 << 20, '\0');
    for (int i = 0; i < 400; ++i) gzwrite(file, zeros.data(), static_cast<unsigned>(zeros.size()));
    gzclose(file);
    const std::string command =
        "ulimit -v 500000; OPENBLAS_NUM_THREADS=1 " DELTARULE_PROGRAM " info " + path + " 2> " + folder / "error";
    BOOST_TEST(std::system(command.c_str()) != 0);
    BOOST_TEST(bytes_of(folder / "error") ==
               "deltarule: " + path + ": the file needs more than 122 MB, a quarter of the memory\n");
}

BOOST_AUTO_TEST_CASE(many_rows_of_many_classes_are_tested_in_blocks) {
    // 28,500 rows of 8,000 classes are 912 MB of float numbers, and which was taken for which would be 500 MB of
    // counts.
    std::string rows = "x,c\n";
    for (int i = 0; i < 30'000; ++i) rows += std::to_string(i) + ",c" + std::to_string(i % 8000) + "\n";
    const std::string command = "ulimit -v 800000; " DELTARULE_PROGRAM
                                " train --holdout 0.95 --epochs 1 --batch 100 "
                                "--hidden 1 --csv " +
                                folder.write("rows.csv", rows) + " > " + folder / "out" + " 2> " + folder / "error";
    BOOST_TEST(std::system(command.c_str()) == 0, bytes_of(folder / "error"));
    BOOST_TEST(has(bytes_of(folder / "out"), "test accuracy: 0.0"));
}

BOOST_AUTO_TEST_CASE(products_do_without_a_blas_where_it_gets_no_memory) {
    // OpenBLAS takes 128 MB at its first product, and tries for ever where there are none.
    const std::string limited = "ulimit -v 180000; OPENBLAS_NUM_THREADS=1 timeout -s KILL ";
    if (std::system((limited + "10 " DELTARULE_PROGRAM " --version > " + folder / "out").c_str()) != 0) {
        BOOST_TEST_MESSAGE("this OpenBLAS takes them before the program begins");
        return;
    }
    const std::string command =
        limited + "100 " DELTARULE_PROGRAM " train --epochs 5 > " + folder / "out" + " 2> " + folder / "error";
    BOOST_TEST(std::system(command.c_str()) == 0, bytes_of(folder / "error"));
    BOOST_TEST(has(bytes_of(folder / "out"), "test accuracy: 9"));
}
#endif

BOOST_AUTO_TEST_CASE(every_row_of_a_long_test_is_counted) {
    // Each third row lies about its class: 2,500 rows are 2 whole blocks and a part.
    std::string rows = "x,c\n";
    for (int i = 0; i < 5000; ++i)
        rows += std::to_string(i % 2) + (i % 3 == 0 ? ",lie\n" : i % 2 == 0 ? ",even\n" : ",odd\n");
    const Result result = run("train --holdout 0.5 --epochs 5 --confusion --csv " + folder.write("long.csv", rows));
    int counts[3][3] = {}, all = 0;
    const auto lines = lines_of(result.out);
    for (std::size_t i = 0; i < 3; ++i) {
        std::istringstream line(lines.at(lines.size() - 4 + i));
        std::string name;
        line >> name >> counts[i][0] >> counts[i][1] >> counts[i][2];
        for (const int count : counts[i]) all += count;
    }
    BOOST_TEST(all == 2500, result.out);
    const int right = counts[0][0] + counts[1][1] + counts[2][2];
    BOOST_TEST((right > 1500 && right < 1800), right);
    BOOST_TEST(std::abs(accuracy(result) - right / 25.0) < 0.00501);
}

BOOST_AUTO_TEST_CASE(counts_as_wide_as_a_column_stand_apart) {
    std::string rows = "x,c\n";
    for (int i = 0; i < 240'000; ++i) rows += i % 2 ? "1,a\n" : "0,b\n";
    const Result result = run("train --holdout 0.95 --hidden 0 --epochs 1 --batch 1000 --confusion --csv " +
                              folder.write("wide.csv", rows));
    int counts[2][2] = {}, all = 0;
    const auto lines = lines_of(result.out);
    for (std::size_t i = 0; i < 2; ++i) {
        std::istringstream line(lines.at(lines.size() - 3 + i));
        std::string name;
        line >> name >> counts[i][0] >> counts[i][1];
        BOOST_TEST(name == (i == 0 ? "a" : "b"), result.out);
        all += counts[i][0] + counts[i][1];
    }
    BOOST_TEST(all == 228'000, result.out);
}

BOOST_AUTO_TEST_CASE(what_was_decided_about_the_first_line_is_printed) {
    const auto out = [](const std::string& options) {
        return run("train --epochs 1 --holdout 0.5 --csv " + options).out;
    };
    BOOST_TEST(
        out(case_of("bom_header.csv") + " --label kind").starts_with("header: p, q, kind; the class is in 'kind'\n"));
    BOOST_TEST(out(case_of("header_of_numbers.csv") + " --label target").starts_with("header: 0, 1, 2, target;"));
    BOOST_TEST(out(case_of("header_of_numbers.csv") + " --header yes").starts_with("header: 0, 1, 2, target;"));
    BOOST_TEST(
        out(folder.write("plain.csv", "1,a\n2,b\n3,a\n4,b\n")).starts_with("no header; the class is in column 1\n"));
    BOOST_TEST(has(out(case_of("quoted_classes.csv")), "each column scaled to 0 ... 1"));
    refuses("train --csv " + case_of("header_of_numbers.csv") + " --save " + folder / "never", "--header yes or no");
    refuses("train --csv " + case_of("first_row_missing.csv") + " --save " + folder / "never", "csv:1: '' in column 1");
}

// A first line of numbers that may be the columns' names is neither answered nor lost.
BOOST_AUTO_TEST_CASE(a_first_line_of_numbers_that_could_be_either_is_refused) {
    const std::string which = "say with --header yes or no whether it names them", save = " --save " + folder / "never";
    std::string reals, pairs, bits;
    for (int i = 0; i < 60; ++i) {
        const std::string x = fmt::format("{}.5,{}.25", i, i % 7);
        pairs += x + "\n";
        reals += x + fmt::format(",{}\n", i * 0.37);
        bits += fmt::format("{},{},{}\n", i % 2, i / 2 % 2, i % 2);
    }
    const std::string headed = folder.write("counted.csv", "0,1,2\n" + reals);
    for (const char* stream : {"", " --stream"}) refuses("train --csv " + headed + stream + save, which);
    const std::string unnamed =
        trained("unnamed.st", "--epochs 1 --header no --csv " + folder.write("plain.csv", reals));
    const std::string rows = folder.write("pairs.csv", "0,1\n" + pairs);
    refuses("predict " + unnamed + " --csv " + rows, "pairs.csv:1: '0,1' counts the columns: " + which);
    refuses("explain " + unnamed + " " + rows + " --row 1", which);
    BOOST_TEST(lines_of(predictions(unnamed, rows + " --header yes")).size() == 61u);
    BOOST_TEST(lines_of(predictions(unnamed, rows + " --header no")).size() == 62u);
    // Names that are numbers, and rows of the same numbers.
    const std::string named = trained("named.st", "--epochs 1 --csv " + folder.write("bits.csv", "0,1,y\n" + bits) +
                                                      " --label y --task classification");
    const std::string table = folder.write("rows.csv", "1,0\n0,1\n1,1\n");
    refuses("predict " + named + " --csv " + table,
            "rows.csv:1: '1,0' holds the names of columns, or numbers of a row: " + which);
    refuses("explain " + named + " " + table + " --row 1", which);
    BOOST_TEST(lines_of(predictions(named, table + " --header no")).size() == 4u);
    BOOST_TEST(lines_of(predictions(named, table + " --header yes")).size() == 3u);
    BOOST_TEST(lines_of(predictions(named, folder / "bits.csv")).size() == 61u);  // 'y' is a word
    BOOST_TEST(run("explain " + named + " " + folder / "bits.csv" + " --row 1").exit == 0);
    BOOST_TEST(lines_of(predictions(named, folder.write("other.csv", "0,0\n0,1\n1,1\n"))).size() == 4u);
}

BOOST_AUTO_TEST_CASE(one_line_is_written_for_each_row) {
    const std::string model =
        trained("p.st", "--epochs 1 --holdout 0.5 --header no --csv " +
                            folder.write("p.csv", "5.1,3.5,1.4,0.2,a\n4,3,1,0.2,b\n5,3,1,0,a\n4,2,1,0,b\n"));
    BOOST_TEST(lines_of(predictions(model, case_of("bom_no_header.csv"))).size() == 3u);
    refuses("predict " + model + " --csv " + case_of("first_row_missing.csv"), "csv:1: '' in column 1");
    std::string many;
    for (int i = 0; i < 3000; ++i) many += std::to_string(i % 7) + ",3,1,0.2\n";
    const auto lines = lines_of(predictions(model, folder.write("many.csv", many)));
    BOOST_TEST_REQUIRE(lines.size() == 3001u);
    for (std::size_t i = 8; i < lines.size(); ++i) BOOST_TEST(lines[i] == lines[i - 7]);
    refuses("predict " + model + " --csv " + folder.write("rows.csv", many + "1,2,3\n"), "rows.csv:3001: 3 fields");
}

BOOST_AUTO_TEST_CASE(classes_are_quoted_where_they_need_it) {
    const std::string model =
        trained("quoted.st", "--epochs 300 --rate 0.03 --holdout 0.25 --csv " + folder.write("q.csv", [] {
            std::string text = "p,q,c\n";
            for (int i = 0; i < 20; ++i) text += "1,1,\"red, dark\"\n2,2,\"say \"\"hi\"\"\"\n";
            return text;
        }()));
    const auto lines = lines_of(predictions(model, folder.write("r.csv", "p,q\n1,1\n2,2\n")));
    BOOST_TEST(lines[1].starts_with("\"red, dark\","));
    BOOST_TEST(lines[2].starts_with("\"say \"\"hi\"\"\","));
    BOOST_TEST(has(run("train --epochs 1 --holdout 0.5 --csv " + case_of("tab_behind_label.csv")).out, "2-128-2"));
}

BOOST_AUTO_TEST_CASE(columns_are_taken_by_name_in_any_order) {
    const std::string model = trained("iris.st", "--hidden 8 --epochs 20 --csv " + iris);
    const std::string expected = predictions(model, iris);
    std::string turned, without;
    for (const std::string& line : lines_of(bytes_of(iris))) {
        std::vector<std::string> f(5);
        std::istringstream fields(line);
        for (std::string& field : f) std::getline(fields, field, ',');
        turned += f[3] + ";" + f[4] + ";" + f[1] + ";" + f[0] + ";" + f[2] + "\n";
        without += f[0] + "," + f[1] + "," + f[2] + "\n";
    }
    BOOST_TEST(predictions(model, folder.write("turned.csv", turned)) == expected);
    refuses("predict " + model + " --csv " + folder.write("without.csv", without), "no column 'petal width'");
    refuses("predict " + model + " --csv " + folder.write("bare.csv", "4,2,3\n"),
            "3 columns of numbers, but 4 are needed");
}

BOOST_AUTO_TEST_CASE(a_far_offset_changes_no_answer) {
    // The differences are exact in double, so that the scaled numbers are the same; in float 16,000,000.5 is not there.
    const auto table = [](double offset) {
        std::ostringstream text;
        text.precision(17);
        text << "x,y,kind\n";
        for (int i = 0; i < 400; ++i) {
            const double x = i % 20 * 0.5, y = i / 20 * 0.5;
            text << offset + x << ',' << offset + y << ',' << (x * y > 15 ? "far" : "near") << '\n';
        }
        return text.str();
    };
    std::string answers[2];
    for (const int far : {0, 1}) {
        const std::string rows = folder.write("offset.csv", table(far * 16'000'000.0));
        answers[far] = predictions(trained("offset.st", "--hidden 8 --rate 0.01 --csv " + rows), rows);
    }
    BOOST_TEST(answers[0] == answers[1]);
}

BOOST_AUTO_TEST_CASE(constant_and_extreme_columns) {
    const auto table = [](const std::string& least, const std::string& most) {
        std::string text = "same,x,kind\n";
        for (int i = 0; i < 20; ++i) text += "5," + (i % 2 ? least : most) + "," + (i % 2 ? "a" : "b") + "\n";
        return folder.write("extreme.csv", text);
    };
    for (const auto& [least, most] :
         {std::pair{"0", "1e-39"}, {"-1e38", "1e38"}, {"1e300", "1.5e300"}, {"0", "1e-300"}}) {
        const std::string rows = table(least, most);
        for (const std::string scale : {"minmax", "standard"}) {
            const std::string model =
                trained("extreme.st", "--epochs 200 --rate 0.03 --scale " + scale + " --csv " + rows);
            const auto lines = lines_of(predictions(model, rows));
            for (const auto& [line, kind] : {std::pair{lines[1], "b,"}, {lines[2], "a,"}})
                BOOST_TEST((line.starts_with(kind) && std::stod(line.substr(2)) > 0.9), line);
        }
    }
    const std::string save = " --save " + folder / "never";
    refuses("train --csv " + table("-1e308", "1e308") + save, "column 'x' goes from -1e+308 to 1e+308");
    refuses("train --csv " + table("0", "1e-310") + save, "column 'x' goes from 0 to 1e-310");
    const std::string model = trained("near.st", "--epochs 1 --csv " + table("0", "1"));
    refuses("predict " + model + " --csv " + folder.write("f.csv", "x,same\n1e300,5\n"),
            "f.csv: column 'x' of row 1: 1e+300 is too far from the numbers of the training");
    std::string far = "same,x\n";
    for (int i = 0; i < 2000; ++i) far += "5,1\n";
    refuses("predict " + model + " --csv " + folder.write("far.csv", far + "5,-1e300\n"),
            "far.csv: column 'x' of row 2001: -1e+300 is too far");
}

BOOST_AUTO_TEST_CASE(a_category_is_known_where_a_row_of_the_training_had_it) {
    std::string rows = "same,often,x,kind\n";
    for (int i = 0; i < 30; ++i)
        rows += fmt::format("red,{},{},{}\n", i == 7 ? "seldom" : "blue", i, i % 2 ? "a" : "b");
    const std::string path = folder.write("seldom.csv", rows);
    const std::string one = folder.write("one.csv", "same,often,x\nred,blue,3\n"),
                      other = folder.write("other.csv", "same,often,x\nred,seldom,3\n");
    int known = 0;
    for (int seed = 0; seed < 12; ++seed) {
        const std::string model =
            trained("seldom.st", "--epochs 1 --holdout 0.5 --csv " + path + " --seed " + std::to_string(seed));
        BOOST_TEST(lines_of(predictions(model, one)).size() == 2u);
        const Result seldom = run("predict " + model + " --csv " + other);
        known += seldom.exit == 0;
        if (seldom.exit != 0) BOOST_TEST(has(seldom.error, "'seldom' in column 'often' is none of the network's"));
    }
    BOOST_TEST((0 < known && known < 12), known);
}

BOOST_AUTO_TEST_CASE(a_file_from_before_predicts_as_it_did) {
    const Result result =
        run("predict " + case_of("without_format.safetensors") + " --csv " + case_of("without_format_rows.csv"));
    BOOST_TEST(result.exit == 0, result.error);
    const auto now = lines_of(result.out), then = lines_of(bytes_of(case_of("without_format_predicts.csv")));
    BOOST_TEST_REQUIRE(now.size() == then.size());
    for (std::size_t i = 1; i < now.size(); ++i) {
        const std::size_t comma = then[i].find(',');
        BOOST_TEST(now[i].substr(0, comma) == then[i].substr(0, comma));
        BOOST_TEST(std::abs(std::stod(now[i].substr(comma + 1)) - std::stod(then[i].substr(comma + 1))) < 3e-6);
    }
}

BOOST_AUTO_TEST_CASE(two_classes_have_an_area_under_the_curve_and_many_a_top) {
    // Whether a row with y is above one without, by counting pairs of the probabilities that are printed.
    std::string table = "x,kind\n";
    for (int i = 0; i < 90; ++i)
        table += std::to_string(i * 37 % 90) + (i * 37 % 90 + i * 53 % 70 > 75 ? ",y\n" : ",n\n");
    const std::string csv = folder.write("two.csv", table),
                      model = trained("two.st", "--hidden 4 --epochs 20 --csv " + csv);
    const Result predicted = run("predict --probabilities --metric " + model + " --csv " + csv);
    BOOST_TEST_REQUIRE(predicted.exit == 0, predicted.error);
    const auto rows = lines_of(table), answers = lines_of(predicted.out);
    double pairs = 0, above = 0;
    for (std::size_t i = 1; i < rows.size(); ++i)
        for (std::size_t k = 1; k < rows.size(); ++k) {
            if (!rows[i].ends_with('y') || !rows[k].ends_with('n')) continue;
            const double mine = std::stod(answers[i].substr(answers[i].rfind(',') + 1)),
                         other = std::stod(answers[k].substr(answers[k].rfind(',') + 1));
            ++pairs;
            above += mine > other ? 1 : mine == other ? 0.5 : 0;
        }
    double area = 0;
    BOOST_TEST_REQUIRE(std::sscanf(predicted.error.c_str() + predicted.error.find("AUC"), "AUC %lf", &area) == 1);
    BOOST_TEST(std::abs(area - above / pairs) < 2e-3, area << " " << above / pairs);
    BOOST_TEST(area > 0.7);
    BOOST_TEST(has(run("train --epochs 2 --csv " + csv).last_line(), " %, AUC 0."));
    const auto said = nlohmann::json::parse(run("train --json --top 2 --epochs 2 --csv " + csv).out).at("test");
    BOOST_TEST(said.at("area_under_curve").get<double>() > 0.3);
    BOOST_TEST(said.at("top_2_accuracy") == 1.0);
    BOOST_TEST(has(run("predict --metric " + model + " --csv " + folder.write("one.csv", "x,kind\n3,n\n")).error,
                   "AUC undefined (all rows are of one class)"));

    // The second likeliest of three, from what is printed.
    const std::string flowers = trained("three.st", "--hidden 4 --epochs 8 --csv " + iris);
    const Result three = run("predict --metric --top 2 --probabilities " + flowers + " --csv " + iris);
    const auto lines = lines_of(three.out), known = lines_of(bytes_of(iris));
    double among = 0;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        double p[3];
        BOOST_TEST_REQUIRE(std::sscanf(lines[i].c_str() + lines[i].find(','), ",%lf,%lf,%lf", p, p + 1, p + 2) == 3);
        const int own = known[i].ends_with("setosa") ? 0 : known[i].ends_with("versicolor") ? 1 : 2;
        among += (p[0] > p[own]) + (p[1] > p[own]) + (p[2] > p[own]) < 2;
    }
    BOOST_TEST(has(three.error, fmt::format(", top-2 accuracy {:.2f} %", 100 * among / 150)), three.error);
    refuses("predict --metric --top 4 " + flowers + " --csv " + iris, "--top 4: there are 3 classes");
    refuses("predict --top 2 " + flowers + " --csv " + iris, "requires --metric");
    refuses("train --top 4 --csv " + iris, "--top 4: there are 3 classes");
    refuses("train --top 2 --csv " DELTARULE_SOURCE_DIR "/examples/data/diabetes.csv", "--top is for classes");
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_answered_from_is_refused) {
    const std::string bytes = bytes_of(trained("iris.st", "--hidden 8 --epochs 1 --csv " + iris));
    const auto refused = [&](const std::string& changed, const std::string& part) {
        refuses("predict " + folder.write("changed", changed) + " --csv " + iris, part);
    };
    refused(replaced(bytes, "\"format\":\"1\"", "\"format\":\"3\""), "its format is 3, but the newest");
    refused(replaced(bytes, "\"format\":\"1\"", "\"format\":\"2\""),
            "do not describe a network: 'input' is missing, or not what it should be");
    refused(replaced(bytes, "\\\"name\\\":\\\"species", "\\\"none\\\":\\\"species"),
            "the 'name' of 'target' is missing");
    refused(replaced(bytes, "\\\"classes\\\"", "\\\"clusses\\\""), "the 'classes' of 'target' is missing");
    refused(replaced(bytes, "relu", "rule"), "'activation' is missing, or not what it should be");
    refused(replaced(bytes, "\"format\":\"1\"", "\"format\":\"x\""), "do not describe");
    refused(replaced(bytes, "sepal length", "sepal\\u001b[31m"), "not what safetensors");
    std::string infinite = bytes;
    infinite.replace(infinite.size() - 4, 4, std::string("\0\0\x80\x7f", 4));
    refused(infinite, "not finite");
}

BOOST_AUTO_TEST_CASE(options_that_are_no_numbers_or_names) {
    const std::string save = " --save " + folder / "never";
    refuses("train --hidden 4611686018427387904" + save, "--hidden: '4611686018427387904' is not a whole number");
    refuses("train --hidden 100000,1000000" + save, "needs 1600 GB");
    refuses("train --hidden -1" + save, "--hidden: '-1'");
    refuses("train --seed -1" + save, "--seed: '-1'");
    refuses("train --seed 18446744073709551616" + save, "--seed: ");
    refuses("train --batch 1.5" + save, "--batch: '1.5'");
    // They are decimal, as all numbers are: 010 is 10, and not 8 as in C.
    BOOST_TEST(has(run("train --hidden 4 --epochs 010 --json --csv " + iris).out, "\"epochs\": 10,"));
    const std::string drawn = "train --hidden 4 --epochs 1 --json --csv " + iris + " --seed ";
    BOOST_TEST(run(drawn + "0000000000000000000000000012").out == run(drawn + "12").out);
    BOOST_TEST(run(drawn + "09").exit == 0);
    for (const char* option : {"--csv", "--idx", "--save"})
        refuses("train " + std::string(option) + " \"\"", std::string(option) + ": the name is empty");
    refuses("predict \"\" --csv " + iris, "the name is empty");
    std::string many = "x,c\n";
    for (int i = 0; i < 500; ++i) many += std::to_string(i) + ",class" + std::to_string(i % 250) + "\n";
    refuses("train --confusion --csv " + folder.write("many.csv", many) + save, "200 classes at most");
    refuses("train --csv " + folder.write("escape.csv", "x,c\n1,\"\x1b[31m\"\n") + save, "\\x1b");
    refuses("train --csv \"" + folder / "\x1b[31m" + "\"" + save, "\\x1b[31m");
    refuses("train --csv /dev/zero" + save, "NUL byte");
}

BOOST_AUTO_TEST_CASE(columns_of_words_are_categories) {
    // The target is the colour's number plus x.
    std::string rows = "colour,x,y\n", others = "x,colour\n";
    for (int i = 0; i < 120; ++i) {
        const char* colour = i % 3 == 0 ? "red" : i % 3 == 1 ? "green" : "\"blue, dark\"";
        rows += fmt::format("{},{},{}\n", colour, i % 7 * 0.1, (i % 3) * 2 + i % 7 * 0.1);
        others += fmt::format("{},{}\n", i % 7 * 0.1, colour);
    }
    const std::string path = folder.write("colours.csv", rows);
    for (const char* scale : {"minmax", "standard", "none"}) {
        const std::string options = "--task regression --hidden 0 --epochs 400 --rate 0.01 --csv " + path;
        const Result training =
            run("train --scale " + std::string(scale) + " " + options + " --save " + folder / "c.st");
        BOOST_TEST_REQUIRE(training.exit == 0, training.error);
        BOOST_TEST(has(training.out, "header: colour, x, y; the target is in 'y'\n"), training.out);
        BOOST_TEST(has(training.out, "\ncolumns of words: colour (3 categories)\n"), training.out);
        const auto lines = lines_of(predictions(folder / "c.st", folder.write("others.csv", others)));
        BOOST_TEST_REQUIRE(lines.size() == 121u);
        for (int i = 0; i < 120; ++i)
            BOOST_TEST(std::abs(std::stod(lines[static_cast<std::size_t>(i) + 1]) - (i % 3 * 2 + i % 7 * 0.1)) < 0.01);
    }
    refuses("predict " + folder / "c.st" + " --csv " + folder.write("new.csv", "x,colour\n1,red\n1,pink\n"),
            "new.csv:3: 'pink' in column 'colour' is none of the network's categories: blue, dark, green, red");
    const std::string save = " --save " + folder / "never";
    std::string names = "name,x,c\n", mixed = "x,z,c\n", words = "a,b,c\n";
    for (int i = 0; i < 40; ++i) {
        names += fmt::format("person{},{},{}\n", i, i, i % 2 ? "a" : "b");
        mixed += fmt::format("{},{},{}\n", i, i == 7 ? "abc" : "1", i % 2 ? "a" : "b");
        words += fmt::format("{},{},{}\n", i % 3 ? "p" : "q", i % 5 ? "r" : "s", i % 2 ? "a" : "b");
    }
    refuses("train --csv " + folder.write("names.csv", names) + save, "'name' holds 40 different words in 40 rows");
    refuses("train --csv " + folder.write("mixed.csv", mixed) + save,
            "mixed.csv:9: 'abc' in column 'z' is not a finite number");
    refuses("train --csv " + folder.write("words.csv", words) + save,
            "words.csv:1: this line may be a row: say with --header yes or no whether it names the columns");
    BOOST_TEST(has(run("train --epochs 1 --csv " + folder / "words.csv" + " --header yes").out, "network of 4-128-2"));
}

BOOST_AUTO_TEST_CASE(a_first_row_of_words_is_not_lost) {
    // Only a name above numbers is a header for sure; a number that is to be predicted, or a missing cell, is none.
    std::string numbers, reals, gap = "red,?,b\n", empty = "red,,1\n", sure = "colour,size,price\n",
                                above_the_class = "colour,size,big\n", index = ",colour,c\n",
                                years = "colour,size,2020\n";
    for (int i = 0; i < 60; ++i) {
        const char *colour = i % 3 ? "red" : "blue", *size = i % 5 ? "small" : "large";
        numbers += fmt::format("{},{},{}\n", colour, size, i % 2);
        reals += fmt::format("{},{},{}.5\n", colour, size, i);
        sure += fmt::format("{},{},{}.5\n", colour, size, i);
        above_the_class += fmt::format("{},{},{}\n", colour, size, i % 2);
        years += fmt::format("{},{},{}.5\n", colour, size, i);
        gap += fmt::format("{},{}.5,{}\n", colour, i, i % 2 ? "a" : "b");
        empty += fmt::format("{},{}.5,{}\n", colour, i, i % 2);
        index += fmt::format("{},{},{}\n", i, colour, i % 2 ? "a" : "b");
    }
    const std::string
        save = " --save " + folder / "never",
        which = "first.csv:1: this line may be a row: say with --header yes or no whether it names the columns";
    const auto refused = [&](const std::string& rows, const std::string& more) {
        for (const char* stream : {"", " --stream"})
            refuses("train --epochs 1 --csv " + folder.write("first.csv", rows) + more + stream + save, which);
    };
    refused(numbers, "");
    refused(numbers, " --task regression");
    refused(reals, "");
    refused(gap, "");
    refused(gap, " --missing mean");
    refused(empty, " --missing drop");
    refused(years, "");
    refused(index, "");
    const auto out = [&](const std::string& rows, const std::string& more) {
        return run("train --epochs 1 --csv " + folder.write("first.csv", rows) + more).out;
    };
    BOOST_TEST(has(out(numbers, " --header no"), "\n48 rows for training, 12 for the test"));
    BOOST_TEST(has(out(years, " --header yes"), "header: colour, size, 2020; the target is in '2020'\n"));
    BOOST_TEST(has(out(sure, ""), "header: colour, size, price; the target is in 'price'\n"));
    BOOST_TEST(has(out(above_the_class, ""), "header: colour, size, big; the class is in 'big'\n"));
    BOOST_TEST(has(out(index, " --label c"), "header: , colour, c; the class is in 'c'\n"));
}

BOOST_AUTO_TEST_CASE(a_row_for_the_test_that_is_too_far_away_is_named_before_the_training) {
    std::string rows = "x,c\n1e300,a\n";
    for (int i = 0; i < 40; ++i) rows += fmt::format("{},{}\n", i * 0.25, i % 3 ? "a" : "b");
    const std::string path = folder.write("far.csv", rows);
    for (const char* more : {"", " --stream", " --folds 4"}) {
        int refused = 0;
        for (int seed = 1; seed <= 10; ++seed) {
            const Result result =
                run(fmt::format("train --hidden 4 --epochs 2 --seed {} --csv {}{}", seed, path, more));
            if (result.exit == 0) continue;
            ++refused;
            BOOST_TEST(has(result.error, "column 'x': 1e+300 is too far from the numbers of the training"));
            BOOST_TEST(!has(result.out, "epoch "), result.out);  // which would have been for nothing
        }
        BOOST_TEST(refused > 0, more);
    }
}

BOOST_AUTO_TEST_CASE(a_row_for_the_test_without_an_answer_loses_no_training) {
    std::string inputs = "x,w,u,v,c\n3e38,3e38,3e38,3e38,a\n", targets = "x,y\n0.5,1e60\n";
    for (int i = 0; i < 40; ++i) {
        inputs += fmt::format("{},{},{},{},{}\n", i * 0.25, i % 5 * 0.5, i % 7, i % 11, i % 3 ? "a" : "b");
        targets += fmt::format("{},{}\n", i * 0.25, i * 0.125);
    }
    const auto seeds_refused = [&](const std::string& options) {
        int refused = 0;
        for (int seed = 1; seed <= 10; ++seed) {
            const std::string model = folder / "kept.st";
            std::filesystem::remove(model);
            const Result result =
                run(fmt::format("train --hidden 64 --epochs 2 --seed {} --save {} {}", seed, model, options));
            if (!has(result.out, "epoch 2/2")) continue;  // the row is one for training
            BOOST_TEST(run("info " + model).exit == 0);
            if (result.exit == 0) continue;
            ++refused;
            BOOST_TEST(has(result.error, "deltarule: [train] the network has no finite answer for row "), result.error);
        }
        return refused;
    };
    for (const char* more : {"", " --stream"})
        BOOST_TEST(seeds_refused("--scale none --csv " + folder.write("far.csv", inputs) + more) > 0);
    // A target that a float does not hold asks nothing of the network.
    BOOST_TEST(seeds_refused("--csv " + folder.write("far_target.csv", targets)) == 0);
}

BOOST_AUTO_TEST_CASE(a_missing_cell_that_is_all_of_a_row_is_answered) {
    const std::string gaps = folder.write("one.csv", "x,c\n1,a\n2,b\n,a\n4,b\n5,a\n6,b\n7,a\n8,b\n");
    const std::string model = trained("one.st", "--missing mean --epochs 1 --holdout 0.25 --csv " + gaps);
    const auto lines = lines_of(predictions(model, folder.write("one_column.csv", "x\n1\n\"\"\n1\n\"\"\n\n")));
    BOOST_TEST_REQUIRE(lines.size() == 5u);
    BOOST_TEST(lines[1] == lines[3]);
    BOOST_TEST(lines[2] == lines[4]);
    BOOST_TEST(lines[1] != lines[2]);
}

BOOST_AUTO_TEST_CASE(missing_cells_are_refused_filled_or_left_out) {
    std::string rows = "x,colour,y\n";
    for (int i = 0; i < 60; ++i)
        rows += fmt::format("{},{},{}\n", i == 5 ? "" : fmt::format("{}.5", i % 10),
                            i == 8  ? "?"
                            : i % 2 ? "red"
                                    : "green",
                            i % 10 + 0.25 * i);
    const std::string path = folder.write("gaps.csv", rows), save = " --save " + folder / "never";
    refuses("train --csv " + path + save, "gaps.csv:7: '' in column 'x' is missing: --missing mean takes");
    refuses("train --missing mean --csv " + folder.write("never.csv", "x,gap,c\n1,,a\n2,,b\n3,,a\n4,,b\n") + save,
            "column 'gap' has no mean: in the rows for training it is always missing");
    const Result dropped = run("train --epochs 1 --missing drop --csv " + path);
    BOOST_TEST(has(dropped.out, "\n2 rows with a missing cell are left out\n"), dropped.out + dropped.error);
    BOOST_TEST(has(dropped.out, "46 rows for training, 12 for the test"), dropped.out);
    // A class may be called "None": it loses no rows, an empty cell does.
    std::string named = "x,disorder\n";
    for (int i = 0; i < 60; ++i) named += fmt::format("{},{}\n", i, i == 7 ? "" : i % 3 ? "None" : "apnea");
    const Result kept = run("train --epochs 1 --missing drop --csv " + folder.write("named.csv", named));
    BOOST_TEST(has(kept.out, "2 classes in disorder\n1 row with a missing cell is left out\n"), kept.out + kept.error);
    // A missing cell is answered as the mean is, of the rows for training.
    const std::string model = trained("gaps.st", "--missing mean --epochs 3 --csv " + path);
    const auto lines = lines_of(predictions(model, folder.write("gap.csv", "x,colour\n,red\nNA,red\n3.5,?\n")));
    BOOST_TEST_REQUIRE(lines.size() == 4u);
    BOOST_TEST(lines[1] == lines[2]);
    // A network that was made elsewhere may have a word that looks like a missing cell.
    std::string bytes = bytes_of(model);
    for (std::size_t at = 0; (at = bytes.find("\\\"red\\\"", at)) != std::string::npos;)
        bytes.replace(at + 2, 3, "n/a");
    BOOST_TEST(predictions(folder.write("elsewhere.st", bytes), folder.write("n_a.csv", "x,colour\n3.5,n/a\n,n/a\n")) ==
               predictions(model, folder.write("red.csv", "x,colour\n3.5,red\n,red\n")));
    refuses("train --missing mean --csv " + folder.write("target.csv", rows + "1,red,\n") + save,
            "target.csv:62: the target is missing in column 'y' (--missing drop leaves the row out)");
    const std::string strict = trained("strict.st", "--missing drop --epochs 1 --csv " + path);
    refuses("predict " + strict + " --csv " + folder / "gap.csv", "gap.csv:2: '' in column 'x' is not a finite number");
}

BOOST_AUTO_TEST_CASE(a_column_whose_name_is_empty_is_found_by_it) {
    // As pandas writes its index: as a feature here, then as the target.
    std::string rows = ",a,kind\n", moved = "kind,,a\n";
    for (int i = 0; i < 40; ++i) {
        rows += fmt::format("{},{},{}\n", i, i % 2, i % 2 == 0 ? "even" : "odd");
        moved += fmt::format("{},{},{}\n", i % 2 == 0 ? "even" : "odd", i, i % 2);
    }
    const std::string table = folder.write("index.csv", rows), other = folder.write("moved.csv", moved);
    const std::string options = "--hidden 0 --epochs 200 --rate 0.05 --csv " + table;
    const std::string model = trained("index.st", options);
    BOOST_TEST(predictions(model, other + " --label kind") == predictions(model, table + " --label kind"));
    BOOST_TEST(has(run("predict " + model + " --metric --csv " + other).error, "; accuracy 100.00 %"));
    BOOST_TEST(run("info " + model).exit == 0);
    BOOST_TEST(run("export " + model + " --cpp " + folder / "index.hpp").exit == 0);

    std::string words = "a,b,\n", words_moved = ",b,a\n";
    for (int i = 0; i < 40; ++i) {
        words += fmt::format("{},{},{}\n", i % 2, i, i % 2 == 0 ? "even" : "odd");
        words_moved += fmt::format("{},{},{}\n", i % 2 == 0 ? "even" : "odd", i, i % 2);
    }
    const std::string classes =
        trained("unnamed.st", "--hidden 0 --epochs 200 --rate 0.05 --csv " + folder.write("unnamed.csv", words));
    for (const std::string& path : {folder / "unnamed.csv", folder.write("words_moved.csv", words_moved)}) {
        const Result judged = run("predict " + classes + " --metric --csv " + path);
        BOOST_TEST(has(judged.error, "; accuracy 100.00 %"), judged.error);
    }
    refuses("predict " + classes + " --metric --csv " + folder.write("no_target.csv", "a,b\n1,2\n"), "no column ''");
}

BOOST_AUTO_TEST_CASE(large_whole_numbers_are_classes_of_their_own_in_the_metric) {
    // 2^53 and its neighbour are one number in double.
    std::string rows = "a,id\n";
    for (int i = 0; i < 60; ++i) rows += fmt::format("{},{}\n", i % 2, 9007199254740992 + i % 2);
    const std::string table = folder.write("ids.csv", rows);
    const std::string model = trained("ids.st", "--hidden 0 --epochs 100 --rate 0.05 --csv " + table);
    const auto lines = lines_of(predictions(model, table));
    for (std::size_t i = 0; i < 60; ++i)
        BOOST_TEST(lines.at(i + 1).starts_with(std::to_string(9007199254740992 + i % 2)), lines[i + 1]);
    BOOST_TEST(has(run("predict " + model + " --metric --csv " + table).error, "; accuracy 100.00 %"));
}

BOOST_AUTO_TEST_CASE(folds_too_small_for_their_r2_have_no_mean_of_it) {
    std::string rows = "x,y\n";
    for (int i = 0; i < 7; ++i) rows += fmt::format("{},{}\n", i, i * i);
    const Result result =
        run("train --task regression --folds 7 --epochs 1 --hidden 0 --csv " + folder.write("seven.csv", rows));
    BOOST_TEST(result.exit == 0, result.error);
    BOOST_TEST(has(result.out, "fold 7/7: R² undefined (all targets are the same), RMSE "), result.out);
    BOOST_TEST(result.last_line().starts_with("mean of 7 folds: R² undefined (in a fold all targets are the same), "
                                              "RMSE "),
               result.out);
    BOOST_TEST(!has(result.out, "nan"), result.out);
}

BOOST_AUTO_TEST_CASE(a_column_that_the_network_takes_cannot_be_left_out) {
    const std::string model = trained("takes.st", "--hidden 0 --epochs 1 --csv " + iris);
    const std::string name = lines_of(bytes_of(iris)).at(0).substr(0, lines_of(bytes_of(iris)).at(0).find(','));
    for (const std::string& option :
         {"--drop '" + name + "'", "--label '" + name + "'", std::string("--drop 0"),
          "--drop species --label '" + name + "'", std::string("--label species --drop 1,3")})
        refuses("predict " + model + " --csv " + iris + " " + option, "cannot be left out: the network takes it");
    BOOST_TEST(predictions(model, iris + " --drop species") == predictions(model, iris));
}

BOOST_AUTO_TEST_CASE(a_saved_network_has_each_name_once) {
    std::string rows = "one,two,word,c\n";
    for (int i = 0; i < 20; ++i) rows += fmt::format("{0},{0},{1},{2}\n", i, i % 2 ? "red" : "sky", i % 2 ? 10 : 20);
    const std::string path = folder.write("names.csv", rows);
    const std::string bytes = bytes_of(trained("names.st", "--hidden 0 --epochs 1 --csv " + path));
    const auto changed = [&](const std::string& from, const std::string& to) {
        return "predict " + folder.write("changed.st", replaced(bytes, from, to)) + " --csv " + path;
    };
    refuses(changed(R"(\"two\")", R"(\"one\")"), "changed.st: two columns have the name 'one'");
    refuses(changed(R"(\"sky\")", R"(\"red\")"), "changed.st: two categories of a column have the name 'red'");
    refuses(changed(R"(\"20\")", R"(\"10\")"), "changed.st: two classes have the name '10'");
}

BOOST_AUTO_TEST_CASE(a_target_of_words_that_hardly_come_again_is_none_of_classes) {
    // Numbers as somebody wrote them: with blanks, the sign of Unicode, and per cent.
    for (const char* format : {"{} {:03}", "\u2212{}.{}", "{}{}%"}) {
        std::string rows = "x,y\n";
        for (int i = 0; i < 30; ++i) rows += fmt::format("{},{}\n", i, fmt::format(fmt::runtime(format), i, i));
        const std::string path = folder.write("written.csv", rows);
        refuses("train --csv " + path + " --save " + folder / "never",
                "written.csv: the target, column 'y', holds 30 different classes in 30 rows, such as '");
        const Result forced = run("train --epochs 1 --task classification --csv " + path);
        BOOST_TEST(has(forced.out, "\n30 classes in y\n"), forced.error);
    }
    std::string twice = "x,y\n";
    for (int i = 0; i < 60; ++i) twice += fmt::format("{},w{}\n", i, i % 30);
    BOOST_TEST(run("train --epochs 1 --csv " + folder.write("twice.csv", twice)).exit == 0);
}

BOOST_AUTO_TEST_CASE(a_network_from_a_pipe_is_refused) {
    const std::string model = trained("piped.st", "--hidden 0 --epochs 1 --csv " + iris), pipe = folder / "pipe";
    BOOST_TEST_REQUIRE(std::system(("mkfifo " + pipe).c_str()) == 0);
    for (const std::string& command :
         {"predict " + pipe + " --csv " + iris, "info " + pipe, "export " + pipe + " --cpp " + folder / "never"}) {
        BOOST_TEST_REQUIRE(std::system(("timeout 20 cat " + model + " > " + pipe + " &").c_str()) == 0);
        const std::string limited = "timeout 10 " DELTARULE_PROGRAM " " + command + " > " + folder / "out" + " 2> ";
        BOOST_TEST(WEXITSTATUS(std::system((limited + folder / "error").c_str())) == 1, command);
        BOOST_TEST(has(bytes_of(folder / "error"), "pipe: this is no regular file"), bytes_of(folder / "error"));
        // Ends a writer that still waits.
        BOOST_TEST(std::system(("timeout 1 cat " + pipe + " > " + folder / "out").c_str()) != -1);
    }
    BOOST_TEST(std::system(("cat " + model + " | " DELTARULE_PROGRAM " predict /dev/stdin --csv " + iris + " 2> " +
                            folder / "error")
                               .c_str()) != 0);
    BOOST_TEST(has(bytes_of(folder / "error"), "/dev/stdin: this is no regular file"), bytes_of(folder / "error"));
    BOOST_TEST(std::system((DELTARULE_PROGRAM " predict /dev/stdin --csv " + iris + " < " + model + " > " +
                            folder / "out" + " 2> " + folder / "error")
                               .c_str()) == 0);
}

BOOST_AUTO_TEST_CASE(half_a_gzipped_table_is_not_taken_for_the_whole) {
    const std::string both = folder / "halves.csv.gz", save = " --save " + folder / "never";
    const std::string pack = "{ head -76 " + iris + " | gzip; tail -75 " + iris + " | gzip; } > " + both;
    BOOST_TEST_REQUIRE(std::system(pack.c_str()) == 0);
    BOOST_TEST(has(run("train --epochs 1 --csv " + both).out, "120 rows for training, 30 for the test"));
    std::string bytes = bytes_of(both);
    const std::size_t second = bytes.find("\x1f\x8b", 2);
    BOOST_TEST_REQUIRE(second != std::string::npos);
    bytes[second] = '\x1e';
    refuses("train --csv " + folder.write("damaged.csv.gz", bytes) + save,
            "damaged.csv.gz: something else stands behind the packed data");
}
