// The page that train --report writes.
#define BOOST_TEST_MODULE training_report
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>
#include <vector>

#include "program/program.hpp"

namespace {

const std::string diabetes = DELTARULE_SOURCE_DIR "/examples/data/diabetes.csv";

/// The first tag that does not fit, or nothing where each is closed and no < or & stands by itself.
std::string ill_formed(const std::string& page) {
    const std::set<std::string> empty = {"meta", "br", "img"};
    std::vector<std::string> open;
    for (std::size_t at = page.find_first_of("<&"); at != page.npos; at = page.find_first_of("<&", at + 1)) {
        const std::string here = page.substr(at, 40);
        if (page[at] == '&') {
            if (page.find(';', at) > at + 7) return here;
            continue;
        }
        const std::size_t end = page.find('>', at);
        if (end == page.npos || page.find('<', at + 1) < end) return here;
        if (page[at + 1] == '!' || page[end - 1] == '/') continue;
        const std::string name = page.substr(at + 1, page.find_first_of(" >", at) - at - 1);
        if (name.starts_with("/")) {
            if (open.empty() || open.back() != name.substr(1)) return here;
            open.pop_back();
        } else if (!empty.contains(name)) {
            open.push_back(name);
        }
    }
    return open.empty() ? "" : "<" + open.back() + "> is not closed";
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
    return n;
}

struct Reported {
    nlohmann::json said;
    std::string page;
};

/// Trains, and looks at what every page has.
Reported reported(const std::string& options) {
    const Result result = run("train --json " + options + " --report " + folder / "page.html");
    BOOST_TEST_REQUIRE(result.exit == 0, result.error);
    Reported reported{nlohmann::json::parse(result.out), bytes_of(folder / "page.html")};
    BOOST_TEST(ill_formed(reported.page) == "");
    BOOST_TEST(reported.page.size() < 300'000u);
    for (const char* part : {"<script", "http:", "https:", "nan", "-inf", "inf\"", "inf ", "NaN"})
        BOOST_TEST(!has(reported.page, part), part);
    for (const char* key : {"activation", "optimizer", "task"})
        BOOST_TEST(
            has(reported.page, fmt::format("<dt>{}</dt><dd>{}</dd>", key, reported.said[key].get<std::string>())));
    BOOST_TEST(has(reported.page, fmt::format("<dt>epochs</dt><dd>{}</dd>", reported.said["epochs"].get<int>())));
    BOOST_TEST(has(reported.page, "Loss by epoch"));
    return reported;
}

std::string cell(double number) { return fmt::format("<td>{:.6g}</td>", number); }

}  // namespace

BOOST_AUTO_TEST_CASE(the_checker_of_tags_finds_faults) {
    BOOST_TEST(ill_formed("<a><br><b>x &lt; y</b></a>") == "");
    for (const char* page : {"<a>", "</a>", "<a><b></a></b>", "<a>x < y</a>", "<a>x & y, of which more</a>"})
        BOOST_TEST(ill_formed(page) != "", page);
}

BOOST_AUTO_TEST_CASE(classes_of_a_table) {
    const auto [said, page] = reported("--confusion --hidden 16 --epochs 12 --validation 0.2 --csv " + iris);
    BOOST_TEST(has(page, fmt::format("accuracy {:.6g}<", said["test"]["accuracy"].get<double>())));
    BOOST_TEST(has(page, fmt::format("kept: {}<", said["kept_epoch"].get<int>())));
    BOOST_TEST(has(page, "rows</dt><dd>test 30, training 96, validation 24</dd>"));
    BOOST_TEST(count(page, "class=\"curve second\"") == 2u);
    // A row of the matrix: its name and three counts.
    for (std::size_t i = 0; i < 3; ++i) {
        std::size_t at = page.find("<tr><th>" + said["classes"][i].get<std::string>() + "</th>");
        BOOST_TEST_REQUIRE(at != page.npos);
        for (std::size_t k = 0; k < 3; ++k) {
            at = page.find("<td", at + 1);
            const std::size_t begin = page.find('>', at) + 1;
            BOOST_TEST(std::stoi(page.substr(begin)) == said["confusion"][i][k].get<int>());
        }
    }
    // The worst rows first, whole as the file has them.
    const std::size_t worst = page.find("worst-predicted");
    BOOST_TEST_REQUIRE(worst != page.npos);
    const std::string file = bytes_of(iris);
    double before = 0;
    std::size_t rows = 0;
    for (std::size_t at = page.find("<tr><td>", worst); at != page.npos; at = page.find("<tr><td>", at + 1), ++rows) {
        std::vector<std::string> cells;
        const std::size_t end = page.find("</tr>", at);
        for (std::size_t k = page.find("<td>", at); k < end; k = page.find("<td>", k + 1))
            cells.push_back(page.substr(k + 4, page.find("</td>", k) - k - 4));
        BOOST_TEST_REQUIRE(cells.size() == 8u);
        BOOST_TEST(std::stod(cells[1]) >= before);
        BOOST_TEST(std::stod(cells[1]) <= std::stod(cells[3]));
        before = std::stod(cells[1]);
        for (std::size_t k = 4; k < 8; ++k)
            if (!has(cells[k], ".")) cells[k] += ".0";
        const std::string row = fmt::format("{},{},{},{},{}\n", cells[4], cells[5], cells[6], cells[7], cells[0]);
        BOOST_TEST(has(file, row), row);
    }
    BOOST_TEST(rows == 12u);
}

BOOST_AUTO_TEST_CASE(classes_of_pictures) {
    const std::string page = reported("--epochs 2").page;
    BOOST_TEST(count(page, "<img alt=\"\" src=\"data:image/png;base64,iVBORw0KGgo") == 12u);
    BOOST_TEST(has(page, "<br>predicted "));
    // The same digits as a table stay rows, of which a part is shown.
    BOOST_TEST(has(reported("--epochs 1 --csv " + digits).page, "<th>feature 23</th><th>and 40 more</th>"));
    // Two pictures of 2 x 3 pixels for training and for the test.
    const Folder images;
    const std::string header("\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03", 16),
        labels("\0\0\x08\x01\0\0\0\x02\0\x01", 10);
    for (const char* part : {"train", "t10k"}) {
        images.write(std::string(part) + "-images-idx3-ubyte", header + "abcdefghijkl");
        images.write(std::string(part) + "-labels-idx1-ubyte", labels);
    }
    // The PNG's header: width 3, height 2, 8 bits of grey.
    BOOST_TEST(
        count(reported("--epochs 1 --idx " + images / "").page, "base64,iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAAAAA") == 2u);
}

BOOST_AUTO_TEST_CASE(a_regression) {
    const auto [said, page] = reported("--epochs 20 --validation 0.2 --csv " + diabetes);
    const auto& test = said["test"][0];
    BOOST_TEST(has(page, "<td>progression</td>" + cell(test["r_squared"].get<double>()) +
                             cell(test["root_mean_squared_error"].get<double>())));
    BOOST_TEST(count(page, "<circle class=\"point\"") == said["rows"]["test"].get<std::size_t>());
    BOOST_TEST(has(page, "Rows by residual"));
    BOOST_TEST(count(page.substr(page.find("largest residuals")), "<tr><td>") == 12u);
    // Several targets, and more rows than are drawn.
    std::string table = "x,y,z\n";
    for (int i = 0; i < 3000; ++i) table += fmt::format("{},{},{}\n", i, i * 0.5, i % 7 * 1.25);
    const std::string two = reported("--epochs 1 --label y,z --csv " + folder.write("two.csv", table)).page;
    BOOST_TEST(count(two, "<circle class=\"point\"") == 600u);
    BOOST_TEST(has(two, "300 of 600 rows are drawn"));
    BOOST_TEST(has(two, "<th>target</th><th>true</th>"));
    // A residual is the difference of what stands beside it, also far from 0.
    std::string far = "x,y\n";
    for (int i = 0; i < 60; ++i) far += fmt::format("{},{}\n", i, 1.7e9 + i * 0.5);
    const std::string page_far = reported("--epochs 1 --csv " + folder.write("far.csv", far)).page;
    int rows = 0;
    for (std::size_t at = page_far.find("<tr><td>", page_far.find("largest residuals")); at != std::string::npos;
         at = page_far.find("<tr><td>", at + 1)) {
        double wanted = 0, predicted = 0, residual = 0;
        std::sscanf(page_far.c_str() + at, "<tr><td>%lf</td><td>%lf</td><td>%lf", &wanted, &predicted, &residual);
        BOOST_TEST(std::abs(predicted - wanted - residual) <= 0.01 * std::abs(residual), page_far.substr(at, 80));
        BOOST_TEST(has(far, fmt::format(",{}\n", wanted)));
        ++rows;
    }
    BOOST_TEST(rows == 12);
}

BOOST_AUTO_TEST_CASE(names_are_text_and_words_stay_words) {
    std::string table = "<b>&\"size,colour,\"kind, <i>\"\n";
    for (int i = 0; i < 60; ++i)
        table += fmt::format("{},{},{}\n", i, i % 2 ? "<red>" : "blue", i % 3 ? "<script>alert(1)</script>" : "a&b");
    const std::string page = reported("--epochs 2 --csv '" + folder.write("<u>.csv", table) + "'").page;
    BOOST_TEST(has(page, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    BOOST_TEST(has(page, "a&amp;b"));
    BOOST_TEST(has(page, "<th>&lt;b&gt;&amp;&quot;size</th><th>colour</th>"));
    BOOST_TEST((has(page, "<td>blue</td>") || has(page, "<td>&lt;red&gt;</td>")));
    BOOST_TEST(has(page, "&lt;u&gt;.csv</title>"));
}

BOOST_AUTO_TEST_CASE(many_classes_and_many_epochs_stay_small) {
    std::string table;
    for (int i = 0; i < 600; ++i) table += fmt::format("{},{},c{}\n", i % 60, i, i % 60);
    const std::string page =
        reported("--epochs 1200 --batch 600 --hidden 2 --csv " + folder.write("many.csv", table)).page;
    BOOST_TEST(has(page, "There are 60 classes: the confusion matrix is shown for 50 at most."));
    BOOST_TEST(has(page, " of 1200 epochs are drawn"));
}

BOOST_AUTO_TEST_CASE(numbers_that_are_none_are_words) {
    // The test's only row leaves R² nothing to divide by.
    std::string table = "x,y\n";
    for (int i = 0; i < 20; ++i) table += fmt::format("{},{}\n", i, i * 1.5);
    const std::string page =
        reported("--epochs 1 --holdout 0.05 --task regression --csv " + folder.write("few.csv", table)).page;
    BOOST_TEST(has(page, "<td>y</td><td>not a number</td>"));
    // So large that their squares are no doubles.
    std::string large = "x,y\n";
    for (int i = 0; i < 100; ++i) large += fmt::format("{},{}e306\n", i, (i - 50) * 1.5);
    const std::string far = reported("--epochs 3 --csv " + folder.write("large.csv", large)).page;
    double r2 = 0, square = 0, absolute = 0;
    BOOST_TEST_REQUIRE(std::sscanf(far.c_str() + far.find("<td>y</td><td>"),
                                   "<td>y</td><td>%lf</td><td>%lf</td><td>%lf</td>", &r2, &square, &absolute) == 3);
    BOOST_TEST((r2 > -2 && r2 < 1 && square > 1e307 && square < 1e308 && absolute < square), r2 << " " << square);
}

BOOST_AUTO_TEST_CASE(a_page_is_written_at_the_end_or_refused_at_the_beginning) {
    const std::string page = folder / "never";
    refuses("train --report " + folder / "no/never", "there is no folder");
    refuses("train --report " + page + " --save " + page, "is to be written twice");
    refuses("train --report " + page + " --history " + page, "is to be written twice");
    refuses("train --folds 3 --report " + page, "excludes");
    const std::string copy = folder.write("copy.csv", bytes_of(iris));
    refuses("train --csv " + copy + " --report " + copy, "one of the files that are read");
    BOOST_TEST((bytes_of(copy) == bytes_of(iris)));
    // One that is interrupted has no page.
    const std::string command = "exec " DELTARULE_PROGRAM " train --epochs 1000000 --csv " + iris + " --report " +
                                page + " > " + folder / "out" + " 2>&1";
    folder.write("out", "");
    const pid_t child = fork();
    if (child == 0) {
        std::signal(SIGINT, SIG_DFL);
        execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        _exit(127);
    }
    for (int i = 0; i < 600 && !has(bytes_of(folder / "out"), "epoch 3/"); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    kill(child, SIGINT);
    int status = 0;
    waitpid(child, &status, 0);
    BOOST_TEST(WIFEXITED(status));
    BOOST_TEST(WEXITSTATUS(status) == 128 + SIGINT);
    BOOST_TEST(!std::filesystem::exists(page));
}
