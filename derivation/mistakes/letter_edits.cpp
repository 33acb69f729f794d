// Edits of letters.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/edits.hpp>
#include <derivation/mistakes/facts.hpp>

namespace derivation {

namespace {

using Commit = Editing::Commit;

/// Turns t-k into t+k and t-1 into t+1 wherever they stand; says whether there was one.
bool turn_shifts(Expression& e) {
    bool any = false;
    for (Index& index : e.indices) {
        if (index.terms.empty() || (index.terms.size() == 1 && index.offset == 0)) continue;
        any = true;
        index.offset *= -1;
        for (std::size_t k = 1; k < index.terms.size(); ++k) index.terms[k].sign *= -1;
    }
    for (Expression& child : e.children) any = turn_shifts(child) || any;
    return any;
}

/// The range that an axis of the entry runs over, where every array of its name has the same there.
std::optional<int> range_of_axis(const Model& model, const Expression& entry, std::size_t axis) {
    std::optional<int> range;
    for (const int q : model.quantities_named(entry.name)) {
        const std::vector<int>& ranges = model.quantity(q).ranges;
        if (ranges.size() != entry.indices.size()) continue;
        if (range.value_or(ranges[axis]) != ranges[axis]) return {};
        range = ranges[axis];
    }
    return range;
}

}  // namespace

void wrong_letter(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        const Expression saved = node;
        for (std::size_t i = 0; i < node.indices.size(); ++i)
            for (std::size_t k = 0; k < node.indices[i].terms.size(); ++k)
                for (const std::string& letter : letters) {
                    const std::string before = saved.indices[i].terms[k].name;
                    if (letter == before || !editing.same_range(letter, before)) continue;
                    node.indices[i].terms[k].name = letter;
                    commit(saved.span,
                           fmt::format("The wrong letter: {} where {} belongs.", to_text(saved), to_text(node)), {});
                    node = saved;
                }
        if (node.kind == Kind::letter)
            for (const std::string& letter : letters) {
                if (letter == saved.name || !editing.same_range(letter, saved.name)) continue;
                rename_letter(node, saved.name, letter);
                commit(saved.span, {}, {});
                node = saved;
            }
        // A sum whose letter hides the one that is meant, and a letter that is wrong in all of a factor.
        if (node.kind == Kind::derivative || node.kind == Kind::reduce || node.kind == Kind::call)
            for (const Letter& from : editing.model.letters)
                for (const std::string& to : letters) {
                    if (from.name == to || from.is_of_array() || from.range != editing.range_of(to) ||
                        !uses_letter(saved, from.name))
                        continue;
                    if (node.kind == Kind::reduce && uses_letter(saved, to)) continue;
                    rename_letter(node, from.name, to);
                    commit(saved.span, {}, {});
                    node = saved;
                }
    });
}

/// sum(s, p[t,s] * g[t,s]) for sum(s, p[s,u] * g[s,u]): in every entry the letter of the sum changes places with the
/// one beside it, which may have to be another.
void wrong_axis(Editing& editing) {
    // NumPy's: X.sum(axis=1, keepdims=True) for axis=0, and without what it keeps.
    if (editing.arrays)
        editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
            const Expression saved = node;
            const Expression& sum = has_new_axis(saved) ? saved.argument() : saved;
            if (sum.kind != Kind::reduce || sum.order == 0) return;
            const bool is_last = sum.order == -1 || sum.order == 2;
            if (!is_last && sum.order != 1 && sum.order != -2) return;
            Expression other = sum;
            other.order = is_last ? 1 : 2;
            node = has_new_axis(saved) ? call_of(std::string(is_last ? new_row : new_column), 0, other) : other;
            commit(saved.span, fmt::format("The sum runs over the wrong axis: {} belongs here.", to_text(node)), {});
            node = saved;
        });
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::reduce || node.letters.size() != 1) return;
        const Expression saved = node;
        const std::string& summed = saved.letters[0].name;
        for (const std::string& beside : letters) {
            if (beside == summed || !editing.same_range(beside, summed) || !uses_letter(saved.body(), beside)) continue;
            Expression turned = saved;
            rename_letter(turned.body(), summed, "?");
            rename_letter(turned.body(), beside, summed);
            for (const std::string& other : letters) {
                if (other == summed || !editing.same_range(other, summed)) continue;
                node = turned;
                rename_letter(node.body(), "?", other);
                commit(saved.span, fmt::format("The sum runs over the wrong axis: {} belongs here.", to_text(node)),
                       {});
            }
            node = saved;
        }
    });
}

/// Two letters of one range that have changed places everywhere.
void letters_exchanged(Editing& editing) {
    for (std::size_t a = 0; a < editing.free.size(); ++a)
        for (std::size_t b = a + 1; b < editing.free.size(); ++b) {
            const std::string &x = editing.free[a], &y = editing.free[b];
            if (!editing.same_range(x, y) || editing.arrays) continue;
            Expression turned = editing.member;
            rename_letter(turned, x, "?");
            rename_letter(turned, y, x);
            rename_letter(turned, "?", y);
            editing.offer(turned, editing.member.span,
                          fmt::format("It stands transposed: {} and {} have changed places.", x, y));
        }
}

/// x[i]^2 for x[i] * x[j]
void square_of_entry(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::power || !is_number(node.exponent(), 2) || node.base().kind != Kind::entry) return;
        const Expression saved = node;
        const Expression entry = saved.base();
        for (std::size_t i = 0; i < entry.indices.size(); ++i)
            for (const std::string& letter : letters) {
                if (!entry.indices[i].is_letter() || letter == entry.indices[i].terms[0].name ||
                    !editing.same_range(letter, entry.indices[i].terms[0].name))
                    continue;
                Expression other = entry;
                other.indices[i].terms[0].name = letter;
                node = product_of({entry, other});
                commit(saved.span, fmt::format("The wrong letter: {} belongs here.", to_text(node)), {});
            }
        node = saved;
    });
}

/// j > i for j >= i: where a sum, a product or a bracket begins and ends.
void bound_off_by_one(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::iverson || (node.name[0] != '<' && node.name[0] != '>')) return;
        // Letters alone are next to each other.
        if (any_part(node, [](const Expression& e) { return e.kind == Kind::entry; })) return;
        const auto say = [&](const char* what) {
            commit(node.span,
                   fmt::format("{}: {} {} {} belongs here.", what, to_text(node.children[0]), node.name,
                               to_text(node.children[1])),
                   {});
        };
        const std::string typed = node.name;
        node.name = typed.size() > 1 ? typed.substr(0, 1) : typed + "=";
        say("The bound is off by one");
        node.name = (typed[0] == '<' ? ">" : "<") + typed.substr(1);
        say("The condition is the opposite of the right one");
        node.name = typed;
    });
}

void index_shift(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        const Expression saved = node;
        const auto is_off = [&] {
            commit(saved.span, fmt::format("The index is off: {} where {} belongs.", to_text(saved), to_text(node)),
                   {});
            node = saved;
        };
        for (std::size_t i = 0; i < node.indices.size(); ++i) {
            if (node.indices[i].is_number()) {
                constexpr int most = 8;
                const std::optional<int> range = range_of_axis(editing.model, saved, i);
                for (int k = 0; range && k < std::min(editing.model.range(*range).size, most); ++k) {
                    node.indices[i].offset = editing.model.range(*range).first + k;
                    is_off();
                }
                continue;
            }
            // An index that leaves the array at every value of its letter is 0 by accident of the sizes.
            const auto& terms = saved.indices[i].terms;
            const auto range = terms.size() == 1 ? editing.range_of(terms[0].name) : std::nullopt;
            for (const int shift : {-1, 1, -2, 2}) {
                if (range &&
                    std::abs(saved.indices[i].offset + shift) >= static_cast<int>(editing.model.range(*range).size))
                    continue;
                node.indices[i].offset += shift;
                is_off();
            }
            for (const std::string& letter : letters)
                for (const int direction : {1, -1}) {
                    node.indices[i].terms.push_back({letter, direction});
                    is_off();
                }
            if (node.indices[i].terms.size() > 1) {
                for (std::size_t k = 0; k < node.indices[i].terms.size(); ++k) {
                    node.indices[i].terms[k].sign *= -1;
                    is_off();
                }
            }
        }
    });
    if (Expression turned = editing.member; turn_shifts(turned))
        editing.offer(turned, editing.member.span, "The indices are shifted the wrong way.");
}

}  // namespace derivation
