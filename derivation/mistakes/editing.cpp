#include <algorithm>
#include <derivation/mistakes/editing.hpp>

namespace derivation {

Expression call_of(std::string name, int order, Expression argument) {
    Expression e;
    e.kind = Kind::call;
    e.name = std::move(name);
    e.order = order;
    e.span = argument.span;
    e.children.push_back(std::move(argument));
    return e;
}

Expression slope_of(const Expression& call) {
    const Expression& x = call.children[0];
    if (call.symbol < 0 && call.order == 0) {
        if (call.name == "exp") return call;
        if (call.name == "log") return quotient_of(number_of(1), x);
        if (call.name == "sqrt") return quotient_of(number_of(1), product_of({number_of(2), call}));
        if (call.name == "sin") return call_of("cos", 0, x);
        if (call.name == "cos") return negated(call_of("sin", 0, x));
    }
    Expression derivative = call;
    ++derivative.order;
    return derivative;
}

Expression transpose_of(Expression e) {
    Expression turned;
    turned.kind = Kind::transpose;
    turned.span = e.span;
    turned.children.push_back(std::move(e));
    return turned;
}

Expression kronecker(const std::string& a, const std::string& b) {
    Expression e;
    e.kind = Kind::iverson;
    e.name = "==";
    for (const std::string& name : {a, b}) {
        Expression side;
        side.kind = Kind::letter;
        side.name = name;
        side.letters = {{name, 1, -1}};
        e.children.push_back(side);
    }
    return e;
}

bool uses_letter(const Expression& e, const std::string& letter) {
    const auto is = [&](const IndexTerm& term) { return term.name == letter; };
    return (e.kind == Kind::letter && e.name == letter) ||
           std::ranges::any_of(e.indices, [&](const Index& index) { return std::ranges::any_of(index.terms, is); }) ||
           std::ranges::any_of(e.letters, is) ||
           std::ranges::any_of(e.children, [&](const Expression& child) { return uses_letter(child, letter); });
}

void rename_letter(Expression& e, const std::string& from, const std::string& to) {
    const auto rename = [&](IndexTerm& term) {
        if (term.name == from) term.name = to;
    };
    if (e.kind == Kind::letter && e.name == from) e.name = to;
    for (Index& index : e.indices) std::ranges::for_each(index.terms, rename);
    std::ranges::for_each(e.letters, rename);
    for (Expression& child : e.children) rename_letter(child, from, to);
}

bool contains(const Expression& e, const Expression& part) {
    return same(e, part) ||
           std::ranges::any_of(e.children, [&](const Expression& child) { return contains(child, part); });
}

Editing::Editing(const Model& model_of_file, const Line& its_line, Expression its_member, const Expression& left_side,
                 bool of_arrays, std::function<bool(Edit)> offer)
    : model(model_of_file),
      line(its_line),
      member(of_arrays ? std::move(its_member) : normalized(std::move(its_member))),
      left(left_side),
      arrays(of_arrays),
      offer_(std::move(offer)) {
    for (const int letter : line.checked.free) free.push_back(model.letters[static_cast<std::size_t>(letter)].name);
    const Expression* derivative = &left;
    if (left.kind == Kind::entry && model.quantity(left.symbol).definition.kind == Kind::derivative)
        derivative = &model.quantity(left.symbol).definition;
    if (line.is_update && line.checked.members[0].kind == Kind::entry) {
        of = line.loss;
        by = line.checked.members[0].symbol;
        of_entry = letter_entry(model.quantity(of).name, {});
        by_entry = line.members[0];
    } else if (derivative->kind == Kind::derivative) {
        second_order = derivative->order > 1;
        if (derivative->children[0].kind == Kind::entry) {
            of = derivative->children[0].symbol;
            of_entry = derivative->children[0];
        }
        by = derivative->children[1].symbol;
        by_entry = derivative->children[1];
        if (derivative != &left) {
            const Quantity& name = model.quantity(left.symbol);
            for (std::size_t i = 0; i < name.letters.size(); ++i)
                if (left.indices[i].is_letter())
                    for (Expression* entry : {&of_entry, &by_entry})
                        rename_letter(*entry, model.letters[static_cast<std::size_t>(name.letters[i])].name,
                                      left.indices[i].terms[0].name);
        }
    }
    for (std::size_t q = 0; q < model.quantities.size(); ++q)
        find_activations(model.quantities[q].written, static_cast<int>(q));
}

void Editing::offer(Expression edited, Span where, std::string sentence, std::string mistake) {
    if (!done_) done_ = offer_({std::move(edited), where, std::move(sentence), std::move(mistake)});
}

std::vector<std::string> Editing::letters_of_range(int range) const {
    std::vector<std::string> names;
    for (const Letter& letter : model.letters)
        if (letter.range == range && letter.name[0] != '_') names.push_back(letter.name);
    return names;
}

int Editing::range_of(const std::string& letter) const {
    const int found = model.letter(letter);
    return found < 0 ? -1 : model.letters[static_cast<std::size_t>(found)].range;
}

std::string Editing::unused_letter(int range) const {
    for (const std::string& name : letters_of_range(range))
        if (!uses_letter(member, name) && std::ranges::find(free, name) == free.end()) return name;
    return {};
}

void Editing::walk(Expression& root, Expression& node, std::vector<std::string>& letters, const Visit& visit,
                   bool terms, bool is_term) {
    if (done_) return;
    const bool is_sum = node.kind == Kind::add;
    // A sum as a whole counts as a term too where it is all of the member.
    if (!terms || (is_term && (!is_sum || (&node == &root && !line.is_update)))) {
        const Expression saved = node;
        visit(node, letters, [&](Span where, std::string sentence, std::string mistake) {
            if (done_) return;
            Expression edited = root;
            offer(arrays ? std::move(edited) : normalized(std::move(edited)),
                  where.end > where.begin ? where : saved.span, std::move(sentence), std::move(mistake));
        });
        node = saved;
    }
    const std::size_t before = letters.size();
    if (node.kind == Kind::reduce)
        for (const IndexTerm& letter : node.letters) letters.push_back(letter.name);
    for (Expression& child : node.children)
        walk(root, child, letters, visit, terms, (is_term && is_sum) || node.kind == Kind::reduce || (terms && is_sum));
    letters.resize(before);
}

void Editing::each_node(const Visit& visit) {
    Expression root = member;
    std::vector<std::string> letters = free;
    walk(root, root, letters, visit, false, false);
}

void Editing::each_term(const Visit& visit) {
    Expression root = member;
    std::vector<std::string> letters = free;
    walk(root, root, letters, visit, true, true);
}

std::vector<Expression> Editing::entries_of(int quantity, const std::vector<std::string>& letters,
                                            std::size_t most) const {
    const Quantity& q = model.quantity(quantity);
    Expression entry = letter_entry(q.name, {});
    if (arrays) return {entry};
    for (const int letter : q.letters)
        entry.indices.push_back({{{model.letters[static_cast<std::size_t>(letter)].name, 1, -1}}, 0, {}});
    return instances(entry, q.letters, letters, most);
}

std::vector<Expression> Editing::instances(const Expression& e, const std::vector<int>& of_letters,
                                           const std::vector<std::string>& letters, std::size_t most) const {
    if (arrays) return {e};
    std::vector<Expression> results = {e};
    // Through marks, so that two letters that change places are not confused.
    for (std::size_t i = 0; i < of_letters.size(); ++i)
        rename_letter(results[0], model.letters[static_cast<std::size_t>(of_letters[i])].name, "?" + std::to_string(i));
    for (std::size_t i = 0; i < of_letters.size(); ++i) {
        std::vector<Expression> next;
        const std::string mark = "?" + std::to_string(i);
        if (!uses_letter(results[0], mark)) continue;
        for (const Expression& result : results)
            for (const std::string& letter : letters) {
                if (range_of(letter) != model.letters[static_cast<std::size_t>(of_letters[i])].range ||
                    next.size() >= most)
                    continue;
                next.push_back(result);
                rename_letter(next.back(), mark, letter);
            }
        results = std::move(next);
        if (results.empty()) break;
    }
    // A letter of an array that was declared as a whole cannot be typed.
    std::erase_if(results, [&](const Expression& result) {
        const auto untypable = [](auto& self, const Expression& x) -> bool {
            const auto is = [](const IndexTerm& term) {
                return term.name.starts_with("_") || term.name.starts_with("?");
            };
            return std::ranges::any_of(x.letters, is) ||
                   std::ranges::any_of(x.indices,
                                       [&](const Index& index) { return std::ranges::any_of(index.terms, is); }) ||
                   std::ranges::any_of(x.children, [&](const Expression& child) { return self(self, child); });
        };
        return untypable(untypable, result);
    });
    return results;
}

void Editing::find_activations(const Expression& e, int quantity) {
    for (const Expression& child : e.children) find_activations(child, quantity);
    // max(0, z) is a relu under another name.
    if (e.kind == Kind::call && e.name == "max" && e.children.size() == 2)
        for (const std::size_t zero : {0u, 1u}) {
            if (e.children[zero].kind != Kind::number || e.children[zero].number != 0) continue;
            Expression positive;
            positive.kind = Kind::iverson;
            positive.name = ">";
            positive.children = {e.children[1 - zero], number_of(0)};
            activations_.push_back({quantity, e, positive, model.quantity(quantity).letters, "relu"});
            return;
        }
    if (e.kind != Kind::call || e.children.size() != 1 || e.order > 0 || e.name == "softmax" || e.name == "diag" ||
        e.name == "size")
        return;
    const Quantity& q = model.quantity(quantity);
    const int function = model.function(e.name);
    const std::string name = function >= 0 ? model.functions[static_cast<std::size_t>(function)].definition : e.name;
    Expression slope = function < 0 && !arrays ? slope_of(e) : call_of(e.name, 1, e.children[0]);
    Activation activation{quantity, e, std::move(slope), q.letters, name};
    if (name == "relu" && function < 0) {
        Expression positive;
        positive.kind = Kind::iverson;
        positive.name = ">";
        positive.children = {e.children[0], number_of(0)};
        activation.derivative = positive;
    }
    const bool is_whole = same(q.written, e);
    const bool whole_array = arrays != std::ranges::all_of(q.letters, [&](int l) {
                                 return model.letters[static_cast<std::size_t>(l)].name[0] != '_';
                             });
    activations_.push_back(activation);
    if (!is_whole || !whole_array) {
        if (!arrays || !is_whole) return;
    }
    // a (1 - a), 1 - a^2: in terms of the let itself.
    Expression a = letter_entry(q.name, {});
    if (!arrays)
        for (const int letter : q.letters)
            a.indices.push_back({{{model.letters[static_cast<std::size_t>(letter)].name, 1, -1}}, 0, {}});
    Expression square;
    square.kind = Kind::power;
    square.children = {a, number_of(2)};
    Expression in_terms;
    if (name == "sigmoid")
        in_terms = product_of({a, sum_of_terms({{number_of(1), Joint::plus}, {a, Joint::minus}})});
    else if (name == "tanh")
        in_terms = sum_of_terms({{number_of(1), Joint::plus}, {square, Joint::minus}});
    else if (name == "exp")
        in_terms = a;
    else
        return;
    activation.derivative = in_terms;
    if (function >= 0)
        activations_.push_back(activation);
    else
        activations_.insert(activations_.end() - 1, activation);
}

}  // namespace derivation
