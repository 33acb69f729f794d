#include <algorithm>
#include <autograd/storage.hpp>

namespace autograd {

void* Arena::allocate(std::size_t size, std::size_t alignment) {
    constexpr std::size_t block_size = std::size_t{1} << 14;
    for (;; ++block_, used_ = 0) {
        if (block_ == blocks_.size()) {
            const std::size_t bytes = std::max(block_size, size + alignment);
            blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(bytes), bytes});
        }
        Block& block = blocks_[block_];
        void* place = block.memory.get() + used_;
        std::size_t space = block.size - used_;
        if (std::align(alignment, size, place, space)) {
            used_ = block.size - space + size;
            return place;
        }
    }
}

void Arena::reset() {
    block_ = 0;
    used_ = 0;
}

std::size_t Arena::bytes() const {
    std::size_t bytes = 0;
    for (const Block& block : blocks_) bytes += block.size;
    return bytes;
}

template <class T>
Array<T>* BufferPool<T>::take(const Shape& shape) {
    std::vector<Array<T>*>& waiting = waiting_[size_of(shape)];
    if (waiting.empty()) return new Array<T>(Array<T>::from_shape(shape));
    Array<T>* array = waiting.back();
    waiting.pop_back();
    array->resize(shape);
    return array;
}

template <class T>
void BufferPool<T>::give_back(Array<T>* array) {
    if (array != nullptr) waiting_[array->size()].push_back(array);
}

template <class T>
std::unique_ptr<AdjointTable<T>> BufferPool<T>::take_table(std::size_t n) {
    std::unique_ptr<AdjointTable<T>> table;
    if (tables_.empty()) {
        table = std::make_unique<AdjointTable<T>>();
    } else {
        table = std::move(tables_.back());
        tables_.pop_back();
    }
    table->adjoints.assign(n, nullptr);
    return table;
}

template <class T>
void BufferPool<T>::give_back(std::unique_ptr<AdjointTable<T>> table) {
    for (Array<T>* array : table->adjoints) give_back(array);
    for (Array<T>* array : table->scratch) give_back(array);
    table->adjoints.clear();
    table->scratch.clear();
    table->parameters.clear();
    tables_.push_back(std::move(table));
}

template <class T>
BufferPool<T>::~BufferPool() {
    for (auto& [size, arrays] : waiting_)
        for (Array<T>* array : arrays) delete array;
}

template class BufferPool<float>;
template class BufferPool<double>;

}  // namespace autograd
