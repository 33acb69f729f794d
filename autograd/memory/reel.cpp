#include <fmt/format.h>
#include <algorithm>
#include <autograd/memory/reel.hpp>
#include <autograd/print.hpp>
#include <stdexcept>

namespace autograd {

template <class T>
void Reel<T>::rewind() {
    size_ = 0;
    recording_->rewound.store(recording_->now(), std::memory_order_relaxed);
    recording_->advance();
    if (recording_->is_full()) [[unlikely]] {
        recording_->give_back();
        recording_ = &Recording<T>::take(tape_);
        recording_->nodes = nodes_.data();
    }
    leaves.clear();
    watched_count_ = 0;
    arena.reset();
    Names& names = names_[names_now_ ^= 1];
    if (names.of_nodes.empty()) return;
    names.of_nodes.clear();
    names.letters.reset();
}

template <class T>
[[gnu::noinline]] void Reel<T>::add_chunk() {
    constexpr std::size_t chunk_size = 16;
    if (nodes_.capacity() < nodes_.size() + chunk_size) nodes_.reserve(2 * nodes_.size() + chunk_size);
    Node<T>* chunk = chunks_.emplace_back(std::make_unique<Node<T>[]>(chunk_size)).get();
    for (std::size_t i = 0; i < chunk_size; ++i) nodes_.push_back(chunk + i);
    recording_->nodes = nodes_.data();
}

template <class T>
Node<T>& Reel<T>::next() {
    if (walks_ > 0) [[unlikely]]
        throw VariableError(
            "[record] backward() walks the tape, and a rule records on it: a rule reads arrays by at(x), "
            "and calls no operation on variables");
    if (size_ == nodes_.size()) add_chunk();
    Node<T>& node = *nodes_[size_];
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
    return {*recording_, static_cast<std::uint32_t>(size_++)};
}

template <class T>
Variable<T> Reel<T>::commit_leaf(Node<T>& node, const char* kind, bool requires_gradient, std::string_view name) {
    const auto index = static_cast<std::uint32_t>(size_);
    node.operation = kind;
    node.requires_gradient = requires_gradient;
    if (!name.empty()) this->name(index, name);
    if (requires_gradient) leaves.push_back(index);
    ++size_;
    return {*recording_, index};
}

template <class T>
void Reel<T>::name(std::uint32_t index, std::string_view name) {
    Names& names = names_[names_now_];
    auto* copy = static_cast<char*>(names.letters.allocate(name.size(), 1));
    std::ranges::copy(name, copy);
    node(index).name = {copy, name.size()};
    names.of_nodes.emplace_back(index, node(index).name);
    // The next recording finds as much room.
    Names& next = names_[names_now_ ^ 1];
    next.letters.keep_up_with(names.letters);
    next.of_nodes.reserve(names.of_nodes.capacity());
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
    return commit_leaf(node, "parameter", true, parameter.shown_name());
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
                        operation, entry.parameter.shown_name(), user));
    }
}

template <class T>
std::string_view Reel<T>::name_before(std::uint32_t index) const {
    std::string_view found;
    for (const auto& [node, name] : names_[names_now_ ^ 1].of_nodes)
        if (node == index) found = name;  // the last that was given to it
    return found;
}

template <class T>
std::string Reel<T>::described(const Variable<T>& x) {
    if (x.number_ == 0) return "a variable that was never recorded";
    if (x.is_recorded()) return to_string(*x.recording_->tape, x.index());
    if (x.recording_->rewound.load(std::memory_order_relaxed) != x.number_) return "a variable";
    const std::string_view name = x.recording_->tape->reel_.name_before(x.index());
    return name.empty() ? fmt::format("variable %{}", x.index())
                        : fmt::format("variable \"{}\" (%{})", name, x.index());
}

template <class T>
void Reel<T>::throw_foreign(const char* operation, Variable<T> x) {
    if (!x.is_recorded()) Variable<T>::throw_not_recorded(operation, x);
    throw VariableError(fmt::format("[{}] {} belongs to another tape", operation, described(x)));
}

template <class T>
void Reel<T>::throw_no_inputs(const char* operation) {
    throw std::invalid_argument(
        fmt::format("[{}] an operation has one input or more: it is recorded on their tape", operation));
}

template class Reel<float>;
template class Reel<double>;

}  // namespace autograd
