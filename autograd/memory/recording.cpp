#include <autograd/memory/recording.hpp>
#include <mutex>
#include <utility>

namespace autograd {

namespace {

/// The recordings that wait for a tape. They are not destroyed at the program's end, when a tape still may be.
template <class T>
struct Waiting {
    std::mutex mutex;
    Recording<T>* first = nullptr;
    Recording<T>* used_up = nullptr;

    static Waiting& instance() {
        static Waiting& all = *new Waiting;
        return all;
    }
};

}  // namespace

template <class T>
Recording<T>& Recording<T>::take(Tape<T>& tape) {
    auto& waiting = Waiting<T>::instance();
    const std::lock_guard lock(waiting.mutex);
    Recording* taken = waiting.first;
    if (taken == nullptr)
        taken = new Recording;
    else
        waiting.first = taken->next;
    taken->tape = &tape;
    return *taken;
}

template <class T>
void Recording<T>::give_back() noexcept {
    tape = nullptr;
    rewound.store(0, std::memory_order_relaxed);
    if (!is_full()) advance();
    auto& waiting = Waiting<T>::instance();
    const std::lock_guard lock(waiting.mutex);
    // Its numbers must not come again: one that is full is kept, as variables may point to it, but no tape gets it.
    Recording*& list = is_full() ? waiting.used_up : waiting.first;
    next = std::exchange(list, this);
}

template struct Recording<float>;
template struct Recording<double>;

}  // namespace autograd
