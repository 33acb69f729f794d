// What outlives a tape, so that a variable can tell whether it is recorded still.
#pragma once

#include <atomic>
#include <cstdint>

namespace autograd {

template <class T>
class Tape;
template <class T>
struct Node;

/// The place that a tape's variables point to. It is never freed: when its tape is gone another tape takes it over and
/// goes on counting. So a place and a number name one recording, ever, and a variable that outlived its tape finds
/// another number here instead of freed memory. Counted references would cost every copy of a variable; this costs some
/// bytes for each tape that was alive at the same time as others.
template <class T>
struct Recording {
    Tape<T>* tape = nullptr;
    Node<T>* const* nodes = nullptr;  ///< of the tape, by their number
    /// Of what is recorded now; atomic, as a variable that is left over may look while the next tape's thread counts
    /// on.
    std::atomic<std::uint32_t> number = 1;
    /// Of the recording before, where the tape that lives here rewound it: a variable of this number is that tape's
    /// own, and may ask it what it was. No number is 0.
    std::atomic<std::uint32_t> rewound = 0;
    Recording* next = nullptr;  ///< the one behind it, while it waits for a tape

    /// One that waits, or a new one.
    static Recording& take(Tape<T>& tape);
    /// Its variables are of no recording any more.
    void give_back() noexcept;

    /// The number as its tape's own thread sees it.
    std::uint32_t now() const { return number.load(std::memory_order_relaxed); }
    void advance() { number.store(now() + 1, std::memory_order_relaxed); }
    /// Whether every number has been used: then the tape must take another place.
    bool is_full() const { return now() == UINT32_MAX; }
};

}  // namespace autograd
