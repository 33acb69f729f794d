// Derivations as recordings: the numbers of claims against those of the backward pass over arrays.
#define BOOST_TEST_MODULE explained_derivation
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <lab/explained_derivation.hpp>
#include <lab/player.hpp>
#include <lab/recording_json.hpp>
#include <map>

#include "temporary_folder.hpp"

namespace {

using lab::Claim, lab::Recording, lab::RecordedNode;

Recording explained(const std::string& text, std::uint64_t seed = 1, const std::string& file = "some/notes.deriv") {
    const derivation::Report report = derivation::check(text, {file, seed, 0});
    BOOST_REQUIRE(!report.error);
    return lab::explained(text, report);
}

double distance(const lab::Numbers& a, const lab::Numbers& b) {
    double largest = 0;
    for (std::size_t i = 0; i < b.values.size(); ++i) largest = std::max(largest, std::abs(a.values[i] - b.values[i]));
    return largest;
}

const RecordedNode& node(const Recording& recording, const std::string& name) {
    const auto found = std::ranges::find(recording.nodes, name, &RecordedNode::name);
    BOOST_REQUIRE(found != recording.nodes.end());
    return *found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_letters_count_from_is_recorded) {
    const Recording recording = explained(
        "index t, i : time = 3 from 1\nindex k = 2\ngiven x[t], w[k]\nlet L = sum(k, w[k]) * sum(t, x[t]^2)\n");
    const std::map<std::string, int> right = {{"i", 1}, {"t", 1}};
    BOOST_CHECK(recording.first == right);
    BOOST_TEST(lab::to_json(recording).find(R"("first":{"i":1,"t":1})") != std::string::npos);
    const Recording plain = explained("index k = 2\ngiven w[k]\nlet L = sum(k, w[k])\n");
    BOOST_TEST(lab::to_json(plain).find("\"first\"") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(claims_have_the_numbers_of_the_backward_pass) {
    std::size_t right = 0, wrong = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(DELTARULE_SOURCE_DIR "/examples/derivations")) {
        const std::string path = entry.path();
        // One has neither lets nor derivatives.
        if (entry.path().extension() != ".deriv" || entry.path().filename() == "quadratic_form.deriv") continue;
        BOOST_TEST_CONTEXT(path) {
            const Recording recording = explained(bytes_of(path), 1, path);
            BOOST_TEST(recording.title == entry.path().filename().string());
            for (const Claim& claim : *recording.claims) {
                if (!claim.node) continue;
                BOOST_TEST_CONTEXT(claim.text) {
                    const RecordedNode& of = recording.nodes[*claim.node];
                    BOOST_REQUIRE(claim.tape.has_value());
                    BOOST_TEST(claim.tape->shape == of.value.shape, boost::test_tools::per_element());
                    // No adjoint arrives where the loss does not depend on it.
                    for (std::size_t i = 0; i < claim.tape->values.size(); ++i)
                        BOOST_TEST(std::abs(claim.tape->values[i] - (of.adjoint ? of.adjoint->values[i] : 0)) <=
                                   1e-10 * std::max(1.0, std::abs(claim.tape->values[i])));
                    if (claim.verdict == "holds") {
                        ++right;
                        BOOST_REQUIRE(claim.value.has_value());
                        BOOST_TEST(distance(*claim.value, *claim.tape) <= 1e-8);
                    } else if (claim.verdict == "wrong") {
                        ++wrong;
                        BOOST_REQUIRE(claim.value.has_value());
                        BOOST_TEST(!(distance(*claim.value, *claim.tape) <= 1e-8));
                    }
                }
            }
        }
    }
    BOOST_TEST(right > 100u);
    BOOST_TEST(wrong > 100u);
}

BOOST_AUTO_TEST_CASE(numbers_of_the_file_stand_and_others_have_two_digits) {
    const std::string text = R"(
index i = 3
index k, n = 4
function f
function g
given x[i] = [0.125, -2, 3]
given w[k,i], y[k] onehot, q[k] probabilities, c positive
at c = 0.0625
let z[k] = c * sum(i, w[k,i] * x[i])
let a[k] = f(z[k]) + g(z[k])
let L = sum(k, (a[k] - y[k] + q[k])^2)
claim dL/dz[k] = 2 * (a[k] - y[k] + q[k]) * (1 - tanh(z[k])^2 + g'(z[k]))
)";
    const Recording recording = explained(text);
    BOOST_TEST(node(recording, "x").value.values == (std::vector<double>{0.125, -2, 3}),
               boost::test_tools::per_element());
    BOOST_TEST(node(recording, "c").value.values[0] == 0.0625);
    for (const double x : node(recording, "w").value.values) BOOST_TEST(x == std::round(x * 100) / 100);
    double total = 0;
    for (const double x : node(recording, "q").value.values) {
        BOOST_TEST(x > 0);
        BOOST_TEST(x == std::round(x * 100) / 100);
        total += x;
    }
    BOOST_TEST(std::abs(total - 1) < 1e-15);
    BOOST_TEST(node(explained(text, 2), "w").value.values != node(recording, "w").value.values);
    // The line holds with tanh alone, so that f is another here, and g not the same.
    BOOST_TEST((*recording.claims)[0].verdict == "conditional");
    BOOST_TEST((*recording.claims)[0].letters == std::vector<std::string>{"k"}, boost::test_tools::per_element());
    BOOST_TEST(recording.notes[0] == "f may be any smooth function; here it is sigmoid.");
    BOOST_TEST(recording.notes[1] == "g may be any smooth function; here it is tanh.");
    BOOST_TEST(distance(*(*recording.claims)[0].value, *(*recording.claims)[0].tape) > 1e-3);
    BOOST_TEST(*recording.source == text);
    BOOST_TEST(recording.title == "notes.deriv");
    BOOST_TEST(recording.result == recording.nodes.size() - 1);
    BOOST_TEST(*node(recording, "z").line == 9u);
    BOOST_TEST(node(recording, "z").group == "z");
    BOOST_TEST(node(recording, "w").letters == (std::vector<std::string>{"k", "i"}), boost::test_tools::per_element());
    BOOST_TEST(node(recording, "c").kind == "variable");
}

BOOST_AUTO_TEST_CASE(lets_that_are_adjoints_are_those_of_the_way_back) {
    const std::string text = R"(
index j = 3
given x[j], alpha
let a[j] = x[j]^2
let L = sum(j, a[j])^2
let delta[j] = dL/da[j]
claim delta[j] = 2 * sum(j, a[j])
claim dL/dx[j] = 2 * delta[j] * x[j]
claim dL/dx[j] = delta[j] * x[j]
update x[j] := x[j] - alpha * delta[j] * 2 * x[j]
claim L = sum(j, a[j])^2
)";
    const Recording recording = explained(text);
    BOOST_TEST(recording.notes == (std::vector<std::string>{"delta is the adjoint of a: the way back shows it."}),
               boost::test_tools::per_element());
    BOOST_TEST(recording.nodes.size() == 4u);  // x, a, sum, L
    const auto& claims = *recording.claims;
    BOOST_REQUIRE(claims.size() == 5u);
    BOOST_TEST(recording.nodes[*claims[0].node].name == "a");
    BOOST_TEST(claims[1].verdict == "holds");
    BOOST_TEST(claims[2].verdict == "wrong");
    BOOST_TEST(claims[2].repair == "2 * delta[j] * x[j]");
    for (std::size_t i = 0; i < 3; ++i)
        BOOST_TEST(claims[2].tape->values[i] == 2 * claims[2].value->values[i], boost::test_tools::tolerance(1e-12));
    BOOST_TEST(!claims[3].node.has_value());
    BOOST_TEST(!claims[3].value.has_value());
    BOOST_TEST(!claims[4].node.has_value());
    // What the result is not made of is left out, what it is made of stays.
    const Recording unused = explained(
        "index i, k = 2\ngiven x[i]\nlet y = sum(i, x[i]^3)\nlet H[i,k] = d2y/(dx[i] dx[k])\nlet t[i] = H[i,i] / 2\n");
    BOOST_TEST(unused.nodes.size() == 3u);
    BOOST_TEST(unused.notes[1] == "t is made of derivatives, and y is not made of it: it is left out.");
    const Recording used = explained("given x\nlet y = x^3\nlet g = dy/dx\nlet h = g^2\n");
    BOOST_TEST(node(used, "g").group == "backward");
}

BOOST_AUTO_TEST_CASE(a_file_without_a_scalar_let_begins_at_an_entry) {
    const Recording recording = explained("index k, n = 3\ngiven z[k]\nlet s = softmax(z)\n");
    BOOST_TEST(recording.notes[0] == "No let is one number: the walk back begins at the first entry of s.");
    const double s = node(recording, "s").value.values[0];
    BOOST_TEST(node(recording, "z").adjoint->values[0] == s * (1 - s), boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(what_a_claim_differentiates_is_recorded_where_no_let_is_a_number) {
    const Recording recording = explained(
        "index i, k = 3\ngiven A[i,k], x[i]\n"
        "claim d(x^T A x)/dx = (A + A^T) x\nclaim d(x^T A x)/dx = 2 * A x\n");
    BOOST_TEST(recording.nodes[recording.result].name == "x^T A x");
    const auto& claims = *recording.claims;
    BOOST_TEST(claims[0].verdict == "holds");
    BOOST_TEST(recording.nodes[*claims[1].node].name == "x");
    BOOST_TEST(distance(*claims[0].value, *claims[0].tape) < 1e-14);
    BOOST_TEST(distance(*claims[1].value, *claims[1].tape) > 1e-2);
}

BOOST_AUTO_TEST_CASE(every_claim_has_the_numbers_of_both_sides) {
    const Recording recording = explained(R"(
index k, n = 3
given z[k]
let s[k] = exp(z[k]) / sum(n, exp(z[n]))
let L = sum(k, s[k]^2)
at z = [0, 0, 0]
claim ds[k]/dz[n] = s[k] * ([k == n] - s[n])
claim L ~ 0.333
claim L ~ 0.4
claim s[k] = 1/3 = s[k] + 1
)");
    const auto& claims = *recording.claims;
    BOOST_TEST(claims[0].value->shape == (std::vector<std::size_t>{3, 3}), boost::test_tools::per_element());
    BOOST_TEST(distance(*claims[0].value, *claims[0].tape) < 1e-14);
    BOOST_TEST(claims[1].value->values[0] == 0.333);
    BOOST_TEST(claims[1].tape->values[0] == 1.0 / 3, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(claims[2].verdict == "wrong");
    BOOST_TEST(claims[2].value->values[0] == 0.4);
    BOOST_TEST(claims[2].value->shape.empty());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_recorded_is_said) {
    const auto says = [](const std::string& text, const std::string& sentence) {
        const derivation::Report report = derivation::check(text);
        try {
            lab::explained(text, report);
            BOOST_ERROR("nothing was said of " << text);
        } catch (const std::runtime_error& error) {
            BOOST_TEST(std::string(error.what()) == sentence);
        }
    };
    says("given x\nclaim x = x\n",
         "[explain] the file has no let, and no claim about the derivative of one number: there is nothing to record");
    says("given x positive\nlet y = log(-x)\n", "[explain] the lets have no finite values at any point that was tried");
    says("given x\nlet y = \n", "a formula is missing at the end");
}

BOOST_AUTO_TEST_CASE(names_stay_text) {
    const std::string text = "given x  # <script>alert(1)</script>\nlet y = x^2\nclaim dy/dx = 2 * x\n";
    const Recording recording = explained(text, 1, "<script>.deriv");
    const std::string page = lab::to_page(recording);
    BOOST_TEST(page.find("alert(1)</script>") == std::string::npos);
    BOOST_TEST(page.find("<script>.deriv") == std::string::npos);
    BOOST_TEST(lab::to_json(recording).find("\"claims\"") != std::string::npos);
}
