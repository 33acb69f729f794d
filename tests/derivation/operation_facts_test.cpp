// The facts beside the rules: every operation that is recorded has some, all are of an operation that is recorded, and
// where the language of derivations can say them, the checker finds that they hold.
#define BOOST_TEST_MODULE operation_facts
#include <autograd/operations/operation_facts.hpp>
#include <boost/test/unit_test.hpp>
#include <derivation/derivation.hpp>
#include <regex>
#include <set>

#include "autograd/operations_table.hpp"

namespace {

/// The names of all that the table's formulas and their derivatives record.
std::set<std::string> recorded_names() {
    std::set<std::string> names;
    for (const Operation& operation : operations())
        for (const Variant& variant : operation.variants) {
            Tape<double> tape;
            Inputs<double> inputs;
            for (const A& input : sample(variant, variant.samples.front(), 1)) inputs.push_back(tape.variable(input));
            const auto z = sum(variant.of(inputs));
            for (const auto& gradient : grad(z, inputs)) grad(sum(gradient * gradient), inputs);
            for (std::uint32_t i = 0; i < tape.size(); ++i) names.insert(node_at(tape, i).operation);
        }
    for (const char* leaf : {"variable", "constant", "parameter"}) names.erase(leaf);
    return names;
}

}  // namespace

BOOST_AUTO_TEST_CASE(whatever_is_recorded_has_facts) {
    std::set<std::string> known;
    std::set<const char*> rules;  // several may be recorded under one name
    std::set<std::pair<std::string, std::string>> formulas;
    for (const Facts& facts : all_facts()) {
        known.insert(facts.name);
        BOOST_TEST(rules.insert(facts.name).second, facts.name << " has its facts in two places");
        BOOST_TEST(formulas.emplace(facts.name, facts.formula).second, facts.name << " has its facts in two places");
    }
    const std::set<std::string> recorded = recorded_names();
    BOOST_TEST(recorded.size() > 40u);
    for (const std::string& name : recorded) BOOST_TEST(known.contains(name), name << " has no facts beside its rule");
    for (const std::string& name : known)
        BOOST_TEST(recorded.contains(name), "no formula of the table records " << name);
}

BOOST_AUTO_TEST_CASE(facts_are_known_by_name) {
    BOOST_TEST_REQUIRE(facts_of("exp") != nullptr);
    BOOST_TEST(facts_of("exp")->formula == std::string("exp(x)"));
    BOOST_TEST(facts_of("mine") == nullptr);
}

// What a page prints as the derivative of an elementwise function is judged by the tape itself.
BOOST_AUTO_TEST_CASE(derivatives_hold_as_they_are_printed) {
    std::size_t judged = 0;
    for (const char* name : {"add", "sub", "mul", "div", "neg", "exp", "expm1", "log", "log1p", "sin", "cos", "tanh",
                             "logaddexp", "sqrt", "pow", "sigmoid", "relu", "softplus", "silu"}) {
        const Facts* facts = facts_of(name);
        BOOST_TEST_REQUIRE(facts != nullptr, name << " has no facts");
        std::string text = "given x positive\ngiven y positive\nlet z = " + std::string(facts->formula) + "\n";
        const std::string derivative = std::regex_replace(facts->derivative, std::regex("\\bzbar\\b"), "1");
        const std::regex part("([xy])bar \\+= ([^;]+)");
        for (std::sregex_iterator found(derivative.begin(), derivative.end(), part), end; found != end;
             ++found, ++judged)
            text += "claim dz/d" + (*found)[1].str() + " = " + (*found)[2].str() + "\n";
        const derivation::Report report = derivation::check(text);
        BOOST_TEST(report.exit_code() == 0, to_text(report) << text);
    }
    BOOST_TEST(judged == 25u);
}
