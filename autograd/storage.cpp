#include <algorithm>
#include <autograd/storage.hpp>

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
    if (!blocks_.empty()) enter(0);
}

std::size_t Arena::bytes() const {
    std::size_t bytes = 0;
    for (const Block& block : blocks_) bytes += block.size;
    return bytes;
}

template <class T>
typename BufferPool<T>::Shelf& BufferPool<T>::shelf(std::size_t size) {
    const std::size_t last = shelves_.size() - 1;  // the number of places is a power of 2
    std::size_t i = (size * 0x9E3779B97F4A7C15u >> 32) & last;
    while (shelves_[i] != nullptr && shelves_[i]->size != size) i = (i + 1) & last;
    if (shelves_[i] != nullptr) return *shelves_[i];
    if (2 * ++used_ > shelves_.size()) {
        std::vector<std::unique_ptr<Shelf>> old(2 * shelves_.size());
        std::swap(old, shelves_);
        for (auto& moved : old) {
            if (moved == nullptr) continue;
            std::size_t k = (moved->size * 0x9E3779B97F4A7C15u >> 32) & (shelves_.size() - 1);
            while (shelves_[k] != nullptr) k = (k + 1) & (shelves_.size() - 1);
            shelves_[k] = std::move(moved);
        }
        --used_;
        return shelf(size);
    }
    shelves_[i] = std::make_unique<Shelf>(Shelf{size, {}});
    return *shelves_[i];
}

template <class T>
Array<T>* BufferPool<T>::take(const Shape& shape) {
    Shelf& from = shelf(size_of(shape));
    if (from.waiting.empty()) return new Buffer{Array<T>::from_shape(shape), &from};
    Buffer* buffer = from.waiting.back();
    from.waiting.pop_back();
    buffer->holders = 1;
    resize(*buffer, shape);
    return buffer;
}

template <class T>
void BufferPool<T>::give_back(Array<T>* array) {
    if (array == nullptr) return;
    Buffer* buffer = static_cast<Buffer*>(array);
    if (--buffer->holders == 0) buffer->shelf->waiting.push_back(buffer);
}

template <class T>
Array<T>* BufferPool<T>::own(Array<T>* array) {
    if (static_cast<Buffer*>(array)->holders == 1) return array;
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
    for (const auto& shelf : shelves_)
        if (shelf != nullptr)
            for (const Buffer* buffer : shelf->waiting) delete buffer;
}

template class BufferPool<float>;
template class BufferPool<double>;

}  // namespace autograd
