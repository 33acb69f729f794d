#include <algorithm>
#include <derivation/formula/elementary.hpp>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/editing.hpp>
#include <derivation/resolve/lookup.hpp>

namespace derivation {

namespace {

Expression is_positive(const Expression& x) { return comparison_of(x, ">", number_of(0)); }

/// A letter of an array that was declared as a whole cannot be typed, and a mark stands for no letter.
bool is_typable(const Expression& e) {
    const auto is = [](const IndexTerm& term) { return term.name[0] != '_' && term.name[0] != '?'; };
    return !any_part(e, [&](const Expression& x) {
        return !std::ranges::all_of(x.letters, is) ||
               std::ranges::any_of(x.indices, [&](const Index& i) { return !std::ranges::all_of(i.terms, is); });
    });
}

bool is_derivative_of_formula(const Expression& e) {
    return e.kind == Kind::derivative && e.numerator().kind != Kind::entry;
}

}  // namespace

std::string to_text(const Reason& reason) {
    std::string text = reason.sentence;
    if (reason.factor) text.replace(text.find("{}"), 2, to_text(*reason.factor));
    return text;
}

Editing::Editing(const Model& model_of_file, const Line& its_line, Expression its_member, const Expression& left_side,
                 bool of_arrays, std::function<bool(Edit)> offer)
    : model(model_of_file),
      line(its_line),
      member(of_arrays ? std::move(its_member) : normalized(std::move(its_member))),
      left(left_side),
      arrays(of_arrays),
      offer_(std::move(offer)) {
    for (const int letter : line.checked.free) free.push_back(model.letter(letter).name);
    differentiates_formulas_ = any_part(member, is_derivative_of_formula);
    find_derivative();
    for (int q = 0; q < model.count(); ++q) find_activations(model.quantity(q).written, q);
}

void Editing::find_derivative() {
    if (line.is_update && line.checked.members[0].kind == Kind::entry) {
        of = line.loss;
        by = line.checked.members[0].symbol;
        of_entry = entry_of(model.quantity(*of).name, {});
        by_entry = line.members[0];
        return;
    }
    const bool is_name = left.kind == Kind::entry && model.quantity(left).definition.kind == Kind::derivative;
    const Expression& derivative = is_name ? model.quantity(left).definition : left;
    if (derivative.kind != Kind::derivative) return;
    second_order = derivative.order > 1;
    if (derivative.numerator().kind == Kind::entry) {
        of = derivative.numerator().symbol;
        of_entry = derivative.numerator();
    }
    by = derivative.denominator().symbol;
    by_entry = derivative.denominator();
    if (!is_name) return;
    const std::vector<int>& letters = model.quantity(left).letters;
    for (std::size_t i = 0; i < letters.size(); ++i)
        if (left.indices[i].is_letter())
            for (Expression* entry : {&of_entry, &by_entry})
                rename_letter(*entry, model.letter(letters[i]).name, left.indices[i].terms[0].name);
}

void Editing::offer(Expression edited, Span where, Reason reason, std::string mistake) {
    if (done_ || !is_formula(edited) || !is_typable(edited)) return;
    // Nobody means d(1 - E)/dw.
    if (!differentiates_formulas_ && any_part(edited, is_derivative_of_formula)) return;
    done_ = offer_({std::move(edited), where, std::move(reason), std::move(mistake)});
}

Names Editing::letters_of_range(int range) const {
    Names names;
    for (const Letter& letter : model.letters)
        if (letter.range == range && !letter.is_of_array()) names.push_back(letter.name);
    return names;
}

Names Editing::letters_beside(const Names& in_scope) const {
    Names names;
    for (const Letter& letter : model.letters)
        if (!letter.is_of_array() && std::ranges::find(in_scope, letter.name) == in_scope.end())
            names.push_back(letter.name);
    return names;
}

std::optional<int> Editing::range_of(const std::string& letter) const {
    const std::optional<int> found = model.find_letter(letter);
    if (!found) return {};
    return model.letter(*found).range;
}

std::string Editing::unused_letter_like(const std::string& letter) const {
    if (const std::optional<int> range = range_of(letter))
        for (const std::string& name : letters_of_range(*range))
            if (!uses_letter(member, name) && std::ranges::find(free, name) == free.end()) return name;
    return {};
}

void Editing::walk(Expression& root, Expression& node, Names& letters, const Visit& visit, bool terms, bool is_term) {
    if (done_) return;
    const bool is_sum = node.kind == Kind::add;
    // A sum as a whole counts as a term too where it is all of the member.
    if (!terms || (is_term && (!is_sum || (&node == &root && !line.is_update)))) {
        Expression saved = node;
        visit(node, letters, [&](Span where, Reason reason, std::string mistake) {
            if (done_ || !is_formula(root) || !tried_.insert(hash_of(root)).second) return;
            Expression edited = root;
            offer(arrays ? std::move(edited) : normalized(std::move(edited)),
                  where.end > where.begin ? where : saved.span, std::move(reason), std::move(mistake));
        });
        node = std::move(saved);
    }
    const std::size_t before = letters.size();
    if (node.kind == Kind::reduce)
        for (const IndexTerm& letter : node.letters) letters.push_back(letter.name);
    // The exponent of A^-1 is no number that could be another one.
    const bool inverts = arrays && is_inverse(node) && is_of_arrays(model, node.base());
    for (Expression& child : std::span(node.children).first(inverts ? 1 : node.children.size()))
        walk(root, child, letters, visit, terms, (is_term && is_sum) || node.kind == Kind::reduce || (terms && is_sum));
    letters.resize(before);
}

void Editing::each_node(const Visit& visit) {
    Expression root = member;
    Names letters = free;
    walk(root, root, letters, visit, false, false);
}

void Editing::each_term(const Visit& visit) {
    Expression root = member;
    Names letters = free;
    walk(root, root, letters, visit, true, true);
}

void Editing::each_run(const Visit& visit) {
    each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::product) return;
        const Expression saved = node;
        const Parts parts = factors_of(saved);
        for (std::size_t begin = 0; begin < parts.size(); ++begin)
            for (std::size_t end = begin + 1; end <= parts.size() && end - begin < parts.size(); ++end) {
                const auto at = [&](std::size_t i) { return parts.begin() + static_cast<std::ptrdiff_t>(i); };
                if (at(begin)->joint == Joint::divided) continue;
                Parts row(parts.begin(), at(begin));
                row.push_back({product_of_factors(Parts(at(begin), at(end))), at(begin)->joint});
                row.insert(row.end(), at(end), parts.end());
                node = product_of_factors(row);
                visit(node.children[begin], letters, commit);
            }
        node = saved;
    });
}

std::vector<Expression> Editing::entries_of(int quantity, const Names& letters, std::size_t most) const {
    const Quantity& q = model.quantity(quantity);
    Expression entry = entry_of(q.name, {});
    if (arrays) return {entry};
    for (const int letter : q.letters) entry.indices.push_back(index_of(model.letter(letter).name));
    return instances(entry, q.letters, letters, most);
}

std::vector<Expression> Editing::instances(const Expression& e, const std::vector<int>& of_letters,
                                           const Names& letters, std::size_t most) const {
    if (arrays) return {e};
    std::vector<Expression> results = {e};
    // Through marks, so that two letters that change places are not confused.
    for (std::size_t i = 0; i < of_letters.size(); ++i)
        rename_letter(results[0], model.letter(of_letters[i]).name, "?" + std::to_string(i));
    for (std::size_t i = 0; i < of_letters.size(); ++i) {
        std::vector<Expression> next;
        const std::string mark = "?" + std::to_string(i);
        if (!uses_letter(results[0], mark)) continue;
        for (const Expression& result : results)
            for (const std::string& letter : letters) {
                if (range_of(letter) != model.letter(of_letters[i]).range || next.size() >= most) continue;
                next.push_back(result);
                rename_letter(next.back(), mark, letter);
            }
        results = std::move(next);
        if (results.empty()) break;
    }
    std::erase_if(results, [](const Expression& result) { return !is_typable(result); });
    return results;
}

void Editing::find_activations(const Expression& e, int quantity) {
    for (const Expression& child : e.children) find_activations(child, quantity);
    if (e.kind != Kind::call) return;
    const Quantity& q = model.quantity(quantity);
    // max(0, z) is a relu under another name.
    if (e.name == "max" && e.children.size() == 2)
        for (const std::size_t zero : {0u, 1u})
            if (is_number(e.children[zero], 0)) {
                activations_.push_back({quantity, e, is_positive(e.children[1 - zero]), q.letters, "relu"});
                return;
            }
    if (e.children.size() != 1 || e.order > 0 || has_new_axis(e) || e.name == "softmax" || e.name == "diag" ||
        e.name == "size")
        return;
    // sqrt(d) of a constant is a number.
    const auto varies = [&](const Expression& x) {
        return x.kind == Kind::entry && std::ranges::any_of(model.quantities_named(x.name), [&](int other) {
                   return model.quantity(other).role != Role::constant;
               });
    };
    if (!any_part(e.argument(), varies)) return;
    const std::optional<int> function = model.find_function(e.name);
    const std::string name = function ? model.function(*function).definition : e.name;
    Expression slope = function ? call_of(e.name, 1, e.argument()) : slope_of(e);
    activations_.push_back({quantity, e, std::move(slope), q.letters, name});
    // A let that is this call and nothing else is a name for its value.
    if (same(q.written, e)) add_derivative_by_value(activations_.back());
}

/// a (1 - a), 1 - a^2: in terms of the let itself.
void Editing::add_derivative_by_value(const Activation& activation) {
    const Elementary* elementary = find_elementary(activation.name);
    if (elementary == nullptr || elementary->slope_by_value == nullptr) return;
    const Quantity& q = model.quantity(activation.quantity);
    const bool has_typed_letters =
        std::ranges::none_of(q.letters, [&](int letter) { return model.letter(letter).is_of_array(); });
    if (!arrays && !has_typed_letters) return;
    Expression a = entry_of(q.name, {});
    if (!arrays)
        for (const int letter : q.letters) a.indices.push_back(index_of(model.letter(letter).name));
    Activation by_value = activation;
    by_value.derivative = elementary->slope_by_value(a);
    // Of a function of the language this is how people write it, so that it comes first.
    const bool comes_first = !model.is_function(activation.call.name);
    activations_.insert(activations_.end() - (comes_first ? 1 : 0), by_value);
}

}  // namespace derivation
