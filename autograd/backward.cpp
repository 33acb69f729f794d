// The walk back: one loop from the output to the beginning, since the order of recording is a topological order.
#include <fmt/format.h>
#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/edit_gradients.hpp>
#include <autograd/print.hpp>
#include <autograd/record.hpp>

namespace autograd {

void throw_rule_error(const char* operation, ShapeView gradient, ShapeView input) {
    throw GradientError(fmt::format("[{}] the derivative rule gives a gradient of shape {} for an input of shape {}",
                                    operation, to_string(gradient), to_string(input)));
}

template <class T>
void add_array(const char* operation, Array<T>& adjoint, const Array<T>& values, bool accumulate) {
    // The gradient of every bias is summed over leading axes.
    if (!kernels::sum_leading_axes(adjoint.data(), adjoint.shape(), values, accumulate))
        add_expression(operation, adjoint, kernels::Bound<T, Array<T>>(values), accumulate);
}

/// One backward pass: outputs are seeded, each rule takes a step, and what was not reached is filled with zeros.
template <class T>
class BackwardPass {
  public:
    /// `zeros`: where no output needs a gradient, zeros are given. The user's own backward throws: they would train
    /// nothing, and say nothing.
    BackwardPass(const Reel<T>& reel, std::span<const Variable<T>> ys, std::span<const Array<T>> seeds,
                 const Keep<T>& keep, bool zeros = false)
        : reel_(check(reel, ys, seeds, keep, zeros)), ys_(ys), seeds_(seeds), keep_(keep), gradients_(reel) {}

    Gradients<T> run() {
        for (const Variable<T>& y : ys_) last_ = std::max(last_, y.index());
        seed();
        for (std::uint32_t i = last_ + 1; i-- > 0;) step(i);
        fill();
        for (const auto& watched : reel_.watched())
            table_.parameters.emplace_back(watched.parameter.identity(), watched.index);
        return std::move(gradients_);
    }

    /// Several leaves may share one array, as x and y do in x + y.
    static Array<T>& own(Gradients<T>& gradients, const Parameter<T>& parameter) {
        static_cast<void>(gradients[parameter]);  // throws where there is none
        AdjointTable<T>& table = *gradients.table_;
        const auto at =
            std::ranges::find(table.parameters, parameter.identity(), &std::pair<const void*, std::uint32_t>::first);
        Array<T>*& adjoint = table.adjoints[at->second];
        return *(adjoint = gradients.pool_->own(adjoint));
    }

  private:
    static const Reel<T>& check(const Reel<T>& reel, std::span<const Variable<T>> ys, std::span<const Array<T>> seeds,
                                const Keep<T>& keep, bool zeros) {
        for (const Variable<T>& y : ys) {
            reel.check("backward", y);
            zeros |= reel.node(y.index()).requires_gradient;
        }
        if (!zeros)
            throw GradientError(
                fmt::format("[backward] no gradient flows from the output, {}: it was recorded under pause(), is "
                            "detached, or is made of constants only",
                            to_string(reel.tape(), ys.front().index())));
        for (std::size_t k = 0; k < seeds.size(); ++k)
            if (seeds[k].shape() != ys[k].shape())
                throw std::invalid_argument(fmt::format("[backward] the seed has shape {}, the output {}",
                                                        to_string(seeds[k].shape()), to_string(ys[k].shape())));
        for (const Variable<T>& x : keep.variables) {
            reel.check("backward", x);
            if (!x.requires_gradient())
                throw GradientError(fmt::format(
                    "[backward] {} is to be kept, but no gradient flows to it: it is a constant, made of constants "
                    "only, or was recorded under pause(); make it a variable of the tape",
                    to_string(reel.tape(), x.index())));
        }
        reel.check_parameters("backward");
        return reel;
    }

    /// The adjoints of the outputs: 1, or their seeds. A single seed is read where the user has it.
    void seed() {
        if (seeds_.empty())
            new_adjoint(last_).fill(T(1));
        else if (seeds_.size() == 1)
            only_seed_ = seeds_.data();
        else
            for (std::size_t k = 0; k < seeds_.size(); ++k) add_seed(k);
    }

    void step(std::uint32_t i) {
        const Node<T>& node = reel_.node(i);
        walk_.zbar = i == last_ && only_seed_ != nullptr ? only_seed_ : table_.adjoints[i];
        if (walk_.zbar == nullptr || node.rule == nullptr) return;
        {
            OnArrays<T> at(walk_, i);
            node.rule_table->on_arrays(node.rule, at);
        }
        if (reel_.trap != nullptr) [[unlikely]]
            reel_.trap->look_at_adjoints(walk_, i);
        if (!keeps(i)) pool_.give_back(std::exchange(table_.adjoints[i], nullptr));
    }

    /// What is asked for and was not reached is 0. A single seed was only read: where the output itself is asked for,
    /// as it is kept or a leaf, its adjoint is a copy of the seed.
    void fill() {
        const bool is_missing = only_seed_ != nullptr && table_.adjoints[last_] == nullptr;
        if (is_missing && (keeps(last_) || reel_.node(last_).rule == nullptr)) add_seed(0);
        const auto zero_if_missing = [&](std::uint32_t i) {
            if (table_.adjoints[i] == nullptr) new_adjoint(i).fill(T(0));
        };
        for (std::uint32_t leaf : reel_.leaves) zero_if_missing(leaf);
        for (const Variable<T>& x : keep_.variables) zero_if_missing(x.index());
        if (keep_.everything)
            for (std::uint32_t i = 0; i < reel_.size(); ++i)
                if (reel_.node(i).requires_gradient) zero_if_missing(i);
    }

    bool keeps(std::uint32_t i) const {
        return keep_.everything ||
               std::ranges::any_of(keep_.variables, [i](const Variable<T>& x) { return x.index() == i; });
    }

    Array<T>& new_adjoint(std::uint32_t i) {
        return *(table_.adjoints[i] = pool_.take(reel_.node(i).value->shape(), table_.shelves[i]));
    }

    void add_seed(std::size_t k) {
        const std::uint32_t i = ys_[k].index();
        Array<T>* adjoint = table_.adjoints[i];
        const T *seed = seeds_[k].data(), *end = seed + seeds_[k].size();
        if (adjoint == nullptr)
            std::copy(seed, end, new_adjoint(i).data());
        else
            std::transform(seed, end, adjoint->data(), adjoint->data(), std::plus<T>());
    }

    const Reel<T>& reel_;
    std::span<const Variable<T>> ys_;
    std::span<const Array<T>> seeds_;
    const Keep<T>& keep_;
    Gradients<T> gradients_;
    BufferPool<T>& pool_ = *reel_.pool;
    AdjointTable<T>& table_ = *gradients_.table_;
    ArrayWalk<T> walk_{reel_, pool_, table_, nullptr};
    const Array<T>* only_seed_ = nullptr;
    std::uint32_t last_ = 0;
};

template <class T>
Gradients<T> gradients_of(std::span<const Variable<T>> ys, std::span<const Array<T>> seeds, const Keep<T>& keep) {
    return BackwardPass<T>(Reel<T>::of("backward", ys), ys, seeds, keep, true).run();
}

template <class T>
Array<T>& own_gradient(Gradients<T>& gradients, const Parameter<T>& parameter) {
    return BackwardPass<T>::own(gradients, parameter);
}

template <class T>
Gradients<T> Tape<T>::backward(const Variable<T>& y, const Keep<T>& keep) {
    reel_.check("backward", y);
    if (const Array<T>& value = *reel_.node(y.index()).value; value.size() != 1)
        throw std::invalid_argument(fmt::format(
            "[backward] the output has shape {}, not one element: reduce it to a scalar, or pass a seed of its shape",
            to_string(value.shape())));
    return BackwardPass<T>(reel_, {&y, 1}, {}, keep).run();
}

template <class T>
Gradients<T> Tape<T>::backward(const Variable<T>& y, const Array<T>& seed, const Keep<T>& keep) {
    return BackwardPass<T>(reel_, {&y, 1}, {&seed, 1}, keep).run();
}

template <class T>
Gradients<T> Tape<T>::backward(const std::vector<Variable<T>>& ys, const std::vector<Array<T>>& seeds,
                               const Keep<T>& keep) {
    if (ys.size() != seeds.size() || ys.empty())
        throw std::invalid_argument(
            fmt::format("[backward] {} seeds are given for {} outputs", seeds.size(), ys.size()));
    return BackwardPass<T>(reel_, ys, seeds, keep).run();
}

template <class T>
Contributions<T>::Contributions(const Tape<T>& tape)
    : reel_(Reel<T>::of(tape)), recording_(reel_.identity()), table_(reel_.pool->take_table(reel_.size())) {}

template <class T>
Contributions<T>::~Contributions() {
    reel_.pool->give_back(std::move(table_));
}

template <class T>
void Contributions<T>::run(std::uint32_t index, const Array<T>& zbar) {
    if (index >= table_->adjoints.size() || index >= reel_.size() || !recording_.holds(reel_.at(index)))
        throw VariableError(fmt::format("[contributions] %{} was not recorded when these were asked for", index));
    const Node<T>& node = reel_.node(index);
    if (!equal_shapes(zbar.shape(), node.value->shape()))
        throw std::invalid_argument(fmt::format("[contributions] the adjoint has shape {}, the result of {} {}",
                                                to_string(zbar.shape()), node.operation,
                                                to_string(node.value->shape())));
    for (std::uint32_t input : inputs_) reel_.pool->give_back(std::exchange(table_->adjoints[input], nullptr));
    inputs_ = node.inputs;
    if (node.rule == nullptr) return;
    ArrayWalk<T> walk{reel_, *reel_.pool, *table_, &zbar};
    OnArrays<T> at(walk, index);
    node.rule_table->on_arrays(node.rule, at);
    // Where zbar was handed on as it is, its copy stands at the node itself.
    reel_.pool->give_back(std::exchange(table_->adjoints[index], nullptr));
}

#define INSTANTIATE(T)                                                                                           \
    template class Contributions<T>;                                                                             \
    template void add_array(const char*, Array<T>&, const Array<T>&, bool);                                      \
    template Gradients<T> gradients_of(std::span<const Variable<T>>, std::span<const Array<T>>, const Keep<T>&); \
    template Array<T>& own_gradient(Gradients<T>&, const Parameter<T>&);                                         \
    template Gradients<T> Tape<T>::backward(const Variable<T>&, const Keep<T>&);                                 \
    template Gradients<T> Tape<T>::backward(const Variable<T>&, const Array<T>&, const Keep<T>&);                \
    template Gradients<T> Tape<T>::backward(const std::vector<Variable<T>>&, const std::vector<Array<T>>&,       \
                                            const Keep<T>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd
