#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/building.hpp>
#include <derivation/formula/elementary.hpp>
#include <derivation/formula/notations.hpp>
#include <derivation/judge/conditions.hpp>
#include <derivation/mistakes/search.hpp>
#include <derivation/resolve/dependence.hpp>
#include <utility>

namespace derivation {

namespace {

/// The definitions that stand between what is differentiated on the left side and what by.
std::vector<int> quantities_between(const Model& model, const Expression& derivative) {
    const int of = *derivative.numerator().symbol, by = *derivative.denominator().symbol;
    std::vector<int> between;
    for (int q = 0; q < model.count(); ++q)
        if (q != of && q != by && model.quantity(q).role == Role::definition && depends_on(model, of, q) &&
            depends_on(model, q, by))
            between.push_back(q);
    return between;
}

/// One of them, two, or all.
std::vector<std::vector<int>> choices_of(const std::vector<int>& between) {
    std::vector<std::vector<int>> choices;
    for (const int one : between) choices.push_back({one});
    for (std::size_t a = 0; a < between.size() && between.size() <= 8; ++a)
        for (std::size_t b = a + 1; b < between.size(); ++b) choices.push_back({between[a], between[b]});
    if (between.size() > 2) choices.push_back(between);
    return choices;
}

/// The left side is a partial derivative: some of what stands between is held fixed.
std::optional<Condition> what_is_held_fixed(const Departure& departure, VariedPoints& varied) {
    const Model& model = departure.model;
    const Expression& left = departure.left;
    if (!is_simple_derivative(left) ||
        !mentions(model.quantity(left.numerator()).definition, *left.denominator().symbol))
        return {};
    for (const std::vector<int>& choice : choices_of(quantities_between(model, left))) {
        Expression holding = left;
        std::vector<std::string> names;
        for (const int symbol : choice) {
            Expression held = entry_of(model.quantity(symbol).name, {});
            held.symbol = symbol;
            holding.children.push_back(held);
            names.push_back(model.quantity(symbol).name);
        }
        Target target(model, departure.points, holding, departure.line.checked.free);
        if (target.holds(departure.right) &&
            varied.is_the_condition(left, holding, departure.right, departure.line.checked.free))
            return Condition{"at fixed " + listed(names), fmt::format("It holds only where {} {} held fixed.",
                                                                      listed(names), names.size() == 1 ? "is" : "are")};
    }
    return {};
}

/// The derivative by a symmetric matrix whose entries off the diagonal are one number each: G + G^T - [i == j] G.
std::optional<Condition> what_counts_twice(const Departure& departure, VariedPoints& varied) {
    const Model& model = departure.model;
    const Expression& left = departure.left;
    const std::vector<int>& free = departure.line.checked.free;
    if (left.kind != Kind::derivative || left.order != 1 || !left.held().empty() || free.size() != 2) return {};
    const Expression& by = left.denominator();
    const Domain domain = model.quantity(by).domain;
    if ((domain != Domain::symmetric && domain != Domain::positive_definite) || by.indices.size() != 2 ||
        !by.indices[0].is_letter() || !by.indices[1].is_letter())
        return {};
    Expression turned = left;
    std::swap(turned.denominator().indices[0], turned.denominator().indices[1]);
    const IndexTerm &i = by.indices[0].terms[0], &j = by.indices[1].terms[0];
    Expression diagonal = kronecker(i.name, j.name);
    diagonal.children[0].letters[0].letter = i.letter;
    diagonal.children[1].letters[0].letter = j.letter;
    const Expression both =
        sum_of_terms({{left, Joint::plus}, {turned, Joint::plus}, {product_of({diagonal, left}), Joint::minus}});
    Target target(model, departure.points, both, free);
    if (!target.holds(departure.right) || !varied.is_the_condition(left, both, departure.right, free)) return {};
    const std::string& name = by.name;
    return Condition{
        fmt::format("{} has one number for each pair", name),
        fmt::format("It holds only where the two entries of {} that lie across the diagonal are one number, "
                    "so that what is off the diagonal counts twice. Here each entry is varied alone.",
                    name)};
}

bool is_inequality(const Expression& e) {
    return e.kind == Kind::iverson && (e.name == ">" || e.name == "<" || e.name == ">=" || e.name == "<=");
}

/// A function that the file leaves open is a certain one.
std::optional<Condition> what_a_function_is(const Departure& departure, VariedPoints& varied) {
    const Model& model = departure.model;
    const bool has_inequality = any_part(departure.right, is_inequality);
    for (int f = 0; f < static_cast<int>(model.functions.size()); ++f) {
        const std::string& name = model.function(f).name;
        if (!model.function(f).definition.empty() ||
            (!calls(model, departure.left, f) && !calls(model, departure.right, f)))
            continue;
        for (const Elementary& one : elementary_functions()) {
            // Who means relu writes its derivative as a condition.
            if (!one.is_supposed || (one.has_kink && !has_inequality)) continue;
            Variation variation;
            variation.functions[f] = one.name;
            const std::string key = fmt::format("{} = {}", f, one.name);
            const std::vector<int>& free = departure.line.checked.free;
            if (varied.hold(variation, key, departure.points, departure.left, departure.right, free) &&
                varied.is_the_condition(variation, key, departure.left, departure.right, free))
                return Condition{
                    fmt::format("{} = {}", name, one.name),
                    fmt::format("It holds only where {} is {}, and {} is any function here.", name, one.name, name)};
        }
    }
    return {};
}

/// The domains that would say more about a quantity than the file does, the weakest first.
std::vector<std::pair<Domain, const char*>> narrower_domains(const Quantity& quantity) {
    std::vector<std::pair<Domain, const char*>> domains;
    const bool real = quantity.domain == Domain::real || quantity.domain == Domain::nonzero;
    const bool is_array = !quantity.ranges.empty();
    if (real) domains.emplace_back(Domain::positive, "is positive");
    if (is_array && (real || quantity.domain == Domain::positive || quantity.domain == Domain::unit)) {
        domains.emplace_back(Domain::sums_to_one, "sums to 1");
        domains.emplace_back(Domain::probabilities, "is probabilities");
    }
    const bool is_matrix = quantity.domain == Domain::symmetric || quantity.domain == Domain::positive_definite ||
                           quantity.domain == Domain::invertible;
    if (is_array && quantity.domain != Domain::onehot && !is_matrix) domains.emplace_back(Domain::onehot, "is one-hot");
    if ((real || quantity.domain == Domain::invertible) && quantity.ranges.size() == 2 &&
        quantity.ranges[0] == quantity.ranges[1])
        domains.emplace_back(Domain::symmetric, "is symmetric");
    return domains;
}

bool is_of_a_class(Domain domain) {
    return domain == Domain::sums_to_one || domain == Domain::probabilities || domain == Domain::onehot;
}

/// Whether what is given is used as a target, or declared so: beside a logarithm, as in y log p, or in a difference
/// with what is computed without it, as in p - y.
bool is_target(const Model& model, int given) {
    if (is_of_a_class(model.quantity(given).domain)) return true;
    const auto is_it = [&](const Expression& e) { return e.kind == Kind::entry && e.symbol == given; };
    const auto is_logarithm = [](const Expression& e) { return is_call(e, "log"); };
    const auto is_beside = [&](const Expression& e) {
        if (is_it(e)) return false;
        if (any_part(e, is_logarithm)) return true;
        return e.kind == Kind::entry && e.symbol && any_part(model.quantity(e).definition, is_logarithm);
    };
    const auto is_computed = [&](const Expression& e) {
        return e.kind == Kind::entry && e.symbol && model.quantity(e).role == Role::definition &&
               !depends_on(model, e, given);
    };
    const auto uses = [&](const Expression& e) {
        if ((e.kind != Kind::product && e.kind != Kind::add) || std::ranges::none_of(e.children, is_it)) return false;
        return e.kind == Kind::product ? std::ranges::any_of(e.children, is_beside)
                                       : e.children.size() == 2 && std::ranges::any_of(e.children, is_computed);
    };
    return std::ranges::any_of(model.quantities, [&](const Quantity& q) { return any_part(q.definition, uses); });
}

/// What is given has a narrower domain: one that a target has, or another one.
std::optional<Condition> what_is_given(const Departure& departure, VariedPoints& varied, bool strange) {
    Model& model = departure.model;
    const std::vector<int>& free = departure.line.checked.free;
    for (int q = 0; q < model.count(); ++q) {
        const Quantity& quantity = model.quantity(q);
        if (quantity.role != Role::given || !quantity.values.empty() ||
            (!depends_on(model, departure.left, q) && !depends_on(model, departure.right, q)))
            continue;
        // Nobody varies one entry of a class.
        const bool is_varied =
            departure.left.kind == Kind::derivative &&
            std::ranges::any_of(departure.left.denominators(), [&](const Expression& by) { return by.symbol == q; });
        if (strange && is_varied) continue;
        const bool used_as_target = is_target(model, q);
        for (const auto& [domain, words] : narrower_domains(quantity)) {
            if ((is_of_a_class(domain) && !used_as_target) != strange) continue;
            // Of what is no class, one-hot is one of many ways to have a length of 1.
            if (strange && domain == Domain::onehot) continue;
            Variation variation;
            variation.domains[q] = domain;
            const std::string key = fmt::format("{} {}", q, words);
            if (!varied.hold(variation, key, departure.points, departure.left, departure.right, free) ||
                !varied.is_the_condition(variation, key, departure.left, departure.right, free))
                continue;
            if (domain == Domain::symmetric) {
                // That a matrix stands transposed says more.
                Target target(model, departure.points, departure.left, free);
                if (transposition_repairs(model, departure.line, departure.member, target)) continue;
            }
            return Condition{fmt::format("{} {}", quantity.name, words),
                             fmt::format("It holds only where {} {}.", quantity.name, words),
                             domain == Domain::positive};
        }
    }
    return {};
}

}  // namespace

std::optional<Condition> condition_of(const Departure& departure, VariedPoints& varied) {
    if (std::optional<Condition> found = what_is_held_fixed(departure, varied)) return found;
    if (std::optional<Condition> found = what_counts_twice(departure, varied)) return found;
    if (std::optional<Condition> found = what_a_function_is(departure, varied)) return found;
    return what_is_given(departure, varied, false);
}

std::optional<Condition> strange_condition_of(const Departure& departure, VariedPoints& varied) {
    return what_is_given(departure, varied, true);
}

}  // namespace derivation
