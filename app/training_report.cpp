#include "training_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <derivation/report/html.hpp>
#include <nn/files/text.hpp>
#include <nn/metrics.hpp>
#include <numeric>
#include <optional>

namespace {

using nlohmann::json;

constexpr std::size_t most_worst = 12;    // rows that are shown
constexpr std::size_t most_points = 500;  // of a scatter, or of a curve
constexpr std::size_t most_columns = 24;  // of a row that is shown
constexpr std::size_t most_targets = 6;   // that are drawn
constexpr std::size_t most_letters = 40;  // of a name or a word
constexpr std::size_t largest_side = 64;  // of a picture, in pixels
constexpr std::size_t shades = 10;        // of the confusion matrix

constexpr const char* style = R"(
:root { color-scheme: light dark; --ink: #1f2328; --paper: #ffffff; --soft: #59636e; --line: #d0d7de; --first: #0969da; --second: #bc4c00;
  --right: 26,127,55; --wrong: 207,34,46; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9198a1; --line: #30363d; --first: #4493f8;
  --second: #f0883e; --right: 63,185,80; --wrong: 248,81,73; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem; margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1rem 2rem; }
figure { margin: 0; min-width: 0; } figcaption { font-size: .9rem; overflow-wrap: anywhere; } svg { width: 100%; height: auto; display: block; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 0; } dt, .soft { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; margin: .5rem 0; }
th, td { border: 1px solid var(--line); padding: .15rem .5rem; text-align: right; white-space: nowrap; } th { font-weight: 600; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 1rem; }
.pictures img { width: 6rem; height: 6rem; object-fit: contain; image-rendering: pixelated; border: 1px solid var(--line); background: #000; }
svg text { font: 11px system-ui, sans-serif; fill: var(--ink); } .axis { stroke: var(--soft); } .grid { stroke: var(--line); }
.first { stroke: var(--first); } .second { stroke: var(--second); } .curve { fill: none; stroke-width: 1.6; } .kept { stroke: var(--soft); stroke-dasharray: 3 3; }
.point { fill: var(--first); fill-opacity: .55; } .bar { fill: var(--first); fill-opacity: .75; } .key { font-weight: 600; } .first-key { color: var(--first); } .second-key { color: var(--second); }
)";

/// A number as a reader wants it; words where it is none.
std::string number(double value, int digits = 6) {
    if (std::isnan(value)) return "not a number";
    if (std::isinf(value)) return value > 0 ? "infinite" : "minus infinity";
    return fmt::format("{:.{}g}", value, digits);
}

/// Text of a file: shown as it is, never markup.
std::string shown(const std::string& text) { return derivation::escaped(nn::files::printable(text)); }

/// The same where it has to be short.
std::string short_name(const std::string& text) {
    auto letters = nn::files::characters(nn::files::printable(text)).value_or(std::u32string());
    if (letters.size() > most_letters) letters = letters.substr(0, most_letters - 1) + U"\u2026";
    return derivation::escaped(nn::files::utf8(letters).value_or(""));
}

// Charts. An axis leads from numbers to places within the frame.

constexpr double chart_width = 360, chart_height = 230, left = 52, right = 348, top = 22, bottom = 190;

struct Axis {
    double low, high;
    double begin, end;  // places
    bool logarithmic = false;

    double operator()(double value) const {
        const auto along = [this](double x) { return logarithmic ? std::log(x) : x; };
        return begin + (end - begin) * ((along(value) - along(low)) / (along(high) - along(low)));
    }
    bool holds(double value) const { return std::isfinite(value) && value >= low && value <= high; }
};

/// 1, 2 or 5 times a power of ten, so that about `count` steps make the length.
double step_of(double length, double count) {
    const double rough = length / count, power = std::pow(10, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (factor * power >= rough) return factor * power;
    return 10 * power;
}

std::vector<double> ticks(const Axis& axis, double count, bool whole = false) {
    std::vector<double> places;
    if (axis.logarithmic) {
        const double decades = std::log10(axis.high / axis.low);
        for (int k = static_cast<int>(std::floor(std::log10(axis.low))); std::pow(10, k) <= axis.high; ++k)
            for (const double factor : {1.0, 2.0, 5.0})
                if (const double value = factor * std::pow(10, k);
                    axis.holds(value) && (decades < 2.5 || (factor == 1 && k % static_cast<int>(1 + decades / 8) == 0)))
                    places.push_back(value);
        return places;
    }
    double step = step_of(axis.high - axis.low, count);
    if (whole) step = std::max(1.0, step);
    for (double k = std::ceil(axis.low / step); k * step <= axis.high * (1 + 1e-12) && places.size() < 20; ++k)
        places.push_back(k * step);
    return places;
}

/// An axis for these numbers, with a little room; the finite ones count.
Axis axis_for(const std::vector<double>& values, double begin, double end) {
    double low = INFINITY, high = -INFINITY;
    for (const double value : values)
        if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
    if (low > high) low = 0, high = 1;
    // Half as long where the difference of two doubles would overflow, and never so short that it has no steps.
    const double room =
        std::max({0.04 * (high / 2 - low / 2) * 2, 1e-6 * std::max(std::abs(low), std::abs(high)), 1e-300});
    low = std::max(low - room, -8e307), high = std::min(high + room, 8e307);
    return {low, high, begin, end};
}

/// What stands at a tick, with as many digits as tell it from its neighbours.
std::string tick_name(const Axis& axis, double value) {
    const double range = axis.high - axis.low, most = std::max(std::abs(axis.low), std::abs(axis.high));
    const int digits = static_cast<int>(std::clamp(std::ceil(std::log10(most / range)) + 3, 4.0, 15.0));
    return number(std::abs(value) < 1e-12 * range && !axis.logarithmic ? 0 : value, digits);
}

/// The frame of a chart: its ticks, and what its axes are called.
std::string frame(const Axis& x, const Axis& y, const std::string& x_name, bool whole_x) {
    std::string svg = fmt::format(
        "<path class=\"axis\" fill=\"none\" d=\"M{0} {1}V{2}H{3}\"/>\n<text x=\"{4}\" y=\"{5}\" "
        "text-anchor=\"middle\">{6}</text>\n",
        left, top, bottom, right, (left + right) / 2, chart_height - 6, x_name);
    for (const double value : ticks(x, 6, whole_x))
        svg += fmt::format(
            "<path class=\"axis\" d=\"M{0:.1f} {1}v4\"/><text x=\"{0:.1f}\" y=\"{2}\" "
            "text-anchor=\"middle\">{3}</text>\n",
            x(value), bottom, bottom + 16, tick_name(x, value));
    for (const double value : ticks(y, 7))
        svg += fmt::format(
            "<path class=\"grid\" d=\"M{0} {1:.1f}H{2}\"/><text x=\"{3}\" y=\"{4:.1f}\" "
            "text-anchor=\"end\">{5}</text>\n",
            left, y(value), right, left - 5, y(value) + 4, tick_name(y, value));
    return svg;
}

std::string figure(const std::string& caption, const std::string& label, const std::string& svg) {
    return fmt::format(
        "<figure><figcaption>{}</figcaption>\n<svg viewBox=\"0 0 {} {}\" role=\"img\" "
        "aria-label=\"{}\">\n{}</svg></figure>\n",
        caption, chart_width, chart_height, label, svg);
}

/// A line through the points whose numbers are finite.
std::string curve(const Axis& x, const Axis& y, const std::vector<double>& at, const std::vector<double>& values,
                  const char* which) {
    std::string path, dots;
    bool drawing = false;
    for (std::size_t i = 0; i < at.size(); ++i) {
        const bool there = y.holds(values[i]);
        if (there) path += fmt::format("{}{:.1f} {:.1f}", drawing ? "L" : "M", x(at[i]), y(values[i]));
        // Round ends show a point that stands alone.
        if (there && !drawing) path += "h0";
        drawing = there;
    }
    return fmt::format("<path class=\"curve {}\" stroke-linecap=\"round\" d=\"{}\"/>\n", which, path);
}

/// The epochs that are drawn: all, or every k-th, the kept one, and the last.
std::vector<const nn::Epoch*> drawn(const nn::History& history) {
    const std::size_t n = history.epochs.size(), step = (n + most_points - 1) / most_points;
    std::vector<const nn::Epoch*> epochs;
    for (std::size_t i = 0; i < n; ++i)
        if (i % step == 0 || i + 1 == n || history.epochs[i].number == history.best)
            epochs.push_back(&history.epochs[i]);
    return epochs;
}

/// A number of the training, and the same of the validation where there is one, by epoch.
std::string curves(const TrainingReport& report, const std::string& name, double nn::Measured::*measured, double factor,
                   bool may_be_logarithmic) {
    std::vector<double> at, training, validation;
    for (const nn::Epoch* epoch : drawn(report.history)) {
        at.push_back(static_cast<double>(epoch->number));
        training.push_back(epoch->training.*measured * factor);
        if (epoch->validation) validation.push_back((*epoch->validation).*measured * factor);
    }
    const bool validated = validation.size() == at.size();
    std::vector<double> all = training;
    if (validated) all.insert(all.end(), validation.begin(), validation.end());
    const Axis x{at.front() == at.back() ? at.front() - 0.5 : at.front(),
                 at.front() == at.back() ? at.front() + 0.5 : at.back(), left, right};
    Axis y = axis_for(all, bottom, top);
    std::erase_if(all, [](double value) { return !std::isfinite(value); });
    if (may_be_logarithmic && !all.empty()) {
        const auto [least, most] = std::ranges::minmax(all);
        if (least > 1e-300 && most < 1e300 && most / least > 50) y = {least / 1.1, most * 1.1, bottom, top, true};
    }
    std::string svg = frame(x, y, "epoch", true);
    const auto kept = static_cast<double>(report.history.best);
    if (x.holds(kept))
        svg += fmt::format(
            "<path class=\"kept\" d=\"M{0:.1f} {1}V{2}\"/><text x=\"{3:.1f}\" y=\"{4}\" text-anchor=\"{5}\">kept: "
            "{6}</text>\n",
            x(kept), top, bottom, x(kept), top - 8, x(kept) > 200 ? "end" : "start", report.history.best);
    svg += curve(x, y, at, training, "first");
    if (validated) svg += curve(x, y, at, validation, "second");
    std::string caption = name + " by epoch: <span class=\"key first-key\">training</span>";
    if (validated) caption += ", <span class=\"key second-key\">validation</span>";
    if (at.size() < report.history.epochs.size())
        caption += fmt::format("; {} of {} epochs are drawn", at.size(), report.history.epochs.size());
    const std::size_t unusable = at.size() * (validated ? 2 : 1) - all.size();
    if (unusable > 0) caption += fmt::format("; {} numbers are not finite, and not drawn", unusable);
    return figure(caption, name + " by epoch", svg);
}

std::string fact(const json& value) {
    if (value.is_number_float()) return number(value.get<double>());
    if (value.is_null()) return number(NAN);  // what JSON makes of it
    if (value.is_string()) return shown(value.get<std::string>());
    if (!value.is_structured()) return value.dump();
    std::vector<std::string> parts;
    for (const auto& [key, part] : value.items()) {
        std::string name = value.is_object() ? shown(key) + " " : "";
        std::ranges::replace(name, '_', ' ');
        parts.push_back(name + fact(part));
    }
    return fmt::format("{}",
                       fmt::join(parts, value.is_array() && !value.empty() && value[0].is_structured() ? "; " : ", "));
}

std::string facts(const json& said) {
    std::string list = "<dl>\n";
    for (const auto& [key, value] : said.items()) {
        std::string name = shown(key);
        std::ranges::replace(name, '_', ' ');
        list += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, fact(value));
    }
    return list + "</dl>\n";
}

/// A table; what stands in the cells is HTML already.
std::string table(const std::vector<std::string>& heads, const std::vector<std::vector<std::string>>& rows) {
    std::string html = "<div class=\"wide\"><table>\n<tr>";
    for (const std::string& head : heads) html += "<th>" + head + "</th>";
    html += "</tr>\n";
    for (const auto& row : rows) {
        html += "<tr>";
        for (const std::string& cell : row) html += "<td>" + cell + "</td>";
        html += "</tr>\n";
    }
    return html + "</table></div>\n";
}

// Rows of the test.

/// The columns of a table, as many as are shown, by name or number.
std::vector<std::string> column_heads(const nn::Dataset<double>& data) {
    std::vector<std::string> heads;
    const std::size_t n = data.columns.empty() ? data.features.shape()[1] : data.columns.size();
    for (std::size_t i = 0; i < std::min(n, most_columns); ++i) {
        const bool named = !data.columns.empty() && !data.columns[i].name.empty();
        heads.push_back(named ? short_name(data.columns[i].name) : fmt::format("feature {}", i));
    }
    if (n > most_columns) heads.push_back(fmt::format("and {} more", n - most_columns));
    return heads;
}

/// What the file had in these columns.
std::vector<std::string> cells(const nn::Dataset<double>& data, std::size_t row) {
    std::vector<std::string> texts;
    std::size_t at = 0;
    const std::size_t n = data.columns.empty() ? data.features.shape()[1] : data.columns.size();
    for (std::size_t i = 0; i < std::min(n, most_columns); ++i) {
        const nn::Column column = data.columns.empty() ? nn::Column{} : data.columns[i];
        std::string text;
        if (std::isnan(data.features(row, at))) {
            text = "missing";
        } else if (column.categories.empty()) {
            text = fmt::format("{}", data.features(row, at));
        } else {
            for (std::size_t k = 0; k < column.width(); ++k)
                if (data.features(row, at + k) != 0) text = short_name(column.categories[k]);
        }
        texts.push_back(text);
        at += column.width();
    }
    if (n > most_columns) texts.emplace_back("…");
    return texts;
}

std::string base64(const std::string& bytes) {
    constexpr const char* letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k) text += i + k > bytes.size() ? '=' : letters[group >> (18 - 6 * k) & 63];
    }
    return text;
}

/// A picture in shades of grey as a PNG: https://www.w3.org/TR/png/. `pixels` has a byte for each, row by row.
std::string png(std::size_t height, std::size_t width, const std::string& pixels) {
    const auto four = [](std::size_t value) {
        std::string bytes;
        for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 255);
        return bytes;
    };
    const auto bytes_of = [](const std::string& text) { return reinterpret_cast<const Bytef*>(text.data()); };
    const auto chunk = [&](const std::string& kind, const std::string& contents) {
        const std::string checked = kind + contents;
        return four(contents.size()) + checked + four(crc32(0, bytes_of(checked), static_cast<uInt>(checked.size())));
    };
    std::string lines;  // each begins with its filter, none
    for (std::size_t i = 0; i < height; ++i) lines += '\0' + pixels.substr(i * width, width);
    uLongf length = compressBound(lines.size());
    std::string packed(length, '\0');
    compress(reinterpret_cast<Bytef*>(packed.data()), &length, bytes_of(lines), lines.size());
    packed.resize(length);
    return "\x89PNG\r\n\x1a\n" + chunk("IHDR", four(width) + four(height) + std::string("\x08\0\0\0\0", 5)) +
           chunk("IDAT", packed) + chunk("IEND", "");
}

/// A row as a picture, from black for the least number of the test to white for the largest.
std::string picture(const nn::Dataset<double>& data, std::size_t row, PictureSize size, double low, double high) {
    const std::size_t step = (std::max(size.height, size.width) + largest_side - 1) / largest_side;
    std::string pixels;
    std::size_t height = 0;
    for (std::size_t i = 0; i < size.height; i += step, ++height)
        for (std::size_t k = 0; k < size.width; k += step) {
            const double share = (data.features(row, i * size.width + k) - low) / (high - low);
            pixels +=
                static_cast<char>(static_cast<unsigned char>(std::isfinite(share) ? std::lround(255 * share) : 0));
        }
    return fmt::format("<img alt=\"\" src=\"data:image/png;base64,{}\">",
                       base64(png(height, pixels.size() / height, pixels)));
}

// Classes.

std::string confusion_table(const autograd::Indices& counts, const std::vector<std::string>& names) {
    const auto qualities = nn::class_qualities(counts);
    std::string html =
        "<p class=\"soft\">Rows: the class; columns: what it was taken for.</p>\n<div "
        "class=\"wide\"><table>\n<tr><th></th>";
    for (const std::string& name : names) html += "<th>" + short_name(name) + "</th>";
    html += "<th>precision</th><th>recall</th><th>F1</th></tr>\n";
    for (std::size_t i = 0; i < names.size(); ++i) {
        double rows = 0;
        for (std::size_t k = 0; k < names.size(); ++k) rows += static_cast<double>(counts(i, k));
        html += "<tr><th>" + short_name(names[i]) + "</th>";
        for (std::size_t k = 0; k < names.size(); ++k) {
            const auto count = static_cast<double>(counts(i, k));
            html += count == 0 ? "<td>0</td>"
                               : fmt::format("<td class=\"{}{}\">{}</td>", i == k ? 'r' : 'w',
                                             std::ceil(static_cast<double>(shades) * count / rows), count);
        }
        for (const double quality : {qualities[i].precision, qualities[i].recall, qualities[i].f1})
            html += "<td>" + (std::isnan(quality) ? "none" : fmt::format("{:.4f}", quality)) + "</td>";
        html += "</tr>\n";
    }
    return html + "</table></div>\n";
}

std::string shade_style() {
    std::string text;
    for (std::size_t i = 1; i <= shades; ++i)
        text += fmt::format(
            ".r{0} {{ background: rgba(var(--right),{1:.2f}) }} .w{0} {{ background: rgba(var(--wrong),{1:.2f}) }}\n",
            i, 0.08 + 0.05 * static_cast<double>(i));
    return text;
}

std::string worst_classes(const TrainingReport& report) {
    const nn::Dataset<double>& test = report.test;
    std::vector<ClassAnswer> worst = report.answers;
    const std::size_t n = std::min(worst.size(), most_worst);
    std::ranges::partial_sort(worst, worst.begin() + static_cast<std::ptrdiff_t>(n),
                              [](const auto& a, const auto& b) { return a.log_right < b.log_right; });
    worst.resize(n);
    const auto name = [&](std::size_t label) { return short_name(report.classes[label]); };
    const auto own = [&](const ClassAnswer& answer) { return static_cast<std::size_t>(test.labels(answer.row)); };
    std::string html = fmt::format(
        "<h2>The {} worst-predicted rows of the test</h2>\n<p class=\"soft\">Those whose own class got the smallest "
        "probability.</p>\n",
        n);
    if (report.picture.width > 0) {
        double low = INFINITY, high = -INFINITY;
        for (const double value : test.features) low = std::min(low, value), high = std::max(high, value);
        html += "<div class=\"pictures\">\n";
        for (const ClassAnswer& answer : worst)
            html += fmt::format("<figure>{}<figcaption>{}: {}<br>predicted {}: {}</figcaption></figure>\n",
                                picture(test, answer.row, report.picture, low, high), name(own(answer)),
                                number(std::exp(answer.log_right), 3), name(answer.predicted),
                                number(answer.probability, 3));
        return html + "</div>\n";
    }
    auto heads = column_heads(test);
    heads.insert(heads.begin(), {"class", "its probability", "predicted", "probability"});
    std::vector<std::vector<std::string>> rows;
    for (const ClassAnswer& answer : worst) {
        rows.push_back({name(own(answer)), number(std::exp(answer.log_right), 3), name(answer.predicted),
                        number(answer.probability, 3)});
        for (std::string& cell : cells(test, answer.row)) rows.back().push_back(std::move(cell));
    }
    return html + table(heads, rows);
}

// Numbers.

std::vector<double> column_of(const autograd::Array<double>& numbers, std::size_t j) {
    std::vector<double> column;
    for (std::size_t i = 0; i < numbers.shape()[0]; ++i) column.push_back(numbers(i, j));
    return column;
}

std::string scatter(const std::vector<double>& predicted, const std::vector<double>& wanted) {
    std::vector<double> all = predicted;
    all.insert(all.end(), wanted.begin(), wanted.end());
    const Axis x = axis_for(all, left, right), y = axis_for(all, bottom, top);
    std::string svg = frame(x, y, "true", false) +
                      fmt::format("<path class=\"kept\" d=\"M{} {}L{} {}\"/>\n", left, bottom, right, top);
    const std::size_t n = wanted.size(), step = (n + most_points - 1) / most_points;
    std::size_t points = 0;
    for (std::size_t i = 0; i < n; i += step) {
        if (!x.holds(wanted[i]) || !y.holds(predicted[i])) continue;
        svg += fmt::format("<circle class=\"point\" r=\"2.5\" cx=\"{:.1f}\" cy=\"{:.1f}\"/>\n", x(wanted[i]),
                           y(predicted[i]));
        ++points;
    }
    std::string caption = "Predicted (upwards) against true; on the dashed line they are equal";
    if (points < n) caption += fmt::format("; {} of {} rows are drawn", points, n);
    return figure(caption, "predicted against true", svg);
}

std::string histogram(const std::vector<double>& residuals) {
    const auto bins = static_cast<std::size_t>(
        std::clamp(std::ceil(2 * std::cbrt(static_cast<double>(residuals.size()))), 4.0, 40.0));  // Rice's rule
    const Axis x = axis_for(residuals, left, right);
    std::vector<double> counts(bins, 0.0);
    for (const double residual : residuals) {
        if (!x.holds(residual)) continue;
        const double share = (x(residual) - left) / (right - left);
        ++counts[std::min(bins - 1, static_cast<std::size_t>(std::max(0.0, share) * static_cast<double>(bins)))];
    }
    const Axis y{0, 1.05 * std::ranges::max(counts), bottom, top};
    std::string svg = frame(x, y, "residual: predicted - true", false);
    const double width = (right - left) / static_cast<double>(bins);
    for (std::size_t i = 0; i < bins; ++i)
        svg += fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
                           left + width * static_cast<double>(i), y(counts[i]), width - 1, bottom - y(counts[i]));
    return figure("Rows by residual", "residuals", svg);
}

std::string worst_numbers(const TrainingReport& report) {
    const nn::Dataset<double>& test = report.test;
    const std::size_t targets = test.target_names.size();
    // Residuals of several targets are compared in the deviations of each.
    std::vector<double> sizes;
    for (std::size_t j = 0; j < targets; ++j) {
        const std::vector<double> wanted = column_of(test.targets, j);
        double mean = 0, square = 0;
        for (const double value : wanted) mean += value / static_cast<double>(wanted.size());
        for (const double value : wanted)
            square += (value - mean) * (value - mean) / static_cast<double>(wanted.size());
        sizes.push_back(targets > 1 && square > 0 ? std::sqrt(square) : 1);
    }
    std::vector<std::size_t> worst(test.targets.size());
    std::iota(worst.begin(), worst.end(), std::size_t{0});
    const auto residual = [&](std::size_t i) { return report.prediction.data()[i] - test.targets.data()[i]; };
    const std::size_t n = std::min(worst.size(), most_worst);
    std::ranges::partial_sort(worst, worst.begin() + static_cast<std::ptrdiff_t>(n), std::greater<>(),
                              [&](std::size_t i) { return std::abs(residual(i)) / sizes[i % targets]; });
    worst.resize(n);
    auto heads = column_heads(test);
    heads.insert(heads.begin(), {"true", "predicted", "residual"});
    if (targets > 1) heads.insert(heads.begin(), "target");
    std::vector<std::vector<std::string>> rows;
    for (const std::size_t i : worst) {
        const double wanted = test.targets.data()[i], far = std::abs(residual(i));
        // So many digits that the residual is seen.
        const double digits = far > 0 ? std::ceil(std::log10(std::abs(wanted) / far)) + 3 : 15;
        rows.push_back({fmt::format("{}", wanted),
                        number(report.prediction.data()[i], static_cast<int>(std::clamp(digits, 6.0, 15.0))),
                        number(residual(i))});
        if (targets > 1) rows.back().insert(rows.back().begin(), short_name(test.target_names[i % targets]));
        for (std::string& cell : cells(test, i / targets)) rows.back().push_back(std::move(cell));
    }
    return fmt::format("<h2>The {} largest residuals of the test</h2>\n{}{}", n,
                       targets > 1 ? "<p class=\"soft\">Compared in the deviations of their targets.</p>\n" : "",
                       table(heads, rows));
}

std::string tested_numbers(const TrainingReport& report) {
    const nn::Dataset<double>& test = report.test;
    const auto r2 = nn::r_squared(report.prediction, test.targets);
    const auto square = nn::root_mean_squared_error(report.prediction, test.targets);
    const auto absolute = nn::mean_absolute_error(report.prediction, test.targets);
    std::vector<std::vector<std::string>> rows;
    for (std::size_t j = 0; j < r2.size(); ++j)
        rows.push_back({short_name(test.target_names[j]), number(r2[j]), number(square[j]), number(absolute[j])});
    std::string html = "<h2>The test</h2>\n" + table({"target", "R²", "RMSE", "MAE"}, rows);
    for (std::size_t j = 0; j < std::min(r2.size(), most_targets); ++j) {
        const std::vector<double> predicted = column_of(report.prediction, j), wanted = column_of(test.targets, j);
        std::vector<double> residuals;
        for (std::size_t i = 0; i < wanted.size(); ++i) residuals.push_back(predicted[i] - wanted[i]);
        html += "<h3>" + short_name(test.target_names[j]) + "</h3>\n<div class=\"charts\">\n" +
                scatter(predicted, wanted) + histogram(residuals) + "</div>\n";
    }
    if (r2.size() > most_targets)
        html += fmt::format("<p>The first {} of {} targets are drawn.</p>\n", most_targets, r2.size());
    return html + worst_numbers(report);
}

std::string tested_classes(const TrainingReport& report) {
    const std::size_t classes = report.classes.size();
    const std::string matrix =
        classes > most_classes_on_page
            ? fmt::format("<p>There are {} classes: the confusion matrix is shown for {} at most.</p>\n", classes,
                          most_classes_on_page)
            : confusion_table(report.confusion, report.classes);
    return "<h2>The test: what was taken for what</h2>\n" + matrix + worst_classes(report);
}

}  // namespace

std::string page_of(const TrainingReport& report) {
    std::string page = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\">\n<title>Training: "
        "{0}</title>\n<style>{1}{2}</style>\n</head>\n"
        "<body>\n<h1>Training: {0}</h1>\n{3}",
        shown(report.data), style, shade_style(), facts(report.facts));
    if (!report.history.epochs.empty())
        page += "<h2>The training</h2>\n<div class=\"charts\">\n" +
                curves(report, "Loss", &nn::Measured::loss, 1, true) +
                curves(report, report.metric, &nn::Measured::metric, report.metric_factor, false) + "</div>\n";
    page += report.test.is_regression() ? tested_numbers(report) : tested_classes(report);
    return page + "</body>\n</html>\n";
}
