#include <algorithm>
#include <autograd/memory/pool.hpp>

namespace autograd {

template <class T>
Array<T>* BufferPool<T>::find_or_make(const Shape& shape, Shelf<T>*& shelf) {
    shelf = &shelves_[shape];
    // A gradient that its holder gave another shape fits nowhere any more.
    while (shelf->first != nullptr && !equal_shapes(shelf->first->shape(), shape))
        delete std::exchange(shelf->first, shelf->first->next);
    if (shelf->first == nullptr) return new Buffer<T>{Array<T>::from_shape(shape), shelf};
    return take(shape, shelf);
}

template <class T>
typename BufferPool<T>::Place BufferPool<T>::place(AdjointTable<T>& table, std::uint32_t index, const Shape& shape) {
    Array<T>*& adjoint = table.adjoints[index];
    if (adjoint != nullptr) return {*(adjoint = own(adjoint)), true};
    return {*(adjoint = take(shape, table.shelves[index])), false};
}

template <class T>
void BufferPool<T>::give_back(Array<T>* array) noexcept {
    if (array == nullptr) return;
    Buffer<T>* buffer = static_cast<Buffer<T>*>(array);
    if (--buffer->holders == 0) buffer->next = std::exchange(buffer->shelf->first, buffer);
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
    if (tables_ == nullptr) tables_ = std::make_unique<AdjointTable<T>>();
    std::unique_ptr<AdjointTable<T>> table = std::move(tables_);
    tables_ = std::move(table->next);
    table->adjoints.assign(n, nullptr);
    if (table->shelves.size() < n) table->shelves.resize(n, nullptr);
    ++tables_taken_;
    return table;
}

template <class T>
void BufferPool<T>::give_back(std::unique_ptr<AdjointTable<T>> table) noexcept {
    for (Array<T>* array : table->adjoints) give_back(array);
    for (Array<T>* array : table->scratch) give_back(array);
    table->adjoints.clear();
    table->scratch.clear();
    table->parameters.clear();
    table->next = std::move(tables_);
    tables_ = std::move(table);
    --tables_taken_;
    if (retired_) retire();
}

template <class T>
void BufferPool<T>::retire() noexcept {
    retired_ = true;
    if (tables_taken_ == 0) delete this;
}

template <class T>
BufferPool<T>::~BufferPool() {
    for (auto& [shape, shelf] : shelves_)
        while (shelf.first != nullptr) delete std::exchange(shelf.first, shelf.first->next);
    while (tables_ != nullptr) tables_ = std::move(tables_->next);  // one by one, however many there are
}

template class BufferPool<float>;
template class BufferPool<double>;

}  // namespace autograd
