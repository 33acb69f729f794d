// What `Tape::trap_nonfinite` finds, and what it says.
#define BOOST_TEST_MODULE nonfinite
#include <autograd/autograd.hpp>
#include <boost/test/unit_test.hpp>
#include <limits>

using namespace autograd;

namespace {

template <class T>
using Xs = std::vector<Variable<T>>;

template <class T>
struct Row {
    const char* name;
    std::vector<Array<T>> inputs;
    std::function<Variable<T>(const Xs<T>&)> f;
    std::vector<std::string> parts;  ///< of the message
};

const double infinity = std::numeric_limits<double>::infinity();
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class T, std::size_t n>
Array<T> row(const T (&numbers)[n]) {
    Array<T> array = Array<T>::from_shape({n});
    std::copy_n(numbers, n, array.data());
    return array;
}
Array<double> matrix(std::initializer_list<std::initializer_list<double>> numbers) { return Array<double>(numbers); }

template <class T, class Run>
std::string message_of(Run run) {
    try {
        run();
    } catch (const NonfiniteError& error) {
        return error.what();
    }
    return "nothing was thrown";
}

void check_parts(const std::string& name, const std::string& message, const std::vector<std::string>& parts) {
    for (const std::string& part : parts)
        BOOST_TEST(message.find(part) != std::string::npos, name << ": '" << part << "' is not in: " << message);
}

template <class T>
Xs<T> record_all(Tape<T>& tape, const std::vector<Array<T>>& inputs) {
    Xs<T> xs;
    for (std::size_t i = 0; i < inputs.size(); ++i) xs.push_back(tape.variable(inputs[i], "x" + std::to_string(i)));
    return xs;
}

/// Every row throws its message, leaves the tape as it was, and throws nothing without the trap.
template <class T>
void check_forward(const std::vector<Row<T>>& rows) {
    for (const Row<T>& row : rows) {
        Tape<T> tape;
        const Xs<T> xs = record_all(tape, row.inputs);
        BOOST_CHECK_NO_THROW(row.f(xs));
        tape.rewind();
        tape.trap_nonfinite(true);
        const Xs<T> trapped = record_all(tape, row.inputs);
        check_parts(row.name, message_of<T>([&] { row.f(trapped); }), row.parts);
        BOOST_TEST(trapped[0].value().size() == row.inputs[0].size());
        BOOST_TEST((tape.constant(1.0) + 1).item() == 2);
    }
}

template <class T>
void check_backward(const std::vector<Row<T>>& rows) {
    for (const Row<T>& row : rows) {
        Tape<T> tape;
        const Xs<T> xs = record_all(tape, row.inputs);
        const Variable<T> y = row.f(xs);
        BOOST_CHECK_NO_THROW(tape.backward(y));
        tape.trap_nonfinite(true);
        check_parts(row.name, message_of<T>([&] { tape.backward(y); }), row.parts);
        const std::size_t size = tape.size();
        BOOST_TEST(tape.backward(sum(xs[0]))[xs[0]].data()[0] == 1);
        BOOST_TEST(tape.size() == size + 1);
        tape.trap_nonfinite(false);
        BOOST_CHECK_NO_THROW(tape.backward(y));
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_first_operation_is_named_with_its_operands_and_the_reason) {
    check_forward<double>({
        {"log of 0",
         {matrix({{1, 2}, {3, 4}, {5, 6}, {7, 0}})},
         [](const Xs<double>& x) { return log(x[0]); },
         {"[log]", "-inf at [3, 1]", "the logarithm of 0", "\"x0\" of shape (4, 2)", "is 0 at [3, 1]"}},
        {"log of a negative number",
         {row<double>({1, -2})},
         [](const Xs<double>& x) { return log(x[0]); },
         {"[log]", "NaN at [1]", "the logarithm of a negative number", "is -2 at [1]"}},
        {"log1p", {row<double>({-1})}, [](const Xs<double>& x) { return log1p(x[0]); }, {"[log1p]", "log1p of -1"}},
        {"sqrt",
         {row<double>({4, -1})},
         [](const Xs<double>& x) { return sqrt(x[0]); },
         {"[sqrt]", "root of a negative number"}},
        {"the first, not the last",
         {row<double>({0})},
         [](const Xs<double>& x) { return exp(log(x[0])) * 0.0; },
         {"[log]", "the logarithm of 0"}},
        {"division by 0, broadcast both ways",
         {matrix({{1}, {2}}), row<double>({3, 0, 4})},
         [](const Xs<double>& x) { return x[0] / x[1]; },
         {"[div]", "of shape (2, 3) is inf at [0, 1]", ": division by 0", "of shape (2, 1) is 1 at [0, 0]",
          "of shape (3,) is 0 at [1]"}},
        {"0 / 0",
         {row<double>({0}), row<double>({0})},
         [](const Xs<double>& x) { return x[0] / x[1]; },
         {"[div]", ": 0 / 0"}},
        {"inf / inf",
         {row<double>({infinity}), row<double>({-infinity})},
         [](const Xs<double>& x) { return x[0] / x[1]; },
         {": inf / inf"}},
        {"c / 0",
         {row<double>({2, 0})},
         [](const Xs<double>& x) { return 1.0 / x[0]; },
         {"[div]", "division by 0", "0 at [1]"}},
        {"mean of none",
         {Array<double>::from_shape({0})},
         [](const Xs<double>& x) { return mean(x[0]); },
         {"[mean]", "no elements, 0 / 0"}},
        {"exp",
         {row<double>({800, 1})},
         [](const Xs<double>& x) { return exp(x[0]); },
         {"overflow of exp at 800 in double"}},
        {"pow",
         {row<double>({0})},
         [](const Xs<double>& x) { return pow(x[0], -1.0); },
         {"[pow]", "0 to a negative power"}},
        {"root by pow",
         {row<double>({-8})},
         [](const Xs<double>& x) { return pow(x[0], 1.0 / 3); },
         {"power not whole"}},
        {"0 * inf",
         {row<double>({0}), row<double>({infinity})},
         [](const Xs<double>& x) { return x[0] * x[1]; },
         {"[mul]", ": 0 * inf"}},
        {"0 * NaN",
         {row<double>({0}), row<double>({not_a_number})},
         [](const Xs<double>& x) { return x[0] * x[1]; },
         {"[mul]", "an operand is NaN"}},
        {"inf - inf",
         {row<double>({infinity}), row<double>({infinity})},
         [](const Xs<double>& x) { return x[0] - x[1]; },
         {": inf - inf"}},
        {"inf - inf in a sum",
         {row<double>({infinity, -infinity})},
         [](const Xs<double>& x) { return sum(x[0]); },
         {"inf - inf"}},
        {"overflow of a sum",
         {row<double>({1, 1e308, 1.5e308})},
         [](const Xs<double>& x) { return sum(x[0]); },
         {"[sum]", "too large for double", "is 1.5e+308 at [2]"}},
        {"matmul is not elementwise",
         {matrix({{1, 2}, {3, 1e300}}), matrix({{1, 2}, {3, 1e200}})},
         [](const Xs<double>& x) { return matmul(x[0], x[1]); },
         {"[matmul]", "inf at [1, 1]", "too large for double", "1e+300 at [1, 1]", "1e+200 at [1, 1]"}},
        {"an infinite operand",
         {row<double>({infinity})},
         [](const Xs<double>& x) { return -x[0]; },
         {"an operand is infinite"}},
        {"the third operand",
         {row<double>({0}), row<double>({1}), row<double>({not_a_number})},
         [](const Xs<double>& x) { return where(x[0], x[1], x[2]); },
         {"[where]", "an operand is NaN already"}},
        {"softmax of -inf only",
         {row<double>({-infinity, -infinity})},
         [](const Xs<double>& x) { return softmax(x[0]); },
         {"[softmax]", "a row of -inf only"}},
        {"softmax of a row with inf",
         {row<double>({infinity, infinity})},
         [](const Xs<double>& x) { return softmax(x[0]); },
         {"holds inf"}},
        {"variance",
         {matrix({{3, 4}})},
         [](const Xs<double>& x) { return variance(x[0], {0}, 1); },
         {"[variance]", "n - ddof is 0"}},
    });
}

BOOST_AUTO_TEST_CASE(overflow_names_the_type) {
    check_forward<float>({
        {"exp",
         {row<float>({1.0f, 89.4f})},
         [](const Xs<float>& x) { return exp(x[0]); },
         {"[exp]", "at 89.4 in float", "at [1]"}},
        {"mul",
         {row<float>({1e30f})},
         [](const Xs<float>& x) { return x[0] * x[0]; },
         {"[mul]", "too large for float"}},
    });
}

BOOST_AUTO_TEST_CASE(backward_names_the_operation_the_operand_and_the_reason) {
    check_backward<double>({
        {"the branch of where that was not taken",
         {matrix({{4, 0, 9}, {1, 1, 1}})},
         [](const Xs<double>& x) {
             const auto root = sqrt(x[0]);
             return sum(where(x[0].value() > 0.0, root, x[0].tape().constant(xt::zeros<double>({2, 3}))));
         },
         {"[sqrt]", "the backward pass of %1 makes NaN at [0, 1]", "its operand %0 = variable \"x0\"", "0 * inf",
          "through the branch of where (%4) that was not taken", "the derivative of sqrt at 0 is inf",
          "is 0 at [0, 1], its adjoint 0"}},
        {"0 * inf without where",
         {row<double>({0})},
         [](const Xs<double>& x) { return sum(sqrt(x[0]) * 0.0); },
         {"[sqrt]", "0 * inf, as the adjoint of its result is 0 there, but the derivative of sqrt"}},
        {"sqrt at 0",
         {row<double>({4, 0})},
         [](const Xs<double>& x) { return sum(sqrt(x[0])); },
         {"[sqrt]", "inf at [1]", ": the d"}},
        {"a root by pow at 0",
         {row<double>({4, 0})},
         [](const Xs<double>& x) { return sum(pow(x[0], 0.5)); },
         {"[pow]", "inf at [1]", ": the derivative of this power at 0 is inf"}},
        {"log through where",
         {row<double>({0, 2})},
         [](const Xs<double>& x) { return sum(where(x[0].value() > 0.0, log(x[0]), x[0])); },
         {"[log]", "NaN at [0]", "0 * inf", "through the branch of where", "the derivative of log at 0 is inf"}},
        {"a broadcast operand: the element of the result that explains it",
         {row<double>({1, 0}), matrix({{2, 3}, {4, 5}})},
         [](const Xs<double>& x) { return sum(x[1].detach() / x[0]); },
         {"[div]", "inf at [1] in the adjoint of its operand %0", "a division by 0", "is 0 at [1]", "is 3 at [0, 1]"}},
        {"an overflow",
         {row<double>({1e-200})},
         [](const Xs<double>& x) { return sum(log(x[0]) * 1e200); },
         {"[log]", "overflow: the derivative is too large for double"}},
    });
}

BOOST_AUTO_TEST_CASE(a_seed_that_is_not_finite_is_told) {
    Tape<double> tape;
    tape.trap_nonfinite(true);
    const auto y = tape.variable({1.0, 2.0}) * 3.0;
    check_parts("seed", message_of<double>([&] {
                    tape.backward(y, Array<double>{1, not_a_number});
                }),
                {"[mul]", "NaN at [1]", "the adjoint of its result is not finite already"});
}

BOOST_AUTO_TEST_CASE(a_recorded_derivative_says_which_operation_it_belongs_to) {
    Tape<double> tape;
    tape.trap_nonfinite(true);
    const auto x = tape.variable(0.0);
    const auto y = sqrt(x);
    check_parts("grad", message_of<double>([&] { grad(y, x); }),
                {"[div]", "division by 0", "recorded for the derivative of sqrt (%1)"});
}

BOOST_AUTO_TEST_CASE(what_was_trapped_is_not_recorded_and_its_rule_is_gone_with_rewind) {
    Tape<double> tape;
    tape.trap_nonfinite(true);
    const auto owned = std::make_shared<int>(0);
    const auto x = tape.variable(0.0);
    BOOST_CHECK_THROW(
        record("mine", {x}, 1.0 / x.value(), [x, owned](OnArrays<double>& at) { at.adjoint(x) += *owned * at.zbar(); }),
        NonfiniteError);
    BOOST_TEST(tape.size() == 1u);
    tape.rewind();
    BOOST_TEST(owned.use_count() == 1);
    for (int i = 0; i < 3; ++i) {
        tape.rewind();
        const auto v = tape.variable(0.0);
        BOOST_CHECK_THROW(log(v), NonfiniteError);
        const auto y = exp(v);
        BOOST_TEST(tape.backward(y)[v]() == 1);
    }
}
