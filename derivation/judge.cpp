#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <derivation/diagnose.hpp>
#include <derivation/judge.hpp>
#include <derivation/local.hpp>
#include <derivation/print.hpp>
#include <set>
#include <utility>

namespace derivation {

namespace {

// A line may follow from one of these many wrong lines above it.
constexpr std::size_t most_mistaken = 12;
constexpr std::size_t most_varied_nodes = 1000000;

bool stands_in(const Expression& e, int quantity) {
    std::vector<int> entries;
    add_entries(e, entries);
    return std::ranges::find(entries, quantity) != entries.end();
}

bool is_zero(const Expression& e) { return e.kind == Kind::number && e.number == 0; }

void note_zero_derivatives(const Model& model, const Expression& e, std::vector<std::string>& notes) {
    if (e.kind == Kind::derivative && e.children[0].kind == Kind::entry &&
        !depends_on(model, e.children[0].symbol, e.children[1].symbol)) {
        const std::string note = fmt::format(
            "d{}/d{} is 0: {} does not depend on {}.", model.signature(model.quantity(e.children[0].symbol)),
            model.signature(model.quantity(e.children[1].symbol)), e.children[0].name, e.children[1].name);
        if (std::ranges::find(notes, note) == notes.end()) notes.push_back(note);
    }
    for (const Expression& child : e.children) note_zero_derivatives(model, child, notes);
}

/// x_i is one scalar where i was not declared.
void note_undeclared_letters(const Model& model, const Expression& e, std::vector<std::string>& notes) {
    if (e.kind == Kind::entry && e.symbol >= 0 && model.quantity(e.symbol).ranges.empty()) {
        const std::string& name = e.name;
        const std::size_t size = name.size();
        const bool looks_indexed =
            size > 2 && name[size - 2] == '_' && std::isalpha(static_cast<unsigned char>(name.back())) != 0;
        const std::string note = fmt::format("{} is one number of this name: with `index {}` above, {} is a letter.",
                                             name, name.substr(size - 1), name.substr(size - 1));
        if (looks_indexed && std::ranges::find(notes, note) == notes.end()) notes.push_back(note);
    }
    for (const Expression& child : e.children) note_undeclared_letters(model, child, notes);
}

}  // namespace

Judge::Judge(Derivation& derivation, std::uint64_t seed)
    : derivation_(derivation), seed_(seed), points_(draw_points(derivation.model, {}, seed, 3)) {}

LineReport Judge::judge(Line& line) {
    LineReport report;
    report.line = line.number;
    report.kind = line.is_update ? "update" : "claim";
    report.label = line.label;
    for (const Expression& member : line.members) {
        report.members_latex.push_back(to_latex(member));
        report.members_mathml.push_back(to_mathml(member));
    }
    if (line.fault) {
        ill_formed(line, report);
    } else if (points_.empty()) {
        report.verdict = Verdict::undecided;
        report.reason =
            "The definitions have no value anywhere: a logarithm or a root leaves its domain at every point that was "
            "tried.";
    } else if (line.is_update) {
        judge_update(line, report);
    } else {
        judge_claim(line, report);
    }
    for (const Expression& member : line.checked.members)
        note_zero_derivatives(derivation_.model, member, report.notes);
    std::vector<std::string> letters;
    for (const Expression& member : line.checked.members) note_undeclared_letters(derivation_.model, member, letters);
    // Once in a file.
    if (!std::exchange(letters_noted_, letters_noted_ || !letters.empty()))
        report.notes.insert(report.notes.end(), letters.begin(), letters.end());
    return report;
}

void Judge::ill_formed(Line& line, LineReport& report) {
    report.verdict = Verdict::ill_formed;
    report.member = line.fault_member;
    report.reason = line.fault->what();
    if (report.reason.starts_with("the ") || report.reason.starts_with("this ")) report.reason[0] = 'T';
    if (!report.reason.ends_with(".")) report.reason += ".";
    report.mistake = line.fault->mistake;
    caret(report, line, line.fault->span);
    if (line.fault_member == 0 || points_.empty() || line.fault_member >= line.members.size()) return;
    // The left side stands, so that the member can be mended.
    try {
        std::size_t at = 0;
        line.checked = check_line(derivation_.model, {line.members[0]}, at);
        if (!line.checked.arrays && is_of_arrays(derivation_.model, line.members[line.fault_member])) {
            line.checked = {};
            return;
        }
        Expression left = line.checked.members[0];
        if (line.is_update && line.loss < 0) {
            if (left.kind != Kind::entry) return;
            line.loss = default_loss(derivation_.model, left.symbol);
            if (line.loss < 0) return;
        }
        if (line.is_update) {
            const std::vector<int> rates = possible_rates(derivation_.model, line.loss);
            left = true_step(line, rates.empty() ? Rate{-1, 0.1} : Rate{rates[0], 0});
        }
        Target target(derivation_.model, points_, left, line.checked.free);
        const Diagnosis diagnosis = diagnose(derivation_.model, line, line.fault_member, target);
        if (diagnosis.repair) {
            write_repair(report, line, line.fault_member, *diagnosis.repair);
            if (report.mistake == "free-letter" || report.mistake == "factor-outside-sum" ||
                report.mistake == "shapes" || report.mistake == "transposed") {
                report.mistake = diagnosis.mistake;
                report.reason += " " + diagnosis.reason;
            }
        }
    } catch (const IllFormed&) {
    }
}

/// In the notation of the line.
void Judge::write_repair(LineReport& report, const Line& line, std::size_t member, const Expression& repair) const {
    const Span span = join(line.members[0].span, line.members[member].span);
    const bool latex =
        derivation_.source.text.substr(span.begin, span.end - span.begin).find('\\') != std::string::npos;
    report.repair_latex = to_latex(repair);
    report.repair_mathml = to_mathml(repair);
    report.repair = latex ? report.repair_latex : to_text(repair);
}

void Judge::caret(LineReport& report, const Line& line, Span span) const {
    // `text` is the statement without its keyword and label, its pieces joined by blanks; places are mapped into it.
    std::size_t at = 0;
    const std::vector<Span>* pieces = nullptr;
    for (const Statement& statement : derivation_.source.statements)
        if (statement.keyword_span.begin == line.span.begin) pieces = &statement.pieces;
    if (pieces == nullptr) return;
    bool begun = false;
    for (const Span piece : *pieces) {
        if (at > 0) ++at;
        const std::size_t begin = std::max(span.begin, piece.begin),
                          end = std::min(std::max(span.end, span.begin + 1), piece.end);
        if (begin < end) {
            if (!begun) report.caret_begin = at + begin - piece.begin;
            report.caret_end = at + end - piece.begin;
            begun = true;
        }
        at += piece.end - piece.begin;
    }
}

bool Judge::holds_locally(Target& target, const Expression& right, LineReport& report) {
    Expression local = right;
    std::vector<std::string> said;
    if (!make_local(derivation_.model, local, said)) return false;
    if (!target.holds(local)) return false;
    if (!said.empty()) report.condition = listed(said);
    return true;
}

void Judge::judge_claim(Line& line, LineReport& report) {
    if (line.printed && (line.members.size() == 1 || line.steps > 0)) return judge_printed(line, report);
    // Where a logarithm or a root has no value at the points that there are, others are drawn.
    const bool outside = [&] {
        Target target(derivation_.model, points_, line.checked.members[0], line.checked.free);
        for (std::size_t m = 1; m < line.members.size(); ++m)
            if (const Outcome outcome = target.compare(line.checked.members[m]); !outcome.decided && !outcome.kinked)
                return true;
        return false;
    }();
    if (!outside) return judge_members(line, report);
    if (positive_points_.empty()) positive_points_ = draw_points(derivation_.model, {}, seed_ + 7, 3, true);
    std::swap(points_, positive_points_);
    judge_members(line, report);
    std::swap(points_, positive_points_);
}

void Judge::judge_members(Line& line, LineReport& report) {
    Target target(derivation_.model, points_, line.checked.members[0], line.checked.free);
    bool decided = true;
    for (std::size_t m = 1; m < line.members.size(); ++m) {
        const Expression& right = line.checked.members[m];
        const Outcome outcome = target.compare(right);
        const bool zeros = outcome.all_zero && !is_zero(line.members[0]) && !is_zero(line.members[m]);
        if (!outcome.decided || zeros) {
            if (!decided) continue;
            decided = false;
            report.verdict = Verdict::undecided;
            report.member = m;
            report.reason = zeros ? "Both sides are 0 at every point, so that nothing tells this formula from another "
                                    "one, or from a wrong sign: what can be claimed is that it is 0."
                            : outcome.kinked
                                ? "Every point stands on a kink of relu, abs or max, where there is no derivative."
                                : "The line has no value: a logarithm, a root or a division leaves its domain at every "
                                  "point that was tried.";
            caret(report, line, line.members[m].span);
            continue;
        }
        if (outcome.equal) continue;
        if (holds_locally(target, right, report)) continue;
        depart(line, report, target, m, outcome);
        return;
    }
    // What was taken wrongly above is set right here.
    if (decided) std::erase_if(mistaken_, [&](const Mistaken& one) { return same(one.left, line.checked.members[0]); });
    if (decided && line.printed) judge_printed(line, report);
}

void Judge::depart(Line& line, LineReport& report, Target& target, std::size_t m, const Outcome& outcome) {
    const Expression right = line.checked.members[m];
    report.member = m;
    report.expected = outcome.left;
    report.got = outcome.right;
    for (const int letter : line.checked.free) {
        const Letter& one = derivation_.model.letters[static_cast<std::size_t>(letter)];
        std::string name = one.name;
        if (name[0] == '_') {
            // A letter of its own for an array: one of the range's that no other axis has, or j' beside j.
            const auto is_used = [&](const std::string& used_name) {
                return std::ranges::any_of(report.index, [&](const auto& used) { return used.first == used_name; });
            };
            std::string free, first;
            for (const Letter& typed : derivation_.model.letters) {
                if (typed.range != one.range || typed.name[0] == '_') continue;
                if (first.empty()) first = typed.name;
                if (free.empty() && !is_used(typed.name)) free = typed.name;
            }
            while (is_used(first)) first += "'";
            name = free.empty() ? first : free;
        }
        report.index.emplace_back(
            name, outcome.letters[static_cast<std::size_t>(letter)] + derivation_.model.range_of(letter).first);
    }
    caret(report, line, line.members[m].span);
    if (follows(line, report, target.left(), right, line.checked.free)) return;
    if (conditional(line, report, target.left(), right, line.checked.free)) return;
    report.verdict = Verdict::wrong;
    report.condition.clear();
    const Diagnosis diagnosis = diagnose(derivation_.model, line, m, target);
    report.reason = diagnosis.reason;
    report.mistake = diagnosis.mistake;
    if (diagnosis.span.end > diagnosis.span.begin) caret(report, line, diagnosis.span);
    if (diagnosis.repair) write_repair(report, line, m, *diagnosis.repair);
    if (!line.is_update) mistaken_.push_back({line.number, line.checked.members[0], right});
    if (mistaken_.size() > most_mistaken) mistaken_.erase(mistaken_.begin());
}

// ---- updates

Expression Judge::true_step(const Line& line, Rate rate) const {
    const Expression& parameter = line.checked.members[0];
    Expression loss = letter_entry(derivation_.model.quantity(line.loss).name, {});
    loss.symbol = line.loss;
    Expression derivative;
    derivative.kind = Kind::derivative;
    derivative.order = 1;
    derivative.children = {loss, parameter};
    Expression alpha = number_of(rate.number);
    if (rate.symbol >= 0) {
        alpha = letter_entry(derivation_.model.quantity(rate.symbol).name, {});
        alpha.symbol = rate.symbol;
    }
    return sum_of_terms({{parameter, Joint::plus}, {product_of({alpha, derivative}), Joint::minus}});
}

/// The rate that makes the update a step of descent, or where none does the one that is meant.
Judge::Rate Judge::rate_of(const Line& line) {
    const Model& model = derivation_.model;
    const Expression &parameter = line.checked.members[0], &right = line.checked.members[1];
    const auto fits = [&](const Rate& rate) {
        Target target(model, points_, true_step(line, rate), line.checked.free);
        return target.holds(right);
    };
    const std::vector<int> rates = possible_rates(model, line.loss);
    std::vector<int> used;
    for (const int rate : rates)
        if (depends_on(model, right, rate)) used.push_back(rate);
    for (const int rate : used)
        if (fits({rate, 0})) return {rate, 0};
    if (!rates.empty()) return {used.empty() ? rates[0] : used[0], 0};
    // A number: the one that fits the entry with the largest gradient.
    Evaluator evaluator(model, points_[0]);
    const Expression step = true_step(line, {-1, 1});
    double largest = 0, number = 0;
    for_each_entry(model, line.checked.free, evaluator.letters, [&] {
        const double gradient = evaluator(parameter) - evaluator(step);
        if (std::abs(gradient) > std::abs(largest)) {
            largest = gradient;
            number = (evaluator(parameter) - evaluator(right)) / gradient;
        }
        return true;
    });
    // One that fits with the wrong sign is what was meant too: the update climbs.
    if (std::isfinite(number) && number != 0 && fits({-1, number})) return {-1, std::abs(number)};
    const auto first_number = [](auto& self, const Expression& e) -> double {
        if (e.kind == Kind::number && e.number > 0) return e.number;
        for (const Expression& child : e.children)
            if (const double found = self(self, child); found > 0) return found;
        return 0;
    };
    const double typed = first_number(first_number, line.members[1]);
    return {-1, typed > 0 ? typed : 0.1};
}

void Judge::judge_update(Line& line, LineReport& report) {
    const Model& model = derivation_.model;
    const Expression& right = line.checked.members[1];
    Target target(model, points_, true_step(line, rate_of(line)), line.checked.free);
    if (target.holds(right) || holds_locally(target, right, report)) return;
    const Outcome outcome = target.compare(right);
    if (!outcome.decided || (outcome.all_zero && !outcome.equal)) {
        report.verdict = Verdict::undecided;
        report.reason = outcome.kinked ? "Every point stands on a kink, where there is no derivative."
                                       : "The line has no value at any point that was tried.";
        return;
    }
    if (outcome.equal) return;
    depart(line, report, target, 1, outcome);
}

// ---- printed numbers

bool Judge::needs_a_number(const Expression& e, std::string& name) const {
    for (std::size_t q = 0; q < derivation_.model.quantities.size(); ++q) {
        const Quantity& quantity = derivation_.model.quantities[q];
        if (quantity.role == Role::definition || !quantity.worked.empty() || !quantity.values.empty()) continue;
        if (depends_on(derivation_.model, e, static_cast<int>(q))) {
            name = derivation_.model.signature(quantity);
            return true;
        }
    }
    for (std::size_t f = 0; f < derivation_.model.functions.size(); ++f) {
        if (!derivation_.model.functions[f].definition.empty()) continue;
        std::set<int> seen;
        const auto calls = [&](auto& self, const Expression& x) -> bool {
            if (x.kind == Kind::call && x.symbol == static_cast<int>(f)) return true;
            if (x.kind == Kind::entry && x.symbol >= 0 && seen.insert(x.symbol).second &&
                self(self, derivation_.model.quantity(x.symbol).definition))
                return true;
            return std::ranges::any_of(x.children, [&](const Expression& child) { return self(self, child); });
        };
        if (calls(calls, e)) {
            name = derivation_.model.functions[f].name;
            return true;
        }
    }
    return false;
}

/// Takes true steps of all parameters that have an update, together, from the numbers of the worked example.
void Judge::after_steps(Model& model, int steps) {
    struct Step {
        int parameter;
        Expression next;
        std::vector<int> free;
    };
    std::vector<Step> all;
    for (const Line& line : derivation_.lines) {
        if (!line.is_update || line.fault) continue;
        all.push_back({line.checked.members[0].symbol, true_step(line, rate_of(line)), line.checked.free});
    }
    for (int i = 0; i < steps; ++i) {
        Point point = worked_point(model, seed_);
        std::vector<std::pair<int, std::vector<double>>> next;
        for (const Step& step : all) {
            const Quantity& quantity = model.quantity(step.parameter);
            std::vector<double> values = quantity.worked.empty() ? quantity.values : quantity.worked;
            if (values.empty()) continue;
            Evaluator evaluator(model, point);
            const Expression& entry = step.next.children[0];
            for_each_entry(model, step.free, evaluator.letters, [&] {
                const std::ptrdiff_t place = place_of(model, entry, evaluator.letters);
                if (place >= 0) values[static_cast<std::size_t>(place)] = evaluator(step.next);
                return true;
            });
            next.emplace_back(step.parameter, std::move(values));
        }
        for (auto& [parameter, values] : next)
            model.quantities[static_cast<std::size_t>(parameter)].worked = std::move(values);
    }
}

void Judge::judge_printed(Line& line, LineReport& report) {
    const std::size_t member = line.members.size();
    const Expression& left = line.checked.members[0];
    std::string missing;
    if (needs_a_number(left, missing)) {
        report.verdict = Verdict::ill_formed;
        report.member = member;
        report.mistake = "missing-number";
        report.reason = fmt::format("{} has no number: `at {} = ...` gives it one.", missing, missing);
        caret(report, line, line.printed->span);
        return;
    }
    Model stepped;
    const Model* model = &derivation_.model;
    if (line.steps > 0) {
        stepped = derivation_.model;
        after_steps(stepped, line.steps);
        model = &stepped;
    }
    Point point = worked_point(*model, seed_);
    Evaluator evaluator(*model, point);
    std::size_t entry = 0;
    double worst = 1;
    bool finite = true;
    for_each_entry(*model, line.checked.free, evaluator.letters, [&] {
        const double value = evaluator(left);
        const std::size_t i = line.printed->values.size() == 1 ? 0 : entry;
        ++entry;
        finite = finite && std::isfinite(value);
        // A little more than half a unit: the last digit may have been rounded either way.
        const double error = std::abs(value - line.printed->values[i]) /
                             (line.printed->tolerances[i] * (1 + 1e-6) + 1e-12 * std::abs(value));
        if (error > worst) {
            worst = error;
            report.verdict = Verdict::wrong;
            report.member = member;
            report.expected = value;
            report.got = line.printed->values[i];
            report.index.clear();
            for (const int letter : line.checked.free)
                report.index.emplace_back(
                    model->letters[static_cast<std::size_t>(letter)].name,
                    evaluator.letters[static_cast<std::size_t>(letter)] + model->range_of(letter).first);
        }
        return true;
    });
    if (!finite) {
        report.verdict = Verdict::undecided;
        report.reason = "The left side has no value at the numbers of this example.";
        return;
    }
    if (report.verdict != Verdict::wrong) return;
    report.mistake = "wrong-number";
    report.reason = "The number is another one, to the digits that are printed.";
    caret(report, line, line.printed->span);
    // The same number of digits as was printed.
    if (line.printed->values.size() == 1) {
        const int decimals =
            std::clamp(static_cast<int>(std::lround(-std::log10(2 * line.printed->tolerances[0]))), 0, 15);
        report.repair = fmt::format("{:.{}f}", *report.expected, decimals);
    }
}

// ---- follows, conditional

bool Judge::holds_under(const Variation& variation, const std::string& key, const Expression& left,
                        const Expression& right, const std::vector<int>& free) {
    std::size_t nodes = 0;
    for (const auto& [name, points] : varied_)
        for (const Point& point : points) nodes += point.nodes();
    if (nodes > most_varied_nodes) varied_.clear();
    auto found = varied_.find(key);
    if (found == varied_.end()) {
        try {
            auto& kept = variations_[key] = std::make_unique<Variation>(variation);
            found = varied_.emplace(key, draw_points(derivation_.model, *kept, seed_ + 101, 1)).first;
        } catch (const Error&) {
            found = varied_.emplace(key, std::vector<Point>()).first;
        }
    }
    if (found->second.empty()) return false;
    Target first(derivation_.model, found->second, left, free);
    if (first.is_zero() || !first.holds(right)) return false;
    // One point may be luck.
    const std::string more = key + " at more points";
    auto others = varied_.find(more);
    if (others == varied_.end())
        others = varied_.emplace(more, draw_points(derivation_.model, *variations_[key], seed_ + 202, 3)).first;
    Target target(derivation_.model, others->second, left, free);
    // What is positive has one side by its nature; elsewhere a side that no point shows is no condition.
    const bool one_sided =
        std::ranges::any_of(variation.domains, [](const auto& one) { return one.second == Domain::positive; });
    return target.holds(right) && (one_sided || shows_both_sides(others->second));
}

/// Whether these points show as much of every relu, abs and max as the points without a condition do.
bool Judge::shows_both_sides(const std::vector<Point>& points) const {
    const auto sides_of = [](const std::vector<Point>& all) {
        std::map<const Expression*, int> sides;
        for (const Point& point : all)
            for (const auto& [place, side] : point.sides()) sides[place] |= side;
        return sides;
    };
    const auto shown = sides_of(points);
    return std::ranges::all_of(sides_of(points_), [&](const auto& one) {
        const auto found = shown.find(one.first);
        return found == shown.end() || found->second == one.second;
    });
}

namespace {

/// Gives the formula the letters of `to` where `from` stands with others. False where an index is no letter.
bool match_letters(const Model& model, const std::vector<Index>& from, const std::vector<int>& to, Expression& e) {
    if (from.size() != to.size()) return false;
    std::vector<int> between;
    for (std::size_t i = 0; i < from.size(); ++i)
        if (from[i].terms.size() != 1) return false;
    // Through letters of its own, so that a swap does not merge two letters.
    for (std::size_t i = 0; i < from.size(); ++i) substitute(e, from[i].terms[0].letter, -10 - static_cast<int>(i), "");
    for (std::size_t i = 0; i < to.size(); ++i)
        substitute(e, -10 - static_cast<int>(i), to[i], model.letters[static_cast<std::size_t>(to[i])].name);
    return true;
}

}  // namespace

Variation Judge::assuming(const Mistaken& mistaken) const {
    Variation variation;
    const Model& model = derivation_.model;
    const auto assume = [&](const Expression& derivative, const Expression& value) {
        if (derivative.order != 1 || derivative.children.size() != 2 || derivative.children[0].kind != Kind::entry)
            return;
        variation.assumptions.push_back({derivative, value});
        for (std::size_t q = 0; q < model.quantities.size(); ++q) {
            const Expression& definition = model.quantities[q].definition;
            if (definition.kind != Kind::derivative || definition.order != 1 || definition.children.size() != 2 ||
                definition.children[0].kind != Kind::entry)
                continue;
            if (definition.children[0].symbol != derivative.children[0].symbol ||
                definition.children[1].symbol != derivative.children[1].symbol)
                continue;
            Expression renamed = value;
            std::vector<Index> from = derivative.children[0].indices;
            from.insert(from.end(), derivative.children[1].indices.begin(), derivative.children[1].indices.end());
            std::vector<int> to;
            for (const Expression& side : definition.children)
                for (const Index& index : side.indices)
                    to.push_back(index.terms.size() == 1 ? index.terms[0].letter : -1);
            if (std::ranges::find(to, -1) == to.end() && match_letters(model, from, to, renamed))
                variation.definitions[static_cast<int>(q)] = renamed;
        }
    };
    if (mistaken.left.kind == Kind::entry && model.quantity(mistaken.left.symbol).role == Role::definition) {
        const Quantity& quantity = model.quantity(mistaken.left.symbol);
        Expression renamed = mistaken.member;
        if (depends_on(model, mistaken.member, mistaken.left.symbol) ||
            !match_letters(model, mistaken.left.indices, quantity.letters, renamed))
            return variation;
        if (quantity.definition.kind == Kind::derivative) assume(quantity.definition, renamed);
        variation.definitions[mistaken.left.symbol] = renamed;
    } else if (mistaken.left.kind == Kind::derivative) {
        assume(mistaken.left, mistaken.member);
    }
    return variation;
}

bool Judge::follows(const Line& line, LineReport& report, const Expression& left, const Expression& right,
                    const std::vector<int>& free) {
    if (line.steps > 0) return false;
    for (auto mistaken = mistaken_.rbegin(); mistaken != mistaken_.rend(); ++mistaken) {
        const Variation variation = assuming(*mistaken);
        if (variation.empty()) continue;
        bool holds = false;
        try {
            // Of an update its step is judged, which may not be 0.
            const auto step = [&](const Expression& e) {
                return line.is_update ? sum_of_terms({{e, Joint::plus}, {line.checked.members[0], Joint::minus}}) : e;
            };
            holds = holds_under(variation, fmt::format("line {}", mistaken->line), step(left), step(right), free);
        } catch (const Error&) {
        }
        if (!holds) continue;
        report.verdict = Verdict::follows;
        report.because_of = mistaken->line;
        report.reason = fmt::format(
            "It follows from line {}, which is wrong: with what stands there this line is right.", mistaken->line);
        return true;
    }
    return false;
}

bool Judge::conditional(const Line& line, LineReport& report, const Expression& left, const Expression& right,
                        const std::vector<int>& free) {
    const Model& model = derivation_.model;
    const auto under = [&](std::string condition, std::string sentence) {
        report.verdict = Verdict::conditional;
        report.condition = std::move(condition);
        report.reason = std::move(sentence);
        return true;
    };
    // What is held fixed in a derivative on the left side.
    if (left.kind == Kind::derivative && left.order == 1 && left.children.size() == 2 &&
        left.children[0].kind == Kind::entry &&
        stands_in(model.quantity(left.children[0].symbol).definition, left.children[1].symbol)) {
        std::vector<int> between;
        for (std::size_t q = 0; q < model.quantities.size(); ++q) {
            const int symbol = static_cast<int>(q);
            if (symbol != left.children[0].symbol && symbol != left.children[1].symbol &&
                model.quantities[q].role == Role::definition && depends_on(model, left.children[0].symbol, symbol) &&
                depends_on(model, symbol, left.children[1].symbol))
                between.push_back(symbol);
        }
        std::vector<std::vector<int>> choices;
        for (const int one : between) choices.push_back({one});
        for (std::size_t a = 0; a < between.size() && between.size() <= 8; ++a)
            for (std::size_t b = a + 1; b < between.size(); ++b) choices.push_back({between[a], between[b]});
        if (between.size() > 2) choices.push_back(between);
        for (const std::vector<int>& choice : choices) {
            Expression holding = left;
            std::vector<std::string> names;
            for (const int symbol : choice) {
                Expression held = letter_entry(model.quantity(symbol).name, {});
                held.symbol = symbol;
                holding.children.push_back(held);
                names.push_back(model.quantity(symbol).name);
            }
            Target target(model, points_, holding, free);
            if (target.holds(right))
                return under("at fixed " + listed(names), fmt::format("It holds only where {} {} held fixed.",
                                                                      listed(names), names.size() == 1 ? "is" : "are"));
        }
    }
    // An undefined function that is a certain one.
    const auto uses_function = [&](int function) {
        std::set<int> seen;
        const auto uses = [&](auto& self, const Expression& e) -> bool {
            if (e.kind == Kind::call && e.symbol == function) return true;
            if (e.kind == Kind::entry && e.symbol >= 0 && seen.insert(e.symbol).second && seen.size() < 200 &&
                self(self, model.quantity(e.symbol).definition))
                return true;
            return std::ranges::any_of(e.children, [&](const Expression& child) { return self(self, child); });
        };
        return uses(uses, left) || uses(uses, right);
    };
    const auto has_condition = [](auto& self, const Expression& e) -> bool {
        return (e.kind == Kind::iverson && (e.name == ">" || e.name == "<" || e.name == ">=" || e.name == "<=")) ||
               std::ranges::any_of(e.children, [&](const Expression& child) { return self(self, child); });
    };
    for (std::size_t f = 0; f < model.functions.size(); ++f) {
        if (!model.functions[f].definition.empty() || !uses_function(static_cast<int>(f))) continue;
        for (const char* definition : {"sigmoid", "tanh", "relu", "softplus", "sin", "cos", "log", "sqrt"}) {
            if (std::string_view(definition) == "relu" && !has_condition(has_condition, right)) continue;
            Variation variation;
            variation.functions[static_cast<int>(f)] = definition;
            if (holds_under(variation, fmt::format("{} = {}", f, definition), left, right, free))
                return under(fmt::format("{} = {}", model.functions[f].name, definition),
                             fmt::format("It holds only where {} is {}, and {} is any function here.",
                                         model.functions[f].name, definition, model.functions[f].name));
        }
    }
    // A domain of what is given, the weakest first.
    for (std::size_t q = 0; q < model.quantities.size(); ++q) {
        const Quantity& quantity = model.quantities[q];
        const int symbol = static_cast<int>(q);
        if (quantity.role != Role::given || !quantity.values.empty() ||
            (!depends_on(model, left, symbol) && !depends_on(model, right, symbol)))
            continue;
        std::vector<std::pair<Domain, const char*>> choices;
        const bool real = quantity.domain == Domain::real || quantity.domain == Domain::nonzero;
        if (real) choices.emplace_back(Domain::positive, "is positive");
        if (!quantity.ranges.empty() &&
            (real || quantity.domain == Domain::positive || quantity.domain == Domain::unit)) {
            choices.emplace_back(Domain::sums_to_one, "sums to 1");
            choices.emplace_back(Domain::probabilities, "is probabilities");
        }
        if (!quantity.ranges.empty() && quantity.domain != Domain::onehot && quantity.domain != Domain::symmetric)
            choices.emplace_back(Domain::onehot, "is one-hot");
        if (quantity.ranges.size() == 2 && quantity.ranges[0] == quantity.ranges[1] && real)
            choices.emplace_back(Domain::symmetric, "is symmetric");
        for (const auto& [domain, words] : choices) {
            Variation variation;
            variation.domains[symbol] = domain;
            if (!holds_under(variation, fmt::format("{} {}", q, words), left, right, free)) continue;
            if (domain == Domain::symmetric) {
                Target target(derivation_.model, points_, left, free);
                if (transposition_repairs(derivation_.model, line, *report.member, target)) continue;
            }
            return under(fmt::format("{} {}", quantity.name, words),
                         fmt::format("It holds only where {} {}.", quantity.name, words));
        }
    }
    return false;
}

}  // namespace derivation
