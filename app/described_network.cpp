#include "described_network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <autograd/operations.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <nn/convolution.hpp>
#include <nn/csv.hpp>
#include <nn/dense.hpp>
#include <nn/initializers.hpp>
#include <nn/nonlinearities.hpp>
#include <nn/normalization.hpp>
#include <nn/pooling.hpp>
#include <set>
#include <span>
#include <stdexcept>
#include <type_traits>

using autograd::Extent;
using autograd::Shape;
using autograd::to_string;

namespace {

constexpr std::size_t most_layers = 10'000;
// A line of some bytes must not ask for more memory, or more time, than any network needs.
constexpr double most_numbers = 1 << 28;     // that a layer makes of an example
constexpr double most_products = 1LL << 40;  // of two numbers, for that
constexpr std::uint64_t most_count = std::numeric_limits<std::int32_t>::max();

using Arrays = std::vector<std::pair<std::string, Shape>>;

/// What stands behind a layer's word.
class Fields {
  public:
    explicit Fields(std::vector<std::string_view> fields) : fields_(std::move(fields)) {}

    bool is_at_end() const { return at_ == fields_.size(); }

    std::size_t count(std::uint64_t least = 1) { return count_in(next("a number"), least); }

    /// "3", or "3x5" for a height of 3 and a width of 5.
    Extent extent(std::uint64_t least = 1) {
        const std::string_view text = next("a size");
        const std::size_t x = text.find('x');
        if (x == std::string_view::npos) return count_in(text, least);
        return {count_in(text.substr(0, x), least), count_in(text.substr(x + 1), least)};
    }

    double number(const char* what, double least, double below) {
        const std::string_view text = next(what);
        const auto value = nn::csv_number(text);
        if (!value || !(*value >= least && *value < below))
            throw std::invalid_argument(fmt::format(
                "'{}' is no {}, which is a number from {} up to, but not including, {}", text, what, least, below));
        return *value;
    }

    /// Takes the next word where it is this one.
    bool take(std::string_view word) {
        const bool found = !is_at_end() && fields_[at_] == word;
        if (found) ++at_;
        return found;
    }

    void require_end() const {
        if (!is_at_end()) throw std::invalid_argument(fmt::format("'{}' has no meaning there", fields_[at_]));
    }

  private:
    std::string_view next(const char* what) {
        if (is_at_end()) throw std::invalid_argument(fmt::format("{} is missing at its end", what));
        return fields_[at_++];
    }

    static std::size_t count_in(std::string_view text, std::uint64_t least) {
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size() || value < least || value > most_count)
            throw std::invalid_argument(
                fmt::format("'{}' is not a whole number from {} to {}", text, least, most_count));
        return value;
    }

    std::vector<std::string_view> fields_;
    std::size_t at_ = 0;
};

/// How the window moves, in any order: "stride 2 padding 1".
void read_window(Fields& fields, DescribedLayer& layer) {
    const bool is_conv = layer.kind == LayerKind::conv, dilates = layer.kind != LayerKind::avgpool;
    layer.window.kernel = fields.extent();
    layer.window.stride = is_conv ? Extent(1) : layer.window.kernel;
    std::set<std::string_view> given;
    const auto take = [&](std::string_view word) {
        if (!fields.take(word)) return false;
        if (!given.insert(word).second) throw std::invalid_argument(fmt::format("'{}' stands there twice", word));
        return true;
    };
    while (!fields.is_at_end()) {
        if (take("stride"))
            layer.window.stride = fields.extent();
        else if (take("padding"))
            layer.window.padding = fields.extent(0);
        else if (dilates && take("dilation"))
            layer.window.dilation = fields.extent();
        else if (is_conv && take("groups"))
            layer.groups = fields.count();
        else
            return;
    }
}

/// How a message calls a layer: by its word.
std::string_view word_of(const DescribedLayer& layer) {
    return std::string_view(layer.text).substr(0, layer.text.find(' '));
}

void require_picture(const DescribedLayer& layer) {
    if (layer.in.size() != 3)
        throw std::invalid_argument(fmt::format(
            "{} takes pictures of (channels, height, width), but gets {}{}", word_of(layer), to_string(layer.in),
            layer.in.size() == 1 ? ": unflatten CHANNELS HEIGHT WIDTH makes pictures of rows" : ""));
}

/// (channels, places down, places across).
Shape seen_through_window(const DescribedLayer& layer, std::size_t channels) {
    require_picture(layer);
    const autograd::Window& window = layer.window;
    const auto plan = autograd::plan_window(std::string(word_of(layer)).c_str(),
                                            Shape{1, layer.in[0], layer.in[1], layer.in[2]}, window);
    const bool pools = layer.kind != LayerKind::conv;
    const auto reach = [&](std::ptrdiff_t kernel, std::ptrdiff_t dilation) {
        return pools ? kernel / 2 : dilation * (kernel - 1);
    };
    if (window.padding.height > reach(window.kernel.height, window.dilation.height) ||
        window.padding.width > reach(window.kernel.width, window.dilation.width))
        throw std::invalid_argument(fmt::format("a padding of {} x {} is {} {} x {}", window.padding.height,
                                                window.padding.width,
                                                pools ? "more than half of a window of" : "no smaller than a window of",
                                                window.kernel.height, window.kernel.width));
    return {channels, plan.places_down, plan.places_across};
}

Shape same(const DescribedLayer& layer) { return layer.in; }
Arrays no_arrays(const DescribedLayer&) { return {}; }
void no_fields(Fields&, DescribedLayer&) {}

using Engine = std::mt19937_64;

/// What a word means: its numbers, the shape that it makes, the arrays that it holds, and the layer.
struct Word {
    LayerKind kind;
    std::string_view name, usage;
    void (*read)(Fields&, DescribedLayer&);
    Shape (*shape)(const DescribedLayer&);
    Arrays (*arrays)(const DescribedLayer&);
    void (*add)(nn::Sequential<float>&, const DescribedLayer&, Engine&, nn::Initializer<float>);
    void (*add_in_double)(nn::Sequential<double>&, const DescribedLayer&, Engine&, nn::Initializer<double>);

    /// `adds` is a template that both of them are made from.
    template <class Add>
    Word(LayerKind kind_, std::string_view name_, std::string_view usage_, void (*read_)(Fields&, DescribedLayer&),
         Shape (*shape_)(const DescribedLayer&), Arrays (*arrays_)(const DescribedLayer&), Add adds)
        : kind(kind_),
          name(name_),
          usage(usage_),
          read(read_),
          shape(shape_),
          arrays(arrays_),
          add(adds),
          add_in_double(adds) {}
};

std::span<const Word> words() {
    using L = const DescribedLayer&;
    static const Word all[] = {
        {LayerKind::dense, "dense", "[OUTPUTS]",
         [](Fields& fields, DescribedLayer& layer) {
             if (!fields.is_at_end()) layer.outputs = fields.count();
         },
         [](L layer) {
             if (layer.in.size() != 1)
                 throw std::invalid_argument(fmt::format(
                     "dense takes rows of numbers, but gets {}: flatten must stand before it", to_string(layer.in)));
             return Shape{layer.outputs};
         },
         [](L layer) {
             return Arrays{{"weight", {layer.outputs, layer.in[0]}}, {"bias", {layer.outputs}}};
         },
         []<class T>(nn::Sequential<T>& net, L layer, Engine& engine, nn::Initializer<T> initializer) {
             net.add(nn::Dense<T>(layer.in[0], layer.outputs, engine, true, initializer));
         }},
        {LayerKind::conv, "conv", "OUTPUTS KERNEL [stride S] [padding P] [dilation D] [groups G]",
         [](Fields& fields, DescribedLayer& layer) {
             layer.outputs = fields.count();
             read_window(fields, layer);
         },
         [](L layer) {
             const Shape shape = seen_through_window(layer, layer.outputs);
             if (layer.in[0] % layer.groups != 0 || layer.outputs % layer.groups != 0)
                 throw std::invalid_argument(fmt::format("{} groups do not divide {} channels into {}", layer.groups,
                                                         layer.in[0], layer.outputs));
             return shape;
         },
         [](L layer) {
             const Extent kernel = layer.window.kernel;
             return Arrays{{"weight",
                            {layer.outputs, layer.in[0] / layer.groups, static_cast<std::size_t>(kernel.height),
                             static_cast<std::size_t>(kernel.width)}},
                           {"bias", {layer.outputs}}};
         },
         []<class T>(nn::Sequential<T>& net, L layer, Engine& engine, nn::Initializer<T> initializer) {
             const autograd::Window& window = layer.window;
             net.add(nn::Conv2d<T>(
                 layer.in[0], layer.outputs, window.kernel, engine,
                 {window.stride, window.padding, window.dilation, static_cast<std::ptrdiff_t>(layer.groups)}, true,
                 initializer));
         }},
        {LayerKind::maxpool, "maxpool", "KERNEL [stride S] [padding P] [dilation D]", read_window,
         [](L layer) { return seen_through_window(layer, layer.in[0]); }, no_arrays,
         []<class T>(nn::Sequential<T>& net, L layer, Engine&, nn::Initializer<T>) {
             const autograd::Window& window = layer.window;
             net.add(nn::MaxPool2d<T>(window.kernel, window.stride, window.padding, window.dilation));
         }},
        {LayerKind::avgpool, "avgpool", "KERNEL [stride S] [padding P]", read_window,
         [](L layer) { return seen_through_window(layer, layer.in[0]); }, no_arrays,
         []<class T>(nn::Sequential<T>& net, L layer, Engine&, nn::Initializer<T>) {
             net.add(nn::AvgPool2d<T>(layer.window.kernel, layer.window.stride, layer.window.padding));
         }},
        {LayerKind::globalavgpool, "globalavgpool", "", no_fields,
         [](L layer) {
             require_picture(layer);
             return Shape{layer.in[0]};
         },
         no_arrays,
         []<class T>(nn::Sequential<T>& net, L, Engine&, nn::Initializer<T>) { net.add(nn::GlobalAvgPool2d<T>()); }},
        {LayerKind::flatten, "flatten", "", no_fields, [](L layer) { return Shape{autograd::size_of(layer.in)}; },
         no_arrays, []<class T>(nn::Sequential<T>& net, L, Engine&, nn::Initializer<T>) { net.add(nn::Flatten<T>()); }},
        {LayerKind::unflatten, "unflatten", "CHANNELS HEIGHT WIDTH",
         [](Fields& fields, DescribedLayer& layer) {
             for (int i = 0; i < 3; ++i) layer.out.push_back(fields.count());
         },
         [](L layer) {
             const Shape& to = layer.out;
             const double numbers = number_of(to);
             if (layer.in.size() != 1 || numbers != static_cast<double>(layer.in[0]))
                 throw std::invalid_argument(fmt::format("pictures of {} have {} numbers, but it gets {}",
                                                         to_string(to), numbers, to_string(layer.in)));
             return to;
         },
         no_arrays,
         []<class T>(nn::Sequential<T>& net, L layer, Engine&, nn::Initializer<T>) {
             net.add([to = layer.out](const autograd::Variable<T>& x) {
                 return reshape(x, Shape{x.shape()[0], to[0], to[1], to[2]});
             });
         }},
        {LayerKind::batchnorm, "batchnorm", "", no_fields, same,
         [](L layer) {
             const Shape features{layer.in[0]};
             return Arrays{
                 {"weight", features}, {"bias", features}, {"running_mean", features}, {"running_var", features}};
         },
         []<class T>(nn::Sequential<T>& net, L layer, Engine&, nn::Initializer<T>) {
             net.add(nn::BatchNorm<T>(layer.in[0]));
         }},
        {LayerKind::layernorm, "layernorm", "", no_fields, same,
         [](L layer) {
             return Arrays{{"weight", layer.in}, {"bias", layer.in}};
         },
         []<class T>(nn::Sequential<T>& net, L layer, Engine&, nn::Initializer<T>) {
             net.add(nn::LayerNorm<T>(layer.in));
         }},
        {LayerKind::rmsnorm, "rmsnorm", "", no_fields, same,
         [](L layer) {
             return Arrays{{"weight", layer.in}};
         },
         []<class T>(nn::Sequential<T>& net, L layer, Engine&, nn::Initializer<T>) {
             net.add(nn::RmsNorm<T>(layer.in));
         }},
        {LayerKind::dropout, "dropout", "RATE",
         [](Fields& fields, DescribedLayer& layer) { layer.number = fields.number("rate", 0, 1); }, same, no_arrays,
         []<class T>(nn::Sequential<T>& net, L layer, Engine& engine, nn::Initializer<T>) {
             net.add(nn::Dropout<T>(layer.number, engine));
         }},
        {LayerKind::leakyrelu, "leakyrelu", "[SLOPE]",
         [](Fields& fields, DescribedLayer& layer) {
             layer.number = fields.is_at_end() ? 0.01 : fields.number("slope", 0, 1);
         },
         same, no_arrays,
         []<class T>(nn::Sequential<T>& net, L layer, Engine&, nn::Initializer<T>) {
             net.add(nn::LeakyRelu<T>{static_cast<T>(layer.number)});
         }},
        {LayerKind::elu, "elu", "[ALPHA]",
         [](Fields& fields, DescribedLayer& layer) {
             layer.number = fields.is_at_end() ? 1 : fields.number("alpha", 0, 1e6);
         },
         same, no_arrays,
         []<class T>(nn::Sequential<T>& net, L layer, Engine&, nn::Initializer<T>) {
             net.add(nn::Elu<T>{static_cast<T>(layer.number)});
         }},
    };
    return all;
}

// Each of them is a word of its own.
constexpr nn::ActivationKind activations[] = {
    nn::ActivationKind::relu, nn::ActivationKind::tanh,     nn::ActivationKind::sigmoid, nn::ActivationKind::gelu,
    nn::ActivationKind::silu, nn::ActivationKind::softplus, nn::ActivationKind::identity};

const Word& activation_word() {
    static const Word word{LayerKind::activation,
                           "",
                           "",
                           no_fields,
                           same,
                           no_arrays,
                           []<class T>(nn::Sequential<T>& net, const DescribedLayer& layer, Engine&,
                                       nn::Initializer<T>) { net.add(nn::Activation<T>(layer.activation)); }};
    return word;
}

const Word& meaning_of(LayerKind kind) {
    const auto found = std::ranges::find(words(), kind, &Word::kind);
    return found == words().end() ? activation_word() : *found;
}

const Word& meaning_of(std::string_view name, DescribedLayer& layer) {
    const auto found = std::ranges::find(words(), name, &Word::name);
    if (found != words().end()) return *found;
    for (const nn::ActivationKind kind : activations)
        if (nn::to_string(kind) == name) {
            layer.activation = kind;
            return activation_word();
        }
    std::vector<std::string_view> names;
    for (const Word& word : words()) names.push_back(word.name);
    for (const nn::ActivationKind kind : activations) names.push_back(nn::to_string(kind));
    throw std::invalid_argument(fmt::format("there is no layer '{}'; there are {}", name, fmt::join(names, ", ")));
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators, bool keeps_empty) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0;;) {
        const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
        if (keeps_empty || end > begin) parts.push_back(text.substr(begin, end - begin));
        if (end == text.size()) return parts;
        begin = end + 1;
    }
}

void require_size(const DescribedLayer& layer, const Word& word) {
    const double numbers = number_of(layer.out);
    if (numbers > most_numbers)
        throw std::invalid_argument(fmt::format("it makes {} of {}, and {} numbers are the most", to_string(layer.out),
                                                to_string(layer.in), most_numbers));
    const Arrays arrays = word.arrays(layer);
    const double window =
                     static_cast<double>(layer.window.kernel.height) * static_cast<double>(layer.window.kernel.width),
                 products = layer.kind == LayerKind::dense || layer.kind == LayerKind::conv
                                ? number_of(arrays[0].second) * numbers / static_cast<double>(layer.outputs)
                                : window * numbers;
    if (products > most_products)
        throw std::invalid_argument(fmt::format("{} products to make {} of {} are too many", products,
                                                to_string(layer.out), to_string(layer.in)));
}

/// One layer, which gets examples of the shape `layer.in`.
void read_layer(std::string_view part, DescribedLayer& layer, std::size_t outputs) {
    auto fields = split(part, " \t\r\n", false);
    if (fields.empty()) throw std::invalid_argument("it is empty");
    layer.text = fmt::format("{}", fmt::join(fields, " "));
    const Word& word = meaning_of(fields[0], layer);
    layer.kind = word.kind;
    fields.erase(fields.begin());
    Fields rest(fields);
    word.read(rest, layer);
    rest.require_end();
    if (layer.kind == LayerKind::dense && layer.outputs == 0) {
        if (outputs == 0)
            throw std::invalid_argument("the number of its outputs is missing: only the last layer knows its own");
        layer.outputs = outputs;
        layer.text += fmt::format(" {}", outputs);
    }
    layer.out = word.shape(layer);
    require_size(layer, word);
}

bool is_rectifier(const DescribedLayer& layer) {
    using Kind = nn::ActivationKind;
    return layer.kind == LayerKind::leakyrelu || layer.kind == LayerKind::elu ||
           (layer.kind == LayerKind::activation &&
            (layer.activation == Kind::relu || layer.activation == Kind::gelu || layer.activation == Kind::silu));
}

/// As for `nn::Mlp`: by the function that comes next, if there is one before the next weights.
template <class T>
nn::Initializer<T> initializer_of(const std::vector<DescribedLayer>& layers, std::size_t i) {
    for (++i; i < layers.size(); ++i) {
        if (is_rectifier(layers[i])) return nn::he_uniform<T>;
        if (layers[i].kind == LayerKind::activation || layers[i].kind == LayerKind::dense ||
            layers[i].kind == LayerKind::conv)
            break;
    }
    return nn::glorot_uniform<T>;
}

std::optional<std::vector<std::size_t>> widths_of(const std::vector<DescribedLayer>& layers) {
    std::vector<std::size_t> widths{layers[0].in[0]};
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const DescribedLayer& layer = layers[i];
        if (layer.kind != (i % 2 == 0 ? LayerKind::dense : LayerKind::activation) ||
            (i % 2 == 1 && layer.activation != layers[1].activation))
            return {};
        if (i % 2 == 0) widths.push_back(layer.outputs);
    }
    if (layers.size() % 2 == 0) return {};
    return widths;
}

std::string line_of(const std::vector<DescribedLayer>& layers) {
    std::vector<std::string> texts;
    for (const DescribedLayer& layer : layers) texts.push_back(layer.text);
    return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

double number_of(const Shape& shape) {
    double numbers = 1;
    for (const std::size_t extent : shape) numbers *= static_cast<double>(extent);
    return numbers;
}

std::vector<std::string> layer_usages() {
    std::vector<std::string> usages;
    for (const Word& word : words())
        usages.push_back(word.usage.empty() ? std::string(word.name) : fmt::format("{} {}", word.name, word.usage));
    for (const nn::ActivationKind kind : activations) usages.emplace_back(nn::to_string(kind));
    return usages;
}

std::vector<DescribedLayer> read_layers(std::string_view line, const Shape& input, std::size_t outputs) {
    const auto parts = split(line, ",", true);
    if (parts.size() > most_layers)
        throw std::invalid_argument(
            fmt::format("[layers] there are {} layers, and {} are the most", parts.size(), most_layers));
    std::vector<DescribedLayer> layers;
    Shape shape = input;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        DescribedLayer layer;
        layer.in = shape;
        try {
            read_layer(parts[i], layer, i + 1 == parts.size() ? outputs : 0);
            if (i + 1 == parts.size() && layer.out != Shape{outputs})
                throw std::invalid_argument(fmt::format("the last layer makes {}, but {} is to be predicted",
                                                        to_string(layer.out), to_string(Shape{outputs})));
        } catch (const std::invalid_argument& error) {
            std::string_view reason = error.what();
            if (reason.starts_with('[')) reason.remove_prefix(reason.find(' ') + 1);  // the engine's name for it
            const std::string text = layer.text.empty() ? "" : fmt::format(", '{}'", layer.text);
            throw std::invalid_argument(fmt::format("[layers] layer {}{}: {}", i, text, reason));
        }
        shape = layer.out;
        layers.push_back(std::move(layer));
    }
    return layers;
}

std::string perceptron_line(const std::vector<std::size_t>& hidden, nn::ActivationKind activation) {
    std::string line;
    for (const std::size_t width : hidden) line += fmt::format("dense {}, {}, ", width, nn::to_string(activation));
    return line + "dense";
}

std::vector<std::pair<std::string, Shape>> arrays_of(const std::vector<DescribedLayer>& layers) {
    Arrays arrays;
    for (std::size_t i = 0; i < layers.size(); ++i)
        for (const auto& [name, shape] : meaning_of(layers[i].kind).arrays(layers[i]))
            arrays.emplace_back(fmt::format("{}.{}", i, name), shape);
    return arrays;
}

std::string network_name(const std::vector<DescribedLayer>& layers) {
    const auto widths = widths_of(layers);
    return widths ? fmt::format("a network of {}", fmt::join(*widths, "-"))
                  : fmt::format("a network of {}", line_of(layers));
}

template <class T>
DescribedNetwork<T>::DescribedNetwork(std::vector<DescribedLayer> layers, Shape input, std::mt19937_64& engine)
    : layers_(std::move(layers)), input_(std::move(input)) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        const Word& word = meaning_of(layers_[i].kind);
        if constexpr (std::is_same_v<T, float>)
            word.add(network_, layers_[i], engine, initializer_of<T>(layers_, i));
        else
            word.add_in_double(network_, layers_[i], engine, initializer_of<T>(layers_, i));
    }
    network_.train(false);
}

template <class T>
autograd::Variable<T> DescribedNetwork<T>::operator()(const autograd::Variable<T>& x) const {
    if (input_.size() == 1) return network_(x);
    Shape shape{x.shape()[0]};
    shape.insert(shape.end(), input_.begin(), input_.end());
    return network_(reshape(x, shape));
}

template <class T>
std::string DescribedNetwork<T>::line() const {
    return line_of(layers_);
}

template <class T>
std::optional<std::vector<std::size_t>> DescribedNetwork<T>::widths() const {
    return widths_of(layers_);
}

template <class T>
nn::ActivationKind DescribedNetwork<T>::activation() const {
    return layers_.size() > 1 ? layers_[1].activation : nn::ActivationKind::identity;
}

template <class T>
std::string DescribedNetwork<T>::name() const {
    return network_name(layers_);
}

template <class T>
std::size_t DescribedNetwork<T>::rows_at_once() const {
    std::size_t widest = autograd::size_of(input_);
    for (const DescribedLayer& layer : layers_) widest = std::max(widest, autograd::size_of(layer.out));
    return std::clamp<std::size_t>((1 << 24) / widest, 1, 1024);
}

template class DescribedNetwork<float>;
template class DescribedNetwork<double>;
