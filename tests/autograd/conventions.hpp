// A numerical convention, a row of the table in numerics_test.cpp, and how docs/numerics.md shows it.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <autograd/autograd.hpp>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace autograd;
using A = Array<double>;

/// What an expression gives at a point. The derivative is by x, y, ... along the seed, or of the sum of the result.
struct Point {
    const char* text;
    Function f;
    std::vector<A> at;
    A value = {};
    std::vector<A> derivatives = {};
    std::optional<A> seed = {};
    const char* error = nullptr;  ///< what is thrown instead
    double tolerance = 1e-14;     ///< relative
};

struct Convention {
    const char* where;
    const char* promise;
    std::vector<Point> points;
    void (*check)() = nullptr;       ///< what is no expression
    const char* cited_in = nullptr;  ///< the test's source, where it is another
};

inline std::string numbers(const double* data, ShapeView shape) {
    if (shape.empty()) return std::isnan(*data) ? "NaN" : fmt::format("{}", *data);
    std::vector<std::string> parts;
    const std::size_t step = size_of(shape.subspan(1));
    for (std::size_t i = 0; i < shape[0]; ++i) parts.push_back(numbers(data + i * step, shape.subspan(1)));
    return fmt::format("[{}]", fmt::join(parts, ", "));
}

inline std::string text_of(const A& array) {
    return array.size() == 0 ? "none, " + to_string(array.shape()) : numbers(array.data(), array.shape());
}

inline std::string text_of(const std::vector<A>& arrays, std::string_view suffix) {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < arrays.size(); ++i)
        parts.push_back(fmt::format("{}{}: {}", "xy"[i], suffix, text_of(arrays[i])));
    return fmt::format("{}", fmt::join(parts, "; "));
}

inline std::string section(const Convention& convention) {
    std::string text = fmt::format("\n### {}\n\n{}.\n", convention.where, convention.promise);
    if (convention.check != nullptr) text += "\nKept by a function beside the table.\n";
    if (convention.cited_in != nullptr) text += fmt::format("\nKept by `tests/{}`.\n", convention.cited_in);
    if (convention.points.empty()) return text;
    text += "\n| expression | at | value | derivative |\n|---|---|---|---|\n";
    for (const Point& point : convention.points) {
        text += fmt::format("| `{}` | {} | ", point.text, text_of(point.at, ""));
        if (point.error != nullptr) {
            text += fmt::format("error: `{}` | |\n", point.error);
            continue;
        }
        text += fmt::format("{} | {}", text_of(point.value), text_of(point.derivatives, "bar"));
        text += point.seed ? fmt::format("; for zbar: {} |\n", text_of(*point.seed)) : " |\n";
    }
    return text;
}
