// Where the tape's memory comes from the second time: an arena for rules, a pool for adjoints.
#pragma once

#include <autograd/gradients.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace autograd {

/// Memory that is handed out piece by piece and taken back all at once; the second time round it is the same memory.
class Arena {
  public:
    void* allocate(std::size_t size, std::size_t alignment) {
        const std::uintptr_t place = (next_ + alignment - 1) & ~(alignment - 1);
        if (place + size > end_) return allocate_from_next_block(size, alignment);
        next_ = place + size;
        return reinterpret_cast<void*>(place);
    }
    void reset();
    std::size_t bytes() const;

  private:
    struct Block {
        std::unique_ptr<std::byte[]> memory;
        std::size_t size;
    };
    void* allocate_from_next_block(std::size_t size, std::size_t alignment);
    void enter(std::size_t block);

    std::vector<Block> blocks_;
    std::size_t block_ = 0;
    std::uintptr_t next_ = 0, end_ = 0;
};

/// Arrays that wait to be used again, by their number of elements.
template <class T>
class BufferPool {
  public:
    BufferPool() : shelves_(64) {}
    ~BufferPool();

    /// An array of this shape with arbitrary contents.
    Array<T>* take(const Shape& shape);
    /// Each holder gives it back.
    void give_back(Array<T>* array);

    /// One more holder. A shared array must not be written to: `own` first.
    void share(Array<T>* array) { ++static_cast<Buffer*>(array)->holders; }
    /// The array, or a copy of it where it is shared.
    Array<T>* own(Array<T>* array);

    /// A table of n empty places.
    std::unique_ptr<AdjointTable<T>> take_table(std::size_t n);
    void give_back(std::unique_ptr<AdjointTable<T>> table);

  private:
    struct Buffer;
    struct Shelf {
        std::size_t size;
        std::vector<Buffer*> waiting;
    };
    struct Buffer : Array<T> {
        Shelf* shelf;  ///< where it came from
        std::size_t holders = 1;
    };
    Shelf& shelf(std::size_t size);

    std::vector<std::unique_ptr<Shelf>> shelves_;  // an open hash table: it is asked for every adjoint
    std::size_t used_ = 0;
    std::vector<std::unique_ptr<AdjointTable<T>>> tables_;
};

}  // namespace autograd
