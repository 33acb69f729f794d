#include <algorithm>
#include <derivation/judge/elsewhere.hpp>
#include <derivation/truth/one_hot_choices.hpp>
#include <derivation/truth/random_points.hpp>
#include <derivation/truth/sides.hpp>
#include <utility>

namespace derivation {

namespace {

/// Whether the member is right where its own kinks and brackets show both sides.
bool is_right_on_both_sides(Model& model, const Line& line, const Expression& left, const std::string& text,
                            std::uint64_t seed) {
    const FreshLetters fresh(model);
    const Expression member = checked_member(model, line, read_back(model, text));
    Sides sides(model);
    sides.watch(member);
    sides.watch(left);
    if (sides.are_all_shown() && Choices(model, {}, {&left, &member}).missing({}).empty()) return true;
    std::vector<Point> points = draw_points(model, {}, seed, 3, false, {{&left, &member}});
    // A bracket that shows one side only is a 1 or a 0 by accident. A repair has it where the left side has it, and
    // brings none that the line did not have.
    for (Point& point : points) sides.add(point);
    for (const Expression* one : sides.one_sided()) {
        const auto has_it = [&](const Expression& e) {
            return any_part(e, [&](const Expression& part) { return same(part, *one); });
        };
        if (std::ranges::none_of(line.checked.members, has_it) || (has_it(left) && !has_it(member))) return false;
    }
    Target target(model, points, left, line.checked.free);
    return !target.compare(member).decided || is_right(model, line, target, text);
}

/// Whether the member is right at these points; none where it has no value there.
std::optional<bool> is_right_at(Model& model, const Line& line, const Expression& left, std::vector<Point>& points,
                                const std::string& member) {
    Target target(model, points, left, line.checked.free);
    if (is_right(model, line, target, member)) return true;
    const FreshLetters fresh(model);
    if (!target.compare(checked_member(model, line, read_back(model, member))).decided) return {};
    return false;
}

}  // namespace

std::vector<Point> points_for(const Derivation& derivation, std::uint64_t seed, bool all_positive) {
    std::vector<Formulas> claims;
    for (const Line& line : derivation.lines) {
        if (line.fault) continue;
        claims.emplace_back();
        for (const Expression& member : line.checked.members) claims.back().push_back(&member);
    }
    return draw_points(derivation.model, {}, seed, 3, all_positive, claims);
}

Expression read_back(const Model& model, const std::string& text) {
    Parser parser(model, tokens_of(text, {{0, text.size()}}));
    Expression e = parser.expression();
    parser.expect_end();
    return e;
}

bool is_right(Model& model, const Line& line, Target& target, const std::string& text) {
    const FreshLetters fresh(model);
    try {
        const Expression typed = read_back(model, text);
        Expression member = checked_member(model, line, typed);
        std::vector<std::string> said;
        if (!target.holds(member) && !target.holds_locally(member, said)) return false;
        // What is 0 everywhere can only be claimed to be 0, and a value where there is none is no value.
        const Outcome outcome = target.compare(member);
        return !outcome.has_gaps && (is_number(typed, 0) || !outcome.all_zero);
    } catch (const Error&) {
        return false;
    }
}

/// False where the file makes no sense with other numbers.
bool Elsewhere::read_again() {
    if (std::exchange(tried_, true)) return !points_.empty();
    try {
        other_ = read_with_other_numbers(derivation_);
        other_->model.budget = derivation_.model.budget;
        if (other_->lines.size() != derivation_.lines.size()) return false;
        points_ = points_for(*other_, seed_ + 303);
    } catch (const Error&) {
        points_.clear();
    } catch (const OverBudget&) {
        points_.clear();
    }
    return !points_.empty();
}

bool Elsewhere::confirms(const Line& line, const LeftSide& left, const std::string& repair) {
    try {
        if (!is_right_on_both_sides(derivation_.model, line, left(derivation_.model, line), repair, seed_ + 404))
            return false;
    } catch (const Error&) {
        return false;
    }
    if (!read_again()) return true;
    const auto number = static_cast<std::size_t>(std::ranges::find(derivation_.lines, line.number, &Line::number) -
                                                 derivation_.lines.begin());
    Line there = other_->lines[number];
    Model& model = other_->model;
    const FreshLetters fresh(model);
    try {
        if (there.members.empty()) return true;
        if (there.fault) {
            std::size_t at = 0;
            there.checked = check_line(model, {there.members[0]}, at);
            there.loss = line.loss;
        }
        const Expression left_there = left(model, there);
        if (!is_right_on_both_sides(model, there, left_there, repair, seed_ + 505)) return false;
        if (const auto right = is_right_at(model, there, left_there, points_, repair)) return *right;
        if (positive_points_.empty()) positive_points_ = points_for(*other_, seed_ + 310, true);
        return is_right_at(model, there, left_there, positive_points_, repair).value_or(true);
    } catch (const Error&) {
        return true;
    }
}

}  // namespace derivation
