#include <algorithm>
#include <autograd/operations/operation_facts.hpp>

namespace autograd {

std::vector<Facts> all_facts() {
    std::vector<Facts> all;
    for (auto* of_a_file : {facts_of_arithmetic, facts_of_elementwise, facts_of_powers, facts_of_activations,
                            facts_of_choices, facts_of_reductions, facts_of_softmax, facts_of_shapes, facts_of_products,
                            facts_of_square_matrices, facts_of_convolutions, facts_of_losses})
        std::ranges::copy(of_a_file(), std::back_inserter(all));
    return all;
}

namespace {

const std::vector<Facts>& known_facts() {
    static const std::vector<Facts> all = all_facts();
    return all;
}

}  // namespace

const Facts* facts_of(std::string_view name) {
    const auto found = std::ranges::find(known_facts(), name, &Facts::name);
    return found == known_facts().end() ? nullptr : &*found;
}

const Facts* facts_of_node(const char* operation) {
    for (const Facts& facts : known_facts())
        if (facts.name == operation) return &facts;  // the pointer
    return facts_of(operation);
}

}  // namespace autograd
