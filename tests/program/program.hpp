// The program deltarule as its user meets it: what a run prints, and how it ends.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "temporary_folder.hpp"

inline const Folder folder;
inline const std::string digits = DELTARULE_SOURCE_DIR "/examples/data/digits.csv.gz";
inline const std::string iris = DELTARULE_SOURCE_DIR "/examples/data/iris.csv";

struct Result {
    int exit;
    std::string out, error;

    std::string last_line() const {
        const std::size_t end = out.find_last_not_of('\n');
        return out.substr(out.rfind('\n', end) + 1, end - out.rfind('\n', end));
    }
};

inline Result run(const std::string& arguments) {
    const int status =
        std::system((DELTARULE_PROGRAM " " + arguments + " > " + folder / "out" + " 2> " + folder / "error").c_str());
    return {WEXITSTATUS(status), bytes_of(folder / "out"), bytes_of(folder / "error")};
}

inline double accuracy(const Result& result) {
    double percent = 0;
    BOOST_REQUIRE_MESSAGE(std::sscanf(result.last_line().c_str(), "test accuracy: %lf %%", &percent) == 1,
                          result.out + result.error);
    return percent;
}

/// One sentence, another exit than 0, and no file where the network should have gone.
inline void refuses(const std::string& arguments, const std::string& part) {
    const Result result = run(arguments);
    BOOST_TEST_CONTEXT(arguments << "\n" << result.out << result.error) {
        BOOST_TEST(result.exit != 0);
        BOOST_TEST(result.error.starts_with("deltarule: "));
        BOOST_TEST(std::count(result.error.begin(), result.error.end(), '\n') == 1);
        BOOST_TEST(result.error.find(part) != std::string::npos);
        BOOST_TEST(!std::filesystem::exists(folder / "never"));
    }
}

inline std::string case_of(const std::string& name) { return DELTARULE_SOURCE_DIR "/tests/program/files/" + name; }

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
