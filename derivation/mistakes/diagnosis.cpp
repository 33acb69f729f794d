#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/diagnosis.hpp>
#include <derivation/mistakes/tidy.hpp>
#include <derivation/resolve/lookup.hpp>
#include <utility>

namespace derivation {

namespace {

/// Takes the sums and means off a formula; their letters become free ones of the same range.
void take_off_sums(const Model& model, const std::vector<int>& free, Expression& e) {
    while (e.kind == Kind::reduce && (e.name == "sum" || e.name == "mean")) {
        Expression body = e.body();
        double size = 1;
        for (const IndexTerm& bound : e.letters) {
            size *= model.range_of(bound).size;
            for (const int letter : free)
                if (model.letter(letter).range == model.letter(*bound.letter).range)
                    substitute(body, *bound.letter, letter, model.letter(letter).name);
        }
        e = e.name == "mean" ? quotient_of(body, number_of(size)) : body;
    }
    for (Expression& child : e.children) take_off_sums(model, free, child);
}

/// The derivative that the left side is, or is a name for.
std::optional<Expression> derivative_on_left(const Model& model, const Expression& left) {
    if (left.kind == Kind::derivative) return left;
    if (left.kind != Kind::entry || model.quantity(left).definition.kind != Kind::derivative) return {};
    const Quantity& name = model.quantity(left);
    Expression derivative = name.definition;
    for (std::size_t i = 0; i < name.letters.size(); ++i) {
        if (!left.indices[i].is_letter()) return {};
        const IndexTerm& letter = left.indices[i].terms[0];
        substitute(derivative, name.letters[i], *letter.letter, letter.name);
    }
    return derivative;
}

/// Whether the member is what is differentiated on the left side, or that without its outer sum.
bool is_not_differentiated(const Model& model, const Expression& member, Target& target) {
    const std::optional<Expression> derivative = derivative_on_left(model, target.left());
    if (!derivative || derivative->order != 1) return false;
    const auto is_the_member = [&](const Expression& e) {
        Target value(model, target.points(), e, target.free());
        return value.holds(member);
    };
    const Expression& numerator = derivative->numerator();
    if (is_the_member(numerator)) return true;
    if (numerator.kind != Kind::entry || !model.quantity(numerator).ranges.empty()) return false;
    Expression body = model.quantity(numerator).definition;
    take_off_sums(model, target.free(), body);
    return is_the_member(body);
}

/// The parts in which two formulas differ, as small as they are.
std::pair<const Expression*, const Expression*> difference(const Expression& a, const Expression& b) {
    const bool alike = a.kind == b.kind && a.name == b.name && a.order == b.order && a.joints == b.joints &&
                       a.letters.size() == b.letters.size() && a.children.size() == b.children.size();
    std::optional<std::size_t> at;
    for (std::size_t i = 0; alike && i < a.children.size(); ++i) {
        if (same(a.children[i], b.children[i])) continue;
        if (at) return {&a, &b};
        at = i;
    }
    return at ? difference(a.children[*at], b.children[*at]) : std::pair(&a, &b);
}

/// What was changed, as one sentence.
std::string sentence_of_change(const Expression& typed, const Expression& repair) {
    const auto [wrong, right] = difference(typed, repair);
    const auto divides = [](const Part& part) { return part.joint == Joint::divided; };
    Parts rest = factors_of(*right);
    for (const Part& part : factors_of(*wrong)) {
        const auto found = std::ranges::find_if(rest, [&](const Part& one) {
            return divides(one) == divides(part) && same(one.expression, part.expression);
        });
        if (found == rest.end()) return fmt::format("{} stands where {} belongs.", to_text(*wrong), to_text(*right));
        rest.erase(found);
    }
    if (rest.empty()) return "The factors stand in the wrong order.";
    const bool is_divisor = std::ranges::all_of(rest, divides);
    for (Part& part : rest)
        if (is_divisor) part.joint = Joint::times;
    return fmt::format("{} {} is missing.", is_divisor ? "A division by" : "The factor",
                       to_text(product_of_factors(std::move(rest))));
}

}  // namespace

Diagnosis diagnose(Model& model, const Line& line, std::size_t member, Target& target, const Confirm& confirm) {
    // Nothing but a 0 says what the left side is then.
    if (target.is_zero() && confirm(number_of(0))) {
        Diagnosis zero{"not-zero", "The left side is 0 at every point.", number_of(0), {}};
        // dL = 0 does not say what is varied.
        if (is_differential(line.members[0])) zero.repair.reset();
        return zero;
    }
    Search search(model, line, target, line.members[member], confirm);
    Diagnosis diagnosis{"unknown", "No simple change that was tried makes this line hold.", {}, {}};
    if (const std::optional<Edit> found = search.run()) {
        diagnosis = {found->mistake, to_text(found->reason), found->member, found->where};
    } else {
        diagnosis.repair = search.from_definitions();
        if (diagnosis.repair)
            diagnosis.reason += derivative_on_left(model, target.left())
                                    ? " From the definitions, by the chain rule, it is another formula."
                                    : " It is defined by another formula.";
    }
    if (diagnosis.repair) {
        Expression tidy = tidied(*diagnosis.repair, search.of_arrays() || is_of_arrays(model, *diagnosis.repair));
        if (search.is_right_as(tidy)) diagnosis.repair = std::move(tidy);
        if (diagnosis.reason.empty()) diagnosis.reason = sentence_of_change(line.members[member], *diagnosis.repair);
    }
    // Where a structural reason was found it says more.
    const Mistake* row = find_mistake(diagnosis.mistake);
    const bool says_little = diagnosis.mistake == "unknown" || (row != nullptr && row->is(weak));
    if (says_little && member < line.checked.members.size() &&
        is_not_differentiated(model, line.checked.members[member], target)) {
        diagnosis.mistake = "not-differentiated";
        diagnosis.reason = "It is not differentiated at all: this is the quantity itself.";
        diagnosis.span = {};
        // What made it hold is an accident then.
        if (std::optional<Expression> value = search.from_definitions()) diagnosis.repair = std::move(value);
    }
    return diagnosis;
}

}  // namespace derivation
