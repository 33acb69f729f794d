#include <derivation/derivation.hpp>
#include <derivation/report/json.hpp>
#include <nlohmann/json.hpp>

namespace derivation {

namespace json_text {

using nlohmann::json;

std::string number(double value) { return json(value).dump(); }
std::string number(std::size_t value) { return std::to_string(value); }

std::string quoted(const std::string& text) { return json(text).dump(-1, ' ', false, json::error_handler_t::replace); }
std::string quoted_or_null(const std::string& text) { return text.empty() ? "null" : quoted(text); }

namespace {

template <class T>
std::string number_or_null(const std::optional<T>& value) {
    return value ? number(*value) : "null";
}

/// The part of the line that is at fault, in bytes of its text.
std::string caret(const LineReport& one) {
    return one.caret_end == 0 ? "null" : "[" + number(one.caret_begin) + ", " + number(one.caret_end) + "]";
}

std::string list(const std::vector<std::string>& texts) {
    std::vector<std::string> all;
    for (const std::string& text : texts) all.push_back(quoted(text));
    return enclosed('[', all, ']');
}

}  // namespace

/// An end of a line within a text is `\n`.
std::string enclosed(char open, const std::vector<std::string>& parts, char close) {
    std::string result(1, open);
    for (const std::string& part : parts) {
        result += &part == parts.data() ? "\n  " : ",\n  ";
        for (const char c : part) result += c == '\n' ? std::string("\n  ") : std::string(1, c);
    }
    return result + (parts.empty() ? "" : "\n") + close;
}

std::string object(const std::vector<std::pair<std::string, std::string>>& members) {
    std::vector<std::string> parts;
    for (const auto& [name, value] : members) parts.push_back(quoted(name) + ": " + value);
    return enclosed('{', parts, '}');
}

std::string of_line(const LineReport& one) {
    std::vector<std::pair<std::string, std::string>> index;
    for (const auto& [letter, value] : one.index) index.emplace_back(letter, std::to_string(value));
    return object({{"line", number(one.line)},
                   {"kind", quoted(one.kind)},
                   {"label", quoted_or_null(one.label)},
                   {"text", quoted(one.text)},
                   {"verdict", quoted(verdict_names[static_cast<std::size_t>(one.verdict)])},
                   {"member", number_or_null(one.member)},
                   {"index", index.empty() ? "null" : object(index)},
                   {"expected", number_or_null(one.expected)},
                   {"got", number_or_null(one.got)},
                   {"reason", quoted_or_null(one.reason)},
                   {"mistake", quoted_or_null(one.mistake)},
                   {"repair", quoted_or_null(one.repair)},
                   {"condition", quoted_or_null(one.condition)},
                   {"because_of", number_or_null(one.because_of)},
                   {"notes", list(one.notes)},
                   {"caret", caret(one)},
                   {"members_mathml", list(one.members_mathml)},
                   {"repair_mathml", quoted_or_null(one.repair_mathml)}});
}

std::string of_error(const ReadError& error) {
    return object(
        {{"line", number(error.line)}, {"column", number(error.column)}, {"sentence", quoted(error.sentence)}});
}

}  // namespace json_text

namespace {

using namespace json_text;

std::string report_object(const Report& report) {
    std::vector<std::pair<std::string, std::string>> counts;
    for (std::size_t v = 0; v < verdict_names.size(); ++v)
        counts.emplace_back(verdict_names[v], number(report.count(static_cast<Verdict>(v))));
    std::vector<std::string> lines;
    for (const LineReport& one : report.lines) lines.push_back(of_line(one));
    std::vector<std::pair<std::string, std::string>> members = {
        {"file", quoted(report.file)}, {"counts", object(counts)}, {"lines", enclosed('[', lines, ']')}};
    if (report.error) members.emplace_back("error", of_error(*report.error));
    return object(members);
}

}  // namespace

std::string to_json(const std::vector<Report>& reports) {
    if (reports.size() == 1) return report_object(reports[0]) + "\n";
    std::vector<std::string> all;
    for (const Report& report : reports) all.push_back(report_object(report));
    return enclosed('[', all, ']') + "\n";
}

}  // namespace derivation
