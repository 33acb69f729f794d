#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <derivation/judge/descent.hpp>
#include <derivation/resolve/dependence.hpp>
#include <lab/explanation.hpp>
#include <lab/json_number.hpp>
#include <lab/trained_derivation.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace lab {

namespace {

constexpr std::size_t most_units = 24;  // that are drawn

using derivation::Derivation;
using derivation::Domain;
using derivation::Expression;
using derivation::Kind;
using derivation::Model;
using derivation::Point;
using derivation::Quantity;
using derivation::Role;

/// What a check may take is for each point anew.
Point point_of(Model& model, const Setting& setting) {
    model.budget = std::make_shared<derivation::Budget>();
    return setting.point(model);
}

std::vector<double>& values_of(Setting& setting, int quantity) {
    return setting.given[static_cast<std::size_t>(quantity)];
}

/// Given, and free to be any number.
std::vector<int> candidates_of(const Model& model, int result) {
    std::vector<int> all;
    for (int q = 0; q < model.count(); ++q) {
        const Quantity& quantity = model.quantity(q);
        if (quantity.role == Role::given && quantity.domain == Domain::real && depends_on(model, result, q))
            all.push_back(q);
    }
    return all;
}

/// The update of a parameter, where the line is a good one.
bool is_step(const derivation::Line& line) {
    return line.is_update && !line.fault && !line.keeps_state && line.checked.members.size() > 1;
}

/// What the first update is about, else the last let that is one number.
std::optional<int> loss_of(const Derivation& file) {
    const auto first = std::ranges::find_if(file.lines, is_step);
    return first == file.lines.end() ? last_scalar(file.model) : first->loss;
}

/// Whether the update of what is learned climbs: its own, or else the first one of this loss.
bool ascends(const Derivation& file, int result, int learned) {
    const derivation::Line* meant = nullptr;
    for (const derivation::Line& line : file.lines) {
        if (!is_step(line) || line.loss != result) continue;
        const bool is_own = line.checked.members[0].symbol == learned;
        if (meant == nullptr || is_own) meant = &line;
        if (is_own) break;
    }
    return meant != nullptr && meant->ascends;
}

/// What the updates change, else what claims take the derivative of the loss by.
std::vector<int> learned_of(const Derivation& file, int result, const std::vector<int>& candidates) {
    std::vector<int> updated, claimed;
    const auto add = [&](std::vector<int>& to, const Expression& e) {
        if (e.kind != Kind::entry || !e.symbol || std::ranges::find(to, *e.symbol) != to.end()) return;
        if (std::ranges::find(candidates, *e.symbol) != candidates.end()) to.push_back(*e.symbol);
    };
    for (const derivation::Line& line : file.lines) {
        if (line.fault || line.checked.members.empty()) continue;
        const Expression& left = line.checked.members[0];
        if (line.is_update && line.loss == result)
            add(updated, left);
        else if (!line.is_update && left.kind == Kind::derivative && left.order == 1 &&
                 left.numerator().symbol == result)
            add(claimed, left.denominator());
    }
    return !updated.empty() ? updated : claimed;
}

/// The rate of the first update that has one: of a step by states the first constant in it.
double rate_of(Derivation& file, int result, const Setting& setting) {
    const Model& model = file.model;
    std::vector<Point> points;
    points.push_back(point_of(file.model, setting));
    const auto is_number = [&](const Quantity& quantity) {
        return quantity.role == Role::constant && quantity.values.size() == 1 && quantity.values[0] > 0;
    };
    for (const derivation::Line& line : file.lines) {
        if (!is_step(line) || line.loss != result) continue;
        if (line.states.empty()) {
            const derivation::Rate rate = derivation::rate_of(model, points, line);
            if (!rate.constant) return rate.number;
            if (is_number(model.quantity(*rate.constant))) return model.quantity(*rate.constant).values[0];
            continue;
        }
        const Expression* first = first_part(line.checked.members[1], [&](const Expression& e) {
            return e.kind == Kind::entry && e.symbol && is_number(model.quantity(e));
        });
        if (first != nullptr) return model.quantity(*first).values[0];
    }
    return 0.1;
}

std::vector<int> those_that_do_not_matter(const Model& model, int result) {
    std::vector<int> all;
    for (int q = 0; q < model.count(); ++q)
        if (model.quantity(q).role == Role::definition && q != result && !depends_on(model, result, q))
            all.push_back(q);
    return all;
}

int quantity_named(const Model& model, const std::string& name) {
    for (int q = 0; q < model.count(); ++q)
        if (name_of(model, q) == name) return q;
    return -1;
}

/// Some of the points of a derivation, with its numbers.
struct Part {
    Derivation file;
    Setting setting;
};

Part part_of(const Derivation& whole, const Setting& numbers, const std::string& text) {
    Part part{derivation::read_derivation(text), numbers};
    const Model& model = part.file.model;
    if (model.count() != whole.model.count())
        throw std::runtime_error("[train] a part of the points has other arrays than the text");
    for (int q = 0; q < model.count(); ++q) {
        const Quantity& one = model.quantity(q);
        if (name_of(model, q) != name_of(whole.model, q))
            throw std::runtime_error("[train] a part of the points has other arrays than the text");
        std::vector<double>& values = values_of(part.setting, q);
        if (one.role == Role::definition || values.size() == model.size(one)) continue;
        values = one.worked.empty() ? one.values : one.worked;
        if (values.empty())
            throw std::runtime_error(fmt::format(
                "[train] {} has no numbers in the text: none of its points can be held out", name_of(model, q)));
    }
    return part;
}

/// What a network of a batch of points takes in and gives, and what it computes of each point on the way.
struct Plane {
    int input = -1, output = -1, targets = -1;
    std::vector<int> between = {};
};

std::optional<Plane> plane_of(const Model& model, int result, const std::vector<int>& learned) {
    const auto is_learned = [&](int q) { return std::ranges::find(learned, q) != learned.end(); };
    Plane plane;
    for (int q = 0; q < model.count() && plane.input < 0; ++q) {
        const Quantity& one = model.quantity(q);
        if (one.role == Role::given && !is_learned(q) && one.ranges.size() == 2 &&
            model.range(one.ranges[1]).size == 2 && one.ranges[0] != one.ranges[1] && depends_on(model, result, q))
            plane.input = q;
    }
    if (plane.input < 0) return {};
    const int rows = model.quantity(plane.input).ranges[0];
    const auto is_of_rows = [&](int q) {
        const Quantity& one = model.quantity(q);
        return !one.ranges.empty() && one.ranges[0] == rows && one.ranges.size() <= 2;
    };
    std::vector<int> others;
    for (int q = 0; q < model.count(); ++q) {
        if (model.quantity(q).role != Role::given || q == plane.input || is_learned(q) || !is_of_rows(q)) continue;
        others.push_back(q);
        if (plane.targets < 0) plane.targets = q;
    }
    for (int q = 0; q < model.count(); ++q) {
        const Quantity& one = model.quantity(q);
        if (one.role == Role::definition && is_of_rows(q) && !has_derivative(one.definition) &&
            depends_on(model, q, plane.input) &&
            std::ranges::none_of(others, [&](int other) { return depends_on(model, q, other); }))
            plane.between.push_back(q);
    }
    if (plane.between.empty()) return {};
    plane.output = plane.between.back();
    std::erase_if(plane.between, [&](int q) { return q == plane.output || !depends_on(model, plane.output, q); });
    return plane;
}

nlohmann::json lists(const std::vector<std::vector<double>>& all) {
    nlohmann::json result = nlohmann::json::array();
    for (const std::vector<double>& one : all) result.push_back(json_numbers(one));
    return result;
}

}  // namespace

Training trained(const std::string& text, const derivation::Report& report, const TrainOptions& options) {
    Derivation file = derivation::read_derivation(text);
    const std::optional<int> result = loss_of(file);
    if (!result) throw std::runtime_error("[train] no let is one number: there is no loss to learn by");
    Training training;
    training.loss = name_of(file.model, *result);
    const std::vector<int> candidates = candidates_of(file.model, *result);
    for (const int q : candidates) training.candidates.push_back(name_of(file.model, q));
    std::vector<int> learned;
    if (!options.learned) {
        learned = learned_of(file, *result, candidates);
    } else {
        for (const std::string& name : *options.learned) {
            const auto found = std::ranges::find(training.candidates, name);
            if (found == training.candidates.end())
                throw std::runtime_error("[train] " + name + " is nothing that " + training.loss +
                                         " can be learned by");
            learned.push_back(candidates[static_cast<std::size_t>(found - training.candidates.begin())]);
        }
    }
    for (const int q : learned) {
        training.learned.push_back(name_of(file.model, q));
        training.ascends.push_back(ascends(file, *result, q));
        std::vector<int>& shape = training.shapes.emplace_back();
        for (const int range : file.model.quantity(q).ranges) shape.push_back(file.model.range(range).size);
    }
    Setting setting = friendly_setting(file.model, report, {});
    training.rate = options.rate ? *options.rate : rate_of(file, *result, setting);
    for (int q = 0; q < file.model.count(); ++q)
        if (file.model.quantity(q).role == Role::given && !file.model.quantity(q).is_direction)
            training.given[name_of(file.model, q)] = values_of(setting, q);
    std::optional<Part> held;
    if (options.parted) {
        held = part_of(file, setting, options.parted->held);
        Part kept = part_of(file, setting, options.parted->kept);
        for (const int q : learned)
            if (values_of(kept.setting, q).size() != values_of(setting, q).size())
                throw std::runtime_error(
                    fmt::format("[train] {} is of the points: it cannot be learned where some are held out",
                                name_of(file.model, q)));
        file = std::move(kept.file);
        setting = std::move(kept.setting);
    }
    const std::vector<int> left_out = those_that_do_not_matter(file.model, *result);
    for (std::size_t step = 0; step <= options.steps; ++step) {
        const Point point = point_of(file.model, setting);
        const Lowering lowering = lowered(file, point, left_out);
        const autograd::Variable<double> loss = *lowering.arrays[static_cast<std::size_t>(*result)];
        if (!std::isfinite(loss.item())) break;
        const auto gradients = lowering.tape->backward(loss);
        TrainedStep now;
        now.loss = loss.item();
        if (held) {
            for (const int q : learned) values_of(held->setting, q) = values_of(setting, q);
            now.held = point_of(held->file.model, held->setting).value(*result, 0);
        }
        for (std::size_t k = 0; k < learned.size(); ++k) {
            const autograd::Array<double>& gradient = gradients[*lowering.arrays[static_cast<std::size_t>(learned[k])]];
            std::vector<double>& values = values_of(setting, learned[k]);
            const double rate = training.ascends[k] ? -training.rate : training.rate;
            now.values.push_back(values);
            now.gradients.emplace_back(gradient.begin(), gradient.end());
            for (std::size_t i = 0; i < values.size(); ++i) values[i] -= rate * gradient.data()[i];
        }
        training.steps.push_back(std::move(now));
    }
    return training;
}

std::optional<Regions> regions(const std::string& text, const derivation::Report& report, const Given& given,
                               const std::vector<std::string>& learned, std::size_t across) {
    Derivation file = derivation::read_derivation(text);
    Model& model = file.model;
    const std::optional<int> result = loss_of(file);
    if (!result) return {};
    std::vector<int> weights;
    for (const std::string& name : learned) weights.push_back(quantity_named(model, name));
    const std::optional<Plane> plane = plane_of(model, *result, weights);
    if (!plane) return {};
    Setting setting = friendly_setting(model, report, given);
    Regions map;
    map.input = name_of(model, plane->input);
    map.output = name_of(model, plane->output);
    map.across = across;
    std::vector<double>& rows = values_of(setting, plane->input);
    map.points = rows;
    const std::size_t count = rows.size() / 2;
    map.outputs = model.size(model.quantity(plane->output)) / count;
    if (plane->targets >= 0) {
        map.targets = name_of(model, plane->targets);
        const std::vector<double>& targets = values_of(setting, plane->targets);
        const std::size_t width = targets.size() / count;
        for (std::size_t n = 0; n < count; ++n) {
            const auto row = targets.begin() + static_cast<std::ptrdiff_t>(n * width);
            map.classes.push_back(
                width == 1 ? *row > 0.5
                           : static_cast<int>(std::max_element(row, row + static_cast<std::ptrdiff_t>(width)) - row));
        }
    }
    for (std::size_t axis = 0; axis < 2; ++axis) {
        double low = INFINITY, high = -INFINITY;
        for (std::size_t n = 0; n < count; ++n) {
            low = std::min(low, rows[2 * n + axis]);
            high = std::max(high, rows[2 * n + axis]);
        }
        const double margin = std::max(0.2 * (high - low), 0.1);
        map.low[axis] = low - margin;
        map.high[axis] = high + margin;
        if (!std::isfinite(map.high[axis] - map.low[axis]))
            throw std::runtime_error(fmt::format("[regions] the points of {} lie too far apart", map.input));
    }
    const auto cell = [&](std::size_t k, std::size_t axis) {
        const double place =
            (static_cast<double>(axis == 0 ? k % across : k / across) + 0.5) / static_cast<double>(across);
        return map.low[axis] + place * (map.high[axis] - map.low[axis]);
    };
    struct Place {
        int quantity;
        std::size_t width, at;  // numbers of a row, and which of them
    };
    std::vector<Place> places;
    for (const int q : plane->between) {
        const Quantity& one = model.quantity(q);
        const std::size_t width = model.size(one) / count;
        const derivation::Letter& letter = model.letter(one.letters[0]);
        const std::string& row = letter.is_of_array() ? model.range(one.ranges[0]).name : letter.name;
        for (std::size_t k = 0; k < width && places.size() < most_units; ++k) {
            const int first = one.ranges.size() > 1 ? model.range(one.ranges[1]).first : 0;
            places.push_back({q, width, k});
            map.units.push_back(
                {fmt::format("{}[{}{}]", name_of(model, q), row,
                             one.ranges.size() > 1 ? fmt::format(",{}", first + static_cast<int>(k)) : ""),
                 {}});
        }
    }
    const auto outputs_at = [&](const Point& point, std::size_t row) {
        std::vector<double> values;
        for (std::size_t k = 0; k < map.outputs; ++k)
            values.push_back(point.value(plane->output, row * map.outputs + k));
        return values;
    };
    std::vector<double> first;  // of the first cell, among others and alone
    for (std::size_t begin = 0; begin < across * across; begin += count) {
        for (std::size_t n = 0; n < count; ++n)
            for (std::size_t axis = 0; axis < 2; ++axis)
                rows[2 * n + axis] = cell(std::min(begin + n, across * across - 1), axis);
        const Point point = point_of(model, setting);
        for (std::size_t n = 0; n < count && begin + n < across * across; ++n) {
            std::ranges::copy(outputs_at(point, n), std::back_inserter(map.values));
            for (std::size_t u = 0; u < places.size(); ++u)
                map.units[u].values.push_back(point.value(places[u].quantity, n * places[u].width + places[u].at));
        }
        if (begin == 0) first = outputs_at(point, 0);
    }
    for (std::size_t n = 0; n < count; ++n)
        for (std::size_t axis = 0; axis < 2; ++axis) rows[2 * n + axis] = cell(0, axis);
    const std::vector<double> alone = outputs_at(point_of(model, setting), 0);
    for (std::size_t k = 0; k < map.outputs; ++k) {
        if (std::isnan(alone[k]))
            throw std::runtime_error(fmt::format("[regions] {} is NaN in a corner of it", map.output));
        if (alone[k] == first[k]) continue;
        if (!(std::abs(alone[k] - first[k]) <= 1e-9 * std::max(1.0, std::abs(first[k])))) return {};
    }
    return map;
}

std::string to_json(const Training& training) {
    nlohmann::json steps = nlohmann::json::array();
    for (const TrainedStep& one : training.steps) {
        steps.push_back({{"loss", one.loss}, {"values", lists(one.values)}, {"gradients", lists(one.gradients)}});
        if (one.held) steps.back()["held"] = json_number(*one.held);
    }
    const nlohmann::json all = {{"loss", training.loss},
                                {"rate", training.rate},
                                {"candidates", training.candidates},
                                {"learned", training.learned},
                                {"shapes", training.shapes},
                                {"ascends", training.ascends},
                                {"given", training.given},
                                {"steps", steps}};
    return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string to_json(const Regions& map) {
    nlohmann::json units = nlohmann::json::array();
    for (const Regions::Unit& unit : map.units)
        units.push_back({{"name", unit.name}, {"values", json_numbers(unit.values)}});
    const nlohmann::json all = {{"input", map.input},     {"output", map.output},
                                {"targets", map.targets}, {"points", map.points},
                                {"classes", map.classes}, {"low", map.low},
                                {"high", map.high},       {"across", map.across},
                                {"outputs", map.outputs}, {"values", json_numbers(map.values)},
                                {"units", units}};
    return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace lab
