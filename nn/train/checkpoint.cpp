#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <cmath>
#include <limits>
#include <locale>
#include <nlohmann/json.hpp>
#include <nn/checkpoint.hpp>
#include <nn/files/contents.hpp>
#include <nn/files/text.hpp>
#include <nn/safetensors.hpp>
#include <nn/train/checkpoint_checksum.hpp>
#include <sstream>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::FileError;
using autograd::Parameter;
using files::printable;
using nlohmann::json;

namespace {

constexpr unsigned newest_format = 1;
constexpr const char* prefix = "optimizer.";

[[noreturn]] void fail(const std::string& path, const std::string& what) {
    throw FileError(fmt::format("{}: {}", printable(path), what));
}

std::string text_of(const std::mt19937_64& engine) {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text << engine;
    return text.str();
}

std::mt19937_64 engine_of(const std::string& text) {
    std::istringstream stream(text);
    stream.imbue(std::locale::classic());
    std::mt19937_64 engine;
    std::string more;
    if (!(stream >> engine) || stream >> more) throw std::invalid_argument("no engine");
    return engine;
}

// JSON knows finite numbers alone: the others are words.

json to_json(const std::map<std::string, double>& numbers) {
    json object = json::object();
    for (const auto& [name, number] : numbers)
        object[name] = std::isfinite(number) ? json(number) : json(fmt::format("{}", number));
    return object;
}

std::map<std::string, double> numbers_of(const json& object) {
    std::map<std::string, double> numbers;
    for (const auto& [name, number] : object.items()) {
        const std::string word = number.is_string() ? number.get<std::string>() : "";
        numbers[name] = word == "inf"    ? std::numeric_limits<double>::infinity()
                        : word == "-inf" ? -std::numeric_limits<double>::infinity()
                        : !word.empty()  ? std::numeric_limits<double>::quiet_NaN()
                                         : number.get<double>();
    }
    return numbers;
}

/// CRC-32 of what is written down, and of the arrays' numbers in the order of their names.
template <class T>
class Checksum {
  public:
    void add(const std::string& text) { add(text.data(), text.size()); }
    void add(const std::map<std::string, const Array<T>*>& arrays) {
        for (const auto& [name, array] : arrays) {
            add(name);
            add(array->data(), array->size() * sizeof(T));
        }
    }
    std::uint32_t value() const { return static_cast<std::uint32_t>(sum_); }
    std::string text() const { return fmt::format("{:08x}", sum_); }

  private:
    void add(const void* bytes, std::size_t n) {
        if (n > 0) sum_ = crc32_z(sum_, static_cast<const Bytef*>(bytes), n);  // of no address zlib begins anew
    }
    unsigned long sum_ = crc32(0, nullptr, 0);
};

struct Said {
    TrainingPlace place;
    std::string optimizer, type, checksum, training;
    std::map<std::string, double> optimizer_numbers;
};

/// What the metadata say.
Said read(const std::string& path, const Metadata& metadata) {
    const auto format = metadata.find("checkpoint");
    if (format == metadata.end()) fail(path, "this is no checkpoint of a training");
    if (format->second != std::to_string(newest_format))
        fail(path, fmt::format("its format is {}, but the newest that is read is {}", printable(format->second),
                               newest_format));
    try {
        Said said;
        said.training = metadata.at("training");
        said.checksum = metadata.at("checksum");
        const json training = json::parse(said.training);
        said.place.epoch = training.at("epoch").get<std::uint64_t>();
        said.place.position = training.at("position").get<std::uint64_t>();
        said.place.engine = engine_of(training.at("engine").get<std::string>());
        said.place.engine_of_epoch = engine_of(training.at("engine_of_epoch").get<std::string>());
        said.place.numbers = numbers_of(training.at("numbers"));
        said.place.texts = training.at("texts").get<std::map<std::string, std::string>>();
        said.optimizer = training.at("optimizer").get<std::string>();
        said.optimizer_numbers = numbers_of(training.at("optimizer_numbers"));
        said.type = training.at("type").get<std::string>();
        return said;
    } catch (const std::exception&) {
        fail(path, "the metadata do not describe a training");
    }
}

template <class T>
constexpr const char* type_name = sizeof(T) == 4 ? "float" : "double";

/// The arrays of a checkpoint, and what it says besides.
template <class T>
std::pair<std::vector<Parameter<T>>, json> held(const TrainingPlace& place, std::vector<Parameter<T>> arrays,
                                                const Optimizer<T>& optimizer) {
    OptimizerState<T> state = optimizer.state();
    for (auto& [name, array] : state.arrays) arrays.emplace_back(prefix + name, std::move(array));
    return {std::move(arrays),
            {{"epoch", place.epoch},
             {"position", place.position},
             {"engine", text_of(place.engine)},
             {"engine_of_epoch", text_of(place.engine_of_epoch)},
             {"numbers", to_json(place.numbers)},
             {"texts", place.texts},
             {"optimizer", optimizer.name()},
             {"optimizer_numbers", to_json(state.numbers)},
             {"type", type_name<T>}}};
}

template <class T>
Checksum<T> checksum_of(const std::string& text, const std::vector<Parameter<T>>& parameters) {
    std::map<std::string, const Array<T>*> arrays;
    for (const Parameter<T>& parameter : parameters) arrays[parameter.name()] = &parameter.value();
    Checksum<T> checksum;
    checksum.add(text);
    checksum.add(arrays);
    return checksum;
}

}  // namespace

template <class T>
void save_checkpoint(const std::string& path, const TrainingPlace& place, const std::vector<Parameter<T>>& parameters,
                     const Optimizer<T>& optimizer) {
    if (path.ends_with(".npz")) fail(path, "a checkpoint is a safetensors file, and cannot have a name with .npz");
    const auto [all, training] = held(place, parameters, optimizer);
    std::string text;
    try {
        text = training.dump();
    } catch (const json::exception&) {
        fail(path, "a text of the training is not valid UTF-8");
    }
    const std::string checksum = checksum_of(text, all).text();
    save(path, all, {{"checkpoint", std::to_string(newest_format)}, {"training", text}, {"checksum", checksum}});
}

template <class T>
TrainingPlace load_checkpoint(const std::string& path, const std::vector<Parameter<T>>& parameters,
                              Optimizer<T>& optimizer) {
    files::check_names("load_checkpoint", parameters);
    Tensors<T> tensors = read_safetensors<T>(path);
    const Said said = read(path, tensors.metadata);
    if (said.type != type_name<T>)
        fail(path, fmt::format("its numbers are {}, and the network's {}", printable(said.type), type_name<T>));
    std::map<std::string, const Array<T>*> arrays;
    for (const auto& [name, array] : tensors.arrays) arrays[name] = &array;
    Checksum<T> checksum;
    checksum.add(said.training);
    checksum.add(arrays);
    if (checksum.text() != said.checksum) fail(path, "the file is damaged: its checksum is another");
    if (said.optimizer != optimizer.name())
        fail(path, fmt::format("its optimizer is {}, not {}", printable(said.optimizer), optimizer.name()));
    for (const Parameter<T>& parameter : parameters) {
        const auto found = tensors.arrays.find(parameter.name());
        if (found == tensors.arrays.end())
            fail(path, fmt::format("it is of another network: there is no array '{}'", printable(parameter.name())));
        if (found->second.shape() != parameter.shape())
            fail(path, fmt::format("it is of another network: '{}' has shape {}, but the parameter has shape {}",
                                   printable(parameter.name()), autograd::to_string(found->second.shape()),
                                   autograd::to_string(parameter.shape())));
    }
    OptimizerState<T> state{{}, said.optimizer_numbers};
    const std::string begin = prefix;
    for (auto& [name, array] : tensors.arrays) {
        const bool is_parameter = std::ranges::find(parameters, name, &Parameter<T>::name) != parameters.end();
        if (is_parameter) continue;
        if (!name.starts_with(begin))
            fail(path, fmt::format("it is of another network: it has an array '{}'", printable(name)));
        state.arrays[name.substr(begin.size())] = std::move(array);
    }
    try {
        optimizer.check_state(state);
    } catch (const std::invalid_argument& error) {
        fail(path, printable(error.what()));
    }
    optimizer.set_state(state);
    for (const Parameter<T>& parameter : parameters)
        Parameter<T>(parameter).edit([&](Array<T>& value) { value = std::move(tensors.arrays.at(parameter.name())); });
    return said.place;
}

template <class T>
std::uint32_t train::checkpoint_checksum(const TrainingPlace& place, const std::vector<Parameter<T>>& parameters,
                                         const Optimizer<T>& optimizer) {
    const auto [all, training] = held(place, parameters, optimizer);
    return checksum_of(training.dump(-1, ' ', false, json::error_handler_t::replace), all).value();
}

TrainingPlace read_training_place(const std::string& path) { return read(path, read_outline(path).metadata).place; }

#define INSTANTIATE(T)                                                                                           \
    template void save_checkpoint(const std::string&, const TrainingPlace&, const std::vector<Parameter<T>>&,    \
                                  const Optimizer<T>&);                                                          \
    template TrainingPlace load_checkpoint(const std::string&, const std::vector<Parameter<T>>&, Optimizer<T>&); \
    template std::uint32_t train::checkpoint_checksum(const TrainingPlace&, const std::vector<Parameter<T>>&,    \
                                                      const Optimizer<T>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
