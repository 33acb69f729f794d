// The page and the drawing: whatever a name holds stays text.
#define BOOST_TEST_MODULE page
#include <autograd/autograd.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <lab/player.hpp>
#include <lab/recording_json.hpp>
#include <lab/recording_text.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "temporary_folder.hpp"

using nlohmann::json;

namespace {

const std::string evil = "</script><script>alert(1)</script><!-- \xE2\x80\xA8 & \\ \" ' ]]> \xE2\x80\xA9 \x01 \xFF";

lab::Recording named(const std::string& name) {
    autograd::Tape<double> tape;
    const auto x = tape.variable({{1., 2.}}, name);
    const auto y = tape.name(sum(x * x), name);
    return lab::record_of(tape, y, {.title = name, .groups = {{name, 0, 1}}});
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
}

/// The data of a page, as a browser finds them: up to the end of the element.
json data_of(const std::string& page) {
    const std::string begin = R"(<script type="application/json" id="recording">)";
    const std::size_t at = page.find(begin) + begin.size();
    return json::parse(page.substr(at, page.find("</script", at) - at));
}

}  // namespace

BOOST_AUTO_TEST_CASE(names_stay_text_in_the_page) {
    const std::string plain = lab::to_page(named("x")), page = lab::to_page(named(evil));
    for (const char* tag : {"<script", "</script", "<!--", "-->", "\xE2\x80\xA8", "\xE2\x80\xA9"})
        BOOST_TEST(count(page, tag) == count(plain, tag), tag);
    // What is no UTF-8 becomes the sign for that; all else comes back as it was given.
    const std::string shown = evil.substr(0, evil.size() - 1) + "\xEF\xBF\xBD";
    const json data = data_of(page);
    BOOST_TEST(data.at("title").get<std::string>() == shown);
    BOOST_TEST(data.at("nodes")[0].at("name").get<std::string>() == shown);
    BOOST_TEST(data.at("nodes")[0].at("group").get<std::string>() == shown);
    BOOST_TEST(data == json::parse(lab::to_json(named(evil))));
}

BOOST_AUTO_TEST_CASE(a_page_is_one_file) {
    const std::string page = lab::to_page(named("x"));
    BOOST_TEST(page.size() - lab::to_json(named("x")).size() < 300'000u);
    for (const char* other : {"src=", "http://", "https://", "href=\"player", "@import", "url("})
        for (std::size_t at = page.find(other); at != page.npos; at = page.find(other, at + 1))
            // Names, and parts of the page itself, are no addresses.
            BOOST_TEST((page.substr(at).starts_with("http://www.w3.org/") || page.substr(at).starts_with("url(\"#")),
                       page.substr(at, 80));
}

BOOST_AUTO_TEST_CASE(comments_stay_in_the_sources) {
    const std::string page = lab::to_page(named("x"));
    for (const char* kind : {"style", "script type=\"module\""}) {
        const std::size_t begin = page.find(std::string("<") + kind + ">"), end = page.find("</", begin);
        BOOST_TEST_REQUIRE(begin != page.npos);
        std::istringstream lines(page.substr(begin, end - begin));
        std::size_t kept = 0;
        for (std::string line; std::getline(lines, line); ++kept) {
            const std::size_t first = std::min(line.find_first_not_of(' '), line.size()), last = line.rfind("*/");
            const bool is_note = line.compare(first, 2, "//") == 0, begins = line.compare(first, 2, "/*") == 0;
            BOOST_TEST(!(is_note || (begins && (last == line.npos || last + 2 == line.size()))), line);
        }
        BOOST_TEST(kept > 500u);
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_written_is_an_error) {
    const Folder folder;
    lab::write_page(named("x"), folder / "page.html");
    BOOST_TEST(bytes_of(folder / "page.html") == lab::to_page(named("x")));
    BOOST_CHECK_THROW(lab::write_page(named("x"), folder / "none" + "/page.html"), autograd::FileError);
    const std::vector<lab::Recording> training = {named("x"), named("x")};
    lab::write_player(training, folder / "training.html");
    BOOST_TEST(bytes_of(folder / "training.html") == lab::to_page(training));
    BOOST_TEST(data_of(lab::to_page(training)) == json::parse(lab::to_json(training)));
}

BOOST_AUTO_TEST_CASE(graphviz_draws_it) {
    if (std::system("dot -V >/dev/null 2>&1") != 0) {
        std::puts("== SKIPPED: Graphviz is not here, no drawing was tried. ==");
        return;
    }
    const Folder folder;
    const auto drawn = [&](const std::string& dot) {
        std::ofstream(folder / "a.dot") << dot;
        BOOST_TEST(std::system(("dot -Tsvg " + folder / "a.dot" + " >" + folder / "a.svg").c_str()) == 0, dot);
        return bytes_of(folder / "a.svg");
    };
    BOOST_TEST(count(drawn(lab::to_dot(named("x"))), "class=\"node\"") == 3u);
    BOOST_TEST(count(drawn(lab::to_dot(named(evil))), "<script") == 0u);
    BOOST_TEST(count(drawn(lab::to_dot(named("\\N \\\" \\"))), "class=\"node\"") == 3u);
}

BOOST_AUTO_TEST_CASE(a_large_recording_is_folded) {
    autograd::Tape<double> tape;
    const autograd::Parameter<double> w("0.weight", {{2.}});
    auto y = tape.variable({{1.}}, "x") + tape.watch(w);
    for (int i = 0; i < 5000; ++i) y = tanh(y);
    const std::string dot = lab::to_dot(lab::record_of(tape, sum(y)), 100);
    BOOST_TEST(count(dot, "nodes\"") > 10u);
    BOOST_TEST(count(dot, "label=") <= 110u);
    BOOST_TEST(count(dot, " -> ") < 120u);
}

BOOST_AUTO_TEST_CASE(a_table_for_the_terminal) {
    autograd::Tape<double> tape;
    const auto x = tape.variable({{1., 2.}}, "x");
    const auto w = tape.watch(autograd::Parameter<double>("0.weight", {{3., 4.}}));
    const auto c = tape.constant(autograd::Array<double>(autograd::Shape{100, 100}, 7), "c");
    const auto product = sum(x * w);
    const auto y = product + sum(c);
    BOOST_TEST(to_text(lab::record_of(tape, y)) ==
               "node      made of            shape       value   adjoint\n"
               "x         variable           (1, 2)      [1, 2]  [3, 4]\n"
               "0:\n"
               "0.weight  parameter          (1, 2)      [3, 4]  [1, 2]\n"
               "\n"
               "c         constant           (100, 100)  all 7   -\n"
               "0:\n"
               "mul#1     mul(x, 0.weight)   (1, 2)      [3, 8]  [1, 1]\n"
               "\n"
               "sum#1     sum(mul#1)         ()          11      1\n"
               "sum#2     sum(c)             ()          70000   -\n"
               "add#1     add(sum#1, sum#2)  ()          70011   1\n");
}
