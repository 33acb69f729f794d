// Recurrences, h[t] by h[t-1]: an array for each step.
#include <fmt/ranges.h>

#include <lab/lowering/lowerer.hpp>

namespace lab::lowering {

Recurrence Lowerer::recurrence_of(int q) const {
    Recurrence result;
    each_index_of_circle(q, [&](const Index& index, int range, const Letters&) {
        if (!index.is_letter()) result.ranges.insert(range);
    });
    result.entry_by_entry = result.ranges.empty();
    each_index_of_circle(q, [&](const Index& index, int range, const Letters& letters) {
        for (const IndexTerm& term : index.terms)
            if (result.ranges.contains(range) && !is_among(letters, *term.letter)) result.entry_by_entry = true;
    });
    return result;
}

bool Lowerer::is_step(int q, std::size_t axis) const {
    const Recurrence& recurrence = recurrences_.at(q);
    return recurrence.entry_by_entry || recurrence.ranges.contains(model_.quantity(q).ranges[axis]);
}

std::pair<Letters, Letters> Lowerer::split(int q) const {
    std::pair<Letters, Letters> result;
    const Quantity& quantity = model_.quantity(q);
    for (std::size_t axis = 0; axis < quantity.letters.size(); ++axis)
        (is_step(q, axis) ? result.first : result.second).push_back(quantity.letters[axis]);
    return result;
}

Variable Lowerer::step(int q, const Letters& values) {
    const std::pair key(q, values);
    const auto known = version_->steps.find(key);
    if (known != version_->steps.end()) return known->second;
    const auto [along, rest] = split(q);
    const Letters outer = std::exchange(fixed_, Letters(model_.letters.size(), -1));
    std::string places;
    for (std::size_t i = 0; i < along.size(); ++i) {
        value_of(fixed_, along[i]) = values[i];
        places += fmt::format("{}{}", i > 0 ? "," : "", values[i] + model_.range_of(along[i]).first);
    }
    const bool before = std::exchange(expands_, recurrences_.at(q).entry_by_entry);
    const std::size_t from = tape().size();
    const Variable node = definition(q, rest, fmt::format("{}[{}]", model_.quantity(q).name, places));
    belongs(from, q);
    expands_ = before;
    fixed_ = outer;
    version_->steps.emplace(key, node);
    return node;
}

Variable Lowerer::array_of_steps(int q) {
    const auto [along, rest] = split(q);
    const Value all = stacked(along, [&, &letters = along, &others = rest] {
        return Value{step(q, values_of(letters)), 0, others};
    });
    const Variable node = as_node(arranged(all, model_.quantity(q).letters));
    if (node.name().empty()) tape().name(node, name_of(model_, q));
    return node;
}

void Lowerer::describe(LoweredLet& let) const {
    const auto found = recurrences_.find(let.quantity);
    const std::string name = name_of(model_, let.quantity);
    if (found == recurrences_.end()) {
        const auto letters = one_by_one_.find(let.quantity);
        if (letters == one_by_one_.end()) return;
        let.manner = Manner::entry_by_entry;
        let.note = fmt::format("{} is recorded entry by entry over {}: each is walked back from by itself.", name,
                               fmt::join(names_of(letters->second), " and "));
        return;
    }
    if (found->second.entry_by_entry) {
        let.manner = Manner::entry_by_entry;
        let.note = fmt::format("{} is recorded entry by entry: it uses entries of its own in a sum.", name);
        return;
    }
    let.manner = Manner::step_by_step;
    let.note = fmt::format("{} is recorded step by step over {}: it uses entries of its own.", name,
                           fmt::join(names_of(split(let.quantity).first), " and "));
}

}  // namespace lab::lowering
