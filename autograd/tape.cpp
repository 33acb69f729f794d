#include <fmt/format.h>

#include <algorithm>
#include <autograd/check/nonfinite.hpp>
#include <autograd/record.hpp>
#include <autograd/tape.hpp>

namespace autograd {

template <class T>
Tape<T>::Tape() : pool_(new BufferPool<T>) {}

template <class T>
void Tape<T>::rewind() {
    size_ = 0;
    ++epoch_;
    leaves_.clear();
    watched_count_ = 0;
    arena_.reset();
}

template <class T>
[[gnu::noinline]] void Tape<T>::add_chunk() {
    chunks_.push_back(std::make_unique<Node<T>[]>(chunk_size));
    for (std::size_t i = 0; i < chunk_size; ++i) chunks_.back()[i].tape = this;
}

template <class T>
Node<T>& Tape<T>::next() {
    if (size_ == chunks_.size() * chunk_size) add_chunk();
    Node<T>& node = chunks_[size_ / chunk_size][size_ % chunk_size];
    node.value = &node.storage;
    node.inputs = {};
    node.name = {};
    node.rule_table = nullptr;
    node.rule = nullptr;
    node.requires_gradient = false;
    return node;
}

template <class T>
Variable<T> Tape<T>::commit(Node<T>& node, const char* operation, std::span<const Variable<T>> inputs) {
    auto* indices =
        static_cast<std::uint32_t*>(arena_.allocate(inputs.size() * sizeof(std::uint32_t), alignof(std::uint32_t)));
    std::ranges::transform(inputs, indices, &Variable<T>::index);
    node.inputs = {indices, inputs.size()};
    node.operation = operation;
    node.requires_gradient = node.rule != nullptr;
    if (traps_nonfinite_ && !all_finite(node.storage)) [[unlikely]]
        throw_nonfinite_value(*this, node);
    return {node, static_cast<std::uint32_t>(size_++), epoch_};
}

template <class T>
Variable<T> Tape<T>::commit_leaf(const char* kind, bool requires_gradient, Node<T>& node, std::string_view name) {
    node.operation = kind;
    node.requires_gradient = requires_gradient;
    if (node.requires_gradient) leaves_.push_back(static_cast<std::uint32_t>(size_));
    node.name = store(name);
    return {node, static_cast<std::uint32_t>(size_++), epoch_};
}

template <class T>
std::string_view Tape<T>::store(std::string_view text) {
    const std::span<const char> copy = store(std::span<const char>(text));
    return {copy.data(), copy.size()};
}

template <class T>
Variable<T> Tape<T>::watch(const Parameter<T>& parameter) {
    // A training loop watches the same parameters in the same order: then each is found where it was.
    if (watched_count_ == watched_.size() || watched_[watched_count_].parameter != parameter) {
        for (const Watched& earlier : watched())
            if (earlier.parameter == parameter) {
                if (earlier.version != parameter.version()) check_parameters("watch");
                return at(earlier.index);
            }
        watched_.resize(watched_count_);
        watched_.push_back({parameter, 0, 0});
    }
    Watched& entry = watched_[watched_count_++];
    entry.version = parameter.version();
    entry.index = static_cast<std::uint32_t>(size_);
    Node<T>& node = next();
    node.value = &parameter.value();
    return commit_leaf("parameter", true, node, parameter.name());
}

template <class T>
Variable<T> Tape<T>::name(const Variable<T>& x, std::string_view name) {
    check("name", x);
    chunks_[x.index() / chunk_size][x.index() % chunk_size].name = store(name);
    return x;
}

template <class T>
void Tape<T>::check_parameters(const char* operation) const {
    for (const Watched& entry : watched()) {
        if (entry.parameter.version() == entry.version) continue;
        std::string user;
        for (std::uint32_t i = entry.index + 1; i < size_ && user.empty(); ++i)
            if (std::ranges::count(node(i).inputs, entry.index) != 0)
                user = fmt::format(", and {} (%{}) needs the old value", node(i).operation, i);
        throw GradientError(
            fmt::format("[{}] parameter '{}' was changed after it was recorded{}; call rewind() and record again",
                        operation, entry.parameter.name(), user));
    }
}

template <class T>
void Tape<T>::throw_foreign(const char* operation, const Variable<T>& x) const {
    if (!x.on(*this)) throw VariableError(fmt::format("[{}] a variable belongs to another tape", operation));
    throw VariableError(
        fmt::format("[{}] a variable is from before rewind() and no longer has a value; record it again", operation));
}

template <class T>
Gradients<T> Tape<T>::backward(const Variable<T>& y, const Keep<T>& keep) {
    check("backward", y);
    if (y.size() != 1)
        throw std::invalid_argument(fmt::format(
            "[backward] the output has shape {}, not one element: reduce it to a scalar, or pass a seed of its shape",
            to_string(y.shape())));
    return walk({&y, 1}, {}, keep);
}

template <class T>
Gradients<T> Tape<T>::backward(const Variable<T>& y, const Array<T>& seed, const Keep<T>& keep) {
    return walk({&y, 1}, {&seed, 1}, keep);
}

template <class T>
Gradients<T> Tape<T>::backward(const std::vector<Variable<T>>& ys, const std::vector<Array<T>>& seeds,
                               const Keep<T>& keep) {
    if (ys.size() != seeds.size() || ys.empty())
        throw std::invalid_argument(
            fmt::format("[backward] {} seeds are given for {} outputs", seeds.size(), ys.size()));
    return walk(ys, seeds, keep);
}

template <class T>
Gradients<T> Tape<T>::walk(std::span<const Variable<T>> ys, std::span<const Array<T>> seeds, const Keep<T>& keep) {
    std::uint32_t last = 0;
    for (const Variable<T>& y : ys) {
        check("backward", y);
        last = std::max(last, y.index());
    }
    for (std::size_t k = 0; k < seeds.size(); ++k)
        if (seeds[k].shape() != ys[k].shape())
            throw std::invalid_argument(fmt::format("[backward] the seed has shape {}, the output {}",
                                                    to_string(seeds[k].shape()), to_string(ys[k].shape())));
    for (const Variable<T>& x : keep.variables) check("backward", x);
    check_parameters("backward");

    Gradients<T> gradients(*pool_, pool_->take_table(size_), epoch_);
    AdjointTable<T>& table = gradients.table();
    for (const auto& chunk : chunks_) table.chunks.push_back(chunk.get());
    std::vector<Array<T>*>& adjoints = table.adjoints;
    const auto copy_seed = [&](std::size_t k) {
        Array<T>*& adjoint = adjoints[ys[k].index()];
        const T* seed = seeds[k].data();
        if (adjoint != nullptr)
            return void(std::transform(seed, seed + seeds[k].size(), adjoint->data(), adjoint->data(), std::plus<T>()));
        adjoint = pool_->take(seeds[k].shape());
        std::copy_n(seed, seeds[k].size(), adjoint->data());
    };
    const Array<T>* only_seed = seeds.size() == 1 ? seeds.data() : nullptr;  // is read where it is
    if (seeds.empty()) {
        adjoints[last] = pool_->take(ys.front().shape(), table.shelves[last]);
        adjoints[last]->fill(T(1));
    } else if (only_seed == nullptr) {
        for (std::size_t k = 0; k < seeds.size(); ++k) copy_seed(k);
    }
    const auto kept = [&](std::uint32_t index) {
        return keep.everything ||
               std::ranges::any_of(keep.variables, [index](const Variable<T>& x) { return x.index() == index; });
    };
    ArrayWalk<T> walk{*this, *pool_, table, nullptr};
    for (std::uint32_t i = last + 1; i-- > 0;) {
        const Node<T>& current = node(i);
        walk.zbar = i == last && only_seed != nullptr ? only_seed : adjoints[i];
        if (walk.zbar == nullptr || current.rule == nullptr) continue;
        {
            OnArrays<T> at(walk, i);
            current.rule_table->on_arrays(current.rule, at);
        }
        if (traps_nonfinite_) [[unlikely]]
            check_adjoints(walk, i);
        if (!kept(i)) {
            pool_->give_back(adjoints[i]);
            adjoints[i] = nullptr;
        }
    }
    if (only_seed != nullptr && adjoints[last] == nullptr && (kept(last) || node(last).rule == nullptr)) copy_seed(0);

    const auto fill = [&](std::uint32_t index) {
        if (adjoints[index] != nullptr) return;
        adjoints[index] = pool_->take(node(index).value->shape(), table.shelves[index]);
        adjoints[index]->fill(T(0));
    };
    for (std::uint32_t leaf : leaves_) fill(leaf);
    for (const Variable<T>& x : keep.variables) fill(x.index());
    if (keep.everything)
        for (std::uint32_t i = 0; i < size_; ++i) fill(i);
    for (const Watched& entry : watched()) table.parameters.emplace_back(entry.parameter.identity(), entry.index);
    return gradients;
}

template <class T>
Gradients<T>::Gradients(BufferPool<T>& pool, std::unique_ptr<AdjointTable<T>> table, std::uint32_t epoch)
    : pool_(&pool), table_(std::move(table)), epoch_(epoch) {}

template <class T>
Gradients<T>::Gradients(Gradients&& other) noexcept = default;

template <class T>
Gradients<T>& Gradients<T>::operator=(Gradients&& other) noexcept {
    release();
    pool_ = other.pool_;
    table_ = std::move(other.table_);
    epoch_ = other.epoch_;
    return *this;
}

template <class T>
Gradients<T>::~Gradients() {
    release();
}

template <class T>
void Gradients<T>::release() {
    if (table_ != nullptr) pool_->give_back(std::move(table_));
}

template <class T>
const Array<T>& Gradients<T>::operator[](const Variable<T>& x) const {
    const std::size_t chunk = x.index() / Tape<T>::chunk_size, place = x.index() % Tape<T>::chunk_size;
    if (x.epoch() != epoch_ || x.index() >= table_->adjoints.size() || !x.is_at(table_->chunks[chunk] + place))
        throw VariableError(
            "[gradients] the variable belongs to another recording than these gradients, or to what was recorded after "
            "them");
    const Array<T>* adjoint = table_->adjoints[x.index()];
    if (adjoint == nullptr)
        throw GradientError(
            "[gradients] the adjoint of an inner variable or of a constant was not kept: call backward(y, {x}) to keep "
            "it, or backward(y, Keep<T>::all()) to keep every one");
    return *adjoint;
}

template <class T>
const Array<T>* Gradients<T>::find(const Parameter<T>& parameter) const {
    for (const auto& [identity, index] : table_->parameters)
        if (identity == parameter.identity()) return table_->adjoints[index];
    return nullptr;
}

template <class T>
const Array<T>& Gradients<T>::operator[](const Parameter<T>& parameter) const {
    if (const Array<T>* gradient = find(parameter)) return *gradient;
    throw GradientError(fmt::format("[gradients] the recording did not watch parameter '{}'", parameter.name()));
}

template <class T>
T Variable<T>::item() const {
    const Array<T>& array = value();
    if (array.size() != 1)
        throw std::invalid_argument(
            fmt::format("[item] an array of shape {} is not one number", to_string(array.shape())));
    return *array.data();
}

template <class T>
std::string_view Variable<T>::name() const {
    value();
    return node_->name;
}

template <class T>
const char* Variable<T>::operation() const {
    value();
    return node_->operation;
}

template <class T>
bool Variable<T>::requires_gradient() const {
    value();
    return node_->requires_gradient;
}

template <class T>
Variable<T> Variable<T>::detach() const {
    return tape().constant(value(), name());
}

template <class T>
void Variable<T>::throw_unrecorded() {
    throw VariableError("a variable was used that was never recorded");
}

void throw_rule_error(const char* operation, ShapeView gradient, ShapeView input) {
    throw GradientError(fmt::format("[{}] the derivative rule gives a gradient of shape {} for an input of shape {}",
                                    operation, to_string(gradient), to_string(input)));
}

template <class T>
void add_array(const char* operation, Array<T>& adjoint, const Array<T>& values, bool accumulate) {
    // As the gradient of every bias is.
    if (!sum_leading_axes(adjoint.data(), adjoint.shape(), values, accumulate))
        add_expression(operation, adjoint, expressions::Bound<T, Array<T>>(values), accumulate);
}

bool sums_to(ShapeView from, ShapeView to) {
    if (to.size() > from.size()) return false;
    const std::size_t offset = from.size() - to.size();
    for (std::size_t i = 0; i < to.size(); ++i)
        if (to[i] != 1 && to[i] != from[offset + i]) return false;
    return true;
}

#define INSTANTIATE(T)           \
    template class Tape<T>;      \
    template class Gradients<T>; \
    template class Variable<T>;  \
    template void add_array(const char*, Array<T>&, const Array<T>&, bool);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd
