// Edits of sums: one too many, one too few, and factors on the wrong side of one.
#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/edits.hpp>
#include <derivation/mistakes/facts.hpp>

namespace derivation {

namespace {

using Commit = Editing::Commit;

/// Whether it is a reduction over one letter.
bool is_over_one_letter(const Expression& e) { return e.kind == Kind::reduce && e.letters.size() == 1; }

// ---- a sum too many

std::string sentence_of_extra_sum(const std::string& letter, const Expression& body) {
    return fmt::format("A sum over {} that should not be there: {} alone belongs here.", letter, to_text(body));
}

/// The reduction without its first letter, which becomes another one where that is named.
Expression without_first_letter(const Expression& reduction, const std::string& replacement) {
    Expression body = reduction.body();
    if (!replacement.empty()) rename_letter(body, reduction.letters[0].name, replacement);
    if (reduction.letters.size() == 1) return body;
    Expression rest = reduction;
    rest.letters.erase(rest.letters.begin());
    rest.body() = body;
    return rest;
}

// ---- a sum too few

/// Every change that puts a sum over a letter where none is.
class MissingSum {
  public:
    MissingSum(Editing& editing, Expression& node, const Names& letters, const Commit& commit)
        : editing_(editing), node_(node), letters_(letters), commit_(commit), saved_(node) {
        mistake_ = is_bias(editing.model, editing.by) ? "bias-not-summed" : "missing-sum";
    }

    /// Around all of it, over a letter that is free in it and nowhere bound.
    void around(bool means_too) {
        for (const std::string& letter : editing_.letters_beside(letters_)) {
            if (!uses_letter(saved_, letter)) continue;
            node_ = sum_over({letter}, saved_);
            commit_(saved_.span, fmt::format("A sum over {} is missing.", letter), mistake_);
            if (!means_too) continue;
            node_.name = "mean";
            commit_(saved_.span, fmt::format("A mean over {} is missing.", letter), mistake_);
        }
        node_ = saved_;
    }

    /// Over some of the uses of a letter that stands on the left side as well.
    void over_some_uses() {
        for (const std::string& letter : letters_) {
            const std::string other = editing_.unused_letter_like(letter);
            const std::size_t uses = count_uses(saved_, letter);
            if (other.empty() || uses == 0 || uses > 5) continue;
            // The last use stays most often: in a chain rule it is the letter of what is differentiated by. So all of
            // them are renamed first, then all but the last, as a number counts down in which the last has the least
            // bit.
            for (unsigned renamed = (1u << uses) - 1; renamed > 0; --renamed) {
                Expression body = saved_;
                std::size_t use = 0;
                rename_uses(body, letter, other, [&] { return (renamed >> (uses - 1 - use++) & 1u) != 0; });
                node_ = sum_over({other}, body);
                commit_(saved_.span, fmt::format("A sum is missing: every {} counts, not {} alone.", letter, letter),
                        mistake_);
            }
        }
        node_ = saved_;
    }

    /// Over an index that is a number: d[0,k] for all of d[s,k].
    void over_numbers() {
        for (const std::string& letter : editing_.letters_beside(letters_)) {
            Expression body = saved_;
            if (uses_letter(saved_, letter) || !replace_numbers(body, letter)) continue;
            node_ = sum_over({letter}, body);
            commit_(saved_.span, fmt::format("A sum over {} is missing.", letter), mistake_);
        }
        node_ = saved_;
    }

    /// E^T 1_s, the sum of the rows of an array, for E or for the sum of all its entries.
    void over_rows() {
        const bool sums = saved_.kind == Kind::reduce, sums_all = sums && saved_.order == 0;
        const Expression turned_over = transpose_of(sums ? saved_.body() : saved_);
        for (int r = 0; r < static_cast<int>(editing_.model.ranges.size()); ++r) {
            const Names letters = editing_.letters_of_range(r);
            node_ = product_of_factors({{turned_over, Joint::times}, {entry_of("1", {letters[0]}), Joint::juxtaposed}});
            commit_(saved_.span,
                    sums_all ? fmt::format("This adds up everything; only the sum over {} belongs here.", letters[0])
                    : sums   ? fmt::format("The sum runs over the wrong axis: that over {} belongs here.", letters[0])
                             : fmt::format("A sum over {} is missing.", letters[0]),
                    mistake_);
        }
        node_ = saved_;
    }

  private:
    static std::size_t count_uses(const Expression& e, const std::string& letter) {
        std::size_t count = 0;
        for (const Index& index : e.indices) count += index.is_letter() && index.terms[0].name == letter ? 1 : 0;
        for (const Expression& child : e.children) count += count_uses(child, letter);
        return count;
    }

    /// Renames those uses for which is_next() says so; they are asked for from left to right.
    template <class IsNext>
    static void rename_uses(Expression& e, const std::string& letter, const std::string& other, const IsNext& is_next) {
        for (Index& index : e.indices)
            if (index.is_letter() && index.terms[0].name == letter && is_next()) index.terms[0].name = other;
        for (Expression& child : e.children) rename_uses(child, letter, other, is_next);
    }

    static bool replace_numbers(Expression& e, const std::string& letter) {
        bool any = false;
        for (Index& index : e.indices)
            if (index.is_number()) {
                index.terms = {{letter}};
                index.offset = 0;
                any = true;
            }
        for (Expression& child : e.children) any = replace_numbers(child, letter) || any;
        return any;
    }

    Editing& editing_;
    Expression& node_;
    const Names& letters_;
    const Commit& commit_;
    const Expression saved_;
    std::string mistake_;
};

// ---- factors beside a sum

/// A factor as it may stand inside a sum over `bound`: with that letter for one of its own. Letters that are free
/// nowhere else are all taken for it; of those in scope one at a time.
std::vector<Expression> moved_inside(const Editing& editing, const Expression& factor, const std::string& bound,
                                     const Names& in_scope) {
    std::vector<Expression> moved;
    Expression out_of_scope = factor;
    for (const Letter& letter : editing.model.letters) {
        if (letter.name == bound || letter.range != editing.range_of(bound) || !uses_letter(factor, letter.name))
            continue;
        if (std::ranges::find(in_scope, letter.name) == in_scope.end()) {
            rename_letter(out_of_scope, letter.name, bound);
        } else {
            moved.push_back(factor);
            rename_letter(moved.back(), letter.name, bound);
        }
    }
    if (uses_letter(out_of_scope, bound)) moved.insert(moved.begin(), out_of_scope);
    return moved;
}

/// The factors of a product with those of one sum among them, as if the sum was not there.
Expression with_sum_opened(const Parts& parts, std::size_t sum) {
    Parts flat;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].joint == Joint::divided) {
            flat.push_back(parts[i]);
            continue;
        }
        for (Part& inner : factors_of(i == sum ? parts[i].expression.body() : parts[i].expression))
            flat.push_back(inner);
    }
    return product_of_factors(flat);
}

/// Takes out of the sums in a product what does not depend on their letters.
void unfold(const Expression& e, Parts& out) {
    for (const Part& part : factors_of(e)) {
        if (!is_over_one_letter(part.expression) || part.expression.name != "sum" || part.joint == Joint::divided) {
            out.push_back(part);
            continue;
        }
        Parts inside, kept;
        unfold(part.expression.body(), inside);
        for (Part& factor : inside)
            (uses_letter(factor.expression, part.expression.letters[0].name) ? kept : out).push_back(factor);
        Expression sum = part.expression;
        sum.body() = product_of_factors(kept);
        out.push_back({sum, Joint::times});
    }
}

}  // namespace

void extra_sum(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::reduce || node.letters.empty() || node.name == "max" || node.name == "prod") return;
        Expression saved = node;
        // Each letter once stands first.
        for (std::size_t i = 0; i < saved.letters.size(); ++i) {
            if (i > 0) std::rotate(saved.letters.begin(), saved.letters.begin() + 1, saved.letters.end());
            const std::string bound = saved.letters[0].name;
            const auto remove = [&](const std::string& replacement) {
                node = without_first_letter(saved, replacement);
                Expression body = saved.body();
                if (!replacement.empty()) rename_letter(body, bound, replacement);
                commit(saved.span,
                       i == 0 ? sentence_of_extra_sum(bound, body)
                              : fmt::format("A sum over {} that should not be there.", bound),
                       {});
            };
            if (!uses_letter(saved.body(), bound)) remove({});
            for (const std::string& letter : letters)
                if (editing.same_range(letter, bound)) remove(letter);
            remove({});
        }
    });
}

void missing_sum(Editing& editing) {
    if (editing.arrays) {
        // The smallest part first: 0.1 dH^T 1_s, and not (0.1 dH)^T 1_s.
        for (const bool of_products : {false, true})
            editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
                const bool sums_all = node.kind == Kind::reduce && node.letters.empty() && node.name == "sum";
                const bool is_single = sums_all || node.kind == Kind::entry || node.kind == Kind::derivative;
                if (of_products ? node.kind == Kind::product : is_single)
                    MissingSum(editing, node, letters, commit).over_rows();
            });
        return;
    }
    editing.each_term([&](Expression& node, const Names& letters, const Commit& commit) {
        MissingSum missing(editing, node, letters, commit);
        missing.around(true);
        missing.over_some_uses();
        missing.over_numbers();
    });
    // Around a part: exp(x[j]) below a fraction.
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        MissingSum(editing, node, letters, commit).around(false);
    });
}

/// A factor beside a sum goes into it, or the sum around it.
void factor_outside(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::product) return;
        const Expression saved = node;
        const Parts parts = factors_of(saved);
        for (std::size_t s = 0; s < parts.size(); ++s) {
            const Expression& sum = parts[s].expression;
            if (!is_over_one_letter(sum) || parts[s].joint == Joint::divided) continue;
            const std::string& bound = sum.letters[0].name;
            for (std::size_t f = 0; f < parts.size(); ++f) {
                if (f == s) continue;
                const Expression& factor = parts[f].expression;
                for (const Expression& moved : moved_inside(editing, factor, bound, letters)) {
                    Parts inside = factors_of(sum.body());
                    inside.push_back({moved, parts[f].joint});
                    Parts rest = parts;
                    rest[s].expression.body() = product_of_factors(inside);
                    node = product_of_factors(without(rest, f));
                    commit(factor.span,
                           fmt::format("{} belongs inside the sum over {}{}.", to_text(factor), bound,
                                       same(moved, factor) ? "" : fmt::format(", as {}", to_text(moved))),
                           sum.body().kind == Kind::derivative ? "jacobian-summed" : "");
                }
            }
            // The sum runs over the wrong letter: another one stands free beside it.
            const Expression opened = with_sum_opened(parts, s);
            for (const std::string& letter : editing.letters_beside(letters)) {
                if (letter == bound || !uses_letter(saved, letter)) continue;
                const auto around = [&](const Expression& body) {
                    node = sum_over({letter}, body);
                    commit(saved.span,
                           fmt::format("The sum belongs to {}, around everything that holds it, and not to {}.", letter,
                                       bound),
                           {});
                };
                around(opened);
                for (const std::string& other : letters) {
                    if (!editing.same_range(other, bound)) continue;
                    Expression renamed = opened;
                    rename_letter(renamed, bound, other);
                    around(renamed);
                }
            }
            node = saved;
        }
    });
}

/// A product of which some sums stand in another factor already: delta[j] holds the sum over k.
void held_already(Editing& editing) {
    if (editing.arrays) return;
    editing.each_term([&](Expression& node, const Names& letters, const Commit& commit) {
        const Expression saved = node;
        Parts parts;
        unfold(saved, parts);
        if (parts.size() < 3 || parts.size() > 6) return;
        // Every choice of factors that stay, as the bits of a number, the largest ones first.
        for (unsigned kept = (1u << parts.size()) - 2; kept > 0; --kept) {
            Parts some;
            std::string gone;
            for (std::size_t i = 0; i < parts.size(); ++i)
                if ((kept >> i & 1u) != 0)
                    some.push_back(parts[i]);
                else if (parts[i].expression.kind == Kind::reduce)
                    gone = to_text(parts[i].expression);
            if (gone.empty()) continue;
            const std::string sentence = fmt::format("Another factor holds {} already.", gone);
            node = product_of_factors(some);
            commit(saved.span, sentence, {});
            for (Part& part : some) {
                if (!is_over_one_letter(part.expression)) continue;
                const Expression sum = part.expression;
                const std::string& bound = sum.letters[0].name;
                for (const std::string& letter : letters) {
                    if (!editing.same_range(letter, bound)) continue;
                    part.expression = without_first_letter(sum, letter);
                    node = product_of_factors(some);
                    commit(saved.span,
                           fmt::format("{} And the sum over {} should not be there: {} alone belongs here.", sentence,
                                       bound, to_text(part.expression)),
                           {});
                }
                part.expression = sum;
            }
        }
    });
}

/// sum(s, a[s]) + b for sum(s, a[s] + b)
void term_inside_sum(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (!is_over_one_letter(node) || node.name == "prod" || node.body().kind != Kind::add) return;
        const Expression saved = node;
        const std::string& bound = saved.letters[0].name;
        const Parts terms = terms_of(saved.body());
        for (std::size_t i = 0; terms.size() > 1 && i < terms.size(); ++i) {
            if (uses_letter(terms[i].expression, bound)) continue;
            Expression sum = saved;
            sum.body() = sum_of_terms(without(terms, i));
            node = sum_of_terms({{sum, Joint::plus}, terms[i]});
            commit(terms[i].expression.span,
                   fmt::format("{} belongs outside the sum over {}, which adds it {} times.",
                               to_text(terms[i].expression), bound, to_text(call_of("size", 0, letter_of(bound)))),
                   {});
        }
        node = saved;
    });
}

void product_of_sums(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::product) return;
        const Parts parts = factors_of(node);
        for (std::size_t a = 0; a < parts.size(); ++a)
            for (std::size_t b = a + 1; b < parts.size(); ++b) {
                const Expression &x = parts[a].expression, &y = parts[b].expression;
                if (!is_over_one_letter(x) || !is_over_one_letter(y) ||
                    !editing.same_range(x.letters[0].name, y.letters[0].name))
                    continue;
                Expression second = y.body();
                rename_letter(second, y.letters[0].name, x.letters[0].name);
                Parts inside = factors_of(x.body());
                for (Part& part : factors_of(second)) inside.push_back(part);
                Parts rest = parts;
                rest[a].expression.body() = product_of_factors(inside);
                node = product_of_factors(without(rest, b));
                commit(join(x.span, y.span), {}, {});
            }
    });
}

}  // namespace derivation
