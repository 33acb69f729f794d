#include <fmt/format.h>
#include <algorithm>
#include <autograd/memory/reel.hpp>
#include <autograd/tape.hpp>

namespace autograd {

template <class T>
void Reel<T>::rewind() {
    size_ = 0;
    recording_->advance();
    if (recording_->is_full()) [[unlikely]] {
        recording_->give_back();
        recording_ = &Recording<T>::take(tape_);
    }
    leaves.clear();
    watched_count_ = 0;
    arena.reset();
}

template <class T>
[[gnu::noinline]] void Reel<T>::add_chunk() {
    chunks_.push_back(std::make_unique<Node<T>[]>(chunk_size));
}

template <class T>
Node<T>& Reel<T>::next() {
    if (size_ == chunks_.size() * chunk_size) add_chunk();
    Node<T>& node = chunks_[size_ / chunk_size][size_ % chunk_size];
    node.value = &node.storage;
    node.inputs = {};
    node.name = {};
    node.rule_table = nullptr;
    node.rule = nullptr;
    node.requires_gradient = false;
    node.elementwise = false;
    return node;
}

template <class T>
Variable<T> Reel<T>::commit(Node<T>& node, const char* operation, std::span<const Variable<T>> inputs) {
    auto* indices =
        static_cast<std::uint32_t*>(arena.allocate(inputs.size() * sizeof(std::uint32_t), alignof(std::uint32_t)));
    std::ranges::transform(inputs, indices, &Variable<T>::index);
    node.inputs = {indices, inputs.size()};
    node.operation = operation;
    node.requires_gradient = node.rule != nullptr;
    if (trap != nullptr) [[unlikely]]
        trap->look_at_value(tape_, node);
    return {node, *recording_, static_cast<std::uint32_t>(size_++)};
}

template <class T>
Variable<T> Reel<T>::commit_leaf(Node<T>& node, const char* kind, bool requires_gradient, std::string_view name) {
    node.operation = kind;
    node.requires_gradient = requires_gradient;
    if (requires_gradient) leaves.push_back(static_cast<std::uint32_t>(size_));
    node.name = store(name);
    return {node, *recording_, static_cast<std::uint32_t>(size_++)};
}

template <class T>
std::string_view Reel<T>::store(std::string_view text) {
    if (text.empty()) return {};
    auto* copy = static_cast<char*>(arena.allocate(text.size(), 1));
    std::ranges::copy(text, copy);
    return {copy, text.size()};
}

template <class T>
Variable<T> Reel<T>::watch(const Parameter<T>& parameter) {
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
    return commit_leaf(node, "parameter", true, parameter.name());
}

template <class T>
void Reel<T>::check_parameters(const char* operation) const {
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
void Reel<T>::throw_foreign(const char* operation, const Variable<T>& x) const {
    if (!x.is_recorded()) throw_not_recorded(operation, x);
    throw VariableError(fmt::format("[{}] a variable belongs to another tape", operation));
}

template <class T>
void Reel<T>::throw_not_recorded(const char* operation, const Variable<T>& x) {
    if (x.recording_ == nullptr)
        throw VariableError(fmt::format("[{}] a variable was used that was never recorded", operation));
    throw VariableError(fmt::format(
        "[{}] a variable is from before rewind(), or its tape is gone, and it no longer has a value; record "
        "it again",
        operation));
}

template class Reel<float>;
template class Reel<double>;

}  // namespace autograd
