#include <fmt/format.h>

#include <algorithm>
#include <autograd/backward.hpp>
#include <lab/operation_formulas.hpp>
#include <lab/recording_data.hpp>
#include <map>
#include <set>
#include <stdexcept>

namespace lab {

using autograd::Array, autograd::Tape, autograd::Variable;

namespace {

/// The indices to keep of each axis: evenly spread, and so many that there are `most_numbers` crossings or fewer.
std::vector<std::vector<std::size_t>> samples(const std::vector<std::size_t>& shape) {
    std::vector<std::size_t> counts = shape;
    const auto crossings = [&] {
        std::size_t product = 1;
        for (const std::size_t count : counts) product *= count;
        return product;
    };
    while (crossings() > most_numbers) {
        std::size_t& longest = *std::ranges::max_element(counts);
        longest = (longest + 1) / 2;
    }
    std::vector<std::vector<std::size_t>> indices(shape.size());
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
        for (std::size_t i = 0; i < counts[axis]; ++i) indices[axis].push_back(i * shape[axis] / counts[axis]);
    return indices;
}

/// The numbers at all crossings, the last axis running fastest.
template <class T>
void gather(const Array<T>& array, const std::vector<std::vector<std::size_t>>& indices, std::size_t axis,
            std::size_t place, std::vector<double>& values) {
    if (axis == indices.size()) return values.push_back(static_cast<double>(array.data()[place]));
    for (const std::size_t i : indices[axis]) gather(array, indices, axis + 1, place * array.shape()[axis] + i, values);
}

/// Made names count: the second tanh is tanh#2.
class Names {
  public:
    std::string operator()(std::string_view given, const std::string& operation) {
        const std::size_t count = ++counts_[operation];
        return given.empty() ? fmt::format("{}#{}", operation, count) : std::string(given);
    }

  private:
    std::map<std::string, std::size_t> counts_;
};

std::string layer_of(const std::string& parameter) {
    const std::size_t end = parameter.rfind('.');
    return end == parameter.npos ? "" : parameter.substr(0, end);
}

/// The layer of each node, from those of its inputs.
class Layers {
  public:
    std::string of(const RecordedNode& node, bool is_one_number) {
        Layer layer;
        if (node.kind != "operation") {
            layer = {node.kind == "parameter" ? layer_of(node.name) : "", node.kind == "parameter"};
        } else {
            layer.is_made_of_parameters = !node.inputs.empty();
            bool is_alone = !node.inputs.empty() && !is_one_number;
            for (const std::uint32_t i : node.inputs) {
                const Layer& input = layers_[i];
                layer.is_made_of_parameters &= input.is_made_of_parameters;
                is_alone &= input.name == layers_[node.inputs.front()].name;
                if (input.is_made_of_parameters && !input.name.empty()) layer.name = input.name;
            }
            if (layer.name.empty() && is_alone) layer.name = layers_[node.inputs.front()].name;
        }
        layers_.push_back(layer);
        return layer.name;
    }

  private:
    struct Layer {
        std::string name;
        bool is_made_of_parameters = false;
    };
    std::vector<Layer> layers_;
};

/// Each is made once.
class Formulas {
  public:
    const OperationFormulas& operator()(const char* operation, std::size_t inputs) {
        const auto [at, is_new] = made_.try_emplace({operation, inputs});
        if (is_new) at->second = formulas_of(operation, inputs);
        return at->second;
    }

  private:
    std::map<std::pair<const char*, std::size_t>, OperationFormulas> made_;
};

template <class T>
RecordedNode node_of(const autograd::Node<T>& node, Names& names, Layers& layers, Formulas& formulas) {
    RecordedNode one;
    const std::string operation = node.operation;
    const bool is_leaf = operation == "variable" || operation == "constant" || operation == "parameter";
    one.name = names(node.name, operation);
    one.kind = is_leaf ? operation : "operation";
    one.inputs.assign(node.inputs.begin(), node.inputs.end());
    one.value = numbers_of(*node.value);
    one.group = layers.of(one, node.value->size() == 1);
    if (is_leaf) return one;
    one.operation = operation;
    const OperationFormulas& known = formulas(node.operation, one.inputs.size());
    one.formula = known.formula;
    one.derivatives = known.derivatives;
    return one;
}

/// Which input of a node another node is; of several the first that the rule adds to.
std::size_t place_of(std::uint32_t input, const RecordedNode& node) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
        if (node.inputs[i] == input && node.derivatives[i]) return i;
    return static_cast<std::size_t>(std::ranges::find(node.inputs, input) - node.inputs.begin());
}

}  // namespace

template <class T>
Numbers numbers_of(const Array<T>& array) {
    Numbers numbers;
    numbers.shape.assign(array.shape().begin(), array.shape().end());
    if (array.size() <= most_numbers) {
        numbers.values.assign(array.data(), array.data() + array.size());
        return numbers;
    }
    numbers.sampled = samples(numbers.shape);
    gather(array, numbers.sampled, 0, 0, numbers.values);
    numbers.length = 0;
    for (const T value : array) {
        numbers.least = std::fmin(numbers.least, static_cast<double>(value));
        numbers.largest = std::fmax(numbers.largest, static_cast<double>(value));
        numbers.length = std::hypot(numbers.length, static_cast<double>(value));
    }
    return numbers;
}

template <class T>
Recording record_of(Tape<T>& tape, const Variable<T>& y, const RecordOptions& options) {
    const auto gradients = tape.backward(y, autograd::Keep<T>::all());
    Recording recording;
    recording.title = options.title;
    recording.precision = std::is_same_v<T, float> ? "float" : "double";
    recording.result = y.index();

    Names names;
    Layers layers;
    Formulas formulas;
    std::size_t bytes = 0;
    for (std::uint32_t i = 0; i < tape.size(); ++i) {
        const autograd::Node<T>& node = node_at(tape, i);
        recording.nodes.push_back(node_of(node, names, layers, formulas));
        if (node.value == &node.storage) bytes += node.value->size() * sizeof(T);
        recording.memory.push_back({i, bytes});
    }
    for (const Group& group : options.groups)
        for (std::uint32_t i = group.begin; i < group.end && i < recording.nodes.size(); ++i)
            recording.nodes[i].group = group.name;

    autograd::Contributions<T> contributions(tape);
    std::vector<bool> arrives(tape.size());
    arrives[y.index()] = true;
    const auto bytes_of = [&](std::uint32_t i) { return node_at(tape, i).value->size() * sizeof(T); };
    std::size_t held = bytes_of(y.index());
    for (std::uint32_t i = y.index() + 1; i-- > 0;) {
        if (!arrives[i]) continue;
        const autograd::Node<T>& node = node_at(tape, i);
        const Array<T>& zbar = gradients[variable_at(tape, i)];
        RecordedNode& recorded = recording.nodes[i];
        recorded.adjoint = numbers_of(zbar);
        if (node.rule == nullptr) continue;
        contributions.run(i, zbar);
        BackwardStep& step = recording.backward.emplace_back(BackwardStep{i, {}, 0});
        for (const std::uint32_t to : std::set<std::uint32_t>(recorded.inputs.begin(), recorded.inputs.end())) {
            if (contributions[to] == nullptr) continue;
            if (!arrives[to]) held += bytes_of(to);
            arrives[to] = true;
            step.contributions.push_back({to, place_of(to, recorded), numbers_of(*contributions[to])});
        }
        std::ranges::sort(step.contributions, {}, &Contribution::input);
        step.bytes = held -= bytes_of(i);
    }
    return recording;
}

void add_digits(Recording& recording, const autograd::PrecisionReport& report) {
    if (report.nodes.size() != recording.nodes.size())
        throw std::invalid_argument(fmt::format("[add_digits] the recording has {} nodes, the report {}",
                                                recording.nodes.size(), report.nodes.size()));
    for (std::size_t i = 0; i < report.nodes.size(); ++i) recording.nodes[i].digits = report.nodes[i].value_digits;
}

template Numbers numbers_of(const Array<float>&);
template Numbers numbers_of(const Array<double>&);
template Recording record_of(Tape<float>&, const Variable<float>&, const RecordOptions&);
template Recording record_of(Tape<double>&, const Variable<double>&, const RecordOptions&);

}  // namespace lab
