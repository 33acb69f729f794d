// Formulas as they are typed in a file.
#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/brackets.hpp>
#include <derivation/formula/notations.hpp>
#include <string_view>

namespace derivation {

namespace {

using namespace brackets;

std::string in(const Expression& e, int place) {
    const std::string inside = to_text(e);
    return strength(e) < place ? "(" + inside + ")" : inside;
}

std::string joined(std::span<const Expression> all, std::string_view between) {
    std::string result;
    for (const Expression& one : all) {
        if (&one != all.data()) result += between;
        result += to_text(one);
    }
    return result;
}

std::string index_text(const Index& index) {
    std::string result;
    for (const IndexTerm& term : index.terms) result += (term.sign < 0 ? "-" : result.empty() ? "" : "+") + term.name;
    if (result.empty()) return fmt::format("{}", index.offset);
    if (index.offset != 0) result += fmt::format("{:+}", index.offset);
    return result;
}

std::string entry_text(const Expression& e) {
    std::string result;
    for (const Index& index : e.indices) result += (result.empty() ? "" : ",") + index_text(index);
    if (!result.empty())
        result = e.name == "1" || (e.name == "I" && e.indices.size() == 1) ? "_" + result : "[" + result + "]";
    result = e.name + result;
    return e.order == 1 ? "new(" + result + ")" : result;
}

std::string sum_text(const Expression& e) {
    std::string result;
    for (std::size_t i = 0; i < e.children.size(); ++i) {
        const bool minus = e.joints[i] == Joint::minus;
        result += i == 0 ? (minus ? "-" : "") : minus ? " - " : " + ";
        result += in(e.children[i], of_product);
    }
    return result;
}

std::string_view sign_of(Joint joint) {
    switch (joint) {
        case Joint::times:
            return " * ";
        case Joint::divided:
            return "/";
        case Joint::matrix:
            return " @ ";
        case Joint::juxtaposed:
        case Joint::dot:
            return " ";
        default:
            return " ⊙ ";
    }
}

/// Whether a product needs no brackets at the beginning of another one: (a ⊙ b) c has them, as many read a ⊙ (b c).
bool begins_the_row(const Expression& e) {
    const Expression& first = e.children[0];
    return first.kind == Kind::product && (e.children.size() < 2 || !is_of_matrices(e.joints[1]) ||
                                           std::all_of(first.joints.begin() + 1, first.joints.end(), is_of_matrices));
}

std::string product_text(const Expression& e) {
    std::string result;
    for (std::size_t i = 0; i < e.children.size(); ++i) {
        // x 2 reads as x2, and 2 3 as one number with a blank.
        const bool is_side_by_side = e.joints[i] == Joint::juxtaposed || e.joints[i] == Joint::dot;
        const bool is_number = e.children[i].kind == Kind::number && is_side_by_side;
        if (i > 0) result += sign_of(is_number ? Joint::times : e.joints[i]);
        result += in(e.children[i], i == 0 && begins_the_row(e) ? of_product : of_power);
    }
    return result;
}

std::string comparison_text(const Expression& e) { return to_text(e.left()) + " " + e.name + " " + to_text(e.right()); }

/// sum(k, n, E), and with a condition sum(n, k != j, E).
std::string reduction_text(const Expression& e) {
    if (e.letters.empty() && e.order != 0)
        return fmt::format("{}({}, axis={})", e.name, to_text(e.body()), e.order > 0 ? e.order - 1 : e.order);
    const Expression* condition = e.condition();
    std::string letters;
    for (const IndexTerm& letter : e.letters)
        if (condition == nullptr || letter.name != condition->left().name) letters += letter.name + ", ";
    if (condition != nullptr) letters += comparison_text(*condition) + ", ";
    return e.name + std::string(static_cast<std::size_t>(e.order), '\'') + "(" + letters + to_text(e.body()) + ")";
}

std::string derivative_text(const Expression& e) {
    const bool is_name = e.numerator().kind == Kind::entry;
    const std::string above = is_name ? to_text(e.numerator()) : "(" + to_text(e.numerator()) + ")";
    const std::string below = "d" + joined(e.denominators(), " d");
    const std::string held = e.held().empty() ? "" : "|(" + joined(e.held(), ", ") + ")";
    return (e.order == 1 ? "d" + above + "/" + below : fmt::format("d{}{}/({})", e.order, above, below)) + held;
}

}  // namespace

std::string listed(const std::vector<std::string>& names, std::string_view before_last) {
    std::string result;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) result += i + 1 == names.size() ? before_last : ", ";
        result += names[i];
    }
    return result;
}

std::string to_text(const Expression& e) {
    switch (e.kind) {
        case Kind::number:
            return number_text(e);
        case Kind::letter:
            return e.name;
        case Kind::entry:
            return entry_text(e);
        case Kind::add:
            return sum_text(e);
        case Kind::product:
            return product_text(e);
        case Kind::power:
            if (is_inverse(e)) return in(e.base(), of_atom) + "^-1";
            return in(e.base(), of_atom) + "^" + in(e.exponent(), of_atom);
        case Kind::call:
            if (e.name == "entry" && e.children.size() > 1)
                return "(" + to_text(e.argument()) + ")[" + joined(std::span(e.children).subspan(1), ",") + "]";
            if (e.name == "differential") return "d(" + to_text(e.argument()) + ")";
            if (e.name == angle_brackets) return "<" + joined(e.children, ", ") + ">";
            if (e.name.starts_with(einsum))
                return fmt::format("einsum(\"{}\", {})", e.name.substr(einsum.size()), joined(e.children, ", "));
            if (has_new_axis(e)) return in(e.argument(), of_atom) + e.name;
            if (is_length(e)) return "||" + to_text(e.argument().argument()) + "||";
            return e.name + std::string(static_cast<std::size_t>(e.order), '\'') + "(" + joined(e.children, ", ") + ")";
        case Kind::reduce:
            return reduction_text(e);
        case Kind::derivative:
            return derivative_text(e);
        case Kind::iverson:
            return "[" + comparison_text(e) + "]";
        case Kind::transpose:
            if (is_inverse(e.argument())) return in(e.argument().base(), of_atom) + "^-T";
            return in(e.argument(), of_atom) + "^T";
        case Kind::norm:
            return "||" + to_text(e.argument()) + "||^2";
        case Kind::of_matrix:
            return e.name + "(" + to_text(e.argument()) + ")";
    }
    return {};
}

}  // namespace derivation
