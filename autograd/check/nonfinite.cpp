// Where a number that is not finite came from: what `Tape::trap_nonfinite` looks for and says. A program that sets no
// trap has none of this.
#include <fmt/format.h>

#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/operations/operation_facts.hpp>
#include <autograd/print.hpp>
#include <cmath>
#include <optional>

namespace autograd {

namespace {

// Reasons that fit every operation, behind those that are among an operation's own facts. The last fits always.
constexpr Reason general_value_reasons[] = {
    {AT(operand_nan), "an operand is NaN already"},
    {AT(operand_infinite), "an operand is infinite already"},
    {AT(std::isinf(z)), "overflow: the result is too large for {type}"},
    {AT(true), "the operation is not defined there"},
};
constexpr Reason general_derivative_reasons[] = {
    {AT(operand_nan || operand_infinite), "an operand is not finite"},
    {AT(!std::isfinite(z)), "the result is not finite"},
    {AT(true), "overflow: the derivative is too large for {type}"},
};

const Reason& first_that_fits(std::span<const Reason> own, std::span<const Reason> general, const Element& element) {
    for (const auto& reasons : {own, general})
        for (const Reason& reason : reasons)
            if (reason.fits != nullptr && reason.fits(element)) return reason;
    return general.back();
}

std::span<const Reason> own_reasons(std::string_view operation, Reason (Facts::*reasons)[4]) {
    const Facts* facts = facts_of(operation);
    return facts == nullptr ? std::span<const Reason>() : std::span<const Reason>(facts->*reasons);
}

const Reason& reason_of_value(std::string_view operation, const Element& element) {
    return first_that_fits(own_reasons(operation, &Facts::value_reasons), general_value_reasons, element);
}

const Reason& reason_of_adjoint(std::string_view operation, const Element& element) {
    return first_that_fits(own_reasons(operation, &Facts::derivative_reasons), general_derivative_reasons, element);
}

template <class T>
std::size_t first_nonfinite(const Array<T>& array) {
    const T* end = array.data() + array.size();
    return static_cast<std::size_t>(std::find_if(array.data(), end, [](T v) { return !std::isfinite(v); }) -
                                    array.data());
}

/// The first number that is not finite, or else the one largest in magnitude.
template <class T>
std::size_t most_conspicuous(const Array<T>& array) {
    const std::size_t first = first_nonfinite(array);
    if (first != array.size()) return first;
    const T* data = array.data();
    return static_cast<std::size_t>(
        std::max_element(data, data + array.size(), [](T a, T b) { return std::abs(a) < std::abs(b); }) - data);
}

/// The element of an operand of shape `to` that is broadcast to an element of a result of shape `from`.
std::size_t broadcast_from(std::size_t element, ShapeView from, ShapeView to) {
    std::size_t place = 0, stride = 1;
    for (std::size_t i = from.size(); i-- > 0; element /= from[i]) {
        const std::size_t missing = from.size() - to.size();
        if (i < missing || to[i - missing] == 1) continue;
        place += element % from[i] * stride;
        stride *= to[i - missing];
    }
    return place;
}

std::string number(double value) { return std::isnan(value) ? "NaN" : fmt::format("{:.6g}", value); }

/// A node seen at one element of its result.
template <class T>
class View {
  public:
    View(const Tape<T>& tape, const Node<T>& node) : tape_(tape), node_(node) {
        elementwise_ = node.elementwise && std::ranges::all_of(node.inputs, [&](std::uint32_t input) {
                           return sums_to(node.value->shape(), node_at(tape_, input).value->shape());
                       });
    }

    bool elementwise() const { return elementwise_; }

    /// The place in an operand that makes this element of the result; none in an operand without elements.
    std::optional<std::size_t> place(std::uint32_t input, std::size_t element) const {
        const Array<T>& x = *node_at(tape_, input).value;
        if (x.size() == 0) return {};
        return elementwise_ ? broadcast_from(element, node_.value->shape(), x.shape()) : most_conspicuous(x);
    }

    Element at(std::size_t element) const {
        Element numbers;
        for (std::size_t k = 0; k < node_.inputs.size(); ++k) {
            const auto where = place(node_.inputs[k], element);
            if (!where) continue;
            const double value = node_at(tape_, node_.inputs[k]).value->data()[*where];
            if (k == 0) numbers.x = value;
            if (k == 1) numbers.y = value;
            numbers.operand_infinite |= std::isinf(value);
            numbers.operand_nan |= std::isnan(value);
        }
        numbers.binary = node_.inputs.size() > 1;
        numbers.z = node_.value->data()[element];
        return numbers;
    }

    std::string operands(std::size_t element) const {
        std::string text;
        for (std::uint32_t input : node_.inputs) {
            const Array<T>& x = *node_at(tape_, input).value;
            text += fmt::format("{}{} of shape {}", text.empty() ? "" : "; ", to_string(tape_, input),
                                to_string(x.shape()));
            if (const auto where = place(input, element))
                text += fmt::format(" is {} at {}", number(x.data()[*where]), index_of(*where, x.shape()));
        }
        return text;
    }

  private:
    const Tape<T>& tape_;
    const Node<T>& node_;
    bool elementwise_;
};

template <class T>
std::string in_words(const Reason& reason, const Element& element) {
    return fmt::format(fmt::runtime(reason.words), fmt::arg("x", number(element.x)),
                       fmt::arg("type", std::is_same_v<T, float> ? "float" : "double"));
}

/// The `where` through which no gradient came to this element of node `index`, as it chose the other branch there.
template <class T>
std::optional<std::uint32_t> branch_not_taken(const Tape<T>& tape, std::uint32_t index, std::size_t element) {
    const Shape& shape = node_at(tape, index).value->shape();
    std::vector<bool> reached(tape.size(), false);
    reached[index] = true;
    for (std::uint32_t i = index + 1; i < tape.size(); ++i) {
        const Node<T>& node = node_at(tape, i);
        if (std::ranges::none_of(node.inputs, [&](std::uint32_t input) { return reached[input]; })) continue;
        if (std::string_view(node.operation) == "where" && node.inputs.size() == 3 &&
            reached[node.inputs[1]] != reached[node.inputs[2]] && equal_shapes(node.value->shape(), shape)) {
            const Array<T>& mask = *node_at(tape, node.inputs[0]).value;
            const bool takes_first = mask.data()[broadcast_from(element, shape, mask.shape())] != T(0);
            if (takes_first != reached[node.inputs[1]]) return i;
        }
        reached[i] = equal_shapes(node.value->shape(), shape);
    }
    return {};
}

template <class T>
[[noreturn]] void throw_nonfinite_adjoint(const ArrayWalk<T>& walk, std::uint32_t index, std::uint32_t input) {
    const Tape<T>& tape = walk.reel.tape();
    const Node<T>& node = node_at(tape, index);
    const View<T> view(tape, node);
    const Array<T>& adjoint = *walk.table.adjoints[input];
    const std::size_t place = first_nonfinite(adjoint);

    // The adjoint's element is a sum over those elements of the result that the operand was broadcast to: the first
    // that explains it is shown.
    const Array<T>& z = *node.value;
    std::size_t element = view.elementwise() ? z.size() : most_conspicuous(*walk.zbar);
    for (std::size_t k = 0; view.elementwise() && k < z.size(); ++k) {
        if (*view.place(input, k) != place) continue;
        if (element == z.size()) element = k;
        if (&reason_of_adjoint(node.operation, view.at(k)) == &std::end(general_derivative_reasons)[-1]) continue;
        element = k;
        break;
    }

    const T zbar = walk.zbar->data()[element];
    std::string reason;
    if (!std::isfinite(zbar)) {
        reason = "the adjoint of its result is not finite already";
    } else {
        const Element numbers = view.at(element);
        if (zbar == T(0) && std::isnan(adjoint.data()[place])) {
            reason = "0 * inf, as the adjoint of its result is 0 there";
            if (const auto where = branch_not_taken(tape, index, element))
                reason += fmt::format(" through the branch of where (%{}) that was not taken", *where);
            reason += ", but ";
        }
        reason += in_words<T>(reason_of_adjoint(node.operation, numbers), numbers);
    }
    throw NonfiniteError(fmt::format(
        "[{}] the backward pass of %{} makes {} at {} in the adjoint of its operand {}: {}; {}; the result of shape {} "
        "is {} at {}, its adjoint {}",
        node.operation, index, number(adjoint.data()[place]), index_of(place, adjoint.shape()), to_string(tape, input),
        reason, view.operands(element), to_string(z.shape()), number(z.data()[element]), index_of(element, z.shape()),
        number(zbar)));
}

template <class T>
bool all_finite(const Array<T>& array) {
    return first_nonfinite(array) == array.size();
}

/// Throws for a node whose value is not finite everywhere. It is not yet part of the recording.
template <class T>
void look_at_value(const Tape<T>& tape, const Node<T>& node) {
    const Array<T>& z = *node.value;
    if (all_finite(z)) return;
    const View<T> view(tape, node);
    const std::size_t element = first_nonfinite(z);
    const Element numbers = view.at(element);
    throw NonfiniteError(fmt::format("[{}] the result of shape {} is {} at {}: {}; {}", node.operation,
                                     to_string(z.shape()), number(z.data()[element]), index_of(element, z.shape()),
                                     in_words<T>(reason_of_value(node.operation, numbers), numbers),
                                     view.operands(element)));
}

/// Throws where the rule of node `index`, just run, made an adjoint of one of its inputs that is not finite.
template <class T>
void look_at_adjoints(const ArrayWalk<T>& walk, std::uint32_t index) {
    for (std::uint32_t input : walk.reel.node(index).inputs) {
        const Array<T>* adjoint = walk.table.adjoints[input];
        if (adjoint != nullptr && !all_finite(*adjoint)) throw_nonfinite_adjoint(walk, index, input);
    }
}

template <class T>
constexpr Trap<T> trap = {look_at_value<T>, look_at_adjoints<T>};

}  // namespace

template <class T>
void Tape<T>::trap_nonfinite(bool on) {
    reel_.trap = on ? &trap<T> : nullptr;
}

template void Tape<float>::trap_nonfinite(bool);
template void Tape<double>::trap_nonfinite(bool);

}  // namespace autograd
