#include <fast_float/fast_float.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <lab/json_number.hpp>
#include <lab/recording_json.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace lab {

namespace {

using nlohmann::json;

bool are_same(const Numbers& a, const Numbers& b) {
    const auto same = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
    return std::ranges::equal(a.values, b.values, same) && same(a.least, b.least) && same(a.largest, b.largest) &&
           same(a.length, b.length);
}

/// What all steps of a training have in common, as text: nodes, and which arrays there are.
std::vector<std::string> outline(const Recording& recording) {
    const auto of = [](const std::optional<Numbers>& numbers) {
        return numbers ? fmt::format("({})", fmt::join(numbers->shape, ", ")) : "none";
    };
    std::vector<std::string> parts = {
        fmt::format("a walk back in {} from node {}", recording.precision, recording.result)};
    for (const RecordedNode& one : recording.nodes)
        parts.push_back(fmt::format("{}, {}({}) of shape {}{}{}", one.name,
                                    one.operation.empty() ? one.kind : one.operation, fmt::join(one.inputs, ", "),
                                    of(one.value), one.adjoint ? ", with an adjoint" : "",
                                    one.digits ? ", with its digits" : ""));
    for (const BackwardStep& step : recording.backward)
        for (const Contribution& part : step.contributions)
            parts.push_back(fmt::format("what node {} adds to {} as its input {}", step.node, part.to, part.input));
    for (const Claim& claim : recording.claims.value_or(std::vector<Claim>()))
        parts.push_back(fmt::format("the claim of line {} with numbers of shapes {} and {}", claim.line,
                                    of(claim.value), of(claim.tape)));
    return parts;
}

/// Numbers of a recording in float have the digits that a float needs, and read back as that float.
class Writer {
  public:
    explicit Writer(const Recording& recording) : is_float_(recording.precision == "float"), recording_(recording) {}

    /// Node by node, as the whole of a long recording would take many times its memory.
    std::string whole(const std::vector<Recording>& training = {}) const {
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
        if (!recording_.first.empty()) text += ",\"first\":" + dumped(recording_.first);
        if (!recording_.notes.empty()) text += ",\"notes\":" + dumped(recording_.notes);
        for (std::size_t i = 1; i < training.size(); ++i)
            text += (i == 1 ? ",\n\"training\":[" : ",\n") + later(training[i], training[i - 1]);
        return text + (training.size() > 1 ? "]}" : "}");
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
        if (!is_float_ || !std::isfinite(value)) return json_number(value);
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
        result["length"] = number(numbers.length);
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
        return {{"line", one.line},          {"text", one.text},        {"verdict", one.verdict},
                {"reason", one.reason},      {"repair", one.repair},    {"node", one.node ? json(*one.node) : json()},
                {"value", array(one.value)}, {"tape", array(one.tape)}, {"letters", one.letters}};
    }

    // ---- of a later step what has changed since the one before

    void put(json& into, const char* name, const std::optional<Numbers>& now,
             const std::optional<Numbers>& before) const {
        if (now && !are_same(*now, *before)) into[name] = array(*now);
    }

    std::string later(const Recording& now, const Recording& before) const {
        json nodes = json::array(), backward = json::array(), claims = json::array();
        for (std::size_t i = 0; i < now.nodes.size(); ++i) {
            const RecordedNode &a = now.nodes[i], &b = before.nodes[i];
            json& changed = nodes.emplace_back(json::object());
            put(changed, "value", a.value, b.value);
            put(changed, "adjoint", a.adjoint, b.adjoint);
            if (a.digits != b.digits) changed["digits"] = *a.digits;
        }
        for (std::size_t i = 0; i < now.backward.size(); ++i) {
            json& contributions = backward.emplace_back(json{{"contributions", json::array()}})["contributions"];
            for (std::size_t k = 0; k < now.backward[i].contributions.size(); ++k)
                put(contributions.emplace_back(json::object()), "value", now.backward[i].contributions[k].value,
                    before.backward[i].contributions[k].value);
        }
        if (now.claims)
            for (std::size_t i = 0; i < now.claims->size(); ++i) {
                json& changed = claims.emplace_back(json::object());
                put(changed, "value", (*now.claims)[i].value, (*before.claims)[i].value);
                put(changed, "tape", (*now.claims)[i].tape, (*before.claims)[i].tape);
            }
        json all = {{"nodes", nodes}, {"backward", backward}};
        if (now.claims) all["claims"] = claims;
        return dumped(all);
    }

    bool is_float_;
    const Recording& recording_;
};

}  // namespace

std::string to_json(const Recording& recording) { return Writer(recording).whole(); }

std::string to_json(const std::vector<Recording>& training) {
    if (training.empty()) throw std::invalid_argument("[to_json] the training has no step");
    const std::vector<std::string> first = outline(training[0]);
    for (std::size_t step = 1; step < training.size(); ++step) {
        const std::vector<std::string> other = outline(training[step]);
        const auto [at, there] = std::ranges::mismatch(first, other);
        if (at == first.end() && there == other.end()) continue;
        throw std::invalid_argument(fmt::format(
            "[to_json] all steps of a training should record the same operations and shapes: step {} has {} where step "
            "0 has {}",
            step, there == other.end() ? "nothing" : *there, at == first.end() ? "nothing" : *at));
    }
    return Writer(training[0]).whole(training);
}

}  // namespace lab
