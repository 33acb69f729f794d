#include <algorithm>
#include <derivation/mistakes/names_of_formulas.hpp>
#include <map>
#include <string>
#include <vector>

namespace derivation {

namespace {

using Meaning = std::map<std::string, std::string>;  // of a pattern's letters

bool means(Meaning& letters, const std::string& letter, const std::string& other) {
    return letters.try_emplace(letter, other).first->second == other;
}

bool are_alike(const Index& pattern, const Index& index, Meaning& letters) {
    return pattern.offset == index.offset &&
           std::ranges::equal(pattern.terms, index.terms, [&](const IndexTerm& a, const IndexTerm& b) {
               return a.sign == b.sign && means(letters, a.name, b.name);
           });
}

/// Whether the formula is the pattern at other letters, and which these are.
bool is_instance(const Expression& pattern, const Expression& e, Meaning& letters) {
    if (pattern.kind != e.kind || pattern.order != e.order || pattern.joints != e.joints ||
        pattern.children.size() != e.children.size() || pattern.letters.size() != e.letters.size())
        return false;
    if (e.kind == Kind::number ? pattern.number != e.number : pattern.name != e.name && e.kind != Kind::letter)
        return false;
    for (std::size_t i = 0; i < e.letters.size(); ++i)
        if (!means(letters, pattern.letters[i].name, e.letters[i].name)) return false;
    if (!std::ranges::equal(pattern.indices, e.indices,
                            [&](const Index& a, const Index& b) { return are_alike(a, b, letters); }))
        return false;
    for (std::size_t i = 0; i < e.children.size(); ++i)
        if (!is_instance(pattern.children[i], e.children[i], letters)) return false;
    return true;
}

/// exp(z[k])/sum(l, exp(z[l])) as softmax(z[k]).
Expression with_softmax(Expression e) {
    for (Expression& child : e.children) child = with_softmax(std::move(child));
    if (e.kind != Kind::product) return e;
    Parts parts = factors_of(e);
    for (Part& divisor : parts) {
        const bool is_power =
            divisor.expression.kind == Kind::power && divisor.expression.exponent().kind == Kind::number;
        const Expression sum = is_power ? divisor.expression.base() : divisor.expression;
        if (divisor.joint != Joint::divided || sum.kind != Kind::reduce || sum.name != "sum" ||
            sum.letters.size() != 1 || sum.condition() != nullptr || !is_call(sum.body(), "exp"))
            continue;
        double times = is_power ? divisor.expression.exponent().number : 1;
        for (Part& part : parts) {
            if (times < 1 || part.joint == Joint::divided || !is_call(part.expression, "exp")) continue;
            Meaning letters;
            if (!is_instance(sum.body(), part.expression, letters)) continue;
            letters.erase(sum.letters[0].name);
            if (std::ranges::any_of(letters, [](const auto& one) { return one.first != one.second; })) continue;
            part.expression.name = "softmax";
            times -= 1;
        }
        divisor.expression = times == 0 ? number_of(1) : times == 1 ? sum : power_of(sum, number_of(times));
    }
    std::erase_if(parts,
                  [](const Part& part) { return part.joint == Joint::divided && is_number(part.expression, 1); });
    return product_of_factors(std::move(parts));
}

/// A let, and the formula that its name may stand for.
struct Name {
    int quantity;
    Expression definition;
};

std::vector<Name> names_of(const Model& model) {
    std::vector<Name> names;
    for (int q = 0; q < model.count(); ++q) {
        const Quantity& quantity = model.quantity(q);
        const Expression& definition = quantity.definition;
        const bool is_formula = definition.kind == Kind::call || definition.kind == Kind::product ||
                                definition.kind == Kind::add || definition.kind == Kind::reduce ||
                                definition.kind == Kind::power;
        const bool is_typed =
            std::ranges::none_of(quantity.letters, [&](int letter) { return model.letter(letter).is_of_array(); });
        if (quantity.role == Role::definition && is_formula && is_typed && !has_derivative(definition))
            names.push_back({q, with_softmax(normalized(definition))});
    }
    return names;
}

Expression with_lets(const Model& model, const std::vector<Name>& names, Expression e) {
    for (const Name& name : names) {
        Meaning letters;
        if (!is_instance(name.definition, e, letters)) continue;
        const Quantity& quantity = model.quantity(name.quantity);
        std::vector<std::string> at;
        for (const int letter : quantity.letters) at.push_back(letters[model.letter(letter).name]);
        // A letter that is bound there is none of the entry's.
        if (std::ranges::any_of(at, [&](const std::string& one) { return one.empty() || binds_letter(e, one); }))
            continue;
        Expression entry = entry_of(quantity.name, at);
        entry.symbol = name.quantity;
        return entry;
    }
    for (Expression& child : e.children) child = with_lets(model, names, std::move(child));
    return e;
}

}  // namespace

Expression with_names(const Model& model, Expression e) {
    return with_lets(model, names_of(model), with_softmax(normalized(std::move(e))));
}

}  // namespace derivation
