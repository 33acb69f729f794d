#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <lab/recording_json.hpp>
#include <nlohmann/json.hpp>

namespace lab {

namespace {

using nlohmann::json;

/// Numbers of a recording in float have the digits that a float needs, and read back as that float.
class Writer {
  public:
    explicit Writer(const Recording& recording) : is_float_(recording.precision == "float"), recording_(recording) {}

    /// Node by node, as the whole of a long recording would take many times its memory.
    std::string whole() const {
        std::string text = fmt::format("{{\"format\":1,\"title\":{},\"precision\":{},\"result\":{}",
                                       dumped(recording_.title), dumped(recording_.precision), recording_.result);
        std::size_t id = 0;
        text += list("nodes", recording_.nodes, [&](const RecordedNode& one) { return node(id++, one); });
        text += list("backward", recording_.backward, [&](const BackwardStep& one) { return step(one); });
        text += list("memory", recording_.memory, [](const Held& held) {
            return json{{"after", held.after}, {"bytes", held.bytes}};
        });
        if (recording_.claims) text += list("claims", *recording_.claims, [&](const Claim& one) { return claim(one); });
        if (recording_.source) text += ",\"source\":" + dumped(*recording_.source);
        if (!recording_.notes.empty()) text += ",\"notes\":" + dumped(recording_.notes);
        return text + "}";
    }

  private:
    static std::string dumped(const json& one) { return one.dump(-1, ' ', false, json::error_handler_t::replace); }

    template <class List, class F>
    static std::string list(const char* name, const List& all, const F& f) {
        std::string text = fmt::format(",\n\"{}\":[", name);
        for (const auto& one : all) {
            if (&one != all.data()) text += ",\n";
            text += dumped(f(one));
        }
        return text + "]";
    }

    json number(double value) const {
        if (std::isnan(value)) return "nan";
        if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
        if (!is_float_) return value;
        const std::string digits = fmt::format("{}", static_cast<float>(value));
        double shortest = value;
        fast_float::from_chars(digits.data(), digits.data() + digits.size(), shortest);
        return shortest;
    }

    json array(const Numbers& numbers) const {
        json result = {{"shape", numbers.shape}, {"values", json::array()}};
        for (const double value : numbers.values) result["values"].push_back(number(value));
        if (numbers.sampled.empty()) return result;
        result["sampled"] = numbers.sampled;
        result["least"] = number(numbers.least);
        result["largest"] = number(numbers.largest);
        return result;
    }
    json array(const std::optional<Numbers>& numbers) const { return numbers ? array(*numbers) : json(); }

    static json formula(const std::optional<Formula>& one) {
        return one ? json{{"text", one->text}, {"mathml", "<math>" + one->mathml + "</math>"}} : json();
    }

    json node(std::size_t id, const RecordedNode& one) const {
        json derivatives = json::array();
        for (const auto& derivative : one.derivatives) derivatives.push_back(formula(derivative));
        return {{"id", id},
                {"name", one.name},
                {"operation", one.operation},
                {"kind", one.kind},
                {"inputs", one.inputs},
                {"shape", one.value.shape},
                {"group", one.group},
                {"letters", one.letters},
                {"line", one.line ? json(*one.line) : json()},
                {"formula", formula(one.formula)},
                {"derivatives", derivatives},
                {"value", array(one.value)},
                {"adjoint", array(one.adjoint)},
                {"digits", one.digits ? json(*one.digits) : json()}};
    }

    json step(const BackwardStep& one) const {
        json contributions = json::array();
        for (const Contribution& part : one.contributions)
            contributions.push_back({{"to", part.to}, {"input", part.input}, {"value", array(part.value)}});
        return {{"node", one.node}, {"contributions", contributions}, {"bytes", one.bytes}};
    }

    json claim(const Claim& one) const {
        return {{"line", one.line},          {"text", one.text},       {"verdict", one.verdict},
                {"reason", one.reason},      {"repair", one.repair},   {"node", one.node ? json(*one.node) : json()},
                {"value", array(one.value)}, {"tape", array(one.tape)}};
    }

    bool is_float_;
    const Recording& recording_;
};

}  // namespace

std::string to_json(const Recording& recording) { return Writer(recording).whole(); }

}  // namespace lab
