// Products, sums of products, which are products of matrices where they can be, and the other reductions.
#include <cmath>
#include <lab/lowering/lowerer.hpp>

namespace lab::lowering {

void Lowerer::add_factors(const Expression& e, bool divides, std::vector<Factor>& factors) const {
    if (e.kind != Kind::product || (divides && e.children.size() > 1) || softmax_of(factors_of_one(e))) {
        factors.push_back({&e, divides});
        return;
    }
    for (std::size_t i = 0; i < e.children.size(); ++i)
        add_factors(e.children[i], divides || e.joints[i] == Joint::divided, factors);
}

std::vector<Lowerer::Factor> Lowerer::factors_of_one(const Expression& e) {
    std::vector<Factor> factors;
    for (std::size_t i = 0; e.kind == Kind::product && i < e.children.size(); ++i)
        factors.push_back({&e.children[i], e.joints[i] == Joint::divided});
    return factors;
}

std::optional<int> Lowerer::softmax_of(const std::vector<Factor>& factors) const {
    if (factors.size() != 2 || factors[0].divides || !factors[1].divides) return {};
    return softmax_letter(*factors[0].e, *factors[1].e);
}

std::optional<int> Lowerer::softmax_letter(const Expression& above, const Expression& below) const {
    const auto is_exponential = [](const Expression& e) {
        return is_call(e, "exp") && !e.symbol && e.order == 0 && e.children.size() == 1;
    };
    if (!is_exponential(above) || below.kind != Kind::reduce || below.name != "sum" || below.condition() != nullptr ||
        below.letters.size() != 1 || !is_exponential(below.body()))
        return {};
    const int summed = *below.letters[0].letter;
    for (const int letter : free_of(above.argument())) {
        if (model_.letter(letter).range != model_.letter(summed).range) continue;
        Expression inner = below.body().argument();
        substitute(inner, summed, letter, model_.letter(letter).name);
        if (same(inner, above.argument())) return letter;
    }
    return {};
}

Value Lowerer::product(std::vector<Factor> factors) {
    std::optional<Value> total;
    const auto multiply = [&](const Value& value, bool divides) {
        total = !total    ? (divides ? over(number(1), value) : value)
                : divides ? over(*total, value)
                          : times(*total, value);
    };
    for (std::size_t i = 0; i < factors.size(); ++i) {
        const auto [e, divides] = factors[i];
        if (e == nullptr) continue;
        if (e->kind == Kind::product) {
            std::vector<Factor> inner = factors_of_one(*e);
            if (!divides || inner.size() > 1) {
                multiply(product(std::move(inner)), divides);
                continue;
            }
        }
        std::optional<int> letter;
        for (std::size_t k = 0; k < factors.size() && !divides && !expands_ && !letter; ++k) {
            if (factors[k].e == nullptr || !factors[k].divides) continue;
            letter = softmax_letter(*e, *factors[k].e);
            if (letter) factors[k].e = nullptr;
        }
        if (!letter) {
            multiply(record(*e), divides);
            continue;
        }
        const Value x = record(e->argument());
        const std::ptrdiff_t axis = std::ranges::find(x.axes, *letter) - x.axes.begin();
        multiply(alone(x,
                       [&](auto& z) {
                           return softmax(z, axis + 1 == static_cast<std::ptrdiff_t>(x.axes.size()) ? -1 : axis);
                       }),
                 false);
    }
    return total.value_or(number(1));
}

Value Lowerer::sum_of_products(const Expression& body, const Letters& letters) {
    std::vector<Factor> factors;
    add_factors(body, false, factors);
    std::vector<Factor> outside, inside;
    bool divides = false;
    for (const Factor& factor : factors) {
        const bool is_inside = !without(letters, without(letters, free_of(*factor.e))).empty();
        (is_inside ? inside : outside).push_back(factor);
        divides = divides || (is_inside && factor.divides);
    }
    std::vector<Value> values;
    if (divides)
        values.push_back(product(inside));
    else
        for (const Factor& factor : inside) {
            values.push_back(record(*factor.e));
            if (values.back().is_number() && values.back().number == 0) return number(0);  // h[t-1] at the first t
        }
    Letters left = letters;
    double count = 1;
    for (const int letter : letters)
        if (std::ranges::none_of(values, [&](const Value& one) { return is_among(one.axes, letter); })) {
            count *= static_cast<double>(size_of(letter));
            std::erase(left, letter);
        }
    while (!left.empty()) sum_out(values, left);
    Value total = number(count);
    for (const Value& value : values) total = times(total, value);
    if (outside.empty()) return total;
    // A number before the sum stands before it on the tape, too.
    const bool divides_all = std::ranges::all_of(outside, &Factor::divides);
    if (divides_all) {
        for (const Factor& factor : outside) total = over(total, record(*factor.e));
        return total;
    }
    return times(product(outside), total);
}

void Lowerer::sum_out(std::vector<Value>& values, Letters& left) {
    const auto count = [&](int letter) {
        return std::ranges::count_if(values, [&](const Value& one) { return is_among(one.axes, letter); });
    };
    // First what stands in fewest factors, and of these the innermost.
    const int letter =
        *std::ranges::min_element(left.rbegin(), left.rend(), [&](int a, int b) { return count(a) < count(b); });
    std::vector<Value> with, rest;
    for (Value& value : values) (is_among(value.axes, letter) ? with : rest).push_back(std::move(value));
    while (with.size() > 2) {
        // First what has the same letters, which a product of matrices can still follow; else the smallest.
        std::ranges::stable_sort(with, {}, [](const Value& one) { return one.axes.size(); });
        std::size_t one = 0, other = 1;
        for (std::size_t i = 0; i < with.size(); ++i)
            for (std::size_t k = i + 1; k < with.size(); ++k)
                if (with[i].axes.size() == with[k].axes.size() && without(with[i].axes, with[k].axes).empty())
                    std::tie(one, other) = std::pair(i, k);
        with[one] = times(with[one], with[other]);
        with.erase(with.begin() + static_cast<std::ptrdiff_t>(other));
    }
    std::optional<Value> result;
    if (with.size() == 2) result = matrix_product(with[0], with[1], letter);
    Letters gone = {letter};
    if (!result) {
        const Value whole = with.size() == 2 ? times(with[0], with[1]) : with[0];
        for (const int other : left)
            if (other != letter && is_among(whole.axes, other) &&
                std::ranges::none_of(rest, [&](const Value& one) { return is_among(one.axes, other); }))
                gone.push_back(other);
        result = reduced(whole, gone, [](const Variable& x, const Axes& axes) {
            return axes.size() == x.dimension() ? sum(x) : sum(x, axes);
        });
    }
    left = without(left, gone);
    rest.push_back(*result);
    values = std::move(rest);
}

std::optional<Value> Lowerer::matrix_product(const Value& a, const Value& b, int letter) {
    if (a.is_number() || b.is_number()) return {};
    const Letters of_a = without(a.axes, {letter}), of_b = without(b.axes, {letter});
    const Letters both = without(of_a, without(of_a, of_b));
    const Letters only_a = without(of_a, both), only_b = without(of_b, both);
    if (of_a.empty() && of_b.empty()) return {};
    const auto product = [&](const Value& x, const Letters& x_axes, const Value& y, const Letters& y_axes,
                             const Letters& axes) {
        const Variable left = *arranged(x, x_axes).node, right = *arranged(y, y_axes).node;
        const bool is_column = left.dimension() == 2 && right.dimension() == 1;
        const bool is_row = left.dimension() == 1 && right.dimension() == 2;
        return noted(is_column ? times_column(left, right)
                     : is_row  ? row_times(left, right)
                               : matmul(left, right),
                     axes);
    };
    const auto chain = [](std::initializer_list<Letters> parts) {
        Letters all;
        for (const Letters& part : parts) all.insert(all.end(), part.begin(), part.end());
        return all;
    };
    const Letters summed = {letter};
    if (!both.empty()) {
        if (only_a.size() != 1 || only_b.size() != 1) return {};
        return product(a, chain({both, only_a, summed}), b, chain({both, summed, only_b}),
                       chain({both, only_a, only_b}));
    }
    if (of_a.size() > 1 && of_b.size() > 1) return {};
    if (of_a.empty() || of_b.empty()) {
        // As it was typed: p V, W x, and W^T x for w[k,j] * x[k].
        if (of_b.empty() && !of_a.empty()) return product(a, chain({of_a, summed}), b, summed, of_a);
        if (of_a.empty() && b.axes.front() != letter) return product(b, chain({of_b, summed}), a, summed, of_b);
        if (of_b.size() > 1) return product(b, chain({of_b, summed}), a, summed, of_b);
        return product(a, summed, b, chain({summed, of_b}), of_b);
    }
    const auto first = [&](const Letters& axes) {
        return std::ranges::min(axes, {}, [&](int axis) { return rank(axis); });
    };
    const bool swapped = of_a.size() == of_b.size() ? rank(first(of_b)) < rank(first(of_a)) : of_b.size() > 1;
    const Value &x = swapped ? b : a, &y = swapped ? a : b;
    const Letters &of_x = swapped ? of_b : of_a, &of_y = swapped ? of_a : of_b;
    return product(x, chain({of_x, summed}), y, chain({summed, of_y}), chain({of_x, of_y}));
}

Value Lowerer::reduce(const Expression& e) {
    const Letters letters = derivation::bound_letters(e);
    double count = 1;
    for (const int letter : letters) count *= static_cast<double>(size_of(letter));
    const bool is_mean = e.name == "mean", is_sum = e.name == "sum" || is_mean;
    if (e.condition() == nullptr && is_sum) {
        const bool is_product = e.body().kind == Kind::product;
        if (!is_mean || is_product) {
            const Value total = sum_of_products(e.body(), letters);
            return is_mean ? over(total, number(count)) : total;
        }
    }
    Value body = record(e.body());
    std::optional<Value> condition;
    if (e.condition() != nullptr) condition = record(*e.condition());
    Letters axes = joined(condition ? condition->axes : Letters(), body.axes);
    for (const int letter : letters)
        if (!is_among(axes, letter)) axes.push_back(letter);
    body = spread(body, axes);
    std::optional<Value> counted;
    if (condition) {
        const double neutral = is_sum ? 0 : e.name == "prod" ? 1 : e.name == "max" ? -INFINITY : INFINITY;
        const Variable mask = aligned(*condition, axes);
        body = noted(where(mask, *body.node, constant(neutral)), axes);
        if (is_mean) {
            const Array<double> all = broadcast_to(mask, shape_of(axes)).value();
            counted = reduced(noted(constant(all), axes), letters,
                              [](const Variable& x, const Axes& which) { return sum(x, which); });
        }
    }
    const Value result = reduced(body, letters, [&](const Variable& x, const Axes& which) {
        const bool all = which.size() == x.dimension();
        if (e.name == "max") return all ? amax(x) : amax(x, which);
        if (e.name == "min") return all ? amin(x) : amin(x, which);
        if (e.name == "prod") return all ? prod(x) : prod(x, which);
        if (is_mean && !counted) return all ? mean(x) : mean(x, which);
        return all ? sum(x) : sum(x, which);
    });
    return counted ? over(result, *counted) : result;
}

Value Lowerer::expanded(const Expression& e) {
    std::optional<Value> total;
    double count = 0;
    const auto combined = [&](const Value& a, const Value& b) {
        if (e.name == "prod") return times(a, b);
        if (e.name == "max") return together(a, b, [](auto& x, auto& y) { return maximum(x, y); });
        if (e.name == "min") return together(a, b, [](auto& x, auto& y) { return minimum(x, y); });
        return plus(a, b, false);
    };
    each(derivation::bound_letters(e), [&] {
        if (e.condition() != nullptr) {
            const Value condition = record(*e.condition());
            if ((condition.is_number() ? condition.number : condition.node->item()) == 0) return;
        }
        const Value term = record(e.body());
        ++count;
        total = total ? combined(*total, term) : term;
    });
    if (!total) return number(e.name == "prod" ? 1 : 0);
    return e.name == "mean" ? over(*total, number(count)) : *total;
}

}  // namespace lab::lowering
