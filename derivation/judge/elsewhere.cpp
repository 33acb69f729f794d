#include <algorithm>
#include <derivation/formula/building.hpp>
#include <derivation/formula/notations.hpp>
#include <derivation/judge/elsewhere.hpp>
#include <derivation/mistakes/facts.hpp>
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

/// Whether a mean, or the size of a range, stands in a formula or behind it.
bool has_sizes(const Model& model, const Expression& e) {
    const auto is_one = [&](const Expression& part) {
        if (is_call(part, "size") || (part.kind == Kind::reduce && part.name == "mean")) return true;
        std::vector<double> values;
        if (part.kind == Kind::number && part.name.starts_with("size(")) values = {part.number};
        if (part.kind == Kind::entry && part.symbol && model.quantity(part).role == Role::constant)
            values = model.quantity(part).values;
        return values.size() == 1 && std::ranges::find(model.ranges, values[0], &Range::size) != model.ranges.end();
    };
    std::vector<int> named;
    add_entries(e, named);
    return any_part(e, is_one) || std::ranges::any_of(named, [&](int q) { return any_behind(model, q, is_one); });
}

/// Puts the other size of a range where a number of a product is its size, and stands in the line as typed; says
/// whether there was one.
bool put_sizes(const Model& model, const Line& line, Expression& e, const std::vector<int>& sizes) {
    const auto is_typed = [&](double size) {
        return std::ranges::any_of(line.members, [&](const Expression& member) {
            return any_part(member, [&](const Expression& part) { return is_number(part, size); });
        });
    };
    bool any = false;
    for (Expression& child : e.children) {
        if (e.kind == Kind::product && child.kind == Kind::number)
            for (std::size_t r = 0; r < sizes.size(); ++r)
                if (child.number == model.ranges[r].size && is_typed(child.number)) {
                    child = number_of(sizes[r]);
                    any = true;
                    break;
                }
        any = put_sizes(model, line, child, sizes) || any;
    }
    return any;
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

Elsewhere::Other& Elsewhere::with_sizes(const std::vector<int>& sizes, bool has_other_constants) {
    const auto [place, is_new] = others_.try_emplace({sizes, has_other_constants});
    Other& other = place->second;
    if (!is_new) return other;
    try {
        other.file = read_with_other_numbers(derivation_, sizes, has_other_constants);
        other.file->model.budget = derivation_.model.budget;
        if (other.file->lines.size() == derivation_.lines.size()) other.points = points_for(*other.file, seed_ + 303);
    } catch (const Error&) {
        other.points.clear();
    } catch (const OverBudget&) {
        other.points.clear();
    }
    return other;
}

bool Elsewhere::confirms(const Line& line, const LeftSide& left, const std::string& repair) {
    const Model& model = derivation_.model;
    try {
        if (!is_right_on_both_sides(derivation_.model, line, left(model, line), repair, seed_ + 404)) return false;
    } catch (const Error&) {
        return false;
    }
    const std::vector<int> sizes = other_sizes(derivation_, line);
    Other& other = with_sizes(sizes);
    if (other.points.empty() || holds_there(other, line, left, repair)) return true;
    // A number of the line may be a size: of nothing where only the repair speaks of sizes.
    Expression member = read_back(model, repair);
    if (has_sizes(model, member) && !has_sizes(model, left(model, line))) return false;
    return put_sizes(model, line, member, sizes) && holds_there(other, line, left, to_text(member));
}

Line& Elsewhere::line_in(Other& other, const Line& line) const {
    const auto place = std::ranges::find(derivation_.lines, line.number, &Line::number) - derivation_.lines.begin();
    return other.file->lines[static_cast<std::size_t>(place)];
}

bool Elsewhere::departs_with_sizes(const Line& line, const std::vector<int>& sizes) {
    Other& other = with_sizes(sizes, false);
    if (other.points.empty()) return false;
    const Line& there = line_in(other, line);
    if (there.fault || there.checked.members.size() != line.checked.members.size()) return false;
    Target target(other.file->model, other.points, there.checked.members[0], there.checked.free);
    for (std::size_t m = 1; m < there.checked.members.size(); ++m) {
        Expression right = there.checked.members[m];
        std::vector<std::string> said;
        if (target.departure(right) && !target.holds_locally(right, said)) return true;
    }
    return false;
}

std::vector<int> Elsewhere::ranges_of_one_size(const Line& line) {
    const std::vector<int> sizes = open_sizes(derivation_, line);
    std::vector<int> before, changed, ranges;
    for (std::size_t r = 0; r < sizes.size(); ++r) {
        before.push_back(derivation_.model.ranges[r].size);
        if (sizes[r] != before[r]) changed.push_back(static_cast<int>(r));
    }
    if (changed.empty() || !departs_with_sizes(line, sizes)) return {};
    for (const int r : changed) {
        std::vector<int> one = before;
        one[static_cast<std::size_t>(r)] = sizes[static_cast<std::size_t>(r)];
        if (changed.size() > 1 && departs_with_sizes(line, one)) ranges.push_back(r);
    }
    return ranges.empty() ? changed : ranges;
}

bool Elsewhere::holds_there(Other& other, const Line& line, const LeftSide& left, const std::string& repair) {
    Line there = line_in(other, line);
    Model& model = other.file->model;
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
        if (const auto right = is_right_at(model, there, left_there, other.points, repair)) return *right;
        if (other.positive_points.empty()) other.positive_points = points_for(*other.file, seed_ + 310, true);
        return is_right_at(model, there, left_there, other.positive_points, repair).value_or(true);
    } catch (const Error&) {
        return true;
    }
}

}  // namespace derivation
