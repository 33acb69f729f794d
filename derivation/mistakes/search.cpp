#include <algorithm>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/chain_rule.hpp>
#include <derivation/mistakes/matrix_rules.hpp>
#include <derivation/mistakes/search.hpp>
#include <derivation/mistakes/tidy.hpp>
#include <derivation/resolve/lookup.hpp>

namespace derivation {

namespace {

// Of one line, two at a time included; fewer where each takes long.
constexpr double most_edits = 6000, fewest_edits = 60, most_work = 3e8;
constexpr std::size_t most_first_edits = 150;

/// Whether the member is well-formed in its place, and passes the test there. The letters that arrays get while it is
/// checked are in the model during the test only.
template <class Test>
bool passes(Model& model, const Line& line, const Expression& member, const Test& test) {
    const FreshLetters fresh(model);
    try {
        return test(checked_member(model, line, member));
    } catch (const Error&) {
        return false;
    }
}

/// The derivative that a name for one means, at the letters of an entry.
Expression derivative_named_by(const Model& model, const Expression& entry) {
    const Quantity& quantity = model.quantity(entry);
    Expression e = quantity.definition;
    for (std::size_t i = 0; i < quantity.letters.size(); ++i)
        if (entry.indices[i].is_letter())
            substitute(e, quantity.letters[i], *entry.indices[i].terms[0].letter, entry.indices[i].terms[0].name);
    return e;
}

/// The quantity as an entry, at the letters that make its definition this derivative where that is possible.
Expression entry_for(const Model& model, int q, const Expression& derivative) {
    const Quantity& quantity = model.quantity(q);
    Expression entry = entry_of(quantity.name, {});
    entry.symbol = q;
    for (const int letter : quantity.letters) entry.indices.push_back({{{model.letter(letter).name, 1, letter}}});
    for (std::size_t c = 0; c < derivative.children.size(); ++c) {
        const std::vector<Index>&mine = quantity.definition.children[c].indices, &its = derivative.children[c].indices;
        for (std::size_t i = 0; i < mine.size() && i < its.size(); ++i)
            for (Index& index : entry.indices)
                if (index.is_letter() && mine[i].is_letter() && its[i].is_letter() &&
                    index.terms[0].letter == mine[i].terms[0].letter)
                    index = its[i];
    }
    return entry;
}

/// What the left side is called elsewhere: a repair may not be the left side under another name.
std::vector<Expression> aliases_of(const Model& model, const Expression& left, const Line& line) {
    std::vector<Expression> aliases = {left};
    if (left.kind == Kind::entry && model.quantity(left).definition.kind == Kind::derivative)
        aliases.push_back(derivative_named_by(model, left));
    // Of an update the left side is the true step: w - alpha dL/dw.
    if (line.is_update && left.kind == Kind::add) aliases = {left.children[1].children.back()};
    const Expression derivative = aliases.back();
    if (derivative.kind != Kind::derivative) return aliases;
    for (int q = 0; q < model.count(); ++q) {
        const Expression& definition = model.quantity(q).definition;
        if (definition.kind != Kind::derivative || definition.children.size() != derivative.children.size()) continue;
        const Expression entry = entry_for(model, q, derivative);
        if (left.symbol != q && same(derivative_named_by(model, entry), derivative)) aliases.push_back(entry);
    }
    return aliases;
}

std::size_t parts_of_tree(const Expression& e) {
    std::size_t parts = 1;
    for (const Expression& child : e.children) parts += parts_of_tree(child);
    return parts;
}

/// Whether something is multiplied by itself over itself.
bool has_idle_factors(const Expression& e) {
    const auto same_base = [](const Expression& above, const Expression& below) {
        return same(above, below) || (above.kind == Kind::power && same(above.base(), below));
    };
    if (e.kind == Kind::product)
        for (std::size_t k = 0; k < e.children.size(); ++k)
            for (std::size_t i = 0; i < e.children.size() && e.joints[k] == Joint::divided; ++i)
                if (e.joints[i] != Joint::divided && same_base(e.children[i], e.children[k])) return true;
    return std::ranges::any_of(e.children, has_idle_factors);
}

std::size_t count_of_twos(const Expression& e) {
    std::size_t count = 0;
    for (std::size_t i = 0; e.kind == Kind::product && i < e.children.size(); ++i)
        if (is_number(e.children[i], 2) && e.joints[i] != Joint::divided) ++count;
    for (const Expression& child : e.children) count += count_of_twos(child);
    return count;
}

/// Whether it is the same factor, or a sum over the same letters.
bool is_alike(const Expression& one, const Expression& other) {
    const auto letters = [](const Expression& e) {
        std::vector<std::string> names;
        for (const IndexTerm& letter : e.letters) names.push_back(letter.name);
        return names;
    };
    return same(one, other) || (one.kind == Kind::reduce && other.kind == Kind::reduce && one.name == other.name &&
                                letters(one) == letters(other));
}

bool is_plain_sum(const Expression& e) {
    return e.kind == Kind::reduce && e.name == "sum" && e.letters.size() == 1 && e.condition() == nullptr;
}

/// What stands in such a sum beside what it sums over.
Expression without_summed(const Expression& sum) {
    Parts outside;
    for (const Part& factor : factors_of(sum.body()))
        if (!uses_letter(factor.expression, sum.letters[0].name)) outside.push_back(factor);
    return outside.empty() ? number_of(1) : product_of_factors(std::move(outside));
}

/// Two edits as one. Half of what is right is said where nothing else is missing.
Edit together(const Edit& first, const Edit& second) {
    const bool half = first.mistake == "factor-half", twice = first.mistake == "factor-two";
    const std::string said = half    ? "A factor 2 is missing."
                             : twice ? "A factor 2 should not be there."
                                     : to_text(first.reason);
    const std::string also = to_text(second.reason);
    Edit both{second.member, first.where, said == also ? said : said + " " + also,
              half || twice ? second.mistake : first.mistake};
    // A factor that goes and comes back, and another 2: what was changed is said as a whole (`diagnose`).
    const std::optional<Expression>&one = first.reason.factor, &other = second.reason.factor;
    const bool comes_back = one && other && is_alike(*one, *other);
    if (comes_back) both.mistake = "wrong-term";
    if (comes_back || ((half || twice) && count_of_twos(second.member) != count_of_twos(first.member)))
        both.reason = {};
    return both;
}

}  // namespace

Search::Search(Model& model, const Line& line, Target& target, Expression member, Confirm confirm)
    : model_(model),
      line_(line),
      target_(target),
      confirm_(std::move(confirm)),
      member_(std::move(member)),
      aliases_(aliases_of(model, target.left(), line)) {
    // A number that is made of matrices, as a trace is, is edited as they are.
    const bool has_matrices = any_part(member_, [&](const Expression& e) { return is_of_matrix(model, e); });
    const bool has_letters = any_part(member_, [](const Expression& e) { return !e.indices.empty(); });
    arrays_ = line.checked.arrays || is_of_arrays(model, member_) || (has_matrices && !has_letters);
    double work_of_member = work_of(model_, original_, target.free());
    passes(model_, line_, member_, [&](const Expression& checked) {
        original_ = checked;
        work_of_member = work_of(model_, checked, target.free());
        return true;
    });
    const double work = work_of(model_, target.left(), target.free()) + work_of_member;
    most_edits_ = static_cast<std::size_t>(
        std::clamp(most_work / (work * static_cast<double>(target.points().size())), fewest_edits, most_edits));
}

std::optional<Edit> Search::run() {
    std::vector<Edit> firsts;
    const auto remember = [&](const Mistake& mistake, const Edit& edit) {
        // What stands for what is said where nothing else is changed: 1 + p is not 1 - p with another sign.
        if (firsts.size() < most_first_edits && !mistake.is(last_resort) && edit.mistake != "wrong-term")
            firsts.push_back(edit);
    };
    if (std::optional<Edit> found = try_rows([](const Mistake&) { return true; }, member_, remember)) return found;
    std::stable_partition(firsts.begin(), firsts.end(), [&](const Edit& first) {
        return passes(model_, line_, first.member, [](const Expression&) { return true; });
    });
    for (const Edit& first : firsts) {
        if (tried_ > most_edits_) break;
        if (const std::optional<Edit> both = try_rows([](const Mistake& mistake) { return mistake.is(generic); },
                                                      first.member, [](const Mistake&, const Edit&) {}))
            return together(first, *both);
    }
    return {};
}

/// The first edit of these rows that makes the line hold; those that do not are remembered.
template <class Choose, class Remember>
std::optional<Edit> Search::try_rows(Choose choose, const Expression& member, Remember remember) {
    std::optional<Edit> found;
    const Mistake* row = nullptr;
    Editing editing(model_, line_, member, target_.left(), arrays_, [&](Edit edit) {
        if (edit.reason.sentence.empty()) edit.reason = row->sentence;
        if (edit.mistake.empty()) edit.mistake = row->name;
        if (holds(edit.member)) {
            found = std::move(edit);
            return true;
        }
        remember(*row, edit);
        return tried_ > most_edits_;
    });
    for (const Mistake& mistake : catalogue()) {
        if (!choose(mistake)) continue;
        row = &mistake;
        mistake.edits(editing);
        if (editing.done()) break;
    }
    return found;
}

std::optional<Expression> Search::from_definitions() {
    tried_ = 0;
    const Editing editing(model_, line_, member_, target_.left(), arrays_, [](const Edit&) { return false; });
    const auto first_that_holds = [&](const std::vector<Expression>& formulas,
                                      bool arrays) -> std::optional<Expression> {
        for (const Expression& formula : formulas)
            for (const Expression& form : {tidied(formula, arrays), formula})
                if (Expression least = without_idle_parts(form); holds(least)) return least;
        return {};
    };
    if (std::optional<Expression> formula = first_that_holds(by_chain_rule(editing), arrays_)) return formula;
    if (std::optional<Expression> formula = first_that_holds(by_differentials(editing), true)) return formula;
    return first_that_holds(by_definitions(editing), arrays_);
}

bool Search::is_right_as(const Expression& repair) {
    return passes(model_, line_, repair, [&](const Expression& checked) { return is_right(checked); }) &&
           confirm_(repair);
}

bool Search::holds(const Expression& edited) {
    if (++tried_ > most_edits_) return false;
    constexpr std::size_t work_of_a_part = 300;
    model_.budget->work(work_of_a_part * parts_of_tree(edited));
    if (!seen_.insert(hash_of(edited)).second) return false;
    // tr(A B C) = tr(A B C) is no answer.
    if (arrays_ && !line_.members.empty() && same(edited, line_.members[0])) return false;
    return passes(model_, line_, edited,
                  [&](const Expression& checked) {
                      return !smuggles(checked) && (!has_idle_factors(checked) || has_idle_factors(original_)) &&
                             is_right(checked) && !has_idle_terms(checked) && !has_idle_sums(checked, checked);
                  }) &&
           confirm_(edited);
}

bool Search::is_right(const Expression& checked) {
    if (target_.holds(checked)) return true;
    Expression local = checked;
    std::vector<std::string> said;
    if (!target_.holds_locally(local, said)) return false;
    // An adjoint that an edit brings in means the whole one.
    const Expression& left = target_.left();
    return left.kind != Kind::derivative || !any_part(local, [&](const Expression& e) {
               if (!e.local || e.numerator().symbol != left.numerator().symbol) return false;
               Expression whole = e;
               whole.local = false;
               return !contains(original_, whole);
           });
}

/// What comes from definitions may hold terms that are always 0, as a sum of deviations from a mean, and factors that
/// are always 1, as a sum of probabilities.
Expression Search::without_idle_parts(const Expression& formula) {
    const auto holds_as = [&](const Expression& other) {
        return passes(model_, line_, other, [&](const Expression& checked) { return is_right(checked); });
    };
    if (!holds_as(formula)) return formula;
    Parts terms = terms_of(formula);
    for (std::size_t i = terms.size(); i-- > 0 && terms.size() > 1;)
        if (const Parts others = without(terms, i); holds_as(sum_of_terms(others))) terms = others;
    Expression least = sum_of_terms(terms);
    const auto leave_out = [&](auto& self, Expression& part) -> void {
        if (is_plain_sum(part)) {
            Expression saved = std::exchange(part, Expression(without_summed(part)));
            if (!holds_as(least)) part = std::move(saved);
        }
        for (Expression& child : part.children) self(self, child);
    };
    leave_out(leave_out, least);
    return least;
}

/// Whether it holds without one of its terms too.
bool Search::has_idle_terms(const Expression& checked) {
    const Parts terms = terms_of(checked);
    for (std::size_t i = 0; terms.size() > 1 && i < terms.size(); ++i)
        if (is_right(sum_of_terms(without(terms, i)))) return true;
    return false;
}

/// Whether it holds where a sum is left out that stands beside what it sums over: the sum of probabilities.
bool Search::has_idle_sums(const Expression& e, const Expression& root) {
    const auto without_sum = [&](auto& self, const Expression& node) -> Expression {
        if (&node == &e) return without_summed(node);
        Expression copy = node;
        for (std::size_t i = 0; i < node.children.size(); ++i) copy.children[i] = self(self, node.children[i]);
        return copy;
    };
    if (is_plain_sum(e) && !contains(original_, e) && is_right(without_sum(without_sum, root))) return true;
    return std::ranges::any_of(e.children, [&](const Expression& child) { return has_idle_sums(child, root); });
}

/// Whether the left side came in under one of its names.
bool Search::smuggles(const Expression& checked) const {
    return std::ranges::any_of(
        aliases_, [&](const Expression& alias) { return contains(checked, alias) && !contains(original_, alias); });
}

std::optional<Edit> edit_of_step(Model& model, const Line& line, const std::vector<std::string_view>& rows,
                                 const std::function<bool(const Expression&)>& is_step) {
    std::optional<Edit> found;
    Editing editing(model, line, line.members[1], line.checked.members[0], line.checked.arrays, [&](Edit edit) {
        if (!passes(model, line, edit.member, is_step)) return false;
        found = std::move(edit);
        return true;
    });
    for (const std::string_view name : rows) {
        const Mistake& mistake = *find_mistake(name);
        mistake.edits(editing);
        if (!found) continue;
        if (found->mistake.empty()) found->mistake = mistake.name;
        if (found->reason.sentence.empty()) found->reason = mistake.sentence;
        break;
    }
    return found;
}

bool transposition_repairs(Model& model, const Line& line, std::size_t member, Target& target) {
    bool repaired = false;
    Editing editing(model, line, line.members[member], target.left(), line.checked.arrays, [&](const Edit& edit) {
        repaired = passes(model, line, edit.member, [&](const Expression& checked) { return target.holds(checked); });
        return repaired;
    });
    for (const Mistake& mistake : catalogue())
        if (std::string_view(mistake.name).starts_with("transposed")) mistake.edits(editing);
    return repaired;
}

}  // namespace derivation
