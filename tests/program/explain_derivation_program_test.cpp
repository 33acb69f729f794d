// deltarule explain of a derivation, as its user meets it.
#define BOOST_TEST_MODULE explain_derivation_program
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "temporary_folder.hpp"

namespace {

const Folder folder;
const std::string text = R"(index i = 2
index k, n = 3
given x[i] = [0.5, -1]
given W[k,i]
given y[k] onehot
let z[k] = sum(i, W[k,i] * x[i])
let p[k] = exp(z[k]) / sum(n, exp(z[n]))
let C = -sum(k, y[k] * log(p[k]))
claim dC/dz[k] = p[k] - y[k]
claim dC/dW[k,i] = (p[k] - y[k]) * x[k]
claim dC/dW[k,i] = (y[k] - p[k]) * x[i]
)";
const std::string network = folder.write("network.deriv", text);

struct Result {
    int exit;
    std::string out, error;
};

Result run(const std::string& arguments) {
    const int status = std::system(("cd " + folder / "" + " && " DELTARULE_PROGRAM " explain " + arguments + " > " +
                                    folder / "out" + " 2> " + folder / "error")
                                       .c_str());
    return {WEXITSTATUS(status), bytes_of(folder / "out"), bytes_of(folder / "error")};
}

bool has(const std::string& all, const std::string& part) { return all.find(part) != std::string::npos; }

nlohmann::json data_of(const std::string& path) {
    const std::string page = bytes_of(path), mark = "id=\"recording\">";
    const std::size_t begin = page.find(mark);
    BOOST_REQUIRE(begin != std::string::npos);
    return nlohmann::json::parse(page.substr(begin + mark.size(), page.find("</script>", begin) - begin - mark.size()));
}

void refuses(const std::string& arguments, const std::string& sentence) {
    const Result result = run(arguments);
    BOOST_TEST(result.exit != 0);
    BOOST_TEST(has(result.error, sentence), result.error);
    BOOST_TEST(result.out.empty(), result.out);
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_page_holds_the_network_and_the_claims) {
    const Result result = run(network + " -o network.html");
    BOOST_TEST(result.exit == 0, result.error);
    BOOST_TEST(has(result.out, ", step by step in network.html; 1 of 3 lines holds\n"), result.out);
    const nlohmann::json page = data_of(folder / "network.html");
    BOOST_TEST(page["format"] == 1);
    BOOST_TEST(page["title"] == "network.deriv");
    BOOST_TEST(page["source"] == text);
    BOOST_TEST(page["nodes"][page["result"].get<std::size_t>()]["name"] == "C");
    const auto& claims = page["claims"];
    BOOST_TEST(claims[0]["verdict"] == "holds");
    BOOST_TEST(claims[0]["value"]["values"].size() == 3u);
    BOOST_TEST(claims[1]["verdict"] == "ill-formed");
    BOOST_TEST(claims[1]["value"].is_null());
    BOOST_TEST(claims[2]["verdict"] == "wrong");
    BOOST_TEST(claims[2]["repair"] == "-(y[k] - p[k]) * x[i]");
    BOOST_TEST(claims[2]["value"]["shape"] == nlohmann::json({3, 2}));
    for (std::size_t i = 0; i < 6; ++i)
        BOOST_TEST(claims[2]["value"]["values"][i].get<double>() == -claims[2]["tape"]["values"][i].get<double>(),
                   boost::test_tools::tolerance(1e-12));
    BOOST_TEST(page["nodes"][claims[2]["node"].get<std::size_t>()]["name"] == "W");
    BOOST_TEST(page["nodes"][claims[2]["node"].get<std::size_t>()]["adjoint"]["shape"] == nlohmann::json({3, 2}));
}

BOOST_AUTO_TEST_CASE(options) {
    BOOST_TEST(run(network + " -o one.html").exit == 0);
    BOOST_TEST(run(network + " --output same.html --seed 1").exit == 0);
    BOOST_TEST(run(network + " --output other.html --seed 2").exit == 0);
    BOOST_TEST(bytes_of(folder / "one.html") == bytes_of(folder / "same.html"));
    BOOST_TEST(bytes_of(folder / "one.html") != bytes_of(folder / "other.html"));
    BOOST_TEST(run("- -o piped.html < " + network).exit == 0);
    BOOST_TEST(data_of(folder / "piped.html")["title"] == "derivation");
    BOOST_TEST(run(network + " -o data.json").exit == 0);
    BOOST_TEST(nlohmann::json::parse(bytes_of(folder / "data.json")) == data_of(folder / "one.html"));
    BOOST_TEST(run(network + " -o drawing.dot").exit == 0);
    BOOST_TEST(bytes_of(folder / "drawing.dot").starts_with("digraph"));
    const std::string notes = folder.write("notes.md", "# Notes\n\n```deriv\nfunction f\ngiven x\nlet y = f(x)\n```\n");
    const Result table = run(notes);
    BOOST_TEST(has(table.out, "tanh"), table.out);
    BOOST_TEST(has(table.out, "\n  f may be any smooth function; here it is tanh.\n"), table.out);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_and_nothing_is_written) {
    const std::string broken = folder.write("broken.deriv", "given x\nlet y = x^\n");
    refuses(broken, "broken.deriv:2:");
    refuses(folder / "nothing.deriv", "nothing.deriv");
    refuses(folder.write("empty.deriv", "given x\n"), "[explain] the file has no let, and no claim");
    refuses(folder.write("nowhere.deriv", "given x positive\nlet y = log(-x)\n"),
            "[explain] the lets have no finite values");
    refuses(broken + " -o page.html", "broken.deriv:2:");
    BOOST_TEST(!std::filesystem::exists(folder / "page.html"));
    refuses(network + " -o " + network, "one of the files that are read");
    refuses(network + " -o /dev/null", "no file");
    refuses(network + " -o " + folder / "no/page.html", "no folder");
    refuses("/dev/zero -o zero.html", "longer than a derivation may be");
    refuses("", "file");
    refuses(network + " --seed -1", "is not a whole number");
    refuses(network + " --row 1", "table");
    refuses(network + " " + network + " --seed 1", "table");
    refuses(network + " " + network, "network.deriv");
    refuses(folder.write("model.npz", "PK\3\4"), "[explain] a network is explained at a row of a table");
    BOOST_TEST(bytes_of(network) == text);
}
