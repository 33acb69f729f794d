// What a network is made of, layer by layer.
#pragma once

#include <autograd/tape.hpp>
#include <functional>
#include <iosfwd>
#include <nn/layers.hpp>
#include <string>
#include <vector>

namespace nn {

struct SummaryRow {
    std::string number;             ///< "2.0": the layer 0 of layer 2; empty for a network that is no `Sequential`
    std::string layer;              ///< "Conv2d"
    autograd::Shape shape;          ///< of its result
    std::size_t parameters = 0;     ///< numbers that are learned
    std::size_t buffers = 0;        ///< numbers that are saved without being learned
    std::size_t multiply_adds = 0;  ///< of its products and convolutions, forward
    std::size_t bytes = 0;          ///< of its parameters, its buffers, and what a recording of the call holds
};

/// `out << summary` prints it as a table.
struct Summary {
    autograd::Shape input;
    std::vector<SummaryRow> rows;
    SummaryRow total;
};
std::ostream& operator<<(std::ostream& out, const Summary& summary);

/// `call` runs a network on a variable and tells of each layer when it is done.
template <class T>
Summary summarized(const autograd::Array<T>& input, const std::vector<autograd::Parameter<T>>& parameters,
                   const std::function<void(const autograd::Variable<T>&, const typename Sequential<T>::Seen&)>& call);

/// The layers of a network, with what they make of an input. It is called once, as in evaluation: nothing changes. A
/// struct of one's own is one row, a `Sequential` one for each of its layers.
///
///     std::cout << nn::summary(model, autograd::Array<float>(autograd::Shape{1, 1, 28, 28}, 0));
template <class Net, class T>
Summary summary(const Net& net, const autograd::Array<T>& input) {
    std::vector<autograd::Parameter<T>> parameters;
    if constexpr (requires { net.parameters(); }) parameters = net.parameters();
    return summarized<T>(input, parameters,
                         [&net](const autograd::Variable<T>& x, const typename Sequential<T>::Seen& seen) {
                             if constexpr (requires { net.trace(x, seen); })
                                 net.trace(x, seen);
                             else
                                 seen("", readable_name(typeid(Net)), net(x));
                         });
}

}  // namespace nn
