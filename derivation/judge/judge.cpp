#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <derivation/formula/notations.hpp>
#include <derivation/judge/judge.hpp>
#include <derivation/mistakes/diagnosis.hpp>
#include <derivation/resolve/local_factors.hpp>
#include <set>
#include <utility>

namespace derivation {

namespace {

// A line may follow from one of these many wrong lines above it.
constexpr std::size_t most_mistaken = 12;

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

}  // namespace derivation
