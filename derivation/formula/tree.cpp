#include <bit>
#include <cmath>
#include <derivation/formula/tree.hpp>

namespace derivation {

namespace {

bool same_terms(const std::vector<IndexTerm>& a, const std::vector<IndexTerm>& b) {
    return std::ranges::equal(
        a, b, [](const IndexTerm& x, const IndexTerm& y) { return x.name == y.name && x.sign == y.sign; });
}

bool has_term(const std::vector<IndexTerm>& terms, const std::string& letter) {
    return std::ranges::find(terms, letter, &IndexTerm::name) != terms.end();
}

bool is_entry(const Expression& e) { return e.kind == Kind::entry; }

/// A condition compares a letter that is bound with something.
bool is_condition(const Expression& e, const std::vector<IndexTerm>& bound) {
    return e.kind == Kind::iverson && e.left().kind == Kind::letter && has_term(bound, e.left().name);
}

/// The same as `is_formula`, for what stands at the top.
bool has_its_parts(const Expression& e) {
    const std::size_t parts = e.children.size();
    switch (e.kind) {
        case Kind::number:
        case Kind::entry:
            return parts == 0;
        case Kind::letter:
            return parts == 0 && e.letters.size() == 1;
        case Kind::add:
        case Kind::product:
            return parts > 0 && e.joints.size() == parts;
        case Kind::power:
        case Kind::iverson:
            return parts == 2;
        case Kind::call:
            return parts > 0 && (e.name != "size" || e.argument().kind == Kind::letter);
        case Kind::reduce:
            return parts == 1 || (parts == 2 && is_condition(e.children[1], e.letters));
        case Kind::derivative:
            return e.order > 0 && parts > static_cast<std::size_t>(e.order) &&
                   std::ranges::all_of(e.denominators(), is_entry) && std::ranges::all_of(e.held(), is_entry);
        case Kind::transpose:
        case Kind::norm:
            return parts == 1;
        case Kind::of_matrix:
            return parts == 1 && e.letters.size() == 2;
    }
    return false;
}

}  // namespace

bool is_formula(const Expression& e) { return std::ranges::all_of(e.children, is_formula) && has_its_parts(e); }

bool same(const Expression& a, const Expression& b) {
    return a.kind == b.kind && a.order == b.order && a.joints == b.joints && a.local == b.local &&
           (a.kind == Kind::number ? a.number == b.number : a.name == b.name) && same_terms(a.letters, b.letters) &&
           std::ranges::equal(
               a.indices, b.indices,
               [](const Index& x, const Index& y) { return x.offset == y.offset && same_terms(x.terms, y.terms); }) &&
           std::ranges::equal(a.children, b.children, same);
}

std::uint64_t hash_of(const Expression& e) {
    std::uint64_t hash = static_cast<std::uint64_t>(e.kind);
    const auto add = [&hash](std::uint64_t more) { hash = (std::rotl(hash, 5) ^ more) * 0x9e3779b97f4a7c15u; };
    const auto add_terms = [&](const std::vector<IndexTerm>& terms) {
        for (const IndexTerm& term : terms)
            add(std::hash<std::string>()(term.name) + static_cast<std::size_t>(term.sign));
    };
    add(e.kind == Kind::number ? std::bit_cast<std::uint64_t>(e.number) : std::hash<std::string>()(e.name));
    add(static_cast<std::uint64_t>(e.order) + (e.local ? 1u << 16 : 0u));
    for (const Index& index : e.indices) {
        add_terms(index.terms);
        add(static_cast<std::uint64_t>(index.offset));
    }
    for (const Joint joint : e.joints) add(static_cast<std::uint64_t>(joint));
    add_terms(e.letters);
    for (const Expression& child : e.children) add(hash_of(child));
    return hash;
}

bool contains(const Expression& e, const Expression& part) {
    return any_part(e, [&](const Expression& x) { return same(x, part); });
}

std::optional<double> value_of_numbers(const Expression& e, const ValueOfEntry& value_of_entry) {
    if (e.kind == Kind::number) return e.number;
    if (e.kind == Kind::entry && value_of_entry) return value_of_entry(e);
    if (e.kind != Kind::add && e.kind != Kind::product && e.kind != Kind::power) return {};
    std::vector<double> values;
    for (const Expression& child : e.children) {
        const std::optional<double> value = value_of_numbers(child, value_of_entry);
        if (!value) return {};
        values.push_back(*value);
    }
    if (e.kind == Kind::power) return std::pow(values[0], values[1]);
    double result = e.kind == Kind::add ? 0 : 1;
    for (std::size_t i = 0; i < values.size(); ++i) switch (e.joints[i]) {
            case Joint::plus:
                result += values[i];
                break;
            case Joint::minus:
                result -= values[i];
                break;
            case Joint::divided:
                result /= values[i];
                break;
            default:
                result *= values[i];
        }
    return result;
}

bool is_inverse(const Expression& e) { return e.kind == Kind::power && value_of_numbers(e.exponent()) == -1.0; }

bool is_number(const Expression& e, double value) { return e.kind == Kind::number && e.number == value; }

bool is_call(const Expression& e, std::string_view name) { return e.kind == Kind::call && e.name == name; }

bool is_length(const Expression& e) {
    return is_call(e, "sqrt") && e.order == 0 && e.children.size() == 1 && e.argument().kind == Kind::norm;
}

bool is_simple_derivative(const Expression& e) {
    return e.kind == Kind::derivative && e.order == 1 && e.held().empty() && e.numerator().kind == Kind::entry;
}

double first_number(const Expression& e) {
    if (e.kind == Kind::number && e.number > 0) return e.number;
    for (const Expression& child : e.children)
        if (const double found = first_number(child); found > 0) return found;
    return 0;
}

bool has_derivative(const Expression& e) {
    return any_part(e, [](const Expression& x) { return x.kind == Kind::derivative; });
}

bool uses_letter(const Expression& e, const std::string& letter) {
    return any_part(e, [&](const Expression& x) {
        return (x.kind == Kind::letter && x.name == letter) || has_term(x.letters, letter) ||
               std::ranges::any_of(x.indices, [&](const Index& index) { return has_term(index.terms, letter); });
    });
}

bool binds_letter(const Expression& e, const std::string& letter) {
    return any_part(e, [&](const Expression& x) { return x.kind == Kind::reduce && has_term(x.letters, letter); });
}

void rename_letter(Expression& e, const std::string& from, const std::string& to) {
    const auto rename = [&](IndexTerm& term) {
        if (term.name == from) term.name = to;
    };
    if (e.kind == Kind::letter && e.name == from) e.name = to;
    for (Index& index : e.indices) std::ranges::for_each(index.terms, rename);
    std::ranges::for_each(e.letters, rename);
    for (Expression& child : e.children) rename_letter(child, from, to);
}

void substitute(Expression& e, const std::vector<Substitution>& all) {
    const auto replace = [&](IndexTerm& term) {
        const auto found =
            std::ranges::find_if(all, [&](const Substitution& one) { return term.letter == one.letter; });
        if (found == all.end()) return;
        term.letter = found->replacement;
        term.name = found->name;
    };
    for (Index& index : e.indices) std::ranges::for_each(index.terms, replace);
    std::ranges::for_each(e.letters, replace);
    for (Expression& child : e.children) substitute(child, all);
}

void substitute(Expression& e, int letter, int replacement, const std::string& name) {
    substitute(e, {{letter, replacement, name}});
}

}  // namespace derivation
