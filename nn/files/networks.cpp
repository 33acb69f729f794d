#include <fmt/format.h>

#include <autograd/error.hpp>
#include <nn/files/contents.hpp>
#include <nn/files/output.hpp>
#include <nn/files/text.hpp>
#include <nn/numpy.hpp>
#include <nn/safetensors.hpp>
#include <set>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::Parameter;
using files::Contents;
using files::Entry;
using files::Format;
using files::printable;

namespace files {

template <class T>
void check_names(const char* operation, const std::vector<Parameter<T>>& parameters) {
    std::set<std::string> names;
    for (const Parameter<T>& parameter : parameters)
        if (!names.insert(parameter.name()).second)
            throw std::invalid_argument(
                fmt::format("[{}] two parameters have the name '{}'", operation, parameter.name()));
}
template void check_names(const char*, const std::vector<Parameter<float>>&);
template void check_names(const char*, const std::vector<Parameter<double>>&);

}  // namespace files

namespace {

template <class T>
Entry entry_of(const std::string& name, const Array<T>& array) {
    return {name,
            {},
            array.shape(),
            {reinterpret_cast<const char*>(array.data()), array.size() * sizeof(T)},
            files::element_type(sizeof(T) == 4 ? "F32" : "F64", &files::ElementType::safetensors)};
}

/// Throws where two have one name, or one has a name that files need for themselves.
template <class T>
std::vector<Entry> entries_of(const std::vector<Parameter<T>>& parameters) {
    files::check_names("save", parameters);
    std::vector<Entry> entries;
    for (const Parameter<T>& parameter : parameters) {
        if (parameter.name() == "__metadata__")
            throw std::invalid_argument(
                "[save] no parameter can have the name '__metadata__': it is kept for what a file says about itself");
        entries.push_back(entry_of(parameter.name(), parameter.value()));
    }
    return entries;
}

template <class T>
Tensors<T> tensors_of(const std::string& path, Format format) {
    Contents contents(path, format);
    Tensors<T> tensors;
    for (const Entry& entry : contents.entries) tensors.arrays[entry.name] = contents.array<T>(entry);
    tensors.metadata = std::move(contents.metadata);
    return tensors;
}

}  // namespace

template <class T>
void save(const std::string& path, const std::vector<Parameter<T>>& parameters, const Metadata& metadata) {
    if (path.ends_with(".npz")) return save_npz(path, parameters, metadata);
    files::write(path, files::safetensors_bytes(path, entries_of(parameters), metadata));
}

template <class T>
void save_npz(const std::string& path, const std::vector<Parameter<T>>& parameters, const Metadata& metadata) {
    files::write(path, files::npz_bytes(path, entries_of(parameters), metadata));
}

template <class T>
Metadata load(const std::string& path, const std::vector<Parameter<T>>& parameters) {
    files::check_names("load", parameters);
    Contents contents(path);
    std::vector<Array<T>> arrays;
    for (const Parameter<T>& parameter : parameters) {
        const Entry* found = contents.find(parameter.name());
        if (found == nullptr)
            contents.fail(fmt::format("there is no array '{}'; the file holds {}", printable(parameter.name()),
                                      contents.names()));
        if (found->shape != parameter.shape())
            contents.fail(fmt::format("'{}' has shape {}, but the parameter has shape {}", printable(parameter.name()),
                                      autograd::to_string(found->shape), autograd::to_string(parameter.shape())));
        arrays.push_back(contents.array<T>(*found));
    }
    for (std::size_t i = 0; i < parameters.size(); ++i)
        Parameter<T>(parameters[i]).edit([&](Array<T>& value) { value = std::move(arrays[i]); });
    return std::move(contents.metadata);
}

Outline read_outline(const std::string& path) {
    Contents contents(path);
    Outline outline{{}, std::move(contents.metadata)};
    for (const Entry& entry : contents.entries)
        if (entry.element != nullptr) outline.shapes[entry.name] = entry.shape;
    return outline;
}

template <class T>
Tensors<T> read_safetensors(const std::string& path) {
    return tensors_of<T>(path, Format::safetensors);
}

template <class T>
Tensors<T> read_npz(const std::string& path) {
    return tensors_of<T>(path, Format::npz);
}

template <class T>
Array<T> read_npy(const std::string& path) {
    const Contents contents(path, Format::npy);
    return contents.array<T>(contents.entries[0]);
}

template <class T>
void save_npy(const std::string& path, const Array<T>& array) {
    files::write(path, files::npy_bytes(entry_of("", array)));
}

#define INSTANTIATE(T)                                                                             \
    template void save(const std::string&, const std::vector<Parameter<T>>&, const Metadata&);     \
    template void save_npz(const std::string&, const std::vector<Parameter<T>>&, const Metadata&); \
    template Metadata load(const std::string&, const std::vector<Parameter<T>>&);                  \
    template Tensors<T> read_safetensors(const std::string&);                                      \
    template Tensors<T> read_npz(const std::string&);                                              \
    template Array<T> read_npy(const std::string&);                                                \
    template void save_npy(const std::string&, const Array<T>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
