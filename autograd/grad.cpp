#include <fmt/format.h>

#include <algorithm>
#include <autograd/grad.hpp>
#include <autograd/operations/partners.hpp>
#include <utility>

namespace autograd {

template <class T>
void OnVariables<T>::Adjoint::add(const Variable<T>& e) const {
    VariableWalk<T>& walk = at_.walk_;
    const Shape& shape = node_at(walk.tape, input_).value->shape();
    Variable<T> gradient = e;
    if (e.shape() != shape) {
        if (!sums_to(e.shape(), shape)) throw_rule_error(node_at(walk.tape, at_.index_).operation, e.shape(), shape);
        Shape kept(e.dimension());
        std::fill(kept.begin(), kept.end(), std::size_t{1});
        std::copy(shape.begin(), shape.end(), kept.end() - static_cast<std::ptrdiff_t>(shape.size()));
        gradient = autograd::sum_to(e, kept, shape);
    }
    std::optional<Variable<T>>& adjoint = walk.adjoints[input_];
    adjoint = adjoint ? *adjoint + gradient : gradient;
}

namespace {

/// Operations on constants alone have no rules: a derivative by a constant that goes through one would lack a part.
template <class T>
void check_no_rule_is_missing(const Reel<T>& reel, std::span<const Variable<T>> ys, std::span<const Variable<T>> xs,
                              std::size_t count) {
    if (std::ranges::all_of(xs, &Variable<T>::requires_gradient)) return;
    std::vector<char> depends(count, false), lacks(count, false);
    for (const Variable<T>& x : xs)
        if (!x.requires_gradient() && x.index() < count) depends[x.index()] = true;
    for (std::uint32_t i = 0; i < count; ++i)
        for (std::uint32_t k : reel.node(i).inputs) {
            lacks[i] |= lacks[k] || (depends[k] && reel.node(i).rule == nullptr);
            depends[i] |= depends[k];
        }
    for (const Variable<T>& y : ys)
        if (lacks[y.index()])
            throw GradientError(
                "[grad] a derivative by a constant goes through operations on constants alone, or recorded under "
                "pause(), which have no rules: make the constant a variable of the tape");
}

/// A walk in memory that the thread keeps. A rule that walks itself finds none, and makes its own.
template <class T>
struct KeptWalk : VariableWalk<T> {
    KeptWalk(Tape<T>& of, std::size_t count) : VariableWalk<T>{of, std::move(kept.adjoints), std::move(kept.wanted)} {
        this->adjoints.assign(count, std::nullopt);
        this->wanted.assign(count, false);
    }
    ~KeptWalk() { kept = {std::move(this->adjoints), std::move(this->wanted)}; }
    KeptWalk(const KeptWalk&) = delete;
    KeptWalk& operator=(const KeptWalk&) = delete;

    struct Memory {
        std::vector<std::optional<Variable<T>>> adjoints;
        std::vector<char> wanted;
    };
    static thread_local Memory kept;
};
template <class T>
thread_local typename KeptWalk<T>::Memory KeptWalk<T>::kept;

/// The derivatives of `sum(seeds * ys)` by xs, as many `gradients`.
template <class T>
void walk_back(std::span<const Variable<T>> ys, std::span<const Variable<T>> xs, std::span<const Variable<T>> seeds,
               std::span<Variable<T>> gradients) {
    Tape<T>& tape = ys.front().tape();
    const Reel<T>& reel = Reel<T>::of(tape);
    reel.check_parameters("grad");
    std::size_t count = 0;
    for (std::size_t k = 0; k < ys.size(); ++k) {
        reel.check("grad", ys[k]);
        reel.check("grad", seeds[k]);
        if (seeds[k].shape() != ys[k].shape())
            throw std::invalid_argument(fmt::format("[grad] the seed has shape {}, the output {}",
                                                    to_string(seeds[k].shape()), to_string(ys[k].shape())));
        count = std::max(count, ys[k].index() + std::size_t{1});
    }

    KeptWalk<T> walk(tape, count);
    for (const Variable<T>& x : xs) {
        reel.check("grad", x);
        if (x.index() < count) walk.wanted[x.index()] = true;
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        const Node<T>& node = reel.node(i);
        if (node.rule != nullptr && std::ranges::any_of(node.inputs, [&](std::uint32_t k) { return walk.wanted[k]; }))
            walk.wanted[i] = true;
    }

    check_no_rule_is_missing(reel, ys, xs, count);

    for (std::size_t k = 0; k < ys.size(); ++k) {
        std::optional<Variable<T>>& adjoint = walk.adjoints[ys[k].index()];
        adjoint = adjoint ? *adjoint + seeds[k] : seeds[k];
    }
    for (auto i = static_cast<std::uint32_t>(count); i-- > 0;) {
        const Node<T>& node = reel.node(i);
        if (!walk.wanted[i] || !walk.adjoints[i] || node.rule == nullptr) continue;
        if (std::ranges::none_of(node.inputs, [&](std::uint32_t k) { return walk.wanted[k]; })) continue;
        if (node.rule_table->on_variables == nullptr)
            throw GradientError(
                fmt::format("[{}] has no second derivative: its rule is written for arrays only", node.operation));
        OnVariables<T> at(walk, i);
        try {
            node.rule_table->on_variables(node.rule, at);
        } catch (const NonfiniteError& error) {
            throw NonfiniteError(
                fmt::format("{}; recorded for the derivative of {} (%{})", error.what(), node.operation, i));
        }
    }

    for (std::size_t k = 0; k < xs.size(); ++k) {
        const Variable<T>& x = xs[k];
        const bool reached = x.index() < count && walk.adjoints[x.index()];
        gradients[k] = reached ? *walk.adjoints[x.index()] : tape.constant(Array<T>(xt::zeros<T>(x.shape())));
    }
}

template <class T>
std::vector<Variable<T>> walk_back(std::span<const Variable<T>> ys, const std::vector<Variable<T>>& xs,
                                   std::span<const Variable<T>> seeds) {
    std::vector<Variable<T>> gradients(xs.size());
    walk_back<T>(ys, xs, seeds, gradients);
    return gradients;
}

template <class T>
Variable<T> seed_of(const Variable<T>& y) {
    if (y.size() != 1)
        throw std::invalid_argument(
            fmt::format("[grad] the output has shape {}, not one element: reduce it to a scalar, or call vjp with a "
                        "seed of its shape",
                        to_string(y.shape())));
    const Variable<T> one = y.tape().constant(1);
    return y.dimension() == 0 ? one : reshape(one, y.shape());
}

template <class T, class Directions>
void check_directions(const char* operation, const std::vector<Variable<T>>& xs, const Directions& directions) {
    if (xs.size() != directions.size())
        throw std::invalid_argument(
            fmt::format("[{}] {} directions are given for {} variables", operation, directions.size(), xs.size()));
    for (std::size_t i = 0; i < xs.size(); ++i)
        if (!equal_shapes(xs[i].shape(), directions[i].shape()))
            throw std::invalid_argument(fmt::format("[{}] direction {} has shape {}, its variable {}", operation, i,
                                                    to_string(directions[i].shape()), to_string(xs[i].shape())));
}

/// While it lives rules are recorded, also under pause(): what is differentiated twice has to have them in between.
template <class T>
class Recorded {
  public:
    explicit Recorded(Tape<T>& tape) : reel_(Reel<T>::of(tape)), pauses_(std::exchange(reel_.pauses, 0)) {}
    ~Recorded() { reel_.pauses = pauses_; }
    Recorded(const Recorded&) = delete;
    Recorded& operator=(const Recorded&) = delete;

  private:
    Reel<T>& reel_;
    const int pauses_;
};

/// `grad` and `vjp` for a derivative that is differentiated again.
template <class T>
std::vector<Variable<T>> differentiable_grad(const Variable<T>& y, const std::vector<Variable<T>>& xs) {
    const Recorded<T> recorded(y.tape());
    return grad(y, xs);
}
template <class T>
std::vector<Variable<T>> differentiable_vjp(const Variable<T>& y, const std::vector<Variable<T>>& xs,
                                            const Variable<T>& seed) {
    const Recorded<T> recorded(y.tape());
    return vjp(y, xs, seed);
}

}  // namespace

template <class T>
std::vector<Variable<T>> grad(const Variable<T>& y, const std::vector<Variable<T>>& xs) {
    const Variable<T> seed = seed_of(y);
    return walk_back<T>({&y, 1}, xs, {&seed, 1});
}

template <class T>
Variable<T> grad(const Variable<T>& y, const Variable<T>& x) {
    const Variable<T> seed = seed_of(y);
    Variable<T> gradient;
    walk_back<T>({&y, 1}, {&x, 1}, {&seed, 1}, {&gradient, 1});
    return gradient;
}

template <class T>
std::vector<Variable<T>> vjp(const Variable<T>& y, const std::vector<Variable<T>>& xs, const Variable<T>& seed) {
    return walk_back<T>({&y, 1}, xs, {&seed, 1});
}

template <class T>
Variable<T> jvp(const Variable<T>& y, const std::vector<Variable<T>>& xs, const std::vector<Variable<T>>& directions) {
    check_directions("jvp", xs, directions);
    if (xs.empty()) return y.tape().constant(Array<T>(xt::zeros<T>(y.shape())));
    // v -> v^T J is linear in v: its own derivative along u is J u.
    const Variable<T> v = y.tape().variable(Array<T>(xt::zeros<T>(y.shape())));
    return walk_back<T>(differentiable_vjp(y, xs, v), {v}, directions).front();
}

template <class T>
std::vector<Array<T>> hvp(const Variable<T>& y, const std::vector<Variable<T>>& xs,
                          const std::vector<Array<T>>& directions) {
    check_directions("hvp", xs, directions);
    if (xs.empty()) return {};
    const Gradients<T> products = gradients_of<T>(differentiable_grad(y, xs), directions, Keep<T>(xs));
    std::vector<Array<T>> arrays;
    arrays.reserve(xs.size());
    for (const Variable<T>& x : xs) arrays.push_back(products[x]);
    return arrays;
}

template <class T>
Array<T> jacobian(const Variable<T>& y, const Variable<T>& x) {
    Reel<T>::of(y.tape()).check("jacobian", x);
    Shape shape = y.shape();
    for (std::size_t length : x.shape()) shape.push_back(length);
    Array<T> result = Array<T>::from_shape(shape);
    Array<T> seed(xt::zeros<T>(y.shape()));
    for (std::size_t i = 0; i < y.size(); ++i) {
        seed.data()[i] = T(1);
        const Gradients<T> gradients = gradients_of<T>({&y, 1}, {&seed, 1}, Keep<T>{x});
        std::copy_n(gradients[x].data(), x.size(), result.data() + i * x.size());
        seed.data()[i] = T(0);
    }
    return result;
}

template <class T>
Array<T> hessian(const Variable<T>& y, const Variable<T>& x) {
    return jacobian(differentiable_grad(y, {x}).front(), x);
}

#define INSTANTIATE(T)                                                                                              \
    template class OnVariables<T>;                                                                                  \
    template std::vector<Variable<T>> grad(const Variable<T>&, const std::vector<Variable<T>>&);                    \
    template Variable<T> grad(const Variable<T>&, const Variable<T>&);                                              \
    template std::vector<Variable<T>> vjp(const Variable<T>&, const std::vector<Variable<T>>&, const Variable<T>&); \
    template Variable<T> jvp(const Variable<T>&, const std::vector<Variable<T>>&, const std::vector<Variable<T>>&); \
    template std::vector<Array<T>> hvp(const Variable<T>&, const std::vector<Variable<T>>&,                         \
                                       const std::vector<Array<T>>&);                                               \
    template Array<T> jacobian(const Variable<T>&, const Variable<T>&);                                             \
    template Array<T> hessian(const Variable<T>&, const Variable<T>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd
