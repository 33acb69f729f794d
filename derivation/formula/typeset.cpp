// Formulas in LaTeX and in MathML: the same walk, two ways to write each piece.
#include <fmt/format.h>

#include <array>
#include <derivation/formula/brackets.hpp>
#include <derivation/formula/building.hpp>
#include <derivation/formula/characters.hpp>
#include <derivation/formula/elementary.hpp>
#include <derivation/formula/notations.hpp>
#include <string_view>

namespace derivation {

namespace {

using namespace brackets;

/// A name in its parts: `yhat1` is y with a hat and the layer 1, `w_out` is w with a subscript.
struct NameParts {
    std::string base, accent, below, layer, primes;
};

NameParts parts_of(std::string name) {
    NameParts parts;
    while (!name.empty() && name.back() == '\'') {
        parts.primes += '\'';
        name.pop_back();
    }
    if (const std::size_t above = name.find("^{("); above != std::string::npos) {
        parts.layer = name.substr(above + 3, name.size() - above - 5);
        name = name.substr(0, above);
    }
    if (const std::size_t below = name.find('_'); below != std::string::npos && below > 0) {
        parts.below = name.substr(below + 1);
        name = name.substr(0, below);
    }
    std::size_t digits = name.size();
    while (digits > 1 && name[digits - 1] >= '0' && name[digits - 1] <= '9') --digits;
    if (parts.layer.empty()) parts.layer = name.substr(digits);
    name = name.substr(0, digits);
    for (const std::string_view accent : {"hat", "bar", "tilde"})
        if (name.size() > accent.size() && name.ends_with(accent) &&
            (name.size() - accent.size() == 1 || !greek(name.substr(0, name.size() - accent.size())).empty())) {
            parts.accent = accent;
            name = name.substr(0, name.size() - accent.size());
        }
    parts.base = name;
    return parts;
}

struct Latex {
    static constexpr const char *prime_of_name = "\\prime", *prime_of_function = "'", *transposed = "\\top",
                                *bar = "\\big|";
    static constexpr bool has_root = true;
    static std::string root(const std::string& inside) { return "\\sqrt{" + inside + "}"; }
    static std::string layer(const std::string& digits) { return "(" + digits + ")"; }
    static std::string identifier(const std::string& name) {
        if (!greek(name).empty()) return "\\" + name;
        if (name.size() > 1 && name.back() == '\'') return identifier(name.substr(0, name.size() - 1)) + "'";
        return name.size() == 1 ? name : "\\text{" + name + "}";
    }
    static std::string number(const std::string& text) { return text; }
    static std::string minus_in_front() { return "-"; }
    static std::string sign(std::string_view text) {
        if (text == "*") return " \\, ";
        if (text == "dot") return " \\cdot ";
        if (text == "⊙") return " \\odot ";
        if (text == "!=") return " \\ne ";
        if (text == "<=") return " \\le ";
        if (text == ">=") return " \\ge ";
        if (text == "==") return " = ";
        if (text == "∂") return "\\partial ";
        return fmt::format(" {} ", text);
    }
    static std::string bracketed(const std::string& inside) { return "\\left(" + inside + "\\right)"; }
    static std::string iverson(const std::string& inside) { return "\\mathbb{1}[" + inside + "]"; }
    static std::string fraction(const std::string& a, const std::string& b) { return "\\frac{" + a + "}{" + b + "}"; }
    static std::string scripts(const std::string& base, const std::string& below, const std::string& above) {
        return base + (below.empty() ? "" : "_{" + below + "}") + (above.empty() ? "" : "^{" + above + "}");
    }
    static std::string accent(const std::string& base, const std::string& name) {
        return "\\" + name + "{" + base + "}";
    }
    static std::string function(const std::string& name) {
        if (has_latex_command(name)) return "\\" + name;
        return name.size() == 1 || !greek(name).empty() ? identifier(name) : "\\operatorname{" + name + "}";
    }
    static std::string big(const std::string& name, const std::string& below) {
        return (name == "sum" || name == "prod" ? "\\" + name
                : name == "mean"                ? "\\operatorname{mean}"
                                                : "\\" + name) +
               "_{" + below + "} ";
    }
    static std::string raisable(const std::string& inside) {
        return inside.find('^') == std::string::npos ? inside : "{" + inside + "}";
    }
    static std::string length(const std::string& inside) { return "\\|" + inside + "\\|"; }
    static std::string angles(const std::string& inside) { return "\\langle " + inside + "\\rangle "; }
    static std::string quoted(const std::string& inside) { return "\"" + inside + "\""; }
    static std::string norm(const std::string& inside) { return length(inside) + "^2"; }
    static std::string group(const std::string& inside) { return inside; }
    static std::string marked(const std::string& inside) { return inside; }
    static std::string plain(const std::string& inside) { return inside; }
};

struct MathMl {
    static constexpr const char *prime_of_name = "<mo>′</mo>", *prime_of_function = "<mo>′</mo>",
                                *transposed = "<mo>⊤</mo>", *bar = "<mo>|</mo>";
    static constexpr bool has_root = false;
    static std::string layer(const std::string& digits) { return bracketed(number(digits)); }
    static std::string identifier(const std::string& name) {
        static constexpr std::array<std::pair<std::string_view, std::string_view>, 24> letters = {
            {{"alpha", "α"}, {"beta", "β"},  {"gamma", "γ"}, {"delta", "δ"},  {"epsilon", "ε"}, {"zeta", "ζ"},
             {"eta", "η"},   {"theta", "θ"}, {"kappa", "κ"}, {"lambda", "λ"}, {"mu", "μ"},      {"nu", "ν"},
             {"xi", "ξ"},    {"pi", "π"},    {"rho", "ρ"},   {"sigma", "σ"},  {"tau", "τ"},     {"phi", "φ"},
             {"chi", "χ"},   {"psi", "ψ"},   {"omega", "ω"}, {"Sigma", "Σ"},  {"Delta", "Δ"},   {"Omega", "Ω"}}};
        for (const auto& [typed, shown] : letters)
            if (name == typed) return fmt::format("<mi>{}</mi>", shown);
        return fmt::format("<mi>{}</mi>", name);
    }
    static std::string number(const std::string& text) { return "<mn>" + text + "</mn>"; }
    static std::string minus_in_front() { return sign("-"); }
    static std::string sign(std::string_view text) {
        std::string_view shown = text;
        if (text == "*") shown = "&#x2062;";
        if (text == "dot") shown = "·";
        if (text == "-") shown = "−";
        if (text == "!=") shown = "≠";
        if (text == "<=") shown = "≤";
        if (text == ">=") shown = "≥";
        if (text == "==") shown = "=";
        if (text == "<") shown = "&lt;";
        if (text == ">") shown = "&gt;";
        return fmt::format("<mo>{}</mo>", shown);
    }
    static std::string bracketed(const std::string& inside) {
        return "<mrow><mo>(</mo>" + inside + "<mo>)</mo></mrow>";
    }
    static std::string iverson(const std::string& inside) { return "<mrow><mo>[</mo>" + inside + "<mo>]</mo></mrow>"; }
    static std::string fraction(const std::string& a, const std::string& b) {
        return "<mfrac>" + group(a) + group(b) + "</mfrac>";
    }
    static std::string scripts(const std::string& base, const std::string& below, const std::string& above) {
        if (below.empty() && above.empty()) return base;
        if (above.empty()) return "<msub>" + group(base) + group(below) + "</msub>";
        if (below.empty()) return "<msup>" + group(base) + group(above) + "</msup>";
        return "<msubsup>" + group(base) + group(below) + group(above) + "</msubsup>";
    }
    static std::string accent(const std::string& base, const std::string& name) {
        return fmt::format("<mover accent=\"true\">{}<mo>{}</mo></mover>", base,
                           name == "hat"   ? "^"
                           : name == "bar" ? "¯"
                                           : "~");
    }
    static std::string function(const std::string& name) { return identifier(name); }
    static std::string big(const std::string& name, const std::string& below) {
        return fmt::format("<munder><mo>{}</mo>{}</munder>",
                           name == "sum"    ? "∑"
                           : name == "prod" ? "∏"
                                            : name,
                           group(below));
    }
    static std::string raisable(const std::string& inside) { return group(inside); }
    static std::string angles(const std::string& inside) { return "<mrow><mo>⟨</mo>" + inside + "<mo>⟩</mo></mrow>"; }
    static std::string quoted(std::string inside) {
        if (const std::size_t at = inside.find('>'); at != std::string::npos) inside.replace(at, 1, "&gt;");
        return "<mtext>\"" + inside + "\"</mtext>";
    }
    static std::string length(const std::string& inside) { return "<mrow><mo>‖</mo>" + inside + "<mo>‖</mo></mrow>"; }
    static std::string norm(const std::string& inside) { return "<msup>" + length(inside) + "<mn>2</mn></msup>"; }
    static std::string group(const std::string& inside) { return "<mrow>" + inside + "</mrow>"; }
    static std::string marked(const std::string& inside) { return "<mrow class=\"departs\">" + inside + "</mrow>"; }
    static std::string plain(const std::string& inside) { return inside; }
};

template <class Style>
class Formula {
  public:
    explicit Formula(Span mark = {}) : mark_(mark) {}

    std::string in(const Expression& e, int place) const {
        return strength(e) < place ? Style::bracketed(print(e)) : print(e);
    }

    std::string index(const Index& i) const {
        std::string result;
        for (const IndexTerm& term : i.terms) {
            if (term.sign < 0 && result.empty())
                result += Style::minus_in_front();
            else if (!result.empty())
                result += Style::sign(term.sign < 0 ? "-" : "+");
            result += Style::identifier(term.name);
        }
        if (i.offset != 0 || result.empty()) {
            if (!result.empty()) result += Style::sign(i.offset < 0 ? "-" : "+");
            result += Style::number(fmt::format("{}", result.empty() ? i.offset : std::abs(i.offset)));
        }
        return result;
    }

    std::string entry(const Expression& e) const {
        const NameParts parts = parts_of(e.name);
        std::string base = Style::identifier(parts.base);
        if (parts.base == "1") base = Style::number("1");
        if (!parts.accent.empty()) base = Style::accent(base, parts.accent);
        std::string below = parts.below.empty()                              ? ""
                            : parts.below[0] >= '0' && parts.below[0] <= '9' ? Style::number(parts.below)
                                                                             : Style::identifier(parts.below);
        const bool commas = std::ranges::any_of(e.indices, [](const Index& i) { return !i.is_letter(); });
        for (std::size_t i = 0; i < e.indices.size(); ++i) {
            if (commas && !below.empty()) below += Style::sign(",");
            below += index(e.indices[i]);
        }
        std::string above = parts.layer.empty() ? "" : Style::layer(parts.layer);
        for (std::size_t i = 0; i < parts.primes.size(); ++i) above += Style::prime_of_name;
        return Style::scripts(base, below, above);
    }

    std::string print(const Expression& e) const {
        if (e.span.begin < e.span.end && mark_.begin <= e.span.begin && e.span.end <= mark_.end)
            return Style::marked(Formula().print(e));
        switch (e.kind) {
            case Kind::number:
                return Style::number(number_text(e));
            case Kind::letter:
                return Style::identifier(e.name);
            case Kind::entry:
                return e.order == 1 ? Style::function("new") + Style::bracketed(entry(e)) : entry(e);
            case Kind::add: {
                std::string result;
                for (std::size_t i = 0; i < e.children.size(); ++i) {
                    if (i > 0)
                        result += Style::sign(e.joints[i] == Joint::minus ? "-" : "+");
                    else if (e.joints[i] == Joint::minus)
                        result += Style::minus_in_front();
                    result += in(e.children[i], of_product);
                }
                return result;
            }
            case Kind::product:
                return product(e);
            case Kind::power: {
                // A sum reaches to the right as far as it can: its own power stands outside of brackets.
                const bool reaches = e.base().kind == Kind::reduce && !e.base().letters.empty();
                const bool is_raised = e.base().kind == Kind::entry && !parts_of(e.base().name).layer.empty();
                const std::string base = reaches     ? Style::bracketed(print(e.base()))
                                         : is_raised ? Style::raisable(print(e.base()))
                                                     : in(e.base(), of_atom);
                return Style::scripts(base, "", print(e.exponent()));
            }
            case Kind::call: {
                if (e.name == "entry" && e.children.size() > 1) {
                    std::string letters;
                    for (std::size_t i = 1; i < e.children.size(); ++i) letters += print(e.children[i]);
                    return Style::scripts(Style::bracketed(print(e.argument())), letters, "");
                }
                if (e.name == "differential") return Style::identifier("d") + Style::bracketed(print(e.argument()));
                if (has_new_axis(e)) {
                    const std::string none = Style::identifier("None"), rest = Style::sign(":");
                    const bool is_column = e.name == new_column;
                    return in(e.argument(), of_atom) + Style::sign("[") + (is_column ? rest : none) + Style::sign(",") +
                           (is_column ? none : rest) + Style::sign("]");
                }
                if (e.name == angle_brackets && e.children.size() == 2)
                    return Style::angles(print(e.children[0]) + Style::sign(",") + print(e.children[1]));
                if (is_length(e)) return Style::length(print(e.argument().argument()));
                if constexpr (Style::has_root)
                    if (e.name == "sqrt" && e.order == 0) return Style::root(print(e.argument()));
                const bool has_letters = e.name.starts_with(einsum);
                std::string inside = has_letters ? Style::quoted(e.name.substr(einsum.size())) : "";
                for (std::size_t i = 0; i < e.children.size(); ++i)
                    inside += (i > 0 || has_letters ? Style::sign(",") : "") + print(e.children[i]);
                std::string name = Style::function(has_letters ? "einsum" : e.name);
                for (int i = 0; i < e.order; ++i) name += Style::prime_of_function;
                return name + Style::bracketed(inside);
            }
            case Kind::reduce: {
                if (e.letters.empty() && e.order != 0)
                    return Style::function(e.name) +
                           Style::bracketed(print(e.body()) + Style::sign(",") + Style::identifier("axis") +
                                            Style::sign("=") +
                                            Style::number(fmt::format("{}", e.order > 0 ? e.order - 1 : e.order)));
                if (e.letters.empty()) return Style::function(e.name) + Style::bracketed(print(e.body()));
                std::string below;
                if (const Expression* condition = e.condition())
                    below = comparison(*condition);
                else
                    for (const IndexTerm& letter : e.letters)
                        below += (below.empty() ? "" : Style::sign(",")) + Style::identifier(letter.name);
                return Style::big(e.name, below) + in(e.body(), of_product);
            }
            case Kind::derivative: {
                const std::string d = Style::sign("∂");
                std::string below;
                for (const Expression& by : e.denominators()) below += d + print(by);
                const std::string head =
                    e.order > 1 ? Style::scripts(d, "", Style::number(fmt::format("{}", e.order))) : d;
                std::string result = Style::fraction(head + in(e.numerator(), of_atom), below);
                if (e.held().empty()) return result;
                std::string held;
                for (const Expression& one : e.held()) held += (held.empty() ? "" : Style::sign(",")) + print(one);
                return result + Style::scripts(Style::bar, held, "");
            }
            case Kind::iverson:
                return Style::iverson(comparison(e));
            case Kind::transpose:
                if (is_inverse(e.argument()))
                    return Style::scripts(in(e.argument().base(), of_atom), "",
                                          Style::minus_in_front() + Style::transposed);
                // W^{(1)} has a raised part already.
                return Style::scripts(
                    e.argument().kind == Kind::entry ? Style::raisable(print(e.argument())) : in(e.argument(), of_atom),
                    "", Style::transposed);
            case Kind::norm:
                return Style::norm(print(e.argument()));
            case Kind::of_matrix:
                return Style::function(e.name) + Style::bracketed(print(e.argument()));
        }
        return {};
    }

  private:
    std::string comparison(const Expression& e) const {
        return print(e.left()) + Style::sign(e.name) + print(e.right());
    }

    /// 1/2 x is half of x, and not x over 2; 1/N X^T is one Nth of it.
    static bool begins_with_fraction(const Expression& e) {
        return e.kind == Kind::product && e.children.size() > 2 && e.joints[1] == Joint::divided &&
               e.joints[2] != Joint::divided && e.children[0].kind == Kind::number &&
               (e.children[1].kind == Kind::number || is_number(e.children[0], 1));
    }

    /// Whether it is written with a line between what stands above and below.
    static bool is_written_as_fraction(const Expression& e) {
        return e.kind == Kind::product && std::ranges::find(e.joints, Joint::divided) != e.joints.end() &&
               std::ranges::all_of(e.joints, [](Joint j) {
                   return j == Joint::times || j == Joint::divided || j == Joint::juxtaposed;
               });
    }

    std::string product(const Expression& e) const {
        if (begins_with_fraction(e)) {
            Parts rest = factors_of(e);
            const std::string sign = Style::sign(rest[2].joint == Joint::elementwise ? "⊙" : "*");
            rest.erase(rest.begin(), rest.begin() + 2);
            return Style::fraction(print(e.children[0]), print(e.children[1])) + sign +
                   in(product_of_factors(rest), of_product);
        }
        struct Side {
            std::string text;
            bool ends_in_number = false;
        };
        Side above, below;
        const bool fraction = is_written_as_fraction(e);
        // What stands alone above or below a line needs no brackets.
        const auto divisors = static_cast<std::size_t>(std::ranges::count(e.joints, Joint::divided));
        const auto alone = [&](Joint joint) {
            return fraction && (joint == Joint::divided ? divisors : e.children.size() - divisors) == 1;
        };
        for (std::size_t i = 0; i < e.children.size(); ++i) {
            const Joint joint = e.joints[i];
            // A 1 stands above a line only where nothing else does.
            if (fraction && i == 0 && is_number(e.children[0], 1) && e.children.size() - divisors > 1) continue;
            Side& side = fraction && joint == Joint::divided ? below : above;
            const bool is_number = e.children[i].kind == Kind::number;
            if (!side.text.empty() || (i > 0 && !fraction))
                side.text += joint == Joint::elementwise            ? Style::sign("⊙")
                             : joint == Joint::dot                  ? Style::sign("dot")
                             : joint == Joint::matrix               ? Style::sign("@")
                             : joint == Joint::divided && !fraction ? Style::sign("/")
                             // 2 3 would be one number with a blank.
                             : is_number && side.ends_in_number ? Style::sign("dot")
                                                                : Style::sign("*");
            side.ends_in_number = is_number;
            // A sum reaches over what follows it, so that it stands in brackets before other factors.
            const bool open_sum =
                e.children[i].kind == Kind::reduce && !e.children[i].letters.empty() && i + 1 < e.children.size();
            const bool whole = alone(joint) || (!begins_with_fraction(e.children[i]) &&
                                                is_written_as_fraction(e.children[i]) && joint != Joint::divided);
            side.text += open_sum ? Style::bracketed(print(e.children[i]))
                         : whole  ? print(e.children[i])
                                  : in(e.children[i], of_power);
        }
        return below.text.empty() ? above.text : Style::fraction(above.text, below.text);
    }

    Span mark_;
};

}  // namespace

std::string to_latex(const Expression& e) { return Formula<Latex>().print(e); }
std::string to_mathml(const Expression& e, Span mark) { return Formula<MathMl>(mark).print(e); }

}  // namespace derivation
