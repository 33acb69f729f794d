// deltarule check as its user meets it.
#define BOOST_TEST_MODULE derivation_program
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>

#include "temporary_folder.hpp"

namespace {

const Folder folder;
const std::string good = folder.write("good.deriv", "given x\nlet y = x^2\nclaim dy/dx = 2 * x\n");
const std::string bad =
    folder.write("bad.deriv", "given x\nlet y = x^2\nclaim (1) dy/dx = x\nclaim \\frac{dy}{dx} = 2x\n");
const std::string broken = folder.write("broken.deriv", "given x\nlet y = x^\nclaim dy/dx = 2 * x\n");

struct Result {
    int exit;
    std::string out, error;
};

Result run(const std::string& arguments) {
    const int status = std::system(
        (DELTARULE_PROGRAM " check " + arguments + " > " + folder / "out" + " 2> " + folder / "error").c_str());
    return {WEXITSTATUS(status), bytes_of(folder / "out"), bytes_of(folder / "error")};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_CASE(the_exit_code_says_whether_every_line_holds) {
    BOOST_TEST(run(good).exit == 0);
    BOOST_TEST(run(bad).exit == 1);
    BOOST_TEST(run(broken).exit == 2);
    BOOST_TEST(run(good + " " + bad).exit == 1);
    BOOST_TEST(run(good + " " + broken + " " + bad).exit == 2);
    BOOST_TEST(run(folder / "nothing.deriv").exit == 2);
    BOOST_TEST(run("").exit != 0);
}

BOOST_AUTO_TEST_CASE(an_error_names_file_line_and_column) {
    const Result result = run(broken);
    BOOST_TEST(has(result.error, "broken.deriv:2:"), result.error);
    BOOST_TEST(has(result.error, "^"));
    BOOST_TEST(result.out.empty());
}

BOOST_AUTO_TEST_CASE(it_reads_standard_input) { BOOST_TEST(run("- < " + bad).exit == 1); }

BOOST_AUTO_TEST_CASE(what_cannot_be_read_or_judged_is_named) {
    const Result of_folder = run("- < /");
    BOOST_TEST(of_folder.exit == 2);
    BOOST_TEST(has(of_folder.error, "the standard input: cannot be read (Is a directory)"), of_folder.error);
    const Result twice = run("- - < " + bad);
    BOOST_TEST(twice.exit == 2);
    BOOST_TEST(has(twice.error, "the standard input is read once: - stands for one file"), twice.error);
    BOOST_TEST(has(run("/").error, "/: this is a folder, not a file"));
    BOOST_TEST(run("/").exit == 2);
    // A file that is too long is refused before it is read whole.
    const Result endless = run("/dev/zero");
    BOOST_TEST(endless.exit == 2);
    BOOST_TEST(has(endless.error, "longer than a derivation may be"), endless.error);
    const Result no_claim = run("--line 2 " + bad);
    BOOST_TEST(no_claim.exit == 2);
    BOOST_TEST(has(no_claim.error, "no claim or update begins in line 2"), no_claim.error);
    // A message goes on behind a NUL, for which ? stands.
    const Result nul = run(folder.write("nul.deriv", std::string("given x\nclaim x = y\0z\n", 22)));
    BOOST_TEST(nul.exit == 2);
    BOOST_TEST(has(nul.error, "claim x = y?z"), nul.error);
}

BOOST_AUTO_TEST_CASE(options) {
    BOOST_TEST(has(run(bad).out, "It would hold as    dy/dx = 2 * x"));
    BOOST_TEST(!has(run("--hint " + bad).out, "It would hold"));
    BOOST_TEST(!has(run("--line 4 " + bad).out, "WRONG"));
    BOOST_TEST(run("--line 4 " + bad).exit == 0);
    BOOST_TEST(has(run("--seed 5 " + bad).out, "--seed 5"));
    BOOST_TEST(run("--json " + bad).out.starts_with("{"));
    BOOST_TEST(run("--json " + good + " " + bad).out.starts_with("["));
    BOOST_TEST(has(run("--text " + bad).out, "claim dy/dx = 2 x"));
    BOOST_TEST(has(run("--latex " + bad).out, "\\frac{\\partial y}{\\partial x}"));
    BOOST_TEST(!has(run(bad).out, "\033["));  // no colour where there is no terminal
    BOOST_TEST(run("--html " + folder / "page.html" + " " + bad).exit == 1);
    const std::string page = bytes_of(folder / "page.html");
    BOOST_TEST(has(page, "<math "));
    BOOST_TEST(!has(page, "src="));
    BOOST_TEST(!has(page, "href="));
}

BOOST_AUTO_TEST_CASE(what_is_printed_in_one_notation_is_judged_alike) {
    for (const char* notation : {"--text ", "--latex "}) {
        const std::string again = folder.write("again.deriv", run(notation + bad).out);
        BOOST_TEST(run(again).exit == 1);
        BOOST_TEST(has(run(again).out, "1 line holds, 1 is wrong"), run(again).out);
    }
}
