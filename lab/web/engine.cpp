// What the worker of the live page asks for: a question in JSON, and its answer in JSON.
#include <cstdint>
#include <derivation/derivation.hpp>
#include <lab/explained_derivation.hpp>
#include <lab/exported_derivation.hpp>
#include <lab/recording_json.hpp>
#include <lab/trained_derivation.hpp>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using nlohmann::json;

std::string dumped(const json& one) { return one.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string member(const char* name, const std::string& value) {
    return "{\"" + std::string(name) + "\":" + value + "}";
}

std::string answer_to(const json& question) {
    const auto text = question.at("text").get<std::string>();
    const auto ask = question.at("ask").get<std::string>();
    if (ask == "rewrite") {
        const bool as_latex = question.at("notation") == "latex";
        return member("text", dumped(derivation::rewritten(
                                  text, as_latex ? derivation::Notation::latex : derivation::Notation::text)));
    }
    const derivation::Report report =
        derivation::check(text, {question.value("file", "-"), question.value("seed", std::uint64_t{1}),
                                 question.value("line", std::size_t{0})});
    if (ask == "check") return member("report", derivation::to_json({report}));
    if (report.error) throw std::runtime_error(derivation::to_text(report));
    const auto given = question.value("given", lab::Given());
    if (ask == "explain") return member("recording", lab::to_json(lab::explained(text, report, given)));
    if (ask == "train") {
        lab::TrainOptions options;
        options.steps = question.value("steps", options.steps);
        if (question.contains("rate")) options.rate = question.at("rate").get<double>();
        if (question.contains("learned")) options.learned = question.at("learned").get<std::vector<std::string>>();
        if (question.contains("held"))
            options.parted = {question.at("kept").get<std::string>(), question.at("held").get<std::string>()};
        return member("training", lab::to_json(lab::trained(text, report, options)));
    }
    if (ask == "regions") {
        const auto map = lab::regions(text, report, given, question.value("learned", std::vector<std::string>()));
        return member("regions", map ? lab::to_json(*map) : "null");
    }
    if (ask == "cpp") return member("text", dumped(lab::to_cpp(text, report)));
    if (ask == "report") return member("html", dumped(derivation::to_html({report})));
    throw std::invalid_argument("[engine] nothing is known of '" + ask + "'");
}

std::string question, answered;

}  // namespace

extern "C" {

/// Where a question of so many bytes is written.
char* room(std::size_t bytes) {
    question.resize(bytes);
    return question.data();
}

/// The answer to what was written there, which ends with a zero.
const char* answer() {
    try {
        answered = answer_to(json::parse(question));
    } catch (const std::bad_alloc&) {
        answered = R"({"error":"There is not enough memory for this."})";
    } catch (const std::exception& error) {
        answered = member("error", dumped(error.what()));
    }
    return answered.c_str();
}
}
