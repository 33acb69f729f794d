#include <algorithm>
#include <autograd/memory/pool.hpp>

namespace autograd {

void* Arena::allocate_from_next_block(std::size_t size, std::size_t alignment) {
    // Blocks grow: a short tape should not pay for a long one.
    const std::size_t block_size = std::size_t{1024} << std::min<std::size_t>(blocks_.size(), 6);
    do {
        if (next_ != 0) ++block_;
        if (block_ == blocks_.size()) {
            const std::size_t bytes = std::max(block_size, size + alignment);
            blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(bytes), bytes});
        }
        enter(block_);
    } while (size + alignment > end_ - next_);
    return allocate(size, alignment);
}

void Arena::enter(std::size_t block) {
    block_ = block;
    next_ = reinterpret_cast<std::uintptr_t>(blocks_[block].memory.get());
    end_ = next_ + blocks_[block].size;
}

void Arena::reset() {
    for (const Owned& owned : owned_) owned.destroy(owned.object);
    owned_.clear();
    if (!blocks_.empty()) enter(0);
}

std::size_t Arena::bytes() const {
    std::size_t bytes = 0;
    for (const Block& block : blocks_) bytes += block.size;
    return bytes;
}

template <class T>
Shelf<T>& BufferPool<T>::find_shelf(std::size_t size) {
    std::size_t i = start(size);
    while (shelves_[i] != nullptr && shelves_[i]->size != size) i = next(i);
    return shelves_[i] != nullptr ? *shelves_[i] : add_shelf(size);
}

template <class T>
Shelf<T>& BufferPool<T>::add_shelf(std::size_t size) {
    if (2 * ++used_ > shelves_.size()) {
        std::vector<std::unique_ptr<Shelf<T>>> old(2 * shelves_.size());
        std::swap(old, shelves_);
        for (auto& moved : old)
            if (moved != nullptr) free_place(moved->size) = std::move(moved);
    }
    auto& added = free_place(size);
    added = std::make_unique<Shelf<T>>(Shelf<T>{size, {}});
    return *added;
}

template <class T>
std::unique_ptr<Shelf<T>>& BufferPool<T>::free_place(std::size_t size) {
    std::size_t i = start(size);
    while (shelves_[i] != nullptr) i = next(i);
    return shelves_[i];
}

template <class T>
Array<T>* BufferPool<T>::find_or_make(const Shape& shape, Shelf<T>*& shelf) {
    shelf = &find_shelf(size_of(shape));
    if (shelf->waiting.empty()) return new Buffer<T>{Array<T>::from_shape(shape), shelf};
    resize<T>(*shelf->waiting.back(), shape);
    return take(shape, shelf);
}

template <class T>
typename BufferPool<T>::Place BufferPool<T>::place(AdjointTable<T>& table, std::uint32_t index, const Shape& shape) {
    Array<T>*& adjoint = table.adjoints[index];
    if (adjoint != nullptr) return {*(adjoint = own(adjoint)), true};
    return {*(adjoint = take(shape, table.shelves[index])), false};
}

template <class T>
void BufferPool<T>::give_back(Array<T>* array) {
    if (array == nullptr) return;
    Buffer<T>* buffer = static_cast<Buffer<T>*>(array);
    if (--buffer->holders == 0) buffer->shelf->waiting.push_back(buffer);
}

template <class T>
Array<T>* BufferPool<T>::own(Array<T>* array) {
    if (static_cast<Buffer<T>*>(array)->holders == 1) return array;
    Array<T>* copy = take(array->shape());
    std::copy_n(array->data(), array->size(), copy->data());
    give_back(array);
    return copy;
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
    if (table->shelves.size() < n) table->shelves.resize(n, nullptr);
    ++tables_taken_;
    return table;
}

template <class T>
void BufferPool<T>::give_back(std::unique_ptr<AdjointTable<T>> table) {
    for (Array<T>* array : table->adjoints) give_back(array);
    for (Array<T>* array : table->scratch) give_back(array);
    table->adjoints.clear();
    table->scratch.clear();
    table->parameters.clear();
    table->chunks.clear();
    tables_.push_back(std::move(table));
    --tables_taken_;
    if (retired_) retire();
}

template <class T>
void BufferPool<T>::retire() {
    retired_ = true;
    if (tables_taken_ == 0) delete this;
}

template <class T>
BufferPool<T>::~BufferPool() {
    for (const auto& shelf : shelves_)
        if (shelf != nullptr)
            for (const Buffer<T>* buffer : shelf->waiting) delete buffer;
}

template class BufferPool<float>;
template class BufferPool<double>;

}  // namespace autograd
