// Where the memory of adjoints comes from the second time.
#pragma once

#include <autograd/array.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace autograd {

template <class T>
struct Shelf;

/// The adjoints of one backward pass by the number of their node; an empty place is one that was not kept.
template <class T>
struct AdjointTable {
    std::vector<Array<T>*> adjoints;
    std::vector<Shelf<T>*> shelves;  ///< where a node's adjoint was taken from the last time
    std::vector<Array<T>*> scratch;  ///< arrays that a rule evaluates on its way
    std::vector<std::pair<const void*, std::uint32_t>> parameters;  ///< by identity, with their leaf's number
    std::unique_ptr<AdjointTable> next;  ///< the one behind it, while it waits to be used again
};

/// An array of the pool.
template <class T>
struct Buffer : Array<T> {
    Shelf<T>* shelf;
    std::size_t holders = 1;
    Buffer* next = nullptr;  ///< the one behind it, while it waits to be used again
};

/// Arrays of one shape that wait to be used again: a list through themselves, so that giving one back cannot fail.
template <class T>
struct Shelf {
    Buffer<T>* first = nullptr;
};

struct HashOfShape {
    std::size_t operator()(const Shape& shape) const {
        std::size_t hash = 1;
        for (std::size_t length : shape) hash = (hash + length) * 0x9E3779B97F4A7C15u;
        return hash >> 16;
    }
};

/// Arrays that wait to be used again, by their shape.
template <class T>
class BufferPool {
  public:
    BufferPool() = default;
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    /// An array of this shape with arbitrary contents; `shelf` remembers where it came from, for the next time.
    Array<T>* take(const Shape& shape, Shelf<T>*& shelf) {
        if (shelf == nullptr || shelf->first == nullptr || !equal_shapes(shelf->first->shape(), shape))
            return find_or_make(shape, shelf);
        Buffer<T>* buffer = std::exchange(shelf->first, shelf->first->next);
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
    void give_back(Array<T>* array) noexcept;

    /// One more holder. A shared array must not be written to: `own` first.
    void share(Array<T>* array) { ++static_cast<Buffer<T>*>(array)->holders; }
    /// The array, or a copy of it where it is shared.
    Array<T>* own(Array<T>* array);

    /// A table of n empty places.
    std::unique_ptr<AdjointTable<T>> take_table(std::size_t n);
    void give_back(std::unique_ptr<AdjointTable<T>> table) noexcept;

    /// Nobody takes anything any more: the pool is destroyed when the last table is back.
    void retire() noexcept;

  private:
    ~BufferPool();
    Array<T>* find_or_make(const Shape& shape, Shelf<T>*& shelf);

    std::unordered_map<Shape, Shelf<T>, HashOfShape> shelves_;
    std::unique_ptr<AdjointTable<T>> tables_;  // that wait to be used again
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
