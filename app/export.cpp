#include <fmt/format.h>

#include <derivation/derivation.hpp>
#include <filesystem>
#include <lab/exported_derivation.hpp>
#include <nn/files/output.hpp>
#include <nn/files/text.hpp>
#include <stdexcept>

#include "commands.hpp"
#include "network_header.hpp"
#include "onnx.hpp"
#include "saved_network.hpp"

namespace {

using nn::files::printable;

void require_different(const std::string& one, const std::string& other) {
    if (nn::files::is_same_place(one, other))
        throw std::invalid_argument(fmt::format("[export] '{}' is to be written twice", printable(one)));
}

void write_cpp(const Model& model, const ExportOptions& options) {
    const auto weights_path = std::filesystem::path(options.cpp).replace_extension(".bin");
    const NetworkHeader files = network_header(model, options.cpp, weights_path.filename().string());
    if (!files.weights.empty()) {
        nn::files::require_writable(weights_path.string(), {options.model});
        if (nn::files::is_same_place(weights_path.string(), options.cpp))
            throw std::invalid_argument(
                fmt::format("[export] the header cannot be called {}, as its weights are", printable(options.cpp)));
        if (!options.onnx.empty()) require_different(weights_path.string(), options.onnx);
        nn::files::write(weights_path.string(), files.weights);
    }
    nn::files::write(options.cpp, files.header);
    fmt::print("namespace {} in {}", namespace_of(options.cpp), printable(options.cpp));
    if (!files.weights.empty())
        fmt::print(", its {} numbers in {}", files.weights.size() / sizeof(float), printable(weights_path.string()));
    fmt::print("\n");
}

/// Whether the name is a derivation's.
bool names_derivation(const std::string& path) {
    return path == "-" || path.ends_with(".deriv") || path.ends_with(".md");
}

int export_derivation(const ExportOptions& options) {
    if (!options.onnx.empty())
        throw std::invalid_argument(
            "[export] a derivation is written as C++: --onnx is for a network that train saved");
    nn::files::require_writable(options.cpp, {options.model});
    const std::string text = derivation_in(options.model);
    const derivation::Report report = derivation::check(text, {options.model, options.seed, 0});
    if (report.error) {
        say_error(derivation::to_text(report));
        return 1;
    }
    nn::files::write(options.cpp, lab::to_cpp(text, report));
    fmt::print("C++ in {}\n", printable(options.cpp));
    return 0;
}

}  // namespace

int export_network(const ExportOptions& options) {
    if (names_derivation(options.model)) return export_derivation(options);
    const Model model = load(options.model);
    for (const std::string& path : {options.cpp, options.onnx})
        if (!path.empty()) nn::files::require_writable(path, {options.model});
    if (!options.cpp.empty() && !options.onnx.empty()) require_different(options.cpp, options.onnx);
    if (!options.onnx.empty()) {
#ifdef DELTARULE_HAS_ONNX
        nn::files::write(options.onnx, onnx_bytes(model));
        fmt::print("ONNX in {}\n", printable(options.onnx));
#else
        throw std::invalid_argument("[export] this program was built without ONNX: -DDELTARULE_ONNX=ON builds it in");
#endif
    }
    if (!options.cpp.empty()) write_cpp(model, options);
    return 0;
}
