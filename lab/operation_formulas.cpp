// A fact is a line such as "xbar += zbar * sigmoid(u), u = 2 * x", formulas with words where there is no formula:
// "zbar, repeated". Formulas are set by the printer of derivations, words stand as they are.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <autograd/operations/operation_facts.hpp>
#include <derivation/derivation.hpp>
#include <lab/operation_formulas.hpp>
#include <string>
#include <string_view>

namespace lab {

namespace {

/// Where the first of these stands outside of brackets, and which.
struct Found {
    std::size_t at = std::string_view::npos;
    std::string_view mark;
};
Found found(std::string_view text, std::initializer_list<std::string_view> marks) {
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        depth += text[i] == '(' || text[i] == '[';
        depth -= text[i] == ')' || text[i] == ']';
        for (const std::string_view mark : marks)
            if (depth == 0 && text.substr(i).starts_with(mark)) return {i, mark};
    }
    return {};
}

std::vector<std::string> parts_of(std::string_view text, std::string_view mark) {
    std::vector<std::string> parts;
    for (;;) {
        const Found end = found(text, {mark});
        parts.emplace_back(text.substr(0, end.at));
        if (end.at == text.npos) return parts;
        text.remove_prefix(end.at + mark.size());
    }
}

std::string sign(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return "<mo>" + std::string(text == "<" ? "&lt;" : text == ">" ? "&gt;" : text == "<=" ? "≤" : text) + "</mo>";
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// A fact in the signs of mathematics, as far as a line of text has them.
std::string typeset(std::string text) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> signs = {
        {{" * ", " · "}, {"^2", "²"}, {"^3", "³"}, {"^T", "ᵀ"}, {"^-1", "⁻¹"}, {"(pi)", "(π)"}, {" pi)", " π)"}}};
    for (const auto& [typed, shown] : signs)
        for (std::size_t at = text.find(typed); at != text.npos; at = text.find(typed, at + shown.size()))
            text.replace(at, typed.size(), shown);
    for (std::size_t at = text.find("bar"); at != text.npos; at = text.find("bar", at + 1))
        if (at > 0 && is_letter(text[at - 1]) && (at == 1 || !is_letter(text[at - 2])) && !is_letter(text[at + 3]))
            text.replace(at, 3, "\xCC\x84");
    return text;
}

std::string words(const std::string& text) {
    std::string result;
    for (const char c : typeset(text))
        result += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
    return "<mtext>" + result + "</mtext>";
}

std::string formula(const std::string& text) {
    // Two words side by side are no product here.
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        const char before = text[i - 1];
        const bool is_word = is_letter(before) || before == '\'' || (before >= '0' && before <= '9');
        if (text[i] == ' ' && is_word && is_letter(text[i + 1])) return words(text);
    }
    const auto mathml = derivation::mathml_of(text);
    return mathml ? *mathml : words(text);
}

/// `low <= x <= high`.
std::string condition(const std::string& text) {
    const Found at = found(text, {" <= ", " < ", " > ", " = "});
    if (at.at == text.npos) return formula(text);
    return formula(text.substr(0, at.at)) + sign(at.mark) + condition(text.substr(at.at + at.mark.size()));
}

/// `x > 0 ? x : slope * x`, `zbar where x > y`, or a formula.
std::string value(const std::string& text) {
    if (const Found where = found(text, {" where "}); where.at != text.npos)
        return value(text.substr(0, where.at)) + words(" where ") +
               condition(text.substr(where.at + where.mark.size()));
    if (found(text, {" ? "}).at == text.npos) return formula(text);
    std::string rows, rest = text;
    for (;;) {
        const std::size_t ask = found(rest, {" ? "}).at;
        if (ask == rest.npos) break;
        const std::size_t otherwise = found(rest, {" : "}).at;
        rows += "<mtr><mtd>" + formula(rest.substr(ask + 3, otherwise - ask - 3)) + "</mtd><mtd>" + words("if ") +
                condition(rest.substr(0, ask)) + "</mtd></mtr>";
        rest = rest.substr(otherwise + 3);
    }
    rows += "<mtr><mtd>" + formula(rest) + "</mtd><mtd>" + words("otherwise") + "</mtd></mtr>";
    return "<mrow><mo>{</mo><mtable columnalign=\"left\">" + rows + "</mtable></mrow>";
}

std::string mathml(const std::string& text) {
    std::string result;
    for (const std::string& part : parts_of(text, ", ")) {
        if (!result.empty()) result += "<mo>,</mo><mspace width=\"0.5em\"/>";
        const Found at = found(part, {" += ", " -= ", " = ", " where "});
        if (at.at != part.npos && at.mark != " where ")
            result += formula(part.substr(0, at.at)) + sign(at.mark) + value(part.substr(at.at + at.mark.size()));
        else
            result += part.find(' ') == part.npos ? words(part) : value(part);  // "repeated"
    }
    return "<mrow>" + result + "</mrow>";
}

Formula formula_to_read(const std::string& text) { return {typeset(text), mathml(text)}; }

OperationFormulas made(const autograd::Facts& facts, std::size_t inputs) {
    OperationFormulas result{
        formula_to_read(std::string_view(facts.formula).starts_with("z[") ? facts.formula
                                                                          : fmt::format("z = {}", facts.formula)),
        std::vector<std::optional<Formula>>(inputs)};
    const std::vector<std::string> names = parts_of(facts.inputs, " ");
    for (const std::string& part : parts_of(facts.derivative, "; "))
        for (std::size_t i = 0; i < inputs; ++i) {
            const std::string adjoint = names[std::min(i, names.size() - 1)] + "bar";
            if (part.starts_with(adjoint + " ") || part.starts_with(adjoint + "["))
                result.derivatives[i] = formula_to_read(part);
        }
    return result;
}

}  // namespace

OperationFormulas formulas_of(const char* operation, std::size_t inputs) {
    const autograd::Facts* facts = autograd::facts_of_node(operation);
    return facts == nullptr ? OperationFormulas{{}, std::vector<std::optional<Formula>>(inputs)} : made(*facts, inputs);
}

}  // namespace lab
