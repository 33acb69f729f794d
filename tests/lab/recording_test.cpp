// A recording as plain data, against loops written by hand.
#define BOOST_TEST_MODULE recording
#include <autograd/autograd.hpp>
#include <boost/test/unit_test.hpp>
#include <lab/recording_data.hpp>

namespace tt = boost::test_tools;

BOOST_AUTO_TEST_CASE(a_neuron_step_by_step) {
    autograd::Tape<double> tape;
    const auto x = tape.constant(0.5, "x");
    const auto w = tape.variable(2.0, "w");
    const auto y = tanh(w * x);
    const auto loss = y * y;
    const lab::Recording recording = lab::record_of(tape, loss, {.title = "neuron"});

    BOOST_TEST(recording.title == "neuron");
    BOOST_TEST(recording.precision == "double");
    BOOST_TEST(recording.result == 4u);
    std::vector<std::string> names, kinds;
    for (const auto& node : recording.nodes) {
        names.push_back(node.name);
        kinds.push_back(node.kind);
    }
    BOOST_TEST(names == (std::vector<std::string>{"x", "w", "mul#1", "tanh#1", "mul#2"}), tt::per_element());
    BOOST_TEST(kinds == (std::vector<std::string>{"constant", "variable", "operation", "operation", "operation"}),
               tt::per_element());

    const double a = std::tanh(1.0), slope = 2 * a * (1 - a * a);
    BOOST_TEST(recording.nodes[3].value.values.at(0) == a);
    BOOST_TEST(recording.nodes[4].adjoint->values.at(0) == 1.0);
    BOOST_TEST(recording.nodes[3].adjoint->values.at(0) == 2 * a, tt::tolerance(1e-15));
    BOOST_TEST(recording.nodes[1].adjoint->values.at(0) == slope * 0.5, tt::tolerance(1e-15));
    BOOST_TEST(!recording.nodes[0].adjoint);

    BOOST_TEST_REQUIRE(recording.backward.size() == 3u);
    BOOST_TEST(recording.backward[0].node == 4u);
    BOOST_TEST_REQUIRE(recording.backward[0].contributions.size() == 1u);  // y twice, at once
    BOOST_TEST(recording.backward[0].contributions[0].to == 3u);
    BOOST_TEST(recording.backward[0].contributions[0].value.values.at(0) == 2 * a, tt::tolerance(1e-15));
    BOOST_TEST_REQUIRE(recording.backward[2].contributions.size() == 1u);  // no gradient is wanted for x
    BOOST_TEST(recording.backward[2].contributions[0].to == 1u);
    BOOST_TEST(recording.backward[2].contributions[0].input == 0u);
    BOOST_TEST(recording.nodes[3].formula->text == "z = tanh(x)");
    BOOST_TEST(recording.nodes[3].derivatives.at(0)->text == "xbar += zbar * (1 - z^2)");
    BOOST_TEST(recording.memory.back().bytes == 5 * sizeof(double));
}
