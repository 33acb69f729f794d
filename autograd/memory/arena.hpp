// Memory for what lives as long as a recording: rules, and what they capture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace autograd {

/// Memory that is handed out piece by piece and taken back all at once; the second time round it is the same memory.
class Arena {
  public:
    Arena() = default;
    ~Arena() { reset(); }
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    void* allocate(std::size_t size, std::size_t alignment) {
        const std::uintptr_t place = (next_ + alignment - 1) & ~(alignment - 1);
        if (place + size > end_) return allocate_from_next_block(size, alignment);
        next_ = place + size;
        return reinterpret_cast<void*>(place);
    }
    /// Makes an object here, a copy or what was moved from the given one, that lives until `reset`.
    template <class U>
    const std::decay_t<U>* make(U&& object) {
        using T = std::decay_t<U>;
        T* place = new (allocate(sizeof(T), alignof(T))) T(std::forward<U>(object));
        if constexpr (!std::is_trivially_destructible_v<T>)
            owned_.push_back({place, [](void* owned) { static_cast<T*>(owned)->~T(); }});
        return place;
    }
    void reset();
    /// Takes as much memory as another has.
    void keep_up_with(const Arena& other) {
        if (blocks_.size() < other.blocks_.size()) [[unlikely]]
            grow_like(other);
    }
    std::size_t bytes() const;

  private:
    void grow_like(const Arena& other);
    struct Block {
        std::unique_ptr<std::byte[]> memory;
        std::size_t size;
    };
    struct Owned {
        void* object;
        void (*destroy)(void*);
    };
    void* allocate_from_next_block(std::size_t size, std::size_t alignment);
    void enter(std::size_t block);

    std::vector<Block> blocks_;
    std::vector<Owned> owned_;
    std::size_t block_ = 0;
    std::uintptr_t next_ = 0, end_ = 0;
};

}  // namespace autograd
