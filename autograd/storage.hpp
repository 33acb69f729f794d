// Where the tape's memory comes from the second time: an arena for rules, a pool for adjoints.
#pragma once

#include <autograd/gradients.hpp>
#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

namespace autograd {

/// Memory that is handed out piece by piece and taken back all at once; the second time round it is the same memory.
class Arena {
  public:
    void* allocate(std::size_t size, std::size_t alignment);
    void reset();
    std::size_t bytes() const;

  private:
    struct Block {
        std::unique_ptr<std::byte[]> memory;
        std::size_t size;
    };
    std::vector<Block> blocks_;
    std::size_t block_ = 0;
    std::size_t used_ = 0;
};

/// Arrays that wait to be used again, by their number of elements.
template <class T>
class BufferPool {
  public:
    /// An array of this shape with arbitrary contents.
    Array<T>* take(const Shape& shape);
    void give_back(Array<T>* array);

    /// A table of n empty places.
    std::unique_ptr<AdjointTable<T>> take_table(std::size_t n);
    void give_back(std::unique_ptr<AdjointTable<T>> table);

    ~BufferPool();

  private:
    std::unordered_map<std::size_t, std::vector<Array<T>*>> waiting_;
    std::vector<std::unique_ptr<AdjointTable<T>>> tables_;
};

}  // namespace autograd
