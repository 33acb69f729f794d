// The facts beside the rules: every operation that is recorded has some, all are of an operation that is recorded, and
// where the language of derivations can say them, the checker finds that they hold.
#define BOOST_TEST_MODULE operation_facts
#include <autograd/operations/operation_facts.hpp>
#include <boost/test/unit_test.hpp>
#include <derivation/derivation.hpp>
#include <map>
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

// What a page prints as the derivative of a function of numbers is judged by the tape itself: of every rule whose facts
// are formulas of the language.
BOOST_AUTO_TEST_CASE(derivatives_hold_as_they_are_printed) {
    std::size_t judged = 0;
    std::set<std::string> names;
    for (const Facts& facts : all_facts()) {
        // "z, u = 2 * x" defines u first; zbar is 1.
        const std::string whole = facts.formula,
                          derivative = std::regex_replace(facts.derivative, std::regex("\\bzbar\\b"), "1");
        const std::size_t comma = whole.find(", u = ");
        std::string text;
        for (const char* given : {"x", "y", "c", "d", "t"}) text += std::string("given ") + given + " positive\n";
        if (comma == whole.npos) text += "given u\n";
        if (comma != whole.npos) text += "let " + whole.substr(comma + 2) + "\n";
        text += "let z = " + whole.substr(0, comma) + "\n";
        const std::regex part("([a-z]+)bar [+]= ([^;]+)");
        std::size_t parts = 0;
        for (std::sregex_iterator found(derivative.begin(), derivative.end(), part), end; found != end;
             ++found, ++parts)
            text += "claim dz/d" + (*found)[1].str() + " = " + (*found)[2].str() + "\n";
        const derivation::Report report = derivation::check(text);
        if (report.error || report.count(derivation::Verdict::ill_formed) > 0 ||
            facts.derivative == std::string("none"))
            continue;
        BOOST_TEST(report.exit_code() == 0, to_text(report) << text);
        names.insert(facts.name);
        judged += parts;
    }
    for (const char* name : {"abs",        "add",           "bell", "binary_cross_entropy_with_logits",
                             "cos",        "div",           "exp",  "expm1",
                             "hinge_loss", "kl_divergence", "log",  "log1p",
                             "logaddexp",  "mul",           "neg",  "pow",
                             "relu",       "sigmoid",       "silu", "sin",
                             "softplus",   "sqrt",          "sub",  "tanh"})
        BOOST_TEST(names.contains(name), name << " has facts that the checker cannot read");
    BOOST_TEST(judged >= 46u);  // several rules have one name, as x / c and c / x
}

// The same of arrays. Words, and what the language has no name for, are put into formulas first.
BOOST_AUTO_TEST_CASE(derivatives_of_arrays_hold_as_they_are_printed) {
    const std::map<std::string, std::string> operands = {
        {"x @ y", "x[i,j], y[j,k], zbar[i,k]"},
        {"x @ y^T", "x[i,j], y[k,j], zbar[i,k]"},
        {"x^T @ y", "x[j,i], y[j,k], zbar[i,k]"},
        {"x @ w^T", "x[i,j], w[k,j], zbar[i,k]"},
        {"x @ w^T + b", "x[i,j], w[k,j], b[k], zbar[i,k]"},
        {"sum(x)", "x[j], zbar"},
        {"sum(x) / n", "x[j], zbar"},
        {"sum((x - m)^2) / c, m = mean(x)", "x[j], zbar"},
        {"sqrt(sum(x^2))", "x[j], zbar"},
        {"prod(x)", "x[j], zbar"},
        {"log(sum(exp(x)))", "x[j], zbar"},
        {"exp(x) / sum(exp(x))", "x[j], zbar[j]"},
        {"x - log(sum(exp(x)))", "x[j], zbar[j]"},
        {"u * w + b, u = (x - m) * r, r = 1 / sqrt(variance(x) + epsilon), m = mean(x)", "x[j], w[j], b[j], zbar[j]"},
        {"-s * sum(t * log(p)), p = softmax(x), s = 1 or 1 / rows", "x[j], t[j], zbar"},
        {"det(x)", "x[k,l] invertible, zbar"},
        {"log(det(x))", "x[k,l] invertible, zbar"},
        {"x^-1", "x[k,l] invertible, zbar[k,l]"},
        {"x^-1 @ y", "x[k,l] invertible, y[k,j], zbar[k,j]"}};
    const std::pair<std::string, std::string> said[] = {{"the product of all others", "z / x"},
                                                        {"cofactors(x)", "det(x) * x^-T"},
                                                        {"variance(x)", "mean((x - m)^2)"},
                                                        {" or 1 / rows", ""}};
    const auto in_formulas = [&](std::string text) {
        for (const auto& [words, formula] : said)
            if (const std::size_t at = text.find(words); at != text.npos) text.replace(at, words.size(), formula);
        return text;
    };
    // "u * w, u = x - m, m = mean(x)" defines m first.
    const auto lets_of = [](std::string& text) {
        const std::regex last(", ([a-z]+) = ([^,]+)$");
        std::string lets;
        for (std::smatch found; std::regex_search(text, found, last); text = std::string(found.prefix()))
            lets += "let " + found[1].str() + " = " + found[2].str() + "\n";
        return lets;
    };
    std::size_t judged = 0;
    for (const Facts& facts : all_facts()) {
        const auto found = operands.find(facts.formula);
        if (found == operands.end()) continue;
        const std::string& given = found->second;
        std::string value = in_formulas(facts.formula), lets, claims;
        const std::string before = lets_of(value);
        const std::regex semicolon("; "), rule("([a-z]+)bar ([+-])= ([^,]+)(, summed over the rows)?.*");
        const std::string derivative = in_formulas(facts.derivative);
        for (std::sregex_token_iterator part(derivative.begin(), derivative.end(), semicolon, -1), end; part != end;
             ++part) {
            std::string text = part->str();
            lets += lets_of(text);
            std::smatch is;
            BOOST_TEST_REQUIRE(std::regex_match(text, is, rule), facts.name << ": " << text);
            // (x[j] is one row)
            const bool summed = is[4].matched && given.find("x[i") != given.npos;
            claims += "claim dL/d" + is[1].str() + " = " + (is[2] == "-" ? "-" : "") + (summed ? "sum(" : "(") +
                      is[3].str() + (summed ? ", axis=0)\n" : ")\n");
        }
        const std::string text =
            "index i = 2\nindex j = 4\nindex k, l = 3\n"
            "given n positive, c positive, epsilon positive\ngiven " +
            given + "\n" + before + "let z = " + value +
            "\nlet L = " + (given.ends_with(", zbar") ? "zbar * z\n" : "sum(zbar * z)\n") + lets + claims;
        const derivation::Report report = derivation::check(text);
        BOOST_TEST(report.exit_code() == 0, to_text(report) << text);
        judged += report.lines.size();
    }
    BOOST_TEST(judged >= 28u);
}
