// Where the tape's memory comes from the second time: an arena for rules, a pool for adjoints.
#pragma once

#include <autograd/gradients.hpp>
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
    std::size_t bytes() const;

  private:
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

/// An array of the pool.
template <class T>
struct Buffer : Array<T> {
    Shelf<T>* shelf;
    std::size_t holders = 1;
};

/// Arrays of one size that wait to be used again.
template <class T>
struct Shelf {
    std::size_t size;
    std::vector<Buffer<T>*> waiting;
};

/// Arrays that wait to be used again, by their number of elements.
template <class T>
class BufferPool {
  public:
    BufferPool() : shelves_(64) {}
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    /// An array of this shape with arbitrary contents; `shelf` remembers where it came from, for the next time.
    Array<T>* take(const Shape& shape, Shelf<T>*& shelf) {
        if (shelf == nullptr || shelf->waiting.empty() || !equal_shapes(shelf->waiting.back()->shape(), shape))
            return find_or_make(shape, shelf);
        Buffer<T>* buffer = shelf->waiting.back();
        shelf->waiting.pop_back();
        buffer->holders = 1;
        return buffer;
    }
    Array<T>* take(const Shape& shape) {
        Shelf<T>* shelf = nullptr;
        return take(shape, shelf);
    }
    /// A node's adjoint in a table, which has this shape and no other holder: to be assigned the first time, and added
    /// to later.
    struct Place {
        Array<T>& array;
        bool accumulate;
    };
    Place place(AdjointTable<T>& table, std::uint32_t index, const Shape& shape);

    /// Each holder gives it back.
    void give_back(Array<T>* array);

    /// One more holder. A shared array must not be written to: `own` first.
    void share(Array<T>* array) { ++static_cast<Buffer<T>*>(array)->holders; }
    /// The array, or a copy of it where it is shared.
    Array<T>* own(Array<T>* array);

    /// A table of n empty places.
    std::unique_ptr<AdjointTable<T>> take_table(std::size_t n);
    void give_back(std::unique_ptr<AdjointTable<T>> table);

    /// Nobody takes anything any more: the pool is destroyed when the last table is back.
    void retire();

  private:
    ~BufferPool();
    Shelf<T>& find_shelf(std::size_t size);
    Shelf<T>& add_shelf(std::size_t size);
    std::unique_ptr<Shelf<T>>& free_place(std::size_t size);
    std::size_t start(std::size_t size) const { return next((size * 0x9E3779B97F4A7C15u >> 32) - 1); }
    std::size_t next(std::size_t i) const { return (i + 1) & (shelves_.size() - 1); }  // their number is a power of 2
    Array<T>* find_or_make(const Shape& shape, Shelf<T>*& shelf);

    std::vector<std::unique_ptr<Shelf<T>>> shelves_;  // an open hash table
    std::size_t used_ = 0;
    std::vector<std::unique_ptr<AdjointTable<T>>> tables_;
    std::size_t tables_taken_ = 0;
    bool retired_ = false;
};

/// How a tape parts with its pool.
struct RetirePool {
    template <class T>
    void operator()(BufferPool<T>* pool) const {
        pool->retire();
    }
};

}  // namespace autograd
