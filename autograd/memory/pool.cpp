#include <algorithm>
#include <autograd/memory/pool.hpp>

namespace autograd {

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
    added = std::make_unique<Shelf<T>>(Shelf<T>{size});
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
    if (shelf->first == nullptr) return new Buffer<T>{Array<T>::from_shape(shape), shelf};
    resize<T>(*shelf->first, shape);
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
    for (const auto& shelf : shelves_)
        if (shelf != nullptr)
            while (shelf->first != nullptr) delete std::exchange(shelf->first, shelf->first->next);
    while (tables_ != nullptr) tables_ = std::move(tables_->next);  // one by one, however many there are
}

template class BufferPool<float>;
template class BufferPool<double>;

}  // namespace autograd
