// Where a number that is not finite came from: what `Tape::trap_nonfinite` looks for and says. A program that sets no
// trap has none of this.
#include <fmt/format.h>

#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/print.hpp>
#include <cmath>
#include <optional>

namespace autograd {

namespace {

/// The numbers that a reason is told from: one element of the operands and of the result. Of an operation that is not
/// elementwise, each operand's most conspicuous one. NaN stands for an operand that is not there.
struct Element {
    double x = NAN, y = NAN, z = NAN;
    bool binary = false;
    bool operand_infinite = false, operand_nan = false;  ///< any of them, however many there are
};

/// The first row that fits is the likely reason; a row without an operation fits them all.
struct Reason {
    std::string_view operation;
    bool (*fits)(const Element& e);
    std::string_view words;
};

constexpr Reason value_reasons[] = {
    {"log", [](const Element& e) { return e.x == 0; }, "the logarithm of 0"},
    {"log", [](const Element& e) { return e.x < 0; }, "the logarithm of a negative number"},
    {"log1p", [](const Element& e) { return e.x == -1; }, "log1p of -1, the logarithm of 0"},
    {"log1p", [](const Element& e) { return e.x < -1; }, "log1p of a number below -1"},
    {"sqrt", [](const Element& e) { return e.x < 0; }, "the square root of a negative number"},
    {"exp", [](const Element& e) { return std::isfinite(e.x); }, "overflow of exp at {x} in {type}"},
    {"expm1", [](const Element& e) { return std::isfinite(e.x); }, "overflow of expm1 at {x} in {type}"},
    {"pow", [](const Element& e) { return e.x == 0 && std::isinf(e.z); }, "0 to a negative power"},
    {"pow", [](const Element& e) { return e.x < 0 && std::isnan(e.z); }, "a negative number to a power not whole"},
    {"div", [](const Element& e) { return e.x == 0 && (e.binary ? e.y == 0 : std::isnan(e.z)); }, "0 / 0"},
    {"div", [](const Element& e) { return (e.binary ? e.y : e.x) == 0; }, "division by 0"},
    {"div", [](const Element& e) { return std::isinf(e.x) && std::isinf(e.y); }, "inf / inf"},
    {"div", [](const Element& e) { return !e.binary && std::isfinite(e.x); },
     "division by 0, or a quotient too large for {type}"},
    {"mul",
     [](const Element& e) { return (e.x == 0 && (!e.binary || std::isinf(e.y))) || (e.y == 0 && std::isinf(e.x)); },
     "0 * inf"},
    {"add", [](const Element& e) { return std::isinf(e.x) && std::isinf(e.y); }, "inf - inf"},
    {"sub", [](const Element& e) { return std::isinf(e.x) && std::isinf(e.y); }, "inf - inf"},
    {"sum", [](const Element& e) { return std::isinf(e.x) && std::isnan(e.z); }, "inf - inf"},
    {"mean", [](const Element& e) { return std::isinf(e.x) && std::isnan(e.z); }, "inf - inf"},
    {"mean", [](const Element& e) { return std::isnan(e.x) && !e.operand_nan; }, "no elements, 0 / 0"},
    {"variance", [](const Element& e) { return std::isfinite(e.x); },
     "n - ddof is 0, or the squares are too large for {type}"},
    {"softmax", [](const Element& e) { return e.x < 0 && std::isinf(e.x); }, "a row of -inf only"},
    {"log_softmax", [](const Element& e) { return e.x < 0 && std::isinf(e.x) && std::isnan(e.z); },
     "a row of -inf only"},
    {"softmax", [](const Element&) { return true; }, "a row that holds inf or NaN"},
    {"log_softmax", [](const Element& e) { return std::isnan(e.z); }, "a row that holds inf or NaN"},
    {"logsumexp", [](const Element& e) { return e.z < 0 && std::isinf(e.z); }, "a row of -inf only"},
    {"", [](const Element& e) { return e.operand_nan; }, "an operand is NaN already"},
    {"", [](const Element& e) { return e.operand_infinite; }, "an operand is infinite already"},
    {"", [](const Element& e) { return std::isinf(e.z); }, "overflow: the result is too large for {type}"},
    {"", [](const Element&) { return true; }, "the operation is not defined there"},
};

constexpr Reason derivative_reasons[] = {
    {"sqrt", [](const Element& e) { return e.z == 0; }, "the derivative of sqrt at 0 is inf"},
    {"log", [](const Element& e) { return e.x == 0; }, "the derivative of log at 0 is inf"},
    {"log1p", [](const Element& e) { return e.x == -1; }, "the derivative of log1p at -1 is inf"},
    {"pow", [](const Element& e) { return e.x == 0; }, "the derivative of this power at 0 is inf"},
    {"div", [](const Element& e) { return (e.binary ? e.y : e.x) == 0; }, "the derivative of a division by 0 is inf"},
    {"", [](const Element& e) { return e.operand_nan || e.operand_infinite; }, "an operand is not finite"},
    {"", [](const Element& e) { return !std::isfinite(e.z); }, "the result is not finite"},
    {"", [](const Element&) { return true; }, "overflow: the derivative is too large for {type}"},
};

const Reason& reason_in(std::span<const Reason> table, std::string_view operation, const Element& element) {
    return *std::ranges::find_if(table, [&](const Reason& reason) {
        return (reason.operation.empty() || reason.operation == operation) && reason.fits(element);
    });
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
        if (&reason_in(derivative_reasons, node.operation, view.at(k)) == &std::end(derivative_reasons)[-1]) continue;
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
        reason += in_words<T>(reason_in(derivative_reasons, node.operation, numbers), numbers);
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
                                     in_words<T>(reason_in(value_reasons, node.operation, numbers), numbers),
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
