#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/notations.hpp>
#include <derivation/grade/earning.hpp>
#include <map>
#include <optional>
#include <set>

namespace derivation {

namespace {

/// Compares resolved formulas of which the letters may have other names: each stands for one of the same range. At any
/// entry a letter of the second stands for whatever index the first has, as in dE/dh[t+1] for dE/dh[t].
class Alike {
  public:
    explicit Alike(const Model& model, bool at_any_entry = false) : model_(model), at_any_entry_(at_any_entry) {}

    bool operator()(const Expression& a, const Expression& b) {
        if (a.kind != b.kind || a.order != b.order || a.joints != b.joints || a.symbol != b.symbol ||
            a.number != b.number || (!a.symbol && a.kind != Kind::letter && a.name != b.name) ||
            a.indices.size() != b.indices.size() || a.letters.size() != b.letters.size() ||
            a.children.size() != b.children.size())
            return false;
        for (std::size_t i = 0; i < a.indices.size(); ++i)
            if (at_any_entry_ && b.indices[i].is_letter())
                continue;
            else if (a.indices[i].offset != b.indices[i].offset ||
                     !same_letters(a.indices[i].terms, b.indices[i].terms))
                return false;
        if (!same_letters(a.letters, b.letters)) return false;
        for (std::size_t i = 0; i < a.children.size(); ++i)
            if (!(*this)(a.children[i], b.children[i])) return false;
        return true;
    }

  private:
    bool same_letters(const std::vector<IndexTerm>& a, const std::vector<IndexTerm>& b) {
        return std::ranges::equal(a, b, [&](const IndexTerm& x, const IndexTerm& y) {
            if (x.sign != y.sign || !x.letter || !y.letter) return false;
            if (model_.letter(*x.letter).range != model_.letter(*y.letter).range) return false;
            return there_.try_emplace(*x.letter, *y.letter).first->second == *y.letter &&
                   back_.try_emplace(*y.letter, *x.letter).first->second == *x.letter;
        });
    }

    const Model& model_;
    bool at_any_entry_;
    std::map<int, int> there_, back_;
};

/// A formula, and where it is a name with a definition, that too: delta[j], and dE/dz[j].
std::vector<Expression> opened(const Model& model, const Expression& e) {
    std::vector<Expression> result = {e};
    while (result.size() < 20) {
        const Expression& last = result.back();
        if (last.kind != Kind::entry || !last.symbol) break;
        const Quantity& quantity = model.quantity(last);
        if (quantity.role != Role::definition || quantity.letters.size() != last.indices.size()) break;
        std::vector<Substitution> letters;
        for (std::size_t i = 0; i < last.indices.size(); ++i) {
            if (!last.indices[i].is_letter()) return result;
            const IndexTerm& term = last.indices[i].terms[0];
            letters.push_back({quantity.letters[i], *term.letter, term.name});
        }
        Expression next = quantity.definition;
        substitute(next, letters);
        result.push_back(std::move(next));
    }
    return result;
}

bool match(const Model& model, const Expression& one, const Expression& other, bool at_any_entry = false) {
    for (const Expression& a : opened(model, one))
        for (const Expression& b : opened(model, other))
            if (Alike(model, at_any_entry)(a, b)) return true;
    return false;
}

bool is_among(const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
}

/// Looks for what a task does not allow in a formula, and in the definitions that it uses.
class Inspection {
  public:
    Inspection(const Together& together, std::size_t task)
        : together_(together), model_(together.derivation.model), task_(together.exercise.tasks[task]) {
        for (std::size_t other = 0; other < together.exercise.tasks.size(); ++other)
            if (is_among(task_.with, "(" + together.exercise.tasks[other].label + ")"))
                allowed_.push_back(&together.line_of(other).checked.members[0]);
    }

    /// What stands in the formula and may not, as a sentence; nothing where nothing does.
    std::string run(const Expression& typed, const Expression& resolved) {
        if (task_.with.empty() && has_derivative(typed)) return "a derivative stands in it";
        if (const Found found = hidden_derivative(resolved); !found.what.empty())
            return found.where.empty() ? found.what + " stands in it"
                                       : fmt::format("{} stands in it, which hides {}", found.where, found.what);
        if (const Found found = forbidden(typed, resolved); !found.what.empty())
            return found.where.empty() ? fmt::format("{} may not be used", found.what)
                                       : fmt::format("{} stands in it, which hides {}, and that may not be used",
                                                     found.where, found.what);
        return {};
    }

  private:
    /// What may not be there, and the name that hides it, where one does.
    struct Found {
        std::string what, where;
    };

    Found hidden_derivative(const Expression& e) {
        if ((e.kind == Kind::derivative || e.kind == Kind::entry) &&
            std::ranges::any_of(allowed_, [&](const Expression* left) { return match(model_, e, *left, true); }))
            return {};
        if (e.kind == Kind::derivative) return {"a derivative", ""};
        if (const Quantity* let = definition_of(e, seen_);
            let != nullptr && !(is_of_exercise(e) && is_among(task_.with, e.name)))
            if (const Found found = hidden_derivative(let->definition); !found.what.empty())
                return {found.what, e.name};
        for (const Expression& child : e.children)
            if (Found found = hidden_derivative(child); !found.what.empty()) return found;
        return {};
    }

    /// In the exercise's own definitions anything may stand.
    Found forbidden(const Expression& typed, const Expression& resolved) {
        if (std::string name = forbidden_name(typed); !name.empty()) return {std::move(name), ""};
        return in_definitions(resolved);
    }

    Found in_definitions(const Expression& e) {
        if (const Quantity* let = definition_of(e, seen_by_name_); let != nullptr && !is_of_exercise(e))
            if (const Found found = forbidden(let->written, let->definition); !found.what.empty())
                return {found.what, e.name};
        for (const Expression& child : e.children)
            if (Found found = in_definitions(child); !found.what.empty()) return found;
        return {};
    }

    std::string forbidden_name(const Expression& e) const {
        const bool named = e.kind == Kind::entry || e.kind == Kind::call || e.kind == Kind::reduce;
        if (named && is_among(task_.without, e.name)) return e.name;
        if (e.kind == Kind::call)
            if (const auto function = model_.find_function(e.name); function && *function >= together_.functions)
                if (const std::string& is = model_.functions[static_cast<std::size_t>(*function)].definition;
                    is_among(task_.without, is))
                    return is;
        for (const Expression& child : e.children)
            if (std::string name = forbidden_name(child); !name.empty()) return name;
        return {};
    }

    bool is_of_exercise(const Expression& entry) const { return *entry.symbol < together_.quantities; }

    /// The quantity of a name that has a definition, the first time that it is met.
    const Quantity* definition_of(const Expression& e, std::set<int>& seen) const {
        if (e.kind != Kind::entry || !e.symbol || model_.quantity(e).role != Role::definition) return nullptr;
        return seen.insert(*e.symbol).second ? &model_.quantity(e) : nullptr;
    }

    const Together& together_;
    const Model& model_;
    const Task& task_;
    std::vector<const Expression*> allowed_;
    std::set<int> seen_, seen_by_name_;
};

/// The members of a line that may give the task, which are the others than the one that it is about.
std::vector<std::size_t> other_members(const Together& together, std::size_t task, const Line& line) {
    std::vector<std::size_t> result;
    bool left = false;
    for (std::size_t i = 0; i < line.checked.members.size(); ++i) {
        const bool is_left = line.is_update ? i == 0
                                            : !left && match(together.derivation.model, line.checked.members[i],
                                                             together.line_of(task).checked.members[0]);
        left = left || is_left;
        if (!is_left) result.push_back(i);
    }
    return result;
}

bool any_hidden(const Model& model, const Expression& e, std::set<int>& seen) {
    return any_part(e, [&](const Expression& part) {
        if (part.kind == Kind::derivative) return true;
        return part.kind == Kind::entry && part.symbol && model.quantity(part).role == Role::definition &&
               seen.insert(*part.symbol).second && any_hidden(model, model.quantity(part).definition, seen);
    });
}

}  // namespace

bool hides_derivative(const Model& model, const Expression& e) {
    std::set<int> seen;
    return any_hidden(model, e, seen);
}

bool is_about(const Together& together, std::size_t task, const Line& line) {
    const Line& asked = together.line_of(task);
    if (line.is_update != asked.is_update || line.checked.members.empty()) return false;
    const Model& model = together.derivation.model;
    const Expression& left = asked.checked.members[0];
    if (line.is_update) return line.loss == asked.loss && match(model, line.checked.members[0], left);
    return std::ranges::any_of(line.checked.members, [&](const Expression& e) { return match(model, e, left); });
}

std::string what_is_left(const Together& together, std::size_t task, const Line& line) {
    std::string fault = "it has no other side that is a formula";
    for (const std::size_t i : other_members(together, task, line)) {
        fault = Inspection(together, task).run(line.members[i], line.checked.members[i]);
        if (fault.empty()) return {};
    }
    return fault;
}

bool is_only_a_number(const Together& together, std::size_t task, const Line& line) {
    return std::ranges::all_of(other_members(together, task, line), [&](std::size_t i) {
        return !any_part(line.checked.members[i], [](const Expression& e) { return e.kind == Kind::entry; });
    });
}

}  // namespace derivation
