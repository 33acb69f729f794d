#include <fmt/format.h>

#include <algorithm>
#include <autograd/compare.hpp>
#include <autograd/print.hpp>
#include <cmath>
#include <utility>

namespace autograd {

namespace {

using Numbers = Array<double>;
using Match = std::optional<Comparison>;

struct Sides {
    const Numbers& hand;
    const Numbers& right;
    const CompareContext& context;
};

/// The gradient would be right if `left` were `right`.
struct Candidate {
    Numbers left, right;
    std::string detail = {};
};

/// A relation that was recognised; `compare` gives it its name.
Comparison recognised(std::string sentence, double factor = 1) { return {{}, factor, {}, std::move(sentence)}; }

/// The largest finite number.
double largest(const Numbers& array) {
    double result = 0;
    for (double x : array)
        if (std::isfinite(x)) result = std::max(result, std::abs(x));
    return result;
}

bool all_finite(const Numbers& array) {
    return std::ranges::all_of(array, [](double x) { return std::isfinite(x); });
}

/// Up to a share of the numbers, and of `least`. What is not finite is near itself only.
bool near(double a, double b, double tolerance, double least) {
    if (!std::isfinite(a) || !std::isfinite(b)) return a == b || (std::isnan(a) && std::isnan(b));
    return std::abs(a - b) <= tolerance * (std::max(std::abs(a), std::abs(b)) + least);
}

bool near(const Numbers& a, const Numbers& b, const CompareContext& context) {
    const double least = context.floor * largest(b);
    return equal_shapes(a.shape(), b.shape()) && std::equal(a.begin(), a.end(), b.begin(), [&](double x, double y) {
               return near(x, y, context.tolerance, least);
           });
}

/// c with left = c * right, and whether more than one element shows it.
struct Proportion {
    double factor;
    bool shown;
};

std::optional<Proportion> proportion(const Numbers& left, const Numbers& right, const CompareContext& context) {
    if (!equal_shapes(left.shape(), right.shape())) return {};
    const double tolerance = context.tolerance;
    double product = 0, square = 0;
    const double scale = largest(right);
    std::size_t count = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
        const double l = left.data()[i] / scale, r = right.data()[i] / scale;
        if (!std::isfinite(l) || !std::isfinite(r)) continue;
        product += l * r;
        square += r * r;
        count += std::abs(r) > tolerance;
    }
    const double c = product / square;
    if (!(std::abs(c) > tolerance) || !std::isfinite(c) || !near(left, Numbers(c * right), context)) return {};
    return Proportion{std::abs(c - 1) <= tolerance ? 1 : c, count > 1};
}

/// A factor that people lose or add, in words: -1, 2, 1/2, and these times N or 1/N for a length N that occurs.
std::optional<std::string> factor_name(double c, const Sides& sides) {
    const auto is = [&](double value) { return near(c, value, sides.context.tolerance, 0); };
    for (double k : {1.0, -1.0, 2.0, -2.0})
        if (is(k)) return fmt::format("{}", k);
    if (is(0.5)) return "1/2";
    if (is(-0.5)) return "-1/2";
    std::vector<std::pair<std::size_t, std::string>> lengths;
    const auto add = [&](const std::string& name, ShapeView shape) {
        lengths.emplace_back(size_of(shape), "the number of elements of " + name);
        for (std::size_t axis = 0; axis < shape.size(); ++axis)
            lengths.emplace_back(shape[axis], fmt::format("the length of axis {} of {}", axis, name));
    };
    add("the gradient", sides.right.shape());
    if (sides.context.adjoint) add("the adjoint", sides.context.adjoint->shape());
    for (const auto& [name, array] : sides.context.locals) add(name, array.shape());
    for (double k : {1.0, -1.0, 2.0, -2.0, 0.5, -0.5})
        for (const auto& [length, meaning] : lengths) {
            const auto n = static_cast<double>(length);
            if (length < 2) continue;
            if (is(k * n)) return fmt::format("{} ({} is {})", k * n, length, meaning);
            if (is(k / n))
                return std::abs(k) < 1 ? fmt::format("{}1/{} ({} is {})", k < 0 ? "-" : "", 2 * length, length, meaning)
                                       : fmt::format("{}/{} ({} is {})", k, length, length, meaning);
        }
    for (const auto& [length, meaning] : lengths)
        for (const auto& [other, other_meaning] : lengths)
            if (length > 1 && other > 1 && is(static_cast<double>(length) / static_cast<double>(other)))
                return fmt::format("{}/{} ({} is {}, {} is {})", length, other, length, meaning, other, other_meaning);
    return {};
}

/// The first candidate that holds, exactly or up to a factor that has a name.
Match first_match(const std::vector<Candidate>& candidates, const Sides& sides) {
    for (const Candidate& candidate : candidates) {
        const auto found = proportion(candidate.left, candidate.right, sides.context);
        if (!found) continue;
        if (found->factor == 1) return recognised(candidate.detail);
        if (!found->shown) continue;
        if (const auto name = factor_name(found->factor, sides))
            return recognised(candidate.detail + ", and " + *name + " times as large", found->factor);
    }
    return {};
}

/// The sum of an array over axes that a shape does not have, or has with length 1.
Numbers sum_to_shape(const Numbers& array, const Shape& shape) {
    Numbers result(shape, 0.0);
    const std::size_t offset = array.dimension() - shape.size();
    for (std::size_t i = 0; i < array.size(); ++i) {
        const auto index = xt::unravel_index(i, array.shape());
        std::size_t to = 0;
        for (std::size_t k = 0; k < shape.size(); ++k)
            to = to * shape[k] + (shape[k] == 1 ? 0 : static_cast<std::size_t>(index[offset + k]));
        result.data()[to] += array.data()[i];
    }
    return result;
}

/// The gradient that the Jacobian gives for an incoming adjoint.
template <class Adjoint>
Numbers pull_back(const Sides& sides, Adjoint adjoint) {
    Numbers result(sides.right.shape(), 0.0);
    const Numbers& jacobian = *sides.context.jacobian;
    const std::size_t columns = result.size(), rows = columns == 0 ? 0 : jacobian.size() / columns;
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t k = 0; k < columns; ++k) result.data()[k] += adjoint(r) * jacobian.data()[r * columns + k];
    return result;
}

bool has_jacobian(const Sides& sides) {
    const auto &adjoint = sides.context.adjoint, &jacobian = sides.context.jacobian;
    return adjoint && jacobian && jacobian->size() == adjoint->size() * sides.right.size();
}

// ---- how each relation is recognised ----

Match equal(const Sides& sides) {
    if (!near(sides.hand, sides.right, sides.context)) return {};
    return recognised("the gradient is right");
}

Match zero(const Sides& sides) {
    if (std::ranges::any_of(sides.hand, [](double x) { return x != 0; })) return {};
    return recognised("the gradient is zero everywhere, and the right one is not", 0);
}

Match constant_factor(const Sides& sides) {
    const auto found = proportion(sides.hand, sides.right, sides.context);
    if (!found) return {};
    const auto name = factor_name(found->factor, sides);
    if (!name && !found->shown) return {};
    const std::string factor = name ? *name : fmt::format("{:.8g}", found->factor);
    return recognised(fmt::format("the gradient is {} times the right one", factor), found->factor);
}

Match transposed(const Sides& sides) {
    std::vector<Candidate> candidates;
    if (sides.right.dimension() > 1)
        candidates.push_back(
            {sides.hand, Numbers(xt::transpose(sides.right)), "the gradient is the transpose of the right one"});
    if (has_jacobian(sides) && sides.context.adjoint->size() == sides.right.size()) {
        Numbers forward(sides.right.shape(), 0.0);
        const std::size_t n = sides.right.size();
        for (std::size_t r = 0; r < n; ++r)
            for (std::size_t k = 0; k < n; ++k)
                forward.data()[r] += sides.context.jacobian->data()[r * n + k] * sides.context.adjoint->data()[k];
        candidates.push_back(
            {sides.hand, forward, "the adjoint is multiplied by the Jacobian, not by the transpose of it"});
    }
    return first_match(candidates, sides);
}

Match missing_sum(const Sides& sides) {
    std::vector<Candidate> candidates;
    if (!equal_shapes(sides.hand.shape(), sides.right.shape()) && sums_to(sides.hand.shape(), sides.right.shape()))
        candidates.push_back({sum_to_shape(sides.hand, sides.right.shape()), sides.right,
                              fmt::format("the gradient has shape {}: a sum over its broadcast axes to {} is missing",
                                          to_string(sides.hand.shape()), to_string(sides.right.shape()))});
    if (has_jacobian(sides)) {
        const Numbers& adjoint = *sides.context.adjoint;
        for (std::size_t axis = 0; axis < adjoint.dimension(); ++axis)
            for (std::size_t i = 0; adjoint.shape()[axis] > 1 && i < adjoint.shape()[axis]; ++i) {
                const auto counted = [&](std::size_t r) {
                    return std::cmp_equal(xt::unravel_index(r, adjoint.shape())[axis], i) ? adjoint.data()[r] : 0.0;
                };
                candidates.push_back(
                    {sides.hand, pull_back(sides, counted),
                     fmt::format(
                         "a sum over axis {} of the adjoint is missing: the gradient counts index {} of it only", axis,
                         i)});
            }
    }
    return first_match(candidates, sides);
}

Match extra_sum(const Sides& sides) {
    std::vector<Candidate> candidates;
    for (std::size_t axis = 0; axis < sides.right.dimension(); ++axis) {
        const Shape& shape = sides.right.shape();
        if (shape[axis] < 2) continue;
        Shape kept = shape, without = shape;
        kept[axis] = 1;
        without.erase(without.begin() + static_cast<std::ptrdiff_t>(axis));
        const Numbers summed = sum_to_shape(sides.right, kept);
        const std::string detail = fmt::format("the gradient is summed over its axis {}, and should not be", axis);
        candidates.push_back({sides.hand, summed, detail});
        candidates.push_back({sides.hand, Numbers(xt::broadcast(summed, shape)), detail});
        Numbers dropped = summed;
        dropped.reshape(without);
        candidates.push_back({sides.hand, dropped, detail});
    }
    return first_match(candidates, sides);
}

Match missing_adjoint(const Sides& sides) {
    std::vector<Candidate> candidates;
    const char* detail = "the incoming adjoint is left out of the gradient";
    if (has_jacobian(sides))
        candidates.push_back({sides.hand, pull_back(sides, [](std::size_t) { return 1.0; }), detail});
    if (const auto& adjoint = sides.context.adjoint; adjoint && sums_to(sides.hand.shape(), adjoint->shape()))
        candidates.push_back({Numbers(sides.hand * *adjoint), sides.right, detail});
    else if (adjoint && sums_to(adjoint->shape(), sides.hand.shape()))
        candidates.push_back({sum_to_shape(Numbers(sides.hand * *adjoint), sides.hand.shape()), sides.right, detail});
    return first_match(candidates, sides);
}

/// Derivatives that stand inside a chain rule.
struct Inner {
    const char* text;
    double (*of)(double);
};
constexpr Inner inner_derivatives[] = {
    {"{}", [](double x) { return x; }},
    {"{}^2", [](double x) { return x * x; }},
    {"(1 / {})", [](double x) { return 1 / x; }},
    {"(1 / {}^2)", [](double x) { return 1 / (x * x); }},
    {"(1 / sqrt({}))", [](double x) { return 1 / std::sqrt(x); }},
    {"(1 - {}^2)", [](double x) { return 1 - x * x; }},
    {"{0} (1 - {0})", [](double x) { return x * (1 - x); }},
    {"exp({})", [](double x) { return std::exp(x); }},
    {"exp(-{})", [](double x) { return std::exp(-x); }},
    {"cos({})", [](double x) { return std::cos(x); }},
    {"sin({})", [](double x) { return std::sin(x); }},
    {"tanh'({})", [](double x) { return 1 - std::tanh(x) * std::tanh(x); }},
    {"sigmoid({})", [](double x) { return 1 / (1 + std::exp(-x)); }},
    {"sigmoid'({})", [](double x) { return 1 / ((1 + std::exp(-x)) * (1 + std::exp(x))); }},
    {"relu'({})", [](double x) { return x > 0 ? 1.0 : 0.0; }},
    {"sign({})", [](double x) { return double((x > 0) - (x < 0)); }},
};

/// A factor by which a chain rule may multiply, in words.
struct Factor {
    std::string text;
    Numbers values;
};

std::vector<Factor> factors(const Sides& sides) {
    std::vector<Factor> result;
    for (const auto& [name, local] : sides.context.locals) {
        if (!equal_shapes(local.shape(), sides.hand.shape())) continue;
        for (const Inner& inner : inner_derivatives) {
            Numbers values = local;
            std::transform(local.begin(), local.end(), values.begin(), inner.of);
            const auto same = [&](double x) { return x == values.data()[0]; };
            if (values.size() > 1 && std::all_of(values.begin(), values.end(), same)) continue;
            result.push_back({fmt::format(fmt::runtime(inner.text), name), std::move(values)});
        }
    }
    return result;
}

std::string times(double factor, const std::string& text) {
    return factor == 1 ? text : fmt::format("{:.6g} * {}", factor, text);
}

template <class Make>
Match with_inner_derivative(const Sides& sides, Make make) {
    for (const Factor& factor : factors(sides))
        if (const auto match = first_match({make(factor.values)}, sides))
            return recognised(times(1 / match->factor, factor.text), match->factor);
    return {};
}

/// The array as the adjoint times a factor, or two.
std::optional<std::string> as_local_derivative(const Numbers& array, const Sides& sides) {
    const auto& adjoint = sides.context.adjoint;
    if (!adjoint || !equal_shapes(adjoint->shape(), array.shape())) return {};
    const auto factor_of = [&](const Numbers& values) -> std::optional<double> {
        const auto found = proportion(array, values, sides.context);
        if (!found || (found->factor != 1 && !found->shown)) return {};
        return found->factor;
    };
    if (const auto c = factor_of(*adjoint)) return fmt::format("{:.6g}", *c);
    const std::vector<Factor> all = factors(sides);
    for (const Factor& factor : all)
        if (const auto c = factor_of(Numbers(*adjoint * factor.values))) return times(*c, factor.text);
    if (array.size() < 3) return {};  // two factors of this many fit too easily
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t k = i; k < all.size(); ++k)
            if (const auto c = factor_of(Numbers(*adjoint * all[i].values * all[k].values)))
                return times(*c, all[i].text + " * " + all[k].text);
    return {};
}

Match missing_inner_derivative(const Sides& sides) {
    auto match = with_inner_derivative(sides, [&](const Numbers& inner) {
        return Candidate{Numbers(sides.hand * inner), sides.right};
    });
    if (match)
        match->sentence = "an inner derivative is missing: the right one is the gradient times " + match->sentence;
    return match;
}

Match extra_inner_derivative(const Sides& sides) {
    auto match = with_inner_derivative(sides, [&](const Numbers& inner) {
        return Candidate{Numbers(sides.right * inner), sides.hand};
    });
    if (match) match->sentence = "the gradient has a factor too many: it is the right one times " + match->sentence;
    return match;
}

std::vector<std::size_t> differing(const Sides& sides) {
    std::vector<std::size_t> result;
    const double least = sides.context.floor * largest(sides.right);
    for (std::size_t i = 0; i < sides.right.size(); ++i)
        if (!near(sides.hand.data()[i], sides.right.data()[i], sides.context.tolerance, least)) result.push_back(i);
    return result;
}

Match one_element(const Sides& sides) {
    if (!equal_shapes(sides.hand.shape(), sides.right.shape()) || sides.right.size() < 2) return {};
    const auto wrong = differing(sides);
    if (wrong.size() != 1) return {};
    const auto index = xt::unravel_index(wrong[0], sides.right.shape());
    Comparison result = recognised(fmt::format(
        "the gradient is right but for the element at {}, which is {:.8g} and should be {:.8g}",
        index_of(wrong[0], sides.right.shape()), sides.hand.data()[wrong[0]] + 0.0, sides.right.data()[wrong[0]]));
    result.index.assign(index.begin(), index.end());
    return result;
}

Match one_branch(const Sides& sides) {
    if (!equal_shapes(sides.hand.shape(), sides.right.shape())) return {};
    const auto wrong = differing(sides);
    for (const auto& [name, local] : sides.context.locals) {
        if (!equal_shapes(local.shape(), sides.right.shape()) || wrong.empty()) continue;
        const bool positive = local.data()[wrong[0]] > 0;
        std::size_t same_side = 0;
        for (double x : local) same_side += (x > 0) == positive;
        if (same_side != wrong.size() || same_side == local.size() ||
            std::ranges::any_of(wrong, [&, &x = local](std::size_t i) { return (x.data()[i] > 0) != positive; }))
            continue;
        return recognised(fmt::format("the gradient is wrong exactly where {} is {}, and right elsewhere", name,
                                      positive ? "positive" : "not positive"));
    }
    return {};
}

Match another_input(const Sides& sides) {
    std::vector<Candidate> candidates;
    for (const auto& [name, gradient] : sides.context.others)
        candidates.push_back({sides.hand, gradient, "the gradient is that by " + name});
    return first_match(candidates, sides);
}

Match diagonal(const Sides& sides) {
    const std::size_t n = sides.right.size();
    if (!has_jacobian(sides) || sides.context.adjoint->size() != n) return {};
    Numbers on(sides.right.shape(), 0.0);
    for (std::size_t k = 0; k < n; ++k)
        on.data()[k] = sides.context.jacobian->data()[k * n + k] * sides.context.adjoint->data()[k];
    return first_match({{sides.hand, on, "the gradient counts the diagonal of the Jacobian only"},
                        {sides.hand, Numbers(sides.right - on), "the gradient lacks the diagonal of the Jacobian"}},
                       sides);
}

Match reordered(const Sides& sides) {
    Numbers hand = sides.hand, right = sides.right;
    if (hand.size() != right.size() || hand.size() < 3 || !all_finite(hand) || !all_finite(right)) return {};
    std::sort(hand.data(), hand.data() + hand.size());
    std::sort(right.data(), right.data() + right.size());
    const double least = sides.context.floor * largest(right);
    for (std::size_t i = 0; i < hand.size(); ++i)
        if (!near(hand.data()[i], right.data()[i], sides.context.tolerance, least)) return {};
    return recognised("the gradient holds the right elements in another order");
}

Match missing_term(const Sides& sides) {
    if (!equal_shapes(sides.hand.shape(), sides.right.shape())) return {};
    const auto term = as_local_derivative(Numbers(sides.right - sides.hand), sides);
    if (!term) return {};
    return recognised(fmt::format("a term is missing: the adjoint times {}", *term));
}

Match wrong_derivative(const Sides& sides) {
    const auto hand = as_local_derivative(sides.hand, sides);
    if (!hand) return {};
    const auto right = as_local_derivative(sides.right, sides);
    return recognised(fmt::format("the gradient is the adjoint times {}, and should {}", *hand,
                                  right ? "be the adjoint times " + *right : std::string("not be")));
}

/// Every relation by its stable name, the plainest first.
struct Relation {
    const char* name;
    Match (*recognise)(const Sides&);
};
constexpr Relation relations[] = {
    {"equal", equal},
    {"zero", zero},
    {"constant-factor", constant_factor},
    {"transposed", transposed},
    {"missing-sum", missing_sum},
    {"extra-sum", extra_sum},
    {"missing-adjoint", missing_adjoint},
    {"another-input", another_input},
    {"one-element", one_element},
    {"diagonal", diagonal},
    {"missing-inner-derivative", missing_inner_derivative},
    {"extra-inner-derivative", extra_inner_derivative},
    {"one-branch", one_branch},
    {"reordered", reordered},
    {"missing-term", missing_term},
    {"wrong-derivative", wrong_derivative},
};

}  // namespace

Comparison compare(const Array<double>& hand, const Array<double>& right, const CompareContext& context) {
    for (const Relation& relation : relations) {
        Match match = relation.recognise({hand, right, context});
        if (!match) continue;
        match->relation = relation.name;
        return *match;
    }
    return {};
}

}  // namespace autograd
