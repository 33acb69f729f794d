#include <algorithm>
#include <cmath>
#include <derivation/resolve/dependence.hpp>
#include <derivation/truth/evaluator.hpp>
#include <derivation/truth/moved_points.hpp>
#include <optional>
#include <random>
#include <utility>

namespace derivation {

namespace {

using Given = std::vector<std::vector<double>>;

constexpr std::size_t most_missing = 12, starts = 3, most_moves = 80, most_nodes = 100000;

class Mover {
  public:
    Mover(const Model& model, const Variation& variation, std::uint64_t seed)
        : model_(model), variation_(variation), engine_(seed) {}

    /// A point near this one that shows the side, or nothing.
    std::optional<Point> moved(const Missing& missing, Point& start) {
        const std::vector<Place> places = movable(*missing.formula);
        if (places.empty()) return {};
        Given given = given_of(start);
        std::optional<double> gap = missing.gap(model_, start);
        if (!gap) return {};
        for (Given& candidate : equated(missing, start))
            if (std::optional<Point> point = showing(missing, std::move(candidate), start)) return point;
        for (std::size_t i = 0; i < most_moves && nodes_ < most_nodes; ++i) {
            Given candidate = given;
            const Place place = places[engine_() % places.size()];
            double& x = candidate[place.quantity][place.entry];
            if (i % 8 == 7)
                x = value_to_try(given);
            else if (i % 4 == 1)
                x *= std::pow(10, between(-3, 1));
            else
                x += (engine_() % 2 == 0 ? 1 : -1) * std::pow(10, between(-4, 0.5));
            if (!is_in(place.domain, x)) continue;
            Point point = at(candidate, start);
            if (!point.is_finite()) continue;
            const std::optional<double> next = missing.gap(model_, point);
            if (!next) continue;
            if (missing.is_shown_by(*next) && !point.is_kinked() && !point.is_extreme()) return point;
            if (missing.is_nearer(*next, *gap)) {
                gap = next;
                given = std::move(candidate);
            }
        }
        return {};
    }

    /// From a point above the edge to one below it, by halves: the two between which it lies.
    void straddle(const Missing& edge, Point& above, Point& below, std::vector<Point>& found) {
        constexpr int halves = 18;
        const std::vector<Place> places = movable(*edge.formula);
        Given high = given_of(above), low = high;
        const Given end = given_of(below);
        for (const Place& place : places) low[place.quantity][place.entry] = end[place.quantity][place.entry];
        const auto gap = [&](const Given& given) -> double {
            Point point = at(given, above);
            return point.is_finite() ? edge.gap(model_, point).value_or(NAN) : NAN;
        };
        if (places.empty() || !(gap(low) < 0)) return;
        for (int i = 0; i < halves; ++i) {
            Given middle = high;
            for (const auto& [quantity, entry, domain] : places)
                middle[quantity][entry] = (high[quantity][entry] + low[quantity][entry]) / 2;
            const double there = gap(middle);
            if (std::isnan(there) || is_exhausted()) return;
            (there > 0 ? high : low) = std::move(middle);
        }
        for (Given* given : {&high, &low}) {
            Point point = at(std::move(*given), above);
            if (point.is_finite() && !point.is_kinked() && !point.cancels() && !point.is_extreme())
                found.push_back(std::move(point));
        }
    }

    bool is_exhausted() const { return nodes_ >= most_nodes; }

  private:
    struct Place {
        std::size_t quantity, entry;
        Domain domain;
    };

    Domain domain_of(std::size_t q) const { return variation_.domain_of(model_, static_cast<int>(q)); }

    static bool is_in(Domain domain, double x) {
        switch (domain) {
            case Domain::real:
                return true;
            case Domain::nonzero:
                return x != 0;
            case Domain::positive:
                return x > 0;
            case Domain::negative:
                return x < 0;
            case Domain::unit:
                return x > 0 && x < 1;
            default:
                return false;
        }
    }

    std::vector<Place> movable(const Expression& formula) const {
        std::vector<Place> places;
        for (std::size_t q = 0; q < model_.quantities.size(); ++q) {
            const Quantity& quantity = model_.quantities[q];
            const Domain domain = domain_of(q);
            const bool is_alone = domain == Domain::real || domain == Domain::nonzero || domain == Domain::positive ||
                                  domain == Domain::negative || domain == Domain::unit;
            if (quantity.role == Role::definition || !quantity.values.empty() || !is_alone ||
                !depends_on(model_, formula, static_cast<int>(q)))
                continue;
            for (std::size_t entry = 0; entry < model_.size(quantity); ++entry) places.push_back({q, entry, domain});
        }
        return places;
    }

    Given given_of(Point& point) const {
        Given given(model_.quantities.size());
        for (std::size_t q = 0; q < given.size(); ++q)
            if (model_.quantities[q].role != Role::definition)
                for (std::size_t entry = 0; entry < model_.size(model_.quantities[q]); ++entry)
                    given[q].push_back(point.value(static_cast<int>(q), entry));
        return given;
    }

    Point at(Given given, const Point& start) {
        std::vector<Curve> curves;
        for (std::size_t f = 0; f < model_.functions.size(); ++f) curves.push_back(start.curve(static_cast<int>(f)));
        Point point(model_, variation_, std::move(given), std::move(curves));
        nodes_ += point.nodes() + 1;
        return point;
    }

    std::optional<Point> showing(const Missing& missing, Given given, const Point& start) {
        Point point = at(std::move(given), start);
        if (!point.is_finite() || point.is_kinked() || point.is_extreme()) return {};
        const std::optional<double> gap = missing.gap(model_, point);
        if (!gap || !missing.is_shown_by(*gap)) return {};
        return point;
    }

    /// Where one side of a comparison is given: that it has the value of the other side.
    std::vector<Given> equated(const Missing& missing, Point& start) {
        std::vector<Given> all;
        if (!missing.is_equation()) return all;
        for (const bool left : {true, false}) {
            const Expression& entry = left ? missing.formula->left() : missing.formula->right();
            if (entry.kind != Kind::entry || model_.quantity(entry).role == Role::definition ||
                !model_.quantity(entry).values.empty())
                continue;
            const std::optional<std::size_t> place = place_of(model_, entry, missing.letters);
            if (!place) continue;
            Evaluator evaluator(model_, start);
            evaluator.letters = missing.letters;
            const double value = evaluator(left ? missing.formula->right() : missing.formula->left());
            const auto q = static_cast<std::size_t>(*entry.symbol);
            if (!is_in(domain_of(q), value)) continue;
            all.push_back(given_of(start));
            all.back()[q][*place] = value;
        }
        return all;
    }

    /// 0, 1, -1, or what another entry is.
    double value_to_try(const Given& given) {
        const std::size_t which = engine_() % 6;
        if (which < 3) return static_cast<double>(which) - 1;
        const std::vector<double>& values = given[engine_() % given.size()];
        return values.empty() ? 0 : values[engine_() % values.size()];
    }

    double between(double low, double high) { return std::uniform_real_distribution<double>(low, high)(engine_); }

    const Model& model_;
    const Variation& variation_;
    std::mt19937_64 engine_;
    std::size_t nodes_ = 0;
};

}  // namespace

void add_moved_points(const Model& model, const Variation& variation, std::uint64_t seed, Sides& sides,
                      std::vector<Point>& points, std::size_t most) {
    Mover mover(model, variation, seed * 7919 + 61);
    const std::size_t drawn = points.size();
    std::size_t looked_for = 0;
    for (const Missing& missing : sides.missing()) {
        if (points.size() >= most || mover.is_exhausted() || looked_for++ >= most_missing) return;
        for (std::size_t start = 0; start < std::min(starts, drawn) && !sides.is_shown(missing); ++start)
            if (std::optional<Point> point = mover.moved(missing, points[start])) {
                sides.add(*point);
                points.push_back(std::move(*point));
            }
    }
}

std::vector<Point> points_at_edges(const Model& model, const Variation& variation, const std::vector<Missing>& edges,
                                   const std::vector<Point*>& points) {
    constexpr std::size_t most_edges = 12, pairs = 2;
    Mover mover(model, variation, 0);
    std::vector<Point> found;
    std::size_t looked_at = 0;
    for (const Missing& edge : edges) {
        if (looked_at++ >= most_edges || mover.is_exhausted()) break;
        std::vector<Point*> above, below;
        for (Point* point : points)
            if (const double gap = edge.gap(model, *point).value_or(NAN); gap != 0 && !std::isnan(gap))
                (gap > 0 ? above : below).push_back(point);
        for (std::size_t i = 0; i < std::min({pairs, above.size(), below.size()}); ++i)
            mover.straddle(edge, *above[i], *below[i], found);
    }
    return found;
}

}  // namespace derivation
