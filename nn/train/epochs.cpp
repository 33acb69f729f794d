#include <fmt/format.h>

#include <cmath>
#include <nn/train/epochs.hpp>

namespace nn::train {

using autograd::Array;
using autograd::Shape;

template <class T>
Array<T> array_of(const std::vector<Epoch>& epochs) {
    Array<T> rows(Shape{epochs.size(), epoch_columns}, T(0));
    for (std::size_t i = 0; i < epochs.size(); ++i) {
        const Measured validation = epochs[i].validation.value_or(Measured());
        const double row[epoch_columns] = {epochs[i].training.loss, epochs[i].training.metric, epochs[i].rate,
                                           validation.loss, validation.metric};
        for (std::size_t k = 0; k < epoch_columns; ++k) rows(i, k) = static_cast<T>(row[k]);
    }
    return rows;
}

template <class T>
std::vector<Epoch> epochs_of(const Array<T>& array, std::size_t rows, bool has_validation) {
    std::vector<Epoch> epochs;
    for (std::size_t i = 0; i < array.shape()[0]; ++i) {
        const auto of = [&](std::size_t k) { return static_cast<double>(array(i, k)); };
        epochs.push_back({i + 1, rows, rows, {of(0), of(1)}, {}, of(2)});
        if (has_validation) epochs.back().validation = Measured{of(3), of(4)};
    }
    return epochs;
}

template <class T>
std::string csv_of(const std::vector<Epoch>& epochs, const std::string& metric, double unit, bool has_validation) {
    const auto number = [](double x) { return fmt::format("{}", static_cast<T>(x)); };  // as a checkpoint has it
    const auto in_units = [&](double x) {
        const double value = static_cast<T>(x) * unit;
        // A unit may be beyond what T holds.
        return value == 0 || std::isnormal(static_cast<T>(value)) ? number(value) : fmt::format("{:.9g}", value);
    };
    std::string text = fmt::format("epoch,loss,{}", metric);
    if (has_validation) text += fmt::format(",validation_loss,validation_{}", metric);
    text += ",rate\n";
    for (const Epoch& epoch : epochs) {
        text += fmt::format("{},{},{}", epoch.number, number(epoch.training.loss), in_units(epoch.training.metric));
        if (epoch.validation)
            text += fmt::format(",{},{}", number(epoch.validation->loss), in_units(epoch.validation->metric));
        text += fmt::format(",{}\n", number(epoch.rate));
    }
    return text;
}

#define INSTANTIATE(T)                                                         \
    template Array<T> array_of(const std::vector<Epoch>&);                     \
    template std::vector<Epoch> epochs_of(const Array<T>&, std::size_t, bool); \
    template std::string csv_of<T>(const std::vector<Epoch>&, const std::string&, double, bool);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn::train
