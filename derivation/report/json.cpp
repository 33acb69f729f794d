#include <derivation/derivation.hpp>
#include <nlohmann/json.hpp>

namespace derivation {

namespace {

using nlohmann::ordered_json;

ordered_json or_null(const std::string& text) { return text.empty() ? ordered_json(nullptr) : ordered_json(text); }

template <class T>
ordered_json or_null(const std::optional<T>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json object_of(const Report& report) {
    ordered_json counts = ordered_json::object();
    for (std::size_t v = 0; v < verdict_names.size(); ++v)
        counts[verdict_names[v]] = report.count(static_cast<Verdict>(v));
    ordered_json lines = ordered_json::array();
    for (const LineReport& one : report.lines) {
        ordered_json index = nullptr;
        for (const auto& [letter, value] : one.index) index[letter] = value;
        lines.push_back({{"line", one.line},
                         {"kind", one.kind},
                         {"label", or_null(one.label)},
                         {"text", one.text},
                         {"verdict", verdict_names[static_cast<std::size_t>(one.verdict)]},
                         {"member", or_null(one.member)},
                         {"index", index},
                         {"expected", or_null(one.expected)},
                         {"got", or_null(one.got)},
                         {"reason", or_null(one.reason)},
                         {"mistake", or_null(one.mistake)},
                         {"repair", or_null(one.repair)},
                         {"condition", or_null(one.condition)},
                         {"because_of", or_null(one.because_of)}});
    }
    ordered_json result = {{"file", report.file}, {"counts", counts}, {"lines", lines}};
    if (report.error)
        result["error"] = {
            {"line", report.error->line}, {"column", report.error->column}, {"sentence", report.error->sentence}};
    return result;
}

}  // namespace

std::string to_json(const std::vector<Report>& reports) {
    ordered_json result = ordered_json::array();
    for (const Report& report : reports) result.push_back(object_of(report));
    return (reports.size() == 1 ? result[0] : result).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
           "\n";
}

}  // namespace derivation
