// Points drawn at random, on both sides of every kink.
#include <algorithm>
#include <array>
#include <cmath>
#include <derivation/truth/moved_points.hpp>
#include <derivation/truth/one_hot_choices.hpp>
#include <derivation/truth/random_points.hpp>
#include <derivation/truth/sides.hpp>
#include <map>
#include <optional>
#include <random>
#include <utility>

namespace derivation {

namespace {

/// Rows of 0 and one 1, each of as many classes as its range has, at one point after the other. All rows are alike at
/// the first point; from there each shows every class in an order of its own, so that of two rows some points show the
/// same class and some do not.
class OneHots {
  public:
    OneHots(const Model& model, const Variation& variation, std::size_t turn) : turn_(turn) {
        for (int q = 0; q < model.count(); ++q) {
            const Quantity& quantity = model.quantity(q);
            if (quantity.role == Role::definition || variation.domain_of(model, q) != Domain::onehot) continue;
            const int range = quantity.ranges.back();
            const auto classes = static_cast<std::size_t>(model.range(range).size);
            const auto [place, added] = ranges_.try_emplace(range, OfRange{ranges_.size(), classes, 0});
            first_row_[q] = place->second.rows;
            place->second.rows += model.size(quantity) / classes;
        }
    }

    /// How many points show all of that.
    std::size_t points() const {
        std::size_t most = 0;
        for (const auto& [range, of] : ranges_) {
            std::size_t points = of.classes;
            for (std::size_t told_apart = orders(of); told_apart < of.rows && of.classes > 1; told_apart *= of.classes)
                ++points;
            most = std::max(most, points);
        }
        return most;
    }

    std::size_t class_at(int quantity, int range, std::size_t row, std::size_t point) const {
        const OfRange& of = ranges_.at(range);
        std::size_t r = first_row_.at(quantity) + row, step = 0;
        if (point > 0 && point < of.classes) {
            step = 1 + (point - 1 + r) % orders(of);
        } else if (point >= of.classes) {
            // Rows with the same order have another class here, or at the next point.
            r /= orders(of);
            for (std::size_t i = of.classes; i < point; ++i) r /= of.classes;
            step = r;
        }
        return (of.number + turn_ + step) % of.classes;
    }

  private:
    struct OfRange {
        std::size_t number, classes, rows;
    };
    static std::size_t orders(const OfRange& of) { return std::max<std::size_t>(of.classes, 2) - 1; }

    std::size_t turn_;
    std::map<int, OfRange> ranges_;
    std::map<int, std::size_t> first_row_;
};

class Draw {
  public:
    /// A seed of the user's times so much, and something less, is that of one set of draws.
    static constexpr std::uint64_t seeds_apart = 7919;

    Draw(const Model& model, const Variation& variation, std::uint64_t seed)
        : model_(model), variation_(variation), engine_(seed), one_hots_(model, variation, seed / seeds_apart - 1) {}

    /// How many points the rows of 0 and one 1 need.
    std::size_t fewest_points() const { return one_hots_.points(); }

    /// Rows of 0 and one 1 that are so at the points from here on.
    void choose(OneHotChoice choice) { chosen_ = std::move(choice); }

    /// From here on a function that the file leaves open has values between 0 and 1, as a probability's may have to be.
    void bound_functions() { functions_are_bound_ = true; }

    /// `spread` lets some of what is given be so many times as large.
    Point point(std::size_t number, bool all_positive, double spread = 1) {
        spread_ = spread;
        std::vector<std::vector<double>> given(model_.quantities.size());
        for (std::size_t q = 0; q < given.size(); ++q) {
            const Quantity& quantity = model_.quantities[q];
            if (quantity.role == Role::definition) continue;
            const int number_of_quantity = static_cast<int>(q);
            if (!quantity.values.empty() && !variation_.domains.contains(number_of_quantity))
                given[q] = quantity.values;
            else
                given[q] =
                    values(number_of_quantity, variation_.domain_of(model_, number_of_quantity), number, all_positive);
        }
        return Point(model_, variation_, std::move(given), curves());
    }

    std::vector<Curve> curves() {
        std::vector<Curve> all;
        for (std::size_t f = 0; f < model_.functions.size(); ++f) {
            const auto changed = variation_.functions.find(static_cast<int>(f));
            Curve curve;
            curve.elementary = find_elementary(changed == variation_.functions.end() ? model_.functions[f].definition
                                                                                     : changed->second);
            curve.a = between(0.4, 0.9);
            curve.w = between(0.7, 1.4);
            curve.p = between(-1, 1);
            curve.b = between(0.4, 0.9);
            curve.v = between(0.6, 1.3);
            curve.q = between(-0.7, 0.7);
            curve.c = between(0.05, 0.15);
            curve.d = between(0.2, 0.5);
            if (functions_are_bound_) {
                curve.a /= 4;
                curve.b /= 4;
                curve.c = curve.d = 0;
                curve.e = 0.5;
            }
            all.push_back(curve);
        }
        return all;
    }

    std::vector<double> values(int q, Domain domain, std::size_t number, bool all_positive) {
        const Quantity& quantity = model_.quantity(q);
        std::vector<double> values(model_.size(quantity));
        const double size = spread_ != 1 && between(0, 1) < 0.5 ? spread_ : 1;
        const std::size_t row =
            quantity.ranges.empty() ? 1 : static_cast<std::size_t>(model_.range(quantity.ranges.back()).size);
        const auto normalise = [&](auto draw) {
            for (std::size_t begin = 0; begin < values.size(); begin += row) {
                double total = 0;
                for (std::size_t i = begin; i < begin + row; ++i) total += values[i] = draw();
                for (std::size_t i = begin; i < begin + row; ++i) values[i] /= total;
            }
        };
        switch (domain) {
            case Domain::real:
            case Domain::nonzero:
            case Domain::symmetric:
            case Domain::positive_definite:
            case Domain::invertible:
                for (std::size_t i = 0; i < values.size(); ++i)
                    values[i] = (all_positive ? 1 : sign_of(quantity, i, number)) * size * between(0.2, 1.2);
                break;
            case Domain::positive:
                for (double& x : values) x = size * between(0.3, 1.8);
                break;
            case Domain::negative:
                for (double& x : values) x = -size * between(0.3, 1.8);
                break;
            case Domain::unit:
                for (double& x : values) x = between(0.05, 0.95);
                break;
            case Domain::probabilities:
                normalise([&] { return between(0.1, 1); });
                break;
            case Domain::sums_to_one:
                normalise([&] { return between(0, 1) < 0.3 ? -between(0.05, 0.2) : between(0.3, 1.2); });
                break;
            case Domain::onehot:
                for (std::size_t begin = 0; begin < values.size(); begin += row)
                    values[begin + class_at(q, begin / row, number)] = 1;
                break;
        }
        if (domain == Domain::symmetric)
            for (std::size_t begin = 0; begin < values.size(); begin += row * row)
                for (std::size_t i = 0; i < row; ++i)
                    for (std::size_t k = 0; k < i; ++k) values[begin + i * row + k] = values[begin + k * row + i];
        if (domain == Domain::positive_definite || domain == Domain::invertible)
            for (std::size_t begin = 0; begin < values.size(); begin += row * row)
                make_regular(values.data() + begin, row, domain == Domain::positive_definite, size);
        return values;
    }

  private:
    std::size_t class_at(int q, std::size_t row, std::size_t number) const {
        const auto chosen = chosen_.find({q, row});
        if (chosen != chosen_.end()) return chosen->second;
        return one_hots_.class_at(q, model_.quantity(q).ranges.back(), row, number);
    }

    /// A matrix far from singular: M M^T / n and a part of the diagonal, or M with a heavier diagonal.
    void make_regular(double* m, std::size_t n, bool is_definite, double size) {
        const std::vector<double> drawn(m, m + n * n);
        for (std::size_t i = 0; i < n && is_definite; ++i)
            for (std::size_t k = 0; k < n; ++k) {
                m[i * n + k] = 0;
                for (std::size_t j = 0; j < n; ++j)
                    m[i * n + k] += drawn[i * n + j] * drawn[k * n + j] / static_cast<double>(n) / size;
            }
        for (std::size_t i = 0; i < n; ++i) {
            double& x = m[i * n + i];
            x += size * (is_definite ? between(0.3, 0.6) : std::copysign(0.4 * static_cast<double>(n), x));
        }
    }

    /// Random at the first point and opposite at the second, so that no sign is the same at all points.
    int sign_of(const Quantity& quantity, std::size_t i, std::size_t number) {
        const int sign = between(0, 1) < 0.5 ? 1 : -1;
        if (number > 1) return sign;
        const auto [found, added] = signs_.try_emplace(std::pair(&quantity, i), sign);
        return number == 0 ? found->second = sign : -found->second;
    }

    double between(double low, double high) { return std::uniform_real_distribution<double>(low, high)(engine_); }

    const Model& model_;
    const Variation& variation_;
    std::mt19937_64 engine_;
    OneHots one_hots_;
    OneHotChoice chosen_;
    bool functions_are_bound_ = false;
    double spread_ = 1;
    std::map<std::pair<const Quantity*, std::size_t>, int> signs_;
};

/// The same, where a definition stands on a kink at all of these points: lines that it does not reach are judged.
std::optional<Variation> with_fixed_kinks(const Variation& variation, const std::vector<Point>& points) {
    Variation fixed = variation;
    for (std::size_t i = 0; i < points.size(); ++i)
        if (i == 0)
            fixed.always_kinked = points[i].kinks();
        else
            std::erase_if(fixed.always_kinked, [&](int q) { return !points[i].kinks().contains(q); });
    if (fixed.always_kinked.size() <= variation.always_kinked.size()) return {};
    return fixed;
}

}  // namespace

std::vector<Point> draw_points(const Model& model, const Variation& variation, std::uint64_t seed, std::size_t count,
                               bool all_positive, const std::vector<Formulas>& claims) {
    // Points that show one more entry are taken as long as there are few, those that show a whole kink a little longer.
    constexpr std::size_t most_tries = 120, few_points = 8, most_points = 16, most_points_with_choices = 128;
    constexpr std::size_t most_tries_for_sides = 400, fewest_tries_for_sides = 24, most_nodes_for_sides = 100000;
    // From one point to the next: a hinge may lie far out, or near 0.
    constexpr std::array spreads = {1.0, 1.0, 3.0, 1.0, 0.3, 10.0, 1.0, 0.1, 3.0, 30.0, 0.03, 100.0};
    Draw draw(model, variation, seed * Draw::seeds_apart + 17);
    std::vector<Point> points, kinked;
    if (count > 1) count = std::max(count, std::min(draw.fewest_points(), most_points));
    for (std::size_t tries = 0; points.size() < count && tries < most_tries; ++tries) {
        if (tries == most_tries / 3 && points.empty() && kinked.empty()) draw.bound_functions();
        Point point = draw.point(points.size(), all_positive || (tries >= 10 && tries % 2 == 1));
        if (!point.is_finite()) continue;
        if (!point.is_kinked())
            points.push_back(std::move(point));
        else if (kinked.size() < count)
            kinked.push_back(std::move(point));
    }
    if (points.empty()) {
        const std::optional<Variation> fixed = with_fixed_kinks(variation, kinked);
        return fixed ? draw_points(model, *fixed, seed, count, all_positive, claims) : std::move(kinked);
    }
    if (count == 1) return points;
    Sides sides(model);
    Formulas members;
    for (const Formulas& claim : claims) members.insert(members.end(), claim.begin(), claim.end());
    if (members.empty())
        sides.watch_definitions();
    else
        sides.watch_with_definitions(members);
    for (Point& point : points) sides.add(point);
    std::size_t nodes = 0;
    for (std::size_t tries = 0; !sides.are_all_shown() && points.size() < most_points; ++tries) {
        if (tries >= most_tries_for_sides || (tries >= fewest_tries_for_sides && nodes > most_nodes_for_sides)) break;
        Point point = draw.point(points.size(), all_positive, spreads[tries % spreads.size()]);
        nodes += point.nodes() + 1;
        if (!point.is_finite() || point.is_kinked() || point.is_extreme()) continue;
        const Sides::News news = sides.add(point);
        if (news == Sides::News::of_a_kink || (news == Sides::News::of_an_entry && points.size() < few_points))
            points.push_back(std::move(point));
    }
    if (!sides.are_all_shown()) add_moved_points(model, variation, seed, sides, points, most_points);
    for (const Formulas& claim : claims)
        for (OneHotChoice& choice : Choices(model, variation, claim).missing(points)) {
            if (points.size() >= most_points_with_choices) return points;
            draw.choose(std::move(choice));
            constexpr std::size_t most_tries_for_a_choice = 10;
            for (std::size_t tries = 0; tries < most_tries_for_a_choice; ++tries) {
                Point point = draw.point(points.size(), all_positive || tries % 2 == 1);
                if (!point.is_finite() || point.is_kinked()) continue;
                points.push_back(std::move(point));
                break;
            }
        }
    return points;
}

std::vector<Point> scattered_points(const Model& model, const Variation& variation, std::uint64_t seed,
                                    std::size_t count) {
    constexpr std::array spreads = {1.0, 3.0, 0.3, 10.0, 1.0, 0.1, 30.0, 0.03};
    Draw draw(model, variation, seed * Draw::seeds_apart + 43);
    std::vector<Point> points, kinked, inexact;
    for (std::size_t tries = 0; points.size() < count && tries < 4 * count; ++tries) {
        if (tries == 2 * count && points.empty() && kinked.empty()) draw.bound_functions();
        Point point = draw.point(points.size(), false, spreads[tries % spreads.size()]);
        if (point.is_finite())
            (point.is_kinked()                       ? kinked
             : point.cancels() || point.is_extreme() ? inexact
                                                     : points)
                .push_back(std::move(point));
    }
    if (points.empty()) points = std::move(inexact);
    const std::optional<Variation> fixed = points.empty() ? with_fixed_kinks(variation, kinked) : std::nullopt;
    return fixed ? scattered_points(model, *fixed, seed, count) : std::move(points);
}

namespace {

std::vector<std::vector<double>> worked_numbers(const Model& model, Draw& draw, bool all_positive) {
    std::vector<std::vector<double>> given(model.quantities.size());
    for (std::size_t q = 0; q < given.size(); ++q) {
        const Quantity& quantity = model.quantities[q];
        if (quantity.role == Role::definition) continue;
        given[q] = !quantity.worked.empty()   ? quantity.worked
                   : !quantity.values.empty() ? quantity.values
                                              : draw.values(static_cast<int>(q), quantity.domain, 0, all_positive);
    }
    return given;
}

constexpr std::uint64_t of_worked_points = 29;

}  // namespace

Point worked_point(const Model& model, std::uint64_t seed) {
    Variation none;
    Draw draw(model, none, seed * Draw::seeds_apart + of_worked_points);
    std::vector<std::vector<double>> given = worked_numbers(model, draw, false);
    return Point(model, none, std::move(given), draw.curves());
}

std::vector<std::vector<double>> worked_numbers(const Model& model, std::uint64_t seed, bool all_positive) {
    Variation none;
    Draw draw(model, none, seed * Draw::seeds_apart + of_worked_points);
    return worked_numbers(model, draw, all_positive);
}

}  // namespace derivation
