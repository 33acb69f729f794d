#include <algorithm>
#include <autograd/memory/arena.hpp>

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

void Arena::grow_like(const Arena& other) {
    for (std::size_t i = blocks_.size(); i < other.blocks_.size(); ++i)
        blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(other.blocks_[i].size), other.blocks_[i].size});
}

std::size_t Arena::bytes() const {
    std::size_t bytes = 0;
    for (const Block& block : blocks_) bytes += block.size;
    return bytes;
}

}  // namespace autograd
