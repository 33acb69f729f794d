#include <fmt/format.h>

#include <lab/lowering/lowerer.hpp>

namespace lab::lowering {

namespace {

constexpr std::size_t most_open = 1000;

}  // namespace

Lowerer::Lowerer(const derivation::Derivation& derivation, const derivation::Point& point)
    : derivation_(derivation), model_(derivation.model), point_(point), fixed_(model_.letters.size(), -1) {
    result_.tape = std::make_unique<autograd::Tape<double>>();
    version_ = &versions_[{}];
    for (int q = 0; q < model_.count(); ++q)
        if (model_.quantity(q).role == Role::definition && depends_on(model_, model_.quantity(q).definition, q))
            recurrences_[q] = recurrence_of(q);
}

Lowering Lowerer::run(const std::vector<int>& left_out) {
    Letters lets;
    for (int q = 0; q < model_.count(); ++q)
        if (model_.quantity(q).role == Role::definition) lets.push_back(q);
    std::ranges::stable_sort(lets, {}, [&](int q) { return model_.quantity(q).span.begin; });
    for (const int q : lets) {
        LoweredLet let{q, Manner::whole, {}};
        if (std::ranges::find(left_out, q) != left_out.end()) {
            let.manner = Manner::left_out;
        } else {
            array(q);
            describe(let);
        }
        result_.lets.push_back(std::move(let));
    }
    result_.arrays.resize(model_.quantities.size());
    result_.steps.resize(model_.quantities.size());
    for (const auto& [q, node] : version_->arrays) result_.arrays[static_cast<std::size_t>(q)] = node;
    for (const auto& [key, node] : version_->steps) result_.steps[static_cast<std::size_t>(key.first)].push_back(node);
    result_.nodes.resize(tape().size());
    result_.codes.resize(tape().size());
    result_.result = last_scalar(model_);
    return std::move(result_);
}

std::vector<std::string> Lowerer::names_of(const Letters& axes) const {
    std::vector<std::string> names;
    for (const int axis : axes) {
        std::string name = model_.letter(axis).name;
        if (model_.letter(axis).is_of_array()) {
            name.clear();
            for (const derivation::Letter& one : model_.letters)
                if (one.range == model_.letter(axis).range && !one.is_of_array()) {
                    if (name.empty()) name = one.name + "'";
                    if (std::ranges::find(names, one.name) != names.end()) continue;
                    name = one.name;
                    break;
                }
        }
        names.push_back(name);
    }
    return names;
}

Value Lowerer::noted(const Variable& node, Letters axes) {
    result_.nodes.resize(tape().size());
    std::vector<std::string>& letters = result_.nodes[node.index()].letters;
    if (letters.empty()) letters = names_of(axes);
    return {node, 0, std::move(axes)};
}

Value Lowerer::noted_since(std::size_t from, const Variable& node, const Letters& axes) {
    const Shape shape = shape_of(axes);
    for (std::size_t i = from; i < tape().size(); ++i) {
        const Variable one = variable_at(tape(), static_cast<std::uint32_t>(i));
        if (std::ranges::equal(one.shape(), shape)) noted(one, axes);
    }
    return noted(node, axes);
}

void Lowerer::belongs(std::size_t from, int q) {
    result_.nodes.resize(tape().size());
    for (std::size_t i = from; i < tape().size(); ++i) {
        NodeFacts& facts = result_.nodes[i];
        if (facts.line != 0) continue;
        facts.line = line_of(q);
        if (facts.group.empty() && model_.quantity(q).role == Role::definition) facts.group = name_of(model_, q);
    }
}

void Lowerer::is_backward(std::size_t from) {
    result_.nodes.resize(tape().size());
    for (std::size_t i = from; i < tape().size(); ++i) result_.nodes[i].group = "backward";
}

Variable Lowerer::array(int q) {
    const auto known = version_->arrays.find(q);
    if (known != version_->arrays.end()) return known->second;
    const Quantity& quantity = model_.quantity(q);
    // Whatever is fixed around the name that asks for it.
    const Letters fixed = std::exchange(fixed_, Letters(model_.letters.size(), -1));
    const bool expands = std::exchange(expands_, false);
    const std::size_t from = tape().size();
    Variable node;
    if (is_among(version_->held, q)) {
        const auto free = versions_[{}].arrays.find(q);
        const std::string name = name_of(model_, q);
        node = free == versions_[{}].arrays.end() ? constant(numbers_of(q), name) : held(free->second, name);
    } else if (quantity.role != Role::definition) {
        if (!version_->held.empty()) {
            Version& outer = *std::exchange(version_, &versions_[{}]);
            node = array(q);
            version_ = &outer;
        } else if (quantity.role == Role::constant && !is_differentiated_by(q)) {
            node = constant(numbers_of(q), name_of(model_, q));
        } else {
            node = variable(numbers_of(q), name_of(model_, q));
        }
    } else if (recurrences_.contains(q)) {
        node = array_of_steps(q);
    } else {
        node = definition(q, quantity.letters, name_of(model_, q));
    }
    noted(node, quantity.letters);
    belongs(from, q);
    version_->arrays.emplace(q, node);
    fixed_ = fixed;
    expands_ = expands;
    return node;
}

bool Lowerer::is_differentiated_by(int q) const {
    const auto takes = [&](const Expression& e) {
        return any_part(e, [&](const Expression& x) {
            return x.kind == Kind::derivative &&
                   std::ranges::any_of(x.denominators(), [&](const Expression& by) { return by.symbol == q; });
        });
    };
    return std::ranges::any_of(model_.quantities, takes, &Quantity::definition) ||
           std::ranges::any_of(derivation_.lines, [&](const derivation::Line& line) {
               return std::ranges::any_of(line.checked.members, takes);
           });
}

Array<double> Lowerer::numbers_of(int q) const {
    const Quantity& quantity = model_.quantity(q);
    Array<double> result = Array<double>::from_shape(shape_of(quantity.letters));
    for (std::size_t place = 0; place < result.size(); ++place) result.data()[place] = point_.value(q, place);
    return result;
}

Variable Lowerer::definition(int q, const Letters& letters, const std::string& name) {
    if (++open_ > most_open)
        throw derivation::Error(model_.quantity(q).span, fmt::format("{} depends on itself", model_.quantity(q).name));
    const Letters outer = std::exchange(order_, letters);
    const int around = std::exchange(definition_, q);
    const std::size_t from = tape().size();
    Value value = spread(record(model_.quantity(q).definition), letters);
    // Every name has a node of its own, so that its adjoint is not mixed with that of another.
    Variable node = as_node(value);
    if (!node.requires_gradient())
        node = computed_variable(node, name);
    else if (node.index() < from || !node.name().empty())
        node = node + 0.0;
    tape().name(node, name);
    noted(node, letters);
    // What else is the same is recorded anew.
    std::erase_if(inverses_, [&](const auto& one) { return one.second.index() == node.index(); });
    std::erase_if(gradients_, [&](const auto& one) { return one.second && one.second->index() == node.index(); });
    order_ = outer;
    definition_ = around;
    --open_;
    return node;
}

}  // namespace lab::lowering

namespace lab {

Lowering lowered(const derivation::Derivation& derivation, const derivation::Point& point,
                 const std::vector<int>& left_out) {
    return lowering::Lowerer(derivation, point).run(left_out);
}

std::optional<int> last_scalar(const derivation::Model& model) {
    for (int q = model.count(); q-- > 0;) {
        const derivation::Quantity& quantity = model.quantity(q);
        if (quantity.role == derivation::Role::definition && quantity.ranges.empty() &&
            !has_derivative(quantity.definition))
            return q;
    }
    return {};
}

std::string name_of(const derivation::Model& model, int quantity) {
    const derivation::Quantity& one = model.quantity(quantity);
    return model.quantities_named(one.name).size() > 1 ? model.signature(one) : one.name;
}

}  // namespace lab
