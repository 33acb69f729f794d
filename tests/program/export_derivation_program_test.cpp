// deltarule export of a derivation: the programs that it writes are compiled against the library, and print the numbers
// of the recording.
#define BOOST_TEST_MODULE export_derivation_program
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

#include "program.hpp"

namespace {

const std::string examples = DELTARULE_SOURCE_DIR "/examples/derivations/";

nlohmann::json recording_of(const std::string& path) {
    const Result result = run("explain " + path + " -o " + folder / "recording.json");
    BOOST_REQUIRE_MESSAGE(result.exit == 0, result.error);
    return nlohmann::json::parse(bytes_of(folder / "recording.json"));
}

/// What was printed, by what stands before its numbers: `dC/dw[k,j]`.
std::map<std::string, std::vector<double>> printed(const std::string& program) {
    BOOST_REQUIRE(std::system((program + " > " + folder / "printed").c_str()) == 0);
    std::map<std::string, std::vector<double>> all;
    std::string name;
    std::istringstream lines(bytes_of(folder / "printed"));
    for (std::string line; std::getline(lines, line);) {
        if (const std::size_t at = line.find(" = "); at != std::string::npos) {
            name = line.substr(0, at);
            line = line.substr(at + 3);
        }
        static const std::regex number(R"(-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?)");
        for (std::sregex_iterator one(line.begin(), line.end(), number), end; one != end; ++one)
            all[name].push_back(std::stod(one->str()));
    }
    return all;
}

void compare(const std::string& name, const std::vector<double>& got, const nlohmann::json& array) {
    BOOST_TEST_CONTEXT(name) {
        BOOST_REQUIRE(got.size() == array["values"].size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            const double right = array["values"][i];
            BOOST_TEST(std::abs(got[i] - right) <= 1e-9 * std::max(1.0, std::abs(right)));
        }
    }
}

}  // namespace

// Each was written, compiled and linked when the tests were built.
BOOST_AUTO_TEST_CASE(the_programs_print_the_numbers_of_the_recording) {
    std::size_t gradients = 0;
    for (const std::string name : {DELTARULE_EXPORTED}) {
        BOOST_TEST_CONTEXT(name) {
            const nlohmann::json recording = recording_of(examples + name + ".deriv");
            const auto& nodes = recording["nodes"];
            const std::string result = nodes[recording["result"].get<std::size_t>()]["name"];
            const auto all = printed(DELTARULE_EXPORTED_FOLDER "/exported_" + name);
            BOOST_REQUIRE(all.contains(result));
            compare(result, all.at(result), nodes[recording["result"].get<std::size_t>()]["value"]);
            BOOST_TEST(all.size() > 1u);
            for (const auto& node : nodes) {
                const auto found = all.find("d" + result + "/d" + node["name"].get<std::string>());
                if (found == all.end()) continue;
                compare(found->first, found->second, node["adjoint"]);
                ++gradients;
            }
            std::set<std::size_t> claimed;
            for (const auto& claim : recording["claims"])
                if (!claim["node"].is_null()) claimed.insert(claim["node"].get<std::size_t>());
            if (!claimed.empty()) BOOST_TEST(all.size() == claimed.size() + 1);
        }
    }
    BOOST_TEST(gradients >= 12u);
}

// It was written at the numbers of brackets.deriv, and all that is given was given the other sign.
BOOST_AUTO_TEST_CASE(what_compares_inputs_does_so_at_other_inputs) {
    std::string text = bytes_of(DELTARULE_SOURCE_DIR "/tests/program/brackets.deriv");
    const std::regex given(R"((given [^\n]*= )(\[[^\n]*))"), number(R"(-?\d[\d.]*)");
    std::string opposite;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::smatch found;
        if (!std::regex_match(line, found, given)) {
            opposite += line + "\n";
            continue;
        }
        std::string list = std::regex_replace(found[2].str(), number, "-$&");
        for (std::size_t at; (at = list.find("--")) != list.npos;) list.erase(at, 2);
        opposite += found[1].str() + list + "\n";
    }
    BOOST_TEST(has(opposite, "given u[n] = [-0.5, 1.25, -2, 0.75]\n"), opposite);
    folder.write("opposite.deriv", opposite);
    const nlohmann::json recording = recording_of(folder / "opposite.deriv");
    const auto all = printed(DELTARULE_EXPORTED_FOLDER "/exported_brackets");
    std::size_t compared = 0;
    for (const auto& node : recording["nodes"]) {
        const std::string name = node["name"];
        if (name == "C") compare(name, all.at(name), node["value"]);
        if (const auto found = all.find("dC/d" + name); found != all.end()) {
            compare(name, found->second, node["adjoint"]);
            ++compared;
        }
    }
    BOOST_TEST(compared >= 3u);
    // The brackets differ there, or the test sees nothing.
    const nlohmann::json first = recording_of(DELTARULE_SOURCE_DIR "/tests/program/brackets.deriv");
    for (std::size_t i = 0; i < first["nodes"].size(); ++i)
        if (first["nodes"][i]["name"] == "[u[n] > 0]")
            BOOST_TEST(first["nodes"][i]["value"] != recording["nodes"][i]["value"]);
}

BOOST_AUTO_TEST_CASE(every_example_is_written) {
    std::size_t written = 0;
    for (const auto& entry : std::filesystem::directory_iterator(examples)) {
        const std::string path = entry.path().string();
        if (!path.ends_with(".deriv") && !path.ends_with(".md")) continue;
        if (run("explain " + path + " -o " + folder / "recording.json").exit != 0) continue;
        const Result result = run("export " + path + " --cpp " + folder / "net.cpp");
        BOOST_TEST(result.exit == 0, path + ": " + result.error);
        const std::string text = bytes_of(folder / "net.cpp");
        BOOST_TEST(has(text, "const auto gradients = tape.backward("));
        BOOST_TEST(text.find_first_of("\1\2") == std::string::npos);
        ++written;
    }
    BOOST_TEST(written > 40u);
}

BOOST_AUTO_TEST_CASE(the_text_is_what_one_would_write) {
    folder.write("plain.deriv", R"(index i = 2
index k, n = 3
given x[i] = [0.5, -1]
given W[k,i] = [[1, 2], [3, 4], [5, 6]]
given int[k] = [1, 0, 0]
let z[k] = sum(i, W[k,i] * x[i])
let p[k] = exp(z[k]) / sum(n, exp(z[n]))
let C = -sum(k, int[k] * log(p[k]))
claim dC/dz[k] = p[k] - int[k]
)");
    BOOST_TEST(run("export " + folder / "plain.deriv" + " --cpp " + folder / "plain.cpp").exit == 0);
    const std::string text = bytes_of(folder / "plain.cpp");
    for (const char* part :
         {"// The network of plain.deriv, built with deltarule.\n",
          "const auto W = tape.variable(array({3, 2}, {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}), \"W\");\n",
          "    // Line 6: let z[k] = sum(i, W[k,i] * x[i])\n    const auto z = tape.name(matmul(W, x), \"z\");\n",
          "const auto p = tape.name(softmax(z), \"p\");\n",
          "const auto int_2 = tape.variable(array({3}, {1.0, 0.0, 0.0}), \"int\");\n",
          "const auto C = tape.name(-sum(int_2 * log(p)), \"C\");\n", "tape.backward(C, {z});\n",
          "    // Line 9, holds: dC/dz[k] = p[k] - int[k]\n", "std::cout << \"dC/dz = \" << gradients[z] << '\\n';\n"})
        BOOST_TEST(has(text, part), part + ("\n" + text));
}

BOOST_AUTO_TEST_CASE(what_is_not_written_is_said) {
    refuses("export " + examples + "coursework.deriv --onnx " + folder / "never", "--onnx is for a network");
    refuses("export " + folder / "missing.deriv --cpp " + folder / "never", "missing.deriv");
    folder.write("broken.deriv", "given x\nlet y = (\n");
    const Result broken = run("export " + folder / "broken.deriv" + " --cpp " + folder / "never");
    BOOST_TEST(broken.exit == 1);
    BOOST_TEST(has(broken.error, "broken.deriv:2:"), broken.error);
    folder.write("nothing.deriv", "given x\n");
    refuses("export " + folder / "nothing.deriv --cpp " + folder / "never", "there is nothing to record");
    refuses("export " + folder / "nothing.deriv --cpp " + folder / "nothing.deriv", "nothing.deriv");
}
