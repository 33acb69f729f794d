#include <autograd/memory/recording.hpp>
#include <mutex>

namespace autograd {

namespace {

/// The recordings that wait for a tape. They are not destroyed at the program's end, when a tape still may be.
template <class T>
struct Waiting {
    std::mutex mutex;
    Recording<T>* first = nullptr;

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
    advance();
    if (is_full()) return;  // its numbers must not come again: no tape gets it any more
    auto& waiting = Waiting<T>::instance();
    const std::lock_guard lock(waiting.mutex);
    next = waiting.first;
    waiting.first = this;
}

template struct Recording<float>;
template struct Recording<double>;

}  // namespace autograd
