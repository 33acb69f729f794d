#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/catalogue.hpp>
#include <derivation/mistakes/chain_rule.hpp>
#include <derivation/mistakes/diagnosis.hpp>
#include <derivation/resolve/checked.hpp>
#include <derivation/resolve/local_factors.hpp>
#include <set>

namespace derivation {

namespace {

// Of one line, two at a time included; fewer where each takes long.
constexpr double most_edits = 6000, fewest_edits = 60, most_work = 3e8;
constexpr std::size_t most_first_edits = 150;
/// Rows that put in so much that a second edit could make anything of it.
constexpr std::array<std::string_view, 7> last_resorts = {
    "missing-path",  "jacobian-summed",          "wrong-name",  "missing-factor",
    "other-adjoint", "softmax-diagonal-missing", "missing-term"};

/// What the left side is called elsewhere: a repair may not be the left side under another name.
std::vector<Expression> aliases_of(const Model& model, const Expression& left, const Line& line) {
    std::vector<Expression> aliases = {left};
    const auto derivative_of_name = [&](const Expression& entry) {
        const Quantity& quantity = model.quantity(entry.symbol);
        Expression e = quantity.definition;
        for (std::size_t i = 0; i < quantity.letters.size(); ++i)
            if (entry.indices[i].is_letter())
                substitute(e, quantity.letters[i], entry.indices[i].terms[0].letter, entry.indices[i].terms[0].name);
        return e;
    };
    if (left.kind == Kind::entry && left.symbol >= 0 && model.quantity(left.symbol).definition.kind == Kind::derivative)
        aliases.push_back(derivative_of_name(left));
    if (line.is_update && left.kind == Kind::add) aliases = {left.children[1].children.back()};
    const Expression derivative = aliases.back();
    if (derivative.kind != Kind::derivative) return aliases;
    for (std::size_t q = 0; q < model.quantities.size(); ++q) {
        const Quantity& quantity = model.quantities[q];
        if (quantity.definition.kind != Kind::derivative ||
            quantity.definition.children.size() != derivative.children.size())
            continue;
        // The name with the letters that make its definition this derivative.
        Expression entry = letter_entry(quantity.name, {});
        entry.symbol = static_cast<int>(q);
        for (const int letter : quantity.letters)
            entry.indices.push_back({{{model.letters[static_cast<std::size_t>(letter)].name, 1, letter}}, 0, {}});
        for (std::size_t c = 0; c < derivative.children.size(); ++c) {
            const Expression &mine = quantity.definition.children[c], &its = derivative.children[c];
            for (std::size_t i = 0; i < mine.indices.size() && i < its.indices.size(); ++i)
                for (Index& index : entry.indices)
                    if (index.is_letter() && mine.indices[i].is_letter() && its.indices[i].is_letter() &&
                        index.terms[0].letter == mine.indices[i].terms[0].letter)
                        index = its.indices[i];
        }
        if (entry.symbol != left.symbol && same(derivative_of_name(entry), derivative)) aliases.push_back(entry);
    }
    return aliases;
}

/// Whether something is multiplied by itself over itself.
bool has_idle_factors(const Expression& e) {
    const auto same_base = [](const Expression& above, const Expression& below) {
        return same(above, below) || (above.kind == Kind::power && same(above.children[0], below));
    };
    if (e.kind == Kind::product)
        for (std::size_t i = 0; i < e.children.size(); ++i)
            for (std::size_t k = 0; k < e.children.size(); ++k)
                if (e.joints[i] != Joint::divided && e.joints[k] == Joint::divided &&
                    same_base(e.children[i], e.children[k]))
                    return true;
    return std::ranges::any_of(e.children, has_idle_factors);
}

class Search {
  public:
    Search(Model& model, const Line& line, Target& target, Expression member)
        : model_(model),
          line_(line),
          target_(target),
          member_(std::move(member)),
          aliases_(aliases_of(model, target.left(), line)) {
        arrays_ = line.checked.arrays || is_of_arrays(model, member_);
        const std::size_t letters = model_.letters.size();
        try {
            original_ = check_member(model_, line_.checked, member_);
        } catch (const Error&) {
        }
        model_.letters.resize(letters);
        const double work = work_of(model_, target.left(), target.free()) + work_of(model_, original_, target.free());
        most_edits_ = static_cast<std::size_t>(
            std::clamp(most_work / (work * static_cast<double>(target.points().size())), fewest_edits, most_edits));
    }

    std::optional<Diagnosis> run() {
        for (const Mistake& mistake : catalogue()) {
            try_row(mistake, member_, [&](const Edit& edit) {
                if (firsts_.size() < most_first_edits &&
                    std::ranges::find(last_resorts, std::string_view(mistake.name)) == last_resorts.end())
                    firsts_.push_back(edit);
                return false;
            });
            if (found_) return found_;
        }
        std::stable_partition(firsts_.begin(), firsts_.end(),
                              [&](const Edit& first) { return is_well_formed(first.member); });
        for (const Edit& first : firsts_) {
            for (const Mistake& mistake : catalogue()) {
                if (!mistake.generic) continue;
                try_row(mistake, first.member, [](const Edit&) { return false; });
                if (found_) {
                    found_->reason = first.sentence + " " + found_->reason;
                    found_->mistake = first.mistake;
                    found_->span = first.where;
                    return found_;
                }
                if (tried_ > most_edits_) break;
            }
        }
        return {};
    }

    /// The value that the chain rule gives.
    std::optional<Expression> from_definitions() {
        tried_ = 0;
        const Editing editing(model_, line_, member_, target_.left(), arrays_, [](const Edit&) { return false; });
        for (const Expression& formula : by_chain_rule(editing))
            if (holds(formula)) return formula;
        return {};
    }

    bool of_arrays() const { return arrays_; }

    /// Whether a repair that was found may be written so.
    bool is_right_as(const Expression& repair) {
        const std::size_t letters = model_.letters.size();
        bool result = false;
        try {
            result = is_right(check_member(model_, line_.checked, repair));
        } catch (const Error&) {
        }
        model_.letters.resize(letters);
        return result;
    }

  private:
    template <class Remember>
    void try_row(const Mistake& mistake, const Expression& member, Remember remember) {
        Editing editing(model_, line_, member, target_.left(), arrays_, [&](Edit edit) {
            if (edit.sentence.empty()) edit.sentence = mistake.sentence;
            if (edit.mistake.empty()) edit.mistake = mistake.name;
            if (holds(edit.member)) {
                found_ = Diagnosis{edit.mistake, edit.sentence, edit.member, edit.where};
                return true;
            }
            remember(edit);
            return tried_ > most_edits_;
        });
        mistake.edits(editing);
    }

    bool holds(const Expression& edited) {
        if (++tried_ > most_edits_) return false;
        if (!seen_.insert(to_text(edited)).second) return false;
        const std::size_t letters = model_.letters.size();
        bool result = false;
        try {
            const Expression checked = check_member(model_, line_.checked, edited);
            result = !smuggles(checked) && (!has_idle_factors(checked) || has_idle_factors(original_)) &&
                     is_right(checked) && !has_idle_terms(checked);
        } catch (const Error&) {
        }
        model_.letters.resize(letters);
        return result;
    }

    bool is_right(const Expression& checked) {
        if (target_.holds(checked)) return true;
        std::vector<std::string> said;
        Expression local = checked;
        return make_local(model_, local, said) && target_.holds(local);
    }

    /// Whether it holds without one of its terms too.
    bool has_idle_terms(const Expression& checked) {
        const std::vector<Part> terms = terms_of(checked);
        if (terms.size() < 2) return false;
        for (std::size_t i = 0; i < terms.size(); ++i) {
            std::vector<Part> rest = terms;
            rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
            if (is_right(sum_of_terms(rest))) return true;
        }
        return false;
    }

    bool is_well_formed(const Expression& edited) {
        const std::size_t letters = model_.letters.size();
        bool result = true;
        try {
            check_member(model_, line_.checked, edited);
        } catch (const Error&) {
            result = false;
        }
        model_.letters.resize(letters);
        return result;
    }

    bool smuggles(const Expression& checked) const {
        return std::ranges::any_of(
            aliases_, [&](const Expression& alias) { return contains(checked, alias) && !contains(original_, alias); });
    }

    Model& model_;
    const Line& line_;
    Target& target_;
    Expression member_, original_;
    std::vector<Expression> aliases_;
    bool arrays_ = false;
    std::size_t tried_ = 0, most_edits_ = 0;
    std::set<std::string> seen_;
    std::vector<Edit> firsts_;
    std::optional<Diagnosis> found_;
};

bool is_number(const Expression& e, double value) { return e.kind == Kind::number && e.number == value; }

/// (A B)^T as B^T A^T, with the numbers in front left there.
Expression without_transposed_product(Expression e) {
    if (e.kind != Kind::transpose || e.children[0].kind != Kind::product) return e;
    std::vector<Part> front, matrices;
    for (Part& part : factors_of(e.children[0])) {
        const bool scalar = part.expression.kind == Kind::number || part.joint == Joint::divided;
        const bool fits = part.joint == Joint::juxtaposed || part.joint == Joint::matrix || part.joint == Joint::dot;
        if (scalar ? !matrices.empty() : !fits && !matrices.empty()) return e;
        (scalar ? front : matrices).push_back(std::move(part));
    }
    if (matrices.size() < 2) return e;
    const Joint joint = matrices[1].joint;
    std::vector<Part> turned = front;
    for (std::size_t i = matrices.size(); i-- > 0;) {
        Expression one = std::move(matrices[i].expression);
        if (one.kind == Kind::transpose) {
            one = Expression(one.children[0]);
        } else {
            Expression wrapped;
            wrapped.kind = Kind::transpose;
            wrapped.children = {std::move(one)};
            one = std::move(wrapped);
        }
        turned.push_back({std::move(one), turned.size() == front.size() ? Joint::juxtaposed : joint});
    }
    return product_of_factors(turned);
}

/// 2 x/(2 s) as x/s, and x/(2 s) times 2 likewise.
void cancel_numbers(std::vector<Part>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i)
        for (std::size_t k = 0; k < parts.size(); ++k) {
            Expression& below = parts[k].expression;
            if (parts[i].joint == Joint::divided || parts[i].expression.kind != Kind::number || i == k ||
                parts[k].joint != Joint::divided)
                continue;
            if (is_number(below, parts[i].expression.number)) {
                below = number_of(1);
                parts[i].expression = number_of(1);
            } else if (below.kind == Kind::product && below.joints[0] != Joint::divided &&
                       is_number(below.children[0], parts[i].expression.number)) {
                below.children[0] = number_of(1);
                parts[i].expression = number_of(1);
            }
        }
}

/// x/s^2/s, where an edit put the last divisor, as x/s^3; x/r/n as x/(r n).
void join_last_divisors(std::vector<Part>& parts) {
    if (parts.size() < 3 || parts.back().joint != Joint::divided || parts[parts.size() - 2].joint != Joint::divided)
        return;
    const Expression last = parts.back().expression;
    Expression& before = parts[parts.size() - 2].expression;
    if (last.kind == Kind::number || before.kind == Kind::number) return;
    const bool is_power = before.kind == Kind::power && before.children[1].kind == Kind::number;
    if (same(is_power ? before.children[0] : before, last)) {
        Expression power;
        power.kind = Kind::power;
        power.children = {last, number_of(is_power ? before.children[1].number + 1 : 2)};
        before = std::move(power);
    } else {
        before = product_of_factors([&] {
            std::vector<Part> both = factors_of(before);
            both.push_back({last, Joint::times});
            return both;
        }());
    }
    parts.pop_back();
}

/// 1/(2 s) * n as n/(2 s); 1/2 * n stays.
void fill_numerator(std::vector<Part>& parts) {
    if (parts.size() < 3 || !is_number(parts[0].expression, 1) || parts[1].joint != Joint::divided ||
        parts[1].expression.kind == Kind::number)
        return;
    const auto factor =
        std::ranges::find_if(parts.begin() + 1, parts.end(), [](const Part& p) { return p.joint != Joint::divided; });
    if (factor == parts.end() || factor->expression.kind == Kind::reduce) return;
    parts[0].expression = factor->expression;
    parts.erase(factor);
}

/// As one would write it: without factors and powers of 1, and what cancels.
Expression tidied(Expression e, bool arrays) {
    for (Expression& child : e.children) child = tidied(std::move(child), arrays);
    if (e.kind == Kind::power && is_number(e.children[1], 1)) return std::move(e.children[0]);
    if (arrays) e = without_transposed_product(std::move(e));
    if (e.kind != Kind::product) return e;
    std::vector<Part> parts = factors_of(e);
    if (!arrays) {
        cancel_numbers(parts);
        fill_numerator(parts);
        join_last_divisors(parts);
        for (Part& part : parts)
            if (part.expression.kind == Kind::product) part.expression = tidied(std::move(part.expression), arrays);
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool next_divides = i == 0 && parts.size() > 1 && parts[1].joint == Joint::divided;
        if (!is_number(parts[i].expression, 1) || parts.size() < 2 || next_divides) continue;
        parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
        --i;
    }
    // (-x) y as -(x y).
    Expression& first = parts[0].expression;
    if (arrays || first.kind != Kind::add || first.children.size() != 1 || first.joints[0] != Joint::minus)
        return product_of_factors(parts);
    first = Expression(first.children[0]);
    return negated(normalized(product_of_factors(parts)));
}

/// Whether the member is what is differentiated on the left side, or that without its outer sum.
bool is_not_differentiated(const Model& model, const Expression& member, Target& target) {
    Expression left = target.left();
    if (left.kind == Kind::entry && left.symbol >= 0 &&
        model.quantity(left.symbol).definition.kind == Kind::derivative) {
        const Quantity& name = model.quantity(left.symbol);
        left = name.definition;
        for (std::size_t i = 0; i < name.letters.size(); ++i) {
            if (!target.left().indices[i].is_letter()) return false;
            const IndexTerm& letter = target.left().indices[i].terms[0];
            substitute(left, name.letters[i], letter.letter, letter.name);
        }
    }
    if (left.kind != Kind::derivative || left.order != 1) return false;
    const auto equal = [&](const Expression& e) {
        Target value(model, target.points(), e, target.free());
        return value.holds(member);
    };
    if (equal(left.children[0])) return true;
    if (left.children[0].kind != Kind::entry) return false;
    // Without the sums around it, at the letters of the left side.
    Expression body = model.quantity(left.children[0].symbol).definition;
    if (!model.quantity(left.children[0].symbol).ranges.empty()) return false;
    const auto strip = [&](auto& self, Expression& e) -> void {
        while (e.kind == Kind::reduce && (e.name == "sum" || e.name == "mean")) {
            Expression inner = e.children[0];
            double size = 1;
            for (const IndexTerm& letter : e.letters) {
                size *= model.range_of(letter.letter).size;
                for (const int free : target.free())
                    if (model.letters[static_cast<std::size_t>(free)].range ==
                        model.letters[static_cast<std::size_t>(letter.letter)].range)
                        substitute(inner, letter.letter, free, model.letters[static_cast<std::size_t>(free)].name);
            }
            e = e.name == "mean" ? quotient_of(inner, number_of(size)) : inner;
        }
        for (Expression& child : e.children) self(self, child);
    };
    strip(strip, body);
    return equal(body);
}

}  // namespace

Diagnosis diagnose(Model& model, const Line& line, std::size_t member, Target& target) {
    Search search(model, line, target, line.members[member]);
    std::optional<Diagnosis> found = search.run();
    Diagnosis diagnosis{"unknown", "No simple change of this line makes it hold.", {}, {}};
    if (found) {
        diagnosis = *found;
    } else {
        diagnosis.repair = search.from_definitions();
        if (diagnosis.repair) diagnosis.reason += " From the definitions, by the chain rule, it is another formula.";
    }
    if (diagnosis.repair) {
        Expression tidy = tidied(*diagnosis.repair, search.of_arrays());
        if (search.is_right_as(tidy)) diagnosis.repair = std::move(tidy);
    }
    // Where a structural reason was found it says more.
    static constexpr std::array<std::string_view, 11> weak = {
        "unknown",      "factor-half",       "factor-two", "wrong-power",  "wrong-number", "missing-factor",
        "extra-factor", "divided-for-times", "sign",       "wrong-letter", "wrong-name"};
    if (std::ranges::find(weak, diagnosis.mistake) != weak.end() && member < line.checked.members.size() &&
        is_not_differentiated(model, line.checked.members[member], target)) {
        diagnosis.mistake = "not-differentiated";
        diagnosis.reason = "It is not differentiated at all: this is the quantity itself.";
        diagnosis.span = {};
        // What made it hold is an accident then.
        if (std::optional<Expression> value = search.from_definitions()) diagnosis.repair = std::move(value);
    }
    return diagnosis;
}

bool transposition_repairs(Model& model, const Line& line, std::size_t member, Target& target) {
    bool repaired = false;
    Editing editing(model, line, line.members[member], target.left(), line.checked.arrays, [&](const Edit& edit) {
        const std::size_t letters = model.letters.size();
        try {
            repaired = target.holds(check_member(model, line.checked, edit.member));
        } catch (const Error&) {
        }
        model.letters.resize(letters);
        return repaired;
    });
    for (const Mistake& mistake : catalogue())
        if (std::string_view(mistake.name) == "transposed") mistake.edits(editing);
    return repaired;
}

}  // namespace derivation
