// The lessons: which of their lines are wrong and what is said of them, the numbers that they quote, and what the
// player shows of their networks.
#define BOOST_TEST_MODULE lessons
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <derivation/derivation.hpp>
#include <filesystem>
#include <functional>
#include <lab/explained_derivation.hpp>
#include <map>
#include <regex>
#include <set>

#include "temporary_folder.hpp"

namespace {

struct Lesson {
    std::string name;
    std::map<std::string, std::string> wrong;  ///< the lines that do not hold: label, and what is said of each
    std::string result;                        ///< where the way back begins
    double value;                              ///< of it
    std::map<std::string, std::vector<double>> adjoints;
    std::vector<std::string> notes = {};
};

/// The loss of the fifth lesson at its two times, and the slope of it.
double spring(double v, double w) {
    const auto residual = [&](double t) { return (1 - w * w) * v * std::sin(w * t); };
    return (std::pow(residual(0.5), 2) + std::pow(residual(1), 2)) / 2;
}
double slope(const std::function<double(double)>& f, double x) { return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5; }

const std::vector<Lesson>& lessons() {
    static const std::vector<Lesson> all = {
        {"1_one_neuron",
         {{"1b", "The number is another one"},
          {"2b", "a * (1 - a) belongs here."},
          {"4a", "The factor a * (1 - a) is missing."},
          {"4b", "w[i] stands where x[i] belongs."},
          {"4d", "The sign is the wrong one."},
          {"5a", "The input of a bias is 1: the factor b should not be there."},
          {"7c", "The number is another one"},
          {"8a", "The update goes the wrong way"}},
         "E",
         0.125,
         {{"a", {-0.5}}, {"z", {-0.125}}, {"w", {-0.25, -0.5}}, {"x", {-0.125, 0.125}}},
         {"delta is the adjoint of z: the way back shows it."}},
        {"2_coursework",
         {{"2a", "A sum is missing: every k counts, not k alone."},
          {"3a", "The sign is the wrong one."},
          {"3c", "it cancels in the cross-entropy."},
          {"5b", "z1[j] stands where a1[j] belongs."},
          {"6a", "A sum over k is missing."},
          {"6b", "The factor f'(z1[j]) is missing."},
          {"6c", "A product of sums stands for a sum of products."},
          {"6d", "f' is taken at a1[j], not at z1[j]."},
          {"8b", "The number is another one"},
          {"9a", "A sum over i that should not be there: x[i] alone belongs here."},
          {"9b", "the adjoint beside it holds it already."}},
         "C",
         std::log(3),
         {{"z2", {-2. / 3, 1. / 3, 1. / 3}},
          {"w2", {-1. / 3, -1. / 3, 1. / 6, 1. / 6, 1. / 6, 1. / 6}},
          {"a1", {-1, 1}},
          {"z1", {-0.25, 0.25}},
          {"w1", {-0.5, -0.25, 0.5, 0.25}}},
         {"delta2 is the adjoint of z2: the way back shows it.",
          "delta1 is the adjoint of z1: the way back shows it."}},
        {"3_batches",
         {{"2a", "The 1/N of the mean is missing"},
          {"3a", "A sum over s is missing."},
          {"3b", "A sum over s is missing."},
          {"3c", "The 1/N stands here twice"},
          {"3d", "A product of sums stands for a sum of products."},
          {"3g", "The number is another one"},
          {"4a", "A sum over s is missing."},
          {"4b", "The 1/N stands here twice"},
          {"5a", "A sum over s that should not be there"},
          {"6a", "A sum over s is missing."},
          {"6b", "A product of sums stands for a sum of products."}},
         "L",
         1.5,
         {{"o", {0.5, -0.5, 0, 1}}, {"w", {2.5, 0.5}}, {"b", {1}}, {"x", {0.5, -0.5, -0.5, 0.5, 0, 0, 1, -1}}},
         {"delta is the adjoint of o: the way back shows it."}},
        {"4_transposes",
         {{"2a", "W must be transposed here."},
          {"3a", "their letters change places."},
          {"5b", "x delta^T must be transposed here."},
          {"5d", "It stands transposed: i and j have changed places."},
          {"6a", "do not fit in a product. V must be transposed here."},
          {"8b", "do not fit in a product. V stands transposed."}},
         "L",
         1,
         {{"z", {1, -1}}, {"x", {1, 1}}, {"W", {1, 1, -1, -1}}},
         {"delta is the adjoint of z: the way back shows it."}},
        {"5_second_derivatives",
         {{"1a", "The factor w is missing."},
          {"3a", "The factor w is missing."},
          {"3b", "The sign is the wrong one."},
          {"6a", ""},
          {"7a", "acceleration[s] is missing, with which u[s] is r[s]."}},
         "L",
         spring(1, 2),
         {{"v", {slope([](double v) { return spring(v, 2); }, 1)}},
          {"w", {slope([](double w) { return spring(1, w); }, 2)}},
          {"r", {-3 * std::sin(1.), -3 * std::sin(2.)}}}},
    };
    return all;
}

const std::string folder = DELTARULE_SOURCE_DIR "/examples/lessons/";
std::string text_of(const Lesson& lesson) { return bytes_of(folder + lesson.name + ".md"); }
derivation::Report report_of(const Lesson& lesson) {
    return derivation::check(text_of(lesson), {lesson.name + ".md", 1, 0});
}

/// What stands outside of fenced blocks.
std::string prose_of(const std::string& text) {
    static const std::regex fence("```[^`]*```");
    return std::regex_replace(text, fence, "");
}

std::vector<std::smatch> all_of(const std::string& text, const std::regex& pattern) {
    return {std::sregex_iterator(text.begin(), text.end(), pattern), std::sregex_iterator()};
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_lines_that_are_wrong_are_those_that_are_meant_to_be) {
    for (const Lesson& lesson : lessons()) {
        const derivation::Report report = report_of(lesson);
        BOOST_REQUIRE(!report.error);
        std::set<std::string> labels;
        for (const derivation::LineReport& line : report.lines)
            BOOST_TEST_CONTEXT(lesson.name << " (" << line.label << ")") {
                BOOST_TEST(labels.insert(line.label).second, "the label is not its own");
                const auto wrong = lesson.wrong.find(line.label);
                const bool is_wrong =
                    line.verdict == derivation::Verdict::wrong || line.verdict == derivation::Verdict::ill_formed;
                if (wrong == lesson.wrong.end()) {
                    BOOST_TEST((line.verdict == derivation::Verdict::holds), line.reason);
                } else {
                    BOOST_TEST(is_wrong);
                    BOOST_TEST(line.reason.find(wrong->second) != std::string::npos, line.reason);
                }
            }
        for (const auto& [label, reason] : lesson.wrong) BOOST_TEST(labels.contains(label), lesson.name << label);
        // The text speaks of lines that there are, and each line belongs to a question.
        const std::string prose = prose_of(text_of(lesson));
        for (const std::smatch& line : all_of(prose, std::regex("\\((\\d[a-z]?)\\)")))
            BOOST_TEST(labels.contains(line[1]), lesson.name << " speaks of " << line[0]);
    }
}

BOOST_AUTO_TEST_CASE(no_verdict_depends_on_the_seed) {
    for (const Lesson& lesson : lessons())
        for (std::uint64_t seed = 2; seed < 6; ++seed)
            for (const derivation::LineReport& line : derivation::check(text_of(lesson), {lesson.name, seed, 0}).lines)
                BOOST_TEST((line.verdict == derivation::Verdict::holds) == !lesson.wrong.contains(line.label),
                           lesson.name << " (" << line.label << ") seed " << seed << ": " << line.reason);
}

BOOST_AUTO_TEST_CASE(the_numbers_of_the_text_are_those_of_lines_that_hold) {
    static const std::regex number("-?\\d+\\.\\d+");
    for (const Lesson& lesson : lessons()) {
        std::set<std::string> said;
        for (const derivation::LineReport& line : report_of(lesson).lines)
            if (line.verdict == derivation::Verdict::holds)
                for (const std::smatch& one : all_of(line.text, number)) said.insert(one[0]);
        const std::string prose = prose_of(text_of(lesson));
        for (const std::smatch& one : all_of(prose, number))
            BOOST_TEST(said.contains(one[0]), lesson.name << " says " << one[0]);
    }
}

BOOST_AUTO_TEST_CASE(the_player_shows_arrays_with_the_numbers_of_a_calculation_by_hand) {
    for (const Lesson& lesson : lessons()) BOOST_TEST_CONTEXT(lesson.name) {
            const lab::Recording recording = lab::explained(text_of(lesson), report_of(lesson));
            BOOST_TEST(recording.notes == lesson.notes, boost::test_tools::per_element());
            const lab::RecordedNode& result = recording.nodes[recording.result];
            BOOST_TEST(result.name == lesson.result);
            BOOST_TEST(result.value.values[0] == lesson.value, boost::test_tools::tolerance(1e-12));
            for (const auto& [name, values] : lesson.adjoints) BOOST_TEST_CONTEXT(name) {
                    const auto node = std::ranges::find(recording.nodes, name, &lab::RecordedNode::name);
                    BOOST_REQUIRE((node != recording.nodes.end() && node->adjoint));
                    BOOST_REQUIRE(node->adjoint->values.size() == values.size());
                    for (std::size_t i = 0; i < values.size(); ++i)
                        BOOST_TEST(std::abs(node->adjoint->values[i] - values[i]) < 1e-8,
                                   node->adjoint->values[i] << " is not " << values[i]);
                }
            // An array that is put together of its entries has steps that belong to no line.
            for (const lab::RecordedNode& node : recording.nodes)
                BOOST_TEST((node.operation != "take" && node.operation != "concatenate"), node.name);
        }
}

BOOST_AUTO_TEST_CASE(every_lesson_is_tried_and_ends_with_a_prediction) {
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) files.insert(entry.path().filename());
    BOOST_TEST(files.size() == lessons().size());
    for (const Lesson& lesson : lessons()) {
        BOOST_TEST(files.contains(lesson.name + ".md"));
        const std::string text = text_of(lesson);
        const std::size_t last = text.rfind("\n## ");
        BOOST_TEST(text.substr(last + 1, 16) == "## Predict first");
        BOOST_TEST(text.find("](" + lesson.name + ".html#step=", last) != std::string::npos);
        BOOST_TEST(text.find("&predict)", last) != std::string::npos);
    }
}
