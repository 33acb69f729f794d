#include "network_header.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <nn/files/text.hpp>
#include <set>
#include <stdexcept>

namespace {

using nn::files::printable;

constexpr std::size_t most_inside = 20'000;  // numbers that stand in the header; more stand in a file beside it

/// "a", with all but printable ASCII as octal numbers; \? as two question marks may begin a trigraph.
std::string literal(const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte > 0x7e)
            quoted += fmt::format("\\{:03o}", byte);
        else
            quoted += std::string(c == '"' || c == '\\' || c == '?' ? "\\" : "") + c;
    }
    return quoted + '"';
}

template <class T>
std::string literal(T number) {
    std::string text = fmt::format("{}", number);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text + (sizeof(T) == 4 ? "f" : "");
}

/// Items of a list, in lines.
template <class List>
std::string listed(const List& list) {
    std::string text = "   ";
    std::size_t width = text.size();
    for (const auto& item : list) {
        const std::string next = " " + literal(item) + ",";
        if (width + next.size() > 100) {
            text += "\n   ";
            width = 3;
        }
        text += next;
        width += next.size();
    }
    return text;
}

/// f(z), as the engine computes it.
std::string formula(nn::ActivationKind kind) {
    switch (kind) {
        case nn::ActivationKind::relu:
            return "z < 0 ? 0 : z";
        case nn::ActivationKind::tanh:
            return "std::tanh(z)";
        case nn::ActivationKind::sigmoid:
            return "1 / (1 + std::exp(-z))";
        case nn::ActivationKind::gelu:
            return "z / 2 * std::erfc(-z * Sum(0.70710678118654752440))";
        case nn::ActivationKind::silu:
            return "z / (1 + std::exp(-z))";
        case nn::ActivationKind::softplus:
            return "(z < 0 ? 0 : z) + std::log1p(std::exp(-std::abs(z)))";
        case nn::ActivationKind::identity:
            return "z";
    }
    throw std::invalid_argument(fmt::format("[export] {} cannot be written as C++", nn::to_string(kind)));
}

/// The numbers of a layer: of dense the weight with its inputs as rows, then the bias; else as they are saved.
std::vector<float> numbers_of(const DescribedLayer& layer, const std::vector<autograd::Parameter<float>>& parameters) {
    std::vector<float> numbers;
    for (const auto& parameter : parameters) {
        const auto& value = parameter.value();
        if (layer.kind == LayerKind::dense && value.dimension() == 2)
            for (std::size_t i = 0; i < value.shape()[1]; ++i)
                for (std::size_t j = 0; j < value.shape()[0]; ++j) numbers.push_back(value(j, i));
        else
            numbers.insert(numbers.end(), value.data(), value.data() + value.size());
    }
    return numbers;
}

/// FNV-1a of 64 bits.
std::uint64_t checksum(std::string_view bytes) {
    std::uint64_t sum = 14695981039346656037u;
    for (const char c : bytes) sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return sum;
}

/// Puts a text in the place of each @name@.
std::string filled(std::string text, const std::map<std::string, std::string>& parts) {
    for (std::size_t at = 0; (at = text.find('@', at)) != std::string::npos;) {
        const std::size_t end = text.find('@', at + 1);
        const std::string& part = parts.at(text.substr(at + 1, end - at - 1));
        text.replace(at, end + 1 - at, part);
        at += part.size();
    }
    return text;
}

constexpr const char* header_text = R"(// A network that `deltarule export` wrote: @summary@.
// C++17; it needs no other source, allocates nothing, and takes @stack@ bytes of the stack.
//
//     @name@::Row row = {...};  // @row@
@usage@//
// It answers as `deltarule predict` does, to 1e-6. It has no answer where the program refuses: for a number that is not finite,
// one that is too far from those of the training, or a word that the training had not.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
@includes@
namespace @name@ {

// What sums are added in: float is faster where the processor has no double, and off by some 1e-6.
using Sum = double;

// @Row@
using Row = std::array<double, @columns@>;
// @Answer@
using Answer = std::array<double, @outputs@>;

inline constexpr std::array<const char*, @columns@> columns = {
@column_names@
};
inline constexpr std::array<const char*, @outputs@> @output_kind@ = {
@output_names@
};
@best@@category@
namespace inside {

// (x - offset) * factor
inline constexpr double offset[] = {
@offset@
};
inline constexpr double factor[] = {
@factor@
};
@tables@
@weights@@functions@
// By their bits, as -ffast-math would take every number for a finite one.
inline std::uint64_t without_sign(double x) {
    std::uint64_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits & 0x7fffffffffffffff;
}
inline bool is_finite(double x) { return without_sign(x) < 0x7ff0000000000000; }
@is_nan@
inline bool put(double x, std::size_t i, Sum* scaled) {
    const float z = static_cast<float>(factor[i] == 0 ? 0 : (x - offset[i]) * factor[i]);
    scaled[i] = z;
    return is_finite(x) && is_finite(z);
}

// The numbers of a row as the network takes them; false where it has no answer.
inline bool scale(const Row& row, Sum* scaled) {
@scale@
}

}  // namespace inside

inline std::optional<Answer> predict(const Row& row@parameter@) {
    using namespace inside;
    Sum x[@even@], y[@odd@];
    if (!scale(row, x)) return {};
@layers@
    Answer answer{};
@finish@
    for (const double number : answer)
        if (!is_finite(number)) return {};
    return answer;
}

}  // namespace @name@
)";

constexpr const char* inside_text = R"(// Of each layer the weight, then the bias.
inline constexpr float weights[] = {
@numbers@
};

inline float number(const float* w, std::size_t i) { return w[i]; }

)";

constexpr const char* beside_text = R"(#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "The weights are little-endian, and this processor is not."
#endif

inline float number(const unsigned char* bytes, std::size_t i) {
    float x;
    std::memcpy(&x, bytes + i * sizeof x, sizeof x);
    return x;
}
)";

// Behind `inside`, which stands open there.
constexpr const char* weights_text = R"(
}  // namespace inside

/// The bytes of @file@, wherever they are: embedded by #embed, xxd -i or ld -r -b binary, or read. They are not copied.
class Weights {
  public:
    /// Nothing where these are not the bytes that were written with this header.
    static std::optional<Weights> of(const void* bytes, std::size_t size) {
        const Weights weights(static_cast<const unsigned char*>(bytes));
        std::uint64_t sum = 14695981039346656037u;
        for (std::size_t i = 0; size == @size@ && i < size; ++i) sum = (sum ^ weights.bytes_[i]) * 1099511628211u;
        if (size != @size@ || sum != @checksum@u) return {};
        return weights;
    }
    const unsigned char* bytes() const { return bytes_; }

  private:
    explicit Weights(const unsigned char* bytes) : bytes_(bytes) {}
    const unsigned char* bytes_;
};

namespace inside {
)";

constexpr const char* category_text = R"(
/// What stands in a row for a word in this column: -1, which has no answer, where the training had not got it.
inline double category(std::size_t column, std::string_view word) {
@words@
    return -1;
}
)";

constexpr const char* best_text = R"(
/// The number of the most likely class.
inline std::size_t best(const Answer& answer) {
    std::size_t k = 0;
    for (std::size_t j = 1; j < answer.size(); ++j)
        if (answer[j] > answer[k]) k = j;
    return k;
}
)";

constexpr const char* softmax_text = R"(    Sum most = @z@[0], sum = 0;
    for (std::size_t k = 0; k < answer.size(); ++k) most = @z@[k] > most ? @z@[k] : most;
    for (std::size_t k = 0; k < answer.size(); ++k) sum += @z@[k] = std::exp(@z@[k] - most);
    for (std::size_t k = 0; k < answer.size(); ++k) answer[k] = @z@[k] / sum;)";

// What layers compute, by word. Each stands in the header where a layer needs it.
constexpr const char* dense_text =
    R"(// z = w x + b, where w[i][j] leads from input i to output j, and b stands behind it.
template <std::size_t inputs, std::size_t outputs>
void dense(const @byte@* w, const Sum* x, Sum* z) {
    for (std::size_t j = 0; j < outputs; ++j) z[j] = number(w, inputs * outputs + j);
    for (std::size_t i = 0; i < inputs; ++i)
        for (std::size_t j = 0; j < outputs; ++j) z[j] += number(w, i * outputs + j) * x[i];
}

)";

constexpr const char* window_text = R"(struct Picture {
    std::size_t channels, height, width;
};

// Down and across.
struct Window {
    std::size_t kernel[2], stride[2], padding[2], dilation[2];
};

// Calls f(pixel of the window, pixel of the picture) for each that the window sees at place (i, j).
template <class F>
void look(const Picture& picture, const Window& window, std::size_t i, std::size_t j, const F& f) {
    for (std::size_t k = 0; k < window.kernel[0]; ++k) {
        const std::size_t row = i * window.stride[0] + k * window.dilation[0];
        if (row < window.padding[0] || row - window.padding[0] >= picture.height) continue;
        for (std::size_t l = 0; l < window.kernel[1]; ++l) {
            const std::size_t column = j * window.stride[1] + l * window.dilation[1];
            if (column < window.padding[1] || column - window.padding[1] >= picture.width) continue;
            f(k * window.kernel[1] + l, (row - window.padding[0]) * picture.width + column - window.padding[1]);
        }
    }
}

)";

constexpr const char* conv_text =
    R"(// z = w * x + b: the weight has the shape (outputs, inputs of a group, kernel), and b stands behind it.
inline void conv(const @byte@* w, const Picture& from, const Picture& to, const Window& window, std::size_t groups,
                 const Sum* x, Sum* z) {
    const std::size_t inputs = from.channels / groups, kernel = window.kernel[0] * window.kernel[1];
    for (std::size_t o = 0; o < to.channels; ++o) {
        const std::size_t first = o / (to.channels / groups) * inputs;
        for (std::size_t i = 0; i < to.height; ++i)
            for (std::size_t j = 0; j < to.width; ++j) {
                Sum sum = number(w, to.channels * inputs * kernel + o);
                for (std::size_t c = 0; c < inputs; ++c) {
                    const Sum* channel = x + (first + c) * from.height * from.width;
                    look(from, window, i, j, [&](std::size_t k, std::size_t pixel) {
                        sum += number(w, (o * inputs + c) * kernel + k) * channel[pixel];
                    });
                }
                z[(o * to.height + i) * to.width + j] = sum;
            }
    }
}

)";

constexpr const char* maxpool_text =
    R"(inline void maxpool(const Picture& from, const Picture& to, const Window& window, const Sum* x, Sum* z) {
    for (std::size_t c = 0; c < to.channels; ++c)
        for (std::size_t i = 0; i < to.height; ++i)
            for (std::size_t j = 0; j < to.width; ++j) {
                Sum most = 0;
                bool is_first = true;
                look(from, window, i, j, [&](std::size_t, std::size_t pixel) {
                    const Sum seen = x[c * from.height * from.width + pixel];
                    if (is_first || !(seen <= most)) most = seen;
                    is_first = false;
                });
                z[(c * to.height + i) * to.width + j] = most;
            }
}

)";

constexpr const char* avgpool_text = R"(// Zeros beside the picture count.
inline void avgpool(const Picture& from, const Picture& to, const Window& window, const Sum* x, Sum* z) {
    for (std::size_t c = 0; c < to.channels; ++c)
        for (std::size_t i = 0; i < to.height; ++i)
            for (std::size_t j = 0; j < to.width; ++j) {
                Sum sum = 0;
                look(from, window, i, j,
                     [&](std::size_t, std::size_t pixel) { sum += x[c * from.height * from.width + pixel]; });
                z[(c * to.height + i) * to.width + j] = sum / static_cast<Sum>(window.kernel[0] * window.kernel[1]);
            }
}

)";

constexpr const char* globalavgpool_text =
    R"(inline void globalavgpool(std::size_t channels, std::size_t pixels, const Sum* x, Sum* z) {
    for (std::size_t c = 0; c < channels; ++c) {
        Sum sum = 0;
        for (std::size_t i = 0; i < pixels; ++i) sum += x[c * pixels + i];
        z[c] = sum / static_cast<Sum>(pixels);
    }
}

)";

constexpr const char* batchnorm_text =
    R"(// x = (x - mean) / sqrt(variance + 1e-5) weight + bias; w holds the last two before the others.
inline void batchnorm(const @byte@* w, std::size_t features, std::size_t numbers, Sum* x) {
    for (std::size_t c = 0; c < features; ++c) {
        const Sum mean = number(w, 2 * features + c), variance = number(w, 3 * features + c);
        const Sum weight = number(w, c) / std::sqrt(variance + Sum(1e-5));
        for (std::size_t i = 0; i < numbers; ++i)
            x[c * numbers + i] = (x[c * numbers + i] - mean) * weight + number(w, features + c);
    }
}

)";

constexpr const char* layernorm_text =
    R"(// x = (x - mean) / sqrt(variance + 1e-5) weight + bias, with mean and variance of x.
inline void layernorm(const @byte@* w, std::size_t n, Sum* x) {
    Sum mean = 0, variance = 0;
    for (std::size_t i = 0; i < n; ++i) mean += x[i] / static_cast<Sum>(n);
    for (std::size_t i = 0; i < n; ++i) variance += (x[i] - mean) * (x[i] - mean) / static_cast<Sum>(n);
    const Sum deviation = std::sqrt(variance + Sum(1e-5));
    for (std::size_t i = 0; i < n; ++i) x[i] = (x[i] - mean) / deviation * number(w, i) + number(w, n + i);
}

)";

constexpr const char* rmsnorm_text = R"(// x = x / sqrt(mean(x^2) + epsilon) weight.
inline void rmsnorm(const @byte@* w, std::size_t n, Sum* x) {
    Sum square = 0;
    for (std::size_t i = 0; i < n; ++i) square += x[i] * x[i] / static_cast<Sum>(n);
    const Sum size = std::sqrt(square + Sum(1.1920929e-7));
    for (std::size_t i = 0; i < n; ++i) x[i] = x[i] / size * number(w, i);
}

)";

/// A function of one number, which may have another one as its parameter.
std::string elementwise_text(std::string_view name, const std::string& formula, const char* parameter = "") {
    return fmt::format(R"(inline void {}(Sum* x, std::size_t n{}) {{
    for (std::size_t j = 0; j < n; ++j) {{
        const Sum z = x[j];
        x[j] = {};
    }}
}}

)",
                       name, parameter, formula);
}

/// The layers as calls, and the functions that they call.
struct Calls {
    std::string functions, calls;
    std::size_t sizes[2] = {0, 0};  // of the arrays x and y, which hold the numbers by turns
    bool is_in_y = false;           // what comes out
    std::vector<float> numbers;     // of all layers
};

class Caller {
  public:
    explicit Caller(const Network& network) : network_(network) { made_.sizes[0] = autograd::size_of(network.input()); }

    Calls calls(bool inside) {
        inside_ = inside;
        for (std::size_t i = 0; i < network_.layers().size(); ++i) write(i);
        if (!made_.calls.empty()) made_.calls.pop_back();
        return std::move(made_);
    }

  private:
    void write(std::size_t i) {
        const DescribedLayer& layer = network_.layers()[i];
        std::vector<autograd::Parameter<float>> own;
        for (const auto& parameter : network_.parameters())
            if (parameter.name().starts_with(fmt::format("{}.", i))) own.push_back(parameter);
        const std::size_t begin = made_.numbers.size(), n = autograd::size_of(layer.in);
        const std::vector<float> numbers = numbers_of(layer, own);
        made_.numbers.insert(made_.numbers.end(), numbers.begin(), numbers.end());
        const std::string w = fmt::format("{} + {}", inside_ ? "inside::weights" : "weights.bytes()",
                                          inside_ ? begin : begin * sizeof(float));
        switch (layer.kind) {
            case LayerKind::dense:
                need("dense", dense_text);
                return into(layer, fmt::format("dense<{}, {}>({}, ", n, layer.outputs, w));
            case LayerKind::conv:
                need("window", window_text);
                need("conv", conv_text);
                return into(layer, fmt::format("conv({}, {}, {}, ", w, seen(layer), layer.groups));
            case LayerKind::maxpool:
                need("window", window_text);
                need("maxpool", maxpool_text);
                return into(layer, fmt::format("maxpool({}, ", seen(layer)));
            case LayerKind::avgpool:
                need("window", window_text);
                need("avgpool", avgpool_text);
                return into(layer, fmt::format("avgpool({}, ", seen(layer)));
            case LayerKind::globalavgpool:
                need("globalavgpool", globalavgpool_text);
                return into(layer, fmt::format("globalavgpool({}, {}, ", layer.in[0], n / layer.in[0]));
            case LayerKind::batchnorm:
                need("batchnorm", batchnorm_text);
                return in_place(fmt::format("batchnorm({}, {}, {}, {})", w, layer.in[0], n / layer.in[0], here()));
            case LayerKind::layernorm:
                need("layernorm", layernorm_text);
                return in_place(fmt::format("layernorm({}, {}, {})", w, n, here()));
            case LayerKind::rmsnorm:
                need("rmsnorm", rmsnorm_text);
                return in_place(fmt::format("rmsnorm({}, {}, {})", w, n, here()));
            case LayerKind::leakyrelu:
                need("leakyrelu", elementwise_text("leakyrelu", "z < 0 ? slope * z : z", ", Sum slope"));
                return in_place(fmt::format("leakyrelu({}, {}, Sum({}))", here(), n, layer.number));
            case LayerKind::elu:
                need("elu", elementwise_text("elu", "z < 0 ? alpha * std::expm1(z) : z", ", Sum alpha"));
                return in_place(fmt::format("elu({}, {}, Sum({}))", here(), n, layer.number));
            case LayerKind::activation: {
                if (layer.activation == nn::ActivationKind::identity) return;
                const std::string name(nn::to_string(layer.activation));
                need(name, elementwise_text(name, formula(layer.activation)));
                return in_place(fmt::format("{}({}, {})", name, here(), n));
            }
            case LayerKind::flatten:
            case LayerKind::unflatten:
            case LayerKind::dropout:
                return;  // the same numbers
        }
        throw std::invalid_argument(fmt::format("[export] layer {}, '{}', cannot be written as C++", i, layer.text));
    }

    const char* here() const { return made_.is_in_y ? "y" : "x"; }

    void need(const std::string& name, const std::string& text) {
        if (needed_.insert(name).second) made_.functions += text;
    }

    void in_place(const std::string& call) { made_.calls += fmt::format("    {};\n", call); }

    /// From the one array into the other.
    void into(const DescribedLayer& layer, const std::string& call) {
        const char* from = here();
        made_.is_in_y = !made_.is_in_y;
        made_.calls += fmt::format("    {}{}, {});\n", call, from, here());
        std::size_t& size = made_.sizes[made_.is_in_y];
        size = std::max(size, autograd::size_of(layer.out));
    }

    /// The pictures before and behind it, and the window.
    static std::string seen(const DescribedLayer& layer) {
        const autograd::Window& window = layer.window;
        const auto extent = [](autograd::Extent e) { return fmt::format("{{{}, {}}}", e.height, e.width); };
        return fmt::format("{{{}}}, {{{}}}, {{{}, {}, {}, {}}}", fmt::join(layer.in, ", "), fmt::join(layer.out, ", "),
                           extent(window.kernel), extent(window.stride), extent(window.padding),
                           extent(window.dilation));
    }

    const Network& network_;
    bool inside_ = true;
    Calls made_;
    std::set<std::string> needed_;
};

}  // namespace

std::string namespace_of(const std::string& path) {
    std::string name;
    for (const char c : std::filesystem::path(path).stem().string()) {
        const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (fits)
            name += c;
        else if (!name.empty() && name.back() != '_')
            name += '_';
    }
    while (name.ends_with('_')) name.pop_back();
    if (name.empty()) return "network";
    return name[0] >= '0' && name[0] <= '9' ? "network_" + name : name + "_network";
}

NetworkHeader network_header(const Model& model, const std::string& path, const std::string& weights_name) {
    std::size_t count = 0;
    for (const auto& parameter : model.network.parameters()) count += parameter.value().size();
    const bool inside = count < most_inside;
    Calls network = Caller(model.network).calls(inside);
    const std::vector<float>& numbers = network.numbers;
    const bool words = std::ranges::any_of(model.columns, [](const nn::Column& c) { return !c.categories.empty(); });
    const bool fills = !model.fill.empty();

    std::vector<std::string> column_names;
    for (const nn::Column& column : model.columns) column_names.push_back(column.name);
    const std::vector<std::string>& outputs = model.is_regression() ? model.target_names : model.class_names;

    std::map<std::string, std::string> parts;
    parts["name"] = namespace_of(path);
    parts["summary"] = fmt::format("{} columns, {} {}", model.columns.size(), model.outputs(),
                                   model.is_regression() ? "numbers" : "classes");
    parts["row"] = fmt::format("the columns of the table, in their order{}{}",
                               words ? "; category(...) for a word" : "", fills ? "; NaN for a missing cell" : "");
    parts["Row"] = "T" + parts["row"].substr(1) + ".";
    parts["Answer"] = model.is_regression() ? "The numbers, in their units." : "The probability of each class.";
    parts["includes"] = words ? "#include <string_view>\n" : "";
    parts["columns"] = std::to_string(model.columns.size());
    parts["outputs"] = std::to_string(model.outputs());
    parts["output_kind"] = model.is_regression() ? "targets" : "classes";
    parts["column_names"] = listed(column_names);
    parts["output_names"] = listed(outputs);
    parts["best"] = model.is_regression() ? "" : best_text;
    parts["offset"] = listed(model.scaling.offset);
    parts["factor"] = listed(model.scaling.factor);
    parts["numbers"] = inside ? listed(numbers) : "";
    parts["file"] = printable(weights_name);
    parts["byte"] = inside ? "float" : "unsigned char";
    network.functions.pop_back();  // an empty line
    parts["functions"] = filled(network.functions, parts);
    parts["parameter"] = inside ? "" : ", const Weights& weights";
    const std::string shows = model.is_regression()
                                  ? "use((*answer)[0]);"
                                  : fmt::format("std::puts({0}::classes[{0}::best(*answer)]);", parts["name"]);
    parts["usage"] =
        inside ? fmt::format("//     if (const auto answer = {}::predict(row)) {}\n", parts["name"], shows)
               : fmt::format(
                     "//     const auto weights = {0}::Weights::of(bytes, size);  // of {1}, which belongs to it\n"
                     "//     if (const auto answer = {0}::predict(row, *weights)) {2}\n",
                     parts["name"], printable(weights_name), shows);

    // The words of each column, and how many there are: none for a column of numbers.
    std::string tests, counts, learned;
    std::size_t at = 0;
    for (std::size_t j = 0; j < model.columns.size(); at += model.columns[j++].width()) {
        const auto& categories = model.columns[j].categories;
        counts += fmt::format("{}{}", j == 0 ? "" : ", ", categories.size());
        for (std::size_t k = 0; k < categories.size(); ++k)
            if (model.scaling.offset[at + k] != 0 || model.scaling.factor[at + k] != 0)
                tests += fmt::format("    if (column == {} && word == {}) return {};\n", j, literal(categories[k]), k);
    }
    if (!tests.empty()) tests.pop_back();
    parts["words"] = tests;
    parts["category"] = words ? filled(category_text, parts) : "";
    std::string tables;
    if (words)
        tables += fmt::format(
            "// How many words a column has; none where it holds numbers.\ninline constexpr std::size_t words[] = "
            "{{{}}};\n",
            counts);
    if (fills)
        tables += "// What stands for a missing cell.\ninline constexpr double missing[] = {\n" + listed(model.fill) +
                  "\n};\n";
    if (model.is_regression())
        tables += "// A target is z / target_factor + target_offset.\ninline constexpr double target_offset[] = {\n" +
                  listed(model.target_scaling.offset) + "\n};\ninline constexpr double target_factor[] = {\n" +
                  listed(model.target_scaling.factor) + "\n};\n";
    parts["tables"] = tables;
    parts["is_nan"] = fills ? "inline bool is_nan(double x) { return without_sign(x) > 0x7ff0000000000000; }\n" : "";
    std::string scale = "    bool good = true;\n";
    if (!words) {
        scale += fmt::format("    for (std::size_t i = 0; i < row.size(); ++i) good = put({}, i, scaled) && good;\n",
                             fills ? "is_nan(row[i]) ? missing[i] : row[i]" : "row[i]");
    } else {
        scale += R"(    std::size_t i = 0;
    for (std::size_t j = 0; j < row.size(); ++j) {
        const std::size_t end = i + (words[j] == 0 ? 1 : words[j]), first = i;
        bool known = words[j] == 0;
)";
        scale += fmt::format(
            "        for (; i < end; ++i) {{\n            const bool is_word = row[j] == static_cast<double>(i - "
            "first);\n"
            "            const double x = {}words[j] == 0 ? row[j] : is_word ? 1 : 0;\n"
            "            known = known || (is_word && (offset[i] != 0 || factor[i] != 0)){};\n"
            "            good = put(x, i, scaled) && good;\n        }}\n        good = good && known;\n    }}\n",
            fills ? "is_nan(row[j]) ? missing[i] : " : "", fills ? " || is_nan(row[j])" : "");
    }
    parts["scale"] = scale + "    return good;";

    parts["stack"] = std::to_string((network.sizes[0] + network.sizes[1]) * sizeof(double));
    parts["even"] = std::to_string(network.sizes[0]);
    parts["odd"] = std::to_string(network.sizes[1]);
    parts["layers"] = network.calls;
    parts["z"] = network.is_in_y ? "y" : "x";
    parts["finish"] = model.is_regression() ? fmt::format(
                                                  "    for (std::size_t k = 0; k < answer.size(); ++k) answer[k] = "
                                                  "{}[k] / target_factor[k] + target_offset[k];",
                                                  parts["z"])
                                            : filled(softmax_text, parts);

    std::string bytes;
    if (inside) {
        parts["weights"] = filled(inside_text, parts);
    } else {
        bytes.assign(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float));
        parts["size"] = std::to_string(bytes.size());
        parts["checksum"] = std::to_string(checksum(bytes));
        parts["weights"] = std::string(beside_text) + filled(weights_text, parts);
    }
    return {filled(header_text, parts), bytes};
}
