#include "saved_network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <nn/csv.hpp>
#include <nn/data.hpp>
#include <nn/files/contents.hpp>
#include <nn/files/text.hpp>
#include <nn/numpy.hpp>
#include <nn/safetensors.hpp>
#include <optional>
#include <set>
#include <stdexcept>

using autograd::Array;
using autograd::FileError;
using nlohmann::json;
using nn::files::printable;

namespace {

// docs/files.md says what stands in the metadata. A regression has `numbers` in the place of classes, and a column of
// words lists under other names than a column of numbers, so that an older program refuses them. A file without a
// format is from before: its scaling stands in the weights, and its classes in a list of their own. Format 2 has layers
// in the place of widths and an activation, and is written where these do not describe the network.
constexpr int newest_format = 2;

Scaling scaling_from(const json& features) {
    Scaling scaling;
    for (const json& column : features) {
        scaling.offset.push_back(column.at("offset").get<double>());
        scaling.factor.push_back(column.at("factor").get<double>());
        if (!std::isfinite(scaling.offset.back()) || !std::isfinite(scaling.factor.back()))
            throw std::invalid_argument("not finite");
    }
    return scaling;
}

/// The column's name as a sentence has it.
std::string called(const std::vector<std::string>& column_names, std::size_t j) {
    return column_names.empty() ? std::to_string(j) : "'" + printable(column_names[j]) + "'";
}

json to_json(const Scaling& scaling, const std::vector<std::string>& names) {
    json columns = json::array();
    for (std::size_t i = 0; i < scaling.offset.size(); ++i) {
        columns.push_back({{"offset", scaling.offset[i]}, {"factor", scaling.factor[i]}});
        if (!names.empty()) columns.back()["name"] = names[i];
    }
    return columns;
}

std::vector<std::string> names_from(const json& features) {
    std::vector<std::string> names;
    for (const json& column : features)
        if (column.contains("name")) names.push_back(column.at("name").get<std::string>());
    if (!names.empty() && names.size() != features.size()) throw std::invalid_argument("some columns have no name");
    return names;
}

json to_json(const Model& model) {
    json columns = json::array();
    std::size_t at = 0;
    const bool named = !model.column_names().empty();
    for (const nn::Column& column : model.columns) {
        const auto part = [&](const std::vector<double>& of) {
            return std::vector(of.begin() + static_cast<std::ptrdiff_t>(at),
                               of.begin() + static_cast<std::ptrdiff_t>(at + column.width()));
        };
        if (column.categories.empty()) {
            columns.push_back({{"offset", model.scaling.offset[at]}, {"factor", model.scaling.factor[at]}});
            if (!model.fill.empty()) columns.back()["missing"] = model.fill[at];
        } else {
            columns.push_back({{"categories", column.categories},
                               {"offsets", part(model.scaling.offset)},
                               {"factors", part(model.scaling.factor)}});
            if (!model.fill.empty()) columns.back()["missing"] = part(model.fill);
        }
        if (named) columns.back()["name"] = column.name;
        at += column.width();
    }
    return columns;
}

void columns_from(const json& features, std::vector<nn::Column>& columns, Scaling& scaling, std::vector<double>& fill) {
    const auto add = [](std::vector<double>& to, const json& numbers, std::size_t count) {
        const auto list = numbers.is_array() ? numbers.get<std::vector<double>>() : std::vector{numbers.get<double>()};
        if (list.size() != count || !std::ranges::all_of(list, [](double x) { return std::isfinite(x); }))
            throw std::invalid_argument("not as many finite numbers as categories");
        to.insert(to.end(), list.begin(), list.end());
    };
    for (const json& column : features) {
        nn::Column read{column.contains("name") ? column.at("name").get<std::string>() : "", {}};
        const bool words = column.contains("categories");
        if (words) read.categories = column.at("categories").get<std::vector<std::string>>();
        if (words && read.categories.empty()) throw std::invalid_argument("no categories");
        add(scaling.offset, column.at(words ? "offsets" : "offset"), read.width());
        add(scaling.factor, column.at(words ? "factors" : "factor"), read.width());
        if (column.contains("missing")) add(fill, column.at("missing"), read.width());
        columns.push_back(std::move(read));
    }
    if (!fill.empty() && fill.size() != scaling.offset.size())
        throw std::invalid_argument("some columns have no number for what is missing");
    names_from(features);  // all have a name, or none has
}

/// What a list of whole numbers says: widths, or a shape.
std::vector<std::size_t> counts_from(const std::string& text) {
    const json counts = json::parse(text);
    if (!counts.is_array() || counts.empty() ||
        !std::ranges::all_of(counts, [](const json& count) { return count.is_number_unsigned() && count != 0u; }))
        throw std::invalid_argument("no list of counts");
    return counts.get<std::vector<std::size_t>>();
}

/// The first name that comes twice in an order; null where there is none.
template <class Order>
const std::string* repeated(const std::vector<std::string>& names, Order) {
    std::set<std::string, Order> seen;
    for (const std::string& name : names)
        if (!seen.insert(name).second) return &name;
    return nullptr;
}

/// The shapes of all arrays in a file, of whatever elements, and its metadata.
nn::Outline outline_of(const std::string& path) {
    nn::files::Contents contents(path);
    nn::Outline outline{{}, std::move(contents.metadata)};
    for (const nn::files::Entry& entry : contents.entries) outline.shapes[entry.name] = entry.shape;
    return outline;
}

}  // namespace

Scaling Scaling::none(std::size_t columns) {
    return {std::vector<double>(columns, 0.0), std::vector<double>(columns, 1.0)};
}

void Statistics::add(const Array<double>& numbers) {
    columns.resize(numbers.shape()[1]);
    const double* next = numbers.data();
    for (std::size_t i = 0; i < numbers.shape()[0]; ++i)
        for (Column& column : columns) {
            const double value = *next++;
            if (std::isnan(value)) continue;
            column.least = std::min(column.least, value);
            column.most = std::max(column.most, value);
            const long double far = value - column.mean;
            column.mean += far / static_cast<long double>(++column.count);
            column.spread += far * (value - column.mean);
        }
    rows += numbers.shape()[0];
}

std::vector<double> Statistics::means(const std::vector<std::string>& column_names) const {
    std::vector<double> means;
    for (const Column& column : columns) {
        if (column.count == 0)
            throw std::invalid_argument(
                fmt::format("[train] column {} has no mean: in the rows for training it is always missing",
                            called(column_names, means.size())));
        means.push_back(static_cast<double>(column.mean));
    }
    return means;
}

Scaling Scaling::of(const Statistics& features, const std::vector<std::string>& column_names) {
    Scaling scaling;
    for (const auto& [least, most, mean, spread, count] : features.columns) {
        const double range = most - least, factor = range == 0 ? 0 : 1 / range;
        if (!std::isfinite(range) || !std::isfinite(factor))
            throw std::invalid_argument(
                fmt::format("[scaling] column {} goes from {} to {}, which cannot be mapped to 0 ... 1",
                            called(column_names, scaling.offset.size()), least, most));
        scaling.offset.push_back(least);
        scaling.factor.push_back(factor);
    }
    return scaling;
}

Scaling Scaling::standard(const Statistics& features, const std::vector<std::string>& column_names) {
    Scaling scaling;
    for (const auto& [least, most, mean, spread, count] : features.columns) {
        const long double variance = spread / static_cast<long double>(features.rows);
        const double factor = most == least ? 0 : static_cast<double>(1 / std::sqrt(variance));
        if (!std::isfinite(most - least) || !std::isfinite(factor) || (factor == 0 && most != least))
            throw std::invalid_argument(
                fmt::format("[scaling] column {} goes from {} to {}, which cannot be mapped to a mean of 0 and a "
                            "standard deviation of 1",
                            called(column_names, scaling.offset.size()), least, most));
        scaling.offset.push_back(static_cast<double>(mean));
        scaling.factor.push_back(factor);
    }
    return scaling;
}

Array<float> Scaling::operator()(const Array<double>& features, const Place& place) const {
    const std::size_t columns = offset.size();
    auto scaled = Array<float>::from_shape(features.shape());
    for (std::size_t i = 0; i < features.size(); ++i) {
        const std::size_t j = i % columns;
        const double value = factor[j] == 0 ? 0 : (features.data()[i] - offset[j]) * factor[j];
        scaled.data()[i] = static_cast<float>(value);
        if (!std::isfinite(scaled.data()[i]))
            throw std::invalid_argument(fmt::format("{}: {} is too far from the numbers of the training",
                                                    place(i / columns, j), features.data()[i]));
    }
    return scaled;
}

Array<double> Scaling::undone(const Array<float>& scaled) const {
    auto values = Array<double>::from_shape(scaled.shape());
    for (std::size_t i = 0; i < scaled.size(); ++i) {
        const std::size_t j = i % offset.size();
        values.data()[i] = static_cast<double>(scaled.data()[i]) / factor[j] + offset[j];
    }
    return values;
}

std::string fit_of(const Model& model, const nn::NumberScores& scores) {
    const auto r2 = scores.r_squared(), error = scores.root_mean_squared_error(),
               absolute = scores.mean_absolute_error();
    std::string text;
    for (std::size_t j = 0; j < r2.size(); ++j) {
        if (r2.size() > 1) text += fmt::format("{}{}: ", j == 0 ? "" : "; ", printable(model.target_names[j]));
        text += std::isnan(r2[j]) ? "R² undefined (all targets are the same)" : fmt::format("R² {:.4f}", r2[j]);
        text += fmt::format(", RMSE {:.6g}, MAE {:.6g}", error[j], absolute[j]);
    }
    return text;
}

std::vector<std::string> Model::column_names() const {
    if (std::ranges::all_of(columns, [](const nn::Column& column) { return column.name.empty(); })) return {};
    std::vector<std::string> names;
    for (const nn::Column& column : columns) names.push_back(column.name);
    return names;
}

void put(const std::vector<double>& fill, Array<double>& features) {
    if (fill.empty()) return;
    for (std::size_t i = 0; i < features.size(); ++i)
        if (std::isnan(features.data()[i])) features.data()[i] = fill[i % fill.size()];
}

bool is_finite(const Network& network) {
    return std::ranges::all_of(network.parameters(), [](const autograd::Parameter<float>& parameter) {
        return std::all_of(parameter.value().data(), parameter.value().data() + parameter.value().size(),
                           [](float x) { return std::isfinite(x); });
    });
}

void require_names_that_can_be_saved(const Model& model) {
    const auto require = [](const std::string& name, const char* what) {
        if (!nn::files::is_plain(name))
            throw FileError(
                fmt::format("[save] the name of {}, '{}', is not plain text in UTF-8", what, printable(name)));
    };
    for (const std::string& name : model.class_names) require(name, "a class");
    for (const nn::Column& column : model.columns) {
        require(column.name, "a column");
        for (const std::string& name : column.categories) require(name, "a category");
    }
    for (const std::string& name : model.target_names) require(name, "a target");
    require(model.target_name, "the target");
}

nn::Metadata metadata_of(const Model& model) {
    json target;
    if (model.is_regression())
        target["numbers"] = to_json(model.target_scaling, model.target_names);
    else
        target = {{"name", model.target_name}, {"classes", model.class_names}};
    nn::Metadata metadata{{"features", to_json(model).dump()}, {"target", target.dump()}};
    if (const auto widths = model.network.widths()) {
        metadata["format"] = "1";
        metadata["widths"] = json(*widths).dump();
        metadata["activation"] = nn::to_string(model.network.activation());
    } else {
        metadata["format"] = "2";
        metadata["input"] = json(model.network.input()).dump();
        metadata["layers"] = model.network.line();
    }
    return metadata;
}

void save(const std::string& path, const Model& model) {
    require_names_that_can_be_saved(model);
    if (!is_finite(model.network))
        throw FileError(fmt::format("{}: a number of the network is not finite, so it is not saved", printable(path)));
    // What an interrupted training reached has the format of what it was to save.
    const auto write = path.ends_with(".npz.interrupted") ? nn::save_npz<float> : nn::save<float>;
    write(path, model.network.parameters(), metadata_of(model));
}

Model load(const std::string& path) {
    const auto fail = [&](const std::string& what) { throw FileError(fmt::format("{}: {}", printable(path), what)); };
    std::error_code unknown;
    if (const auto there = std::filesystem::status(path, unknown); std::filesystem::exists(there) &&
                                                                   !std::filesystem::is_regular_file(there) &&
                                                                   !std::filesystem::is_directory(there))
        fail("this is no regular file, and a network is read more than once");
    const auto [shapes, metadata] = outline_of(path);
    std::vector<std::string> classes, target_names;
    std::string target_name;
    Scaling scaling, target_scaling;
    std::vector<nn::Column> columns;
    std::vector<double> fill;
    std::optional<std::vector<std::size_t>> widths;
    autograd::Shape input;
    std::string line;
    if (const auto found = metadata.find("format");
        found != metadata.end() && found->second != "1" && found->second != "2") {
        unsigned format = 0;
        const std::string& text = found->second;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), format);
        if ((error == std::errc() || error == std::errc::result_out_of_range) && end == text.data() + text.size())
            fail(fmt::format("its format is {}, but the newest that this program reads is {}", text, newest_format));
        fail("the metadata do not describe a network");
    }
    std::string read;  // last
    const auto said = [&](const char* name) -> const std::string& {
        read = fmt::format("'{}'", name);
        return metadata.at(name);
    };
    try {
        const auto format = metadata.find("format");
        if (format != metadata.end() && format->second == "2") {
            const auto extents = counts_from(said("input"));
            input.assign(extents.begin(), extents.end());
            line = said("layers");
        } else {
            widths = counts_from(said("widths"));
            const nn::ActivationKind activation = nn::activation_from_name(said("activation"));
            input = {widths->at(0)};
            if (widths->size() > 1) line = perceptron_line({widths->begin() + 1, widths->end() - 1}, activation);
        }
        if (format != metadata.end()) {
            columns_from(json::parse(said("features")), columns, scaling, fill);
            const json target = json::parse(said("target"));
            if (target.contains("numbers")) {
                target_scaling = scaling_from(target.at("numbers"));
                target_names = names_from(target.at("numbers"));
                if (target.contains("classes") || target_names.empty() ||
                    std::ranges::any_of(target_scaling.factor, [](double x) { return !(x > 0); }))
                    throw std::invalid_argument("a regression with classes, or without a scale");
            } else {
                read = "the 'classes' of 'target'";
                classes = target.at("classes").get<std::vector<std::string>>();
                read = "the 'name' of 'target'";
                target_name = target.at("name").get<std::string>();
            }
        } else {
            classes = json::parse(said("classes")).get<std::vector<std::string>>();
            scaling = Scaling::none(widths->at(0));
            columns.resize(widths->at(0));
        }
    } catch (const std::exception&) {
        fail(fmt::format("the metadata do not describe a network: {} is missing, or not what it should be", read));
    }
    const std::size_t outputs = classes.size() + target_names.size();
    if (widths && (widths->size() < 2 || outputs != widths->back()))
        fail("the widths are not those of the columns and classes in the metadata");
    if ((input.size() != 1 && input.size() != 3) || outputs == 0 ||
        number_of(input) != static_cast<double>(scaling.offset.size()))
        fail(fmt::format("the network takes {}, but the columns in the metadata give {} numbers",
                         autograd::to_string(input), scaling.offset.size()));
    std::vector<DescribedLayer> layers;
    try {
        layers = read_layers(line, input, outputs);
    } catch (const std::invalid_argument& error) {
        fail(printable(error.what()));
    }
    // Before the network is made: what it takes is bounded by the file.
    const auto arrays = arrays_of(layers);
    for (const auto& [name, shape] : arrays) {
        const auto found = shapes.find(name);
        if (found == shapes.end() || found->second != shape)
            fail(fmt::format("there is no array '{}' of {} for {}", name, autograd::to_string(shape),
                             network_name(layers)));
    }
    std::mt19937_64 engine;
    Model model{Network(std::move(layers), input, engine),
                classes,
                columns,
                target_name,
                scaling,
                target_names,
                target_scaling,
                fill};
    require_names_that_can_be_saved(model);
    // A training has each name once.
    const auto require_once = [&](const std::vector<std::string>& names, const char* what, auto order) {
        if (const std::string* name = repeated(names, order))
            fail(fmt::format("two {} have the name '{}'", what, printable(*name)));
    };
    require_once(model.column_names(), "columns", std::less<>());
    require_once(model.target_names, "targets", std::less<>());
    require_once(model.class_names, "classes", nn::ClassOrder());
    for (const nn::Column& column : model.columns)
        require_once(column.categories, "categories of a column", std::less<>());
    // More arrays are those of another network, which would answer otherwise; PyTorch counts batches, too.
    for (const auto& [name, shape] : shapes) {
        const bool counts = name.ends_with(".num_batches_tracked") && shape.empty();
        const std::string beside = counts ? name.substr(0, name.rfind('.')) + ".running_mean" : name;
        if (std::ranges::none_of(arrays, [&](const auto& array) { return array.first == beside; }))
            fail(fmt::format("'{}' is no part of {}", printable(name), model.network.name()));
    }
    nn::load(path, model.network.parameters());
    if (!is_finite(model.network)) fail("a number of the network is not finite");
    return model;
}
