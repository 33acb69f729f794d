#include <fmt/format.h>

#include <autograd/operations/operation_facts.hpp>
#include <derivation/derivation.hpp>
#include <lab/operation_formulas.hpp>
#include <string>

namespace lab {

namespace {

/// What stands between the separators, such as the parts of "xbar += zbar; ybar += zbar".
std::vector<std::string> parts_of(std::string_view text, std::string_view separator) {
    std::vector<std::string> parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == text.npos) return parts;
        text.remove_prefix(end + separator.size());
    }
}

/// Words, where it is no formula of the language.
std::string mathml_or_words(const std::string& text) {
    if (const auto mathml = derivation::mathml_of(text)) return *mathml;
    std::string words;
    for (const char c : text) words += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
    return "<mtext>" + words + "</mtext>";
}

/// `z = x * sigmoid(u), u = 2 * x`.
Formula formula(const std::string& text) {
    std::string mathml;
    for (const std::string& part : parts_of(text, ", ")) {
        if (!mathml.empty()) mathml += "<mo>,</mo><mspace width=\"1em\"/>";
        std::string sign;
        for (const char* one : {" += ", " -= ", " = "})
            if (sign.empty() && part.find(one) != part.npos) sign = one;
        if (sign.empty()) {
            mathml += mathml_or_words(part);
            continue;
        }
        const std::size_t at = part.find(sign);
        mathml += mathml_or_words(part.substr(0, at)) + "<mo>" + sign.substr(1, sign.size() - 2) + "</mo>" +
                  mathml_or_words(part.substr(at + sign.size()));
    }
    return {text, mathml};
}

}  // namespace

std::optional<Formula> formula_of(std::string_view operation) {
    const autograd::Facts* facts = autograd::facts_of(operation);
    if (facts == nullptr) return {};
    return formula(fmt::format("z = {}", facts->formula));
}

std::vector<std::optional<Formula>> derivatives_of(std::string_view operation, std::size_t inputs) {
    std::vector<std::optional<Formula>> derivatives(inputs);
    const autograd::Facts* facts = autograd::facts_of(operation);
    if (facts == nullptr) return derivatives;
    const std::vector<std::string> parts = parts_of(facts->derivative, "; ");
    for (std::size_t i = 0; i < inputs && i < parts.size(); ++i) derivatives[i] = formula(parts[i]);
    return derivatives;
}

}  // namespace lab
