#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/check/rules.hpp>
#include <autograd/grad.hpp>
#include <autograd/print.hpp>
#include <cmath>

namespace autograd::taylor {

namespace {

/// The first element in which two arrays of one shape differ, or their size.
template <class T>
std::size_t first_difference(const Array<T>& a, const Array<T>& b) {
    const auto same = [](T x, T y) { return x == y || (std::isnan(x) && std::isnan(y)); };
    return static_cast<std::size_t>(std::mismatch(a.data(), a.data() + a.size(), b.data(), same).first - a.data());
}

/// The operations whose rules see this node: "'mul' (%2) or 'exp' (%3)".
template <class T>
std::string users_of(const Tape<T>& tape, std::uint32_t node) {
    std::vector<std::string> users;
    for (std::uint32_t i = node; i < tape.size(); ++i)
        if (const Node<T>& user = node_at(tape, i);
            user.rule != nullptr && (i == node || std::ranges::count(user.inputs, node) != 0))
            users.push_back(fmt::format("'{}' (%{})", user.operation, i));
    // Its own rule sees it as z, and is named where no other is.
    if (users.size() > 1 && node_at(tape, node).rule != nullptr) users.erase(users.begin());
    return fmt::format("{}", fmt::join(users, " or "));
}

}  // namespace

template <class T>
std::string find_unsteady_rule(const Variable<T>& y, const Array<T>& seed) {
    const Tape<T>& tape = y.tape();
    std::vector<Array<T>> values;
    for (std::uint32_t i = 0; i < tape.size(); ++i) values.push_back(*node_at(tape, i).value);
    const auto walk = [&] { return gradients_of<T>({&y, 1}, {&seed, 1}, Keep<T>::all()); };
    const Gradients<T> once = walk(), again = walk();
    for (std::uint32_t i = 0; i < values.size(); ++i)
        if (const std::size_t k = first_difference(values[i], *node_at(tape, i).value); k < values[i].size())
            return fmt::format(
                "the rule of {} changes what it is given: {} at {} was {:.10g} and is {:.10g} after it. A "
                "rule writes to adjoint(x) only",
                users_of(tape, i), to_string(tape, i), index_of(k, values[i].shape()), values[i].data()[k],
                node_at(tape, i).value->data()[k]);
    // Above the last adjoint that differs all are the same: a rule that was given the same gave something else.
    for (auto i = static_cast<std::uint32_t>(values.size()); i-- > 0;) {
        const Variable<T> node = variable_at(tape, i);
        if (!node.requires_gradient()) continue;
        const Array<T>&first = once[node], &second = again[node];
        if (const std::size_t k = first_difference(first, second); k < first.size())
            return fmt::format(
                "the rule of {} changes from call to call: by {} at {} it gives {:.10g}, and then {:.10g}",
                users_of(tape, i), to_string(tape, i), index_of(k, first.shape()), first.data()[k], second.data()[k]);
    }
    return "";
}

template <class T>
std::string find_rule_with_constant(Tape<T>& tape) {
    const auto count = static_cast<std::uint32_t>(tape.size());
    for (std::uint32_t i = 0; i < count; ++i) {
        if (node_at(tape, i).rule == nullptr) continue;
        std::vector<Variable<T>> inputs;
        for (std::uint32_t k : node_at(tape, i).inputs)
            if (node_at(tape, k).requires_gradient) inputs.push_back(variable_at(tape, k));
        const Variable<T> z = variable_at(tape, i), seed = tape.variable(Array<T>(xt::ones<T>(z.shape())));
        const auto start = static_cast<std::uint32_t>(tape.size());
        vjp(z, inputs, seed);
        for (std::uint32_t c = start; c < tape.size(); ++c) {
            const Node<T>& constant = node_at(tape, c);
            const bool of_a_shape = std::ranges::any_of(
                inputs, [&](const Variable<T>& x) { return equal_shapes(x.shape(), constant.value->shape()); });
            bool used = false;
            for (std::uint32_t n = c + 1; n < tape.size(); ++n)
                used |= std::ranges::count(node_at(tape, n).inputs, c) > 0;
            if (constant.operation == std::string_view("constant") && of_a_shape && used)
                return fmt::format(
                    "The rule of '{}' (%{}) makes a constant of shape {} when it runs on variables: where "
                    "it reads x.value(), at(x) is meant, or the second derivative is lost.",
                    node_at(tape, i).operation, i, to_string(constant.value->shape()));
        }
    }
    return "";
}

template std::string find_unsteady_rule(const Variable<float>&, const Array<float>&);
template std::string find_unsteady_rule(const Variable<double>&, const Array<double>&);
template std::string find_rule_with_constant(Tape<float>&);
template std::string find_rule_with_constant(Tape<double>&);

}  // namespace autograd::taylor
