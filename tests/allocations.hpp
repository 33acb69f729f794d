// Counts what this program allocates, whoever asks: operator new, xtensor's aligned arrays, BLAS. For one source of a
// program.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>

inline std::atomic<std::size_t> allocations = 0;

#if defined(__SANITIZE_ADDRESS__)

#include <sanitizer/allocator_interface.h>

inline const int counting = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) noexcept { ++allocations; }, [](const volatile void*) {});

#else

extern "C" {
void* __libc_malloc(std::size_t) noexcept;
void* __libc_calloc(std::size_t, std::size_t) noexcept;
void* __libc_realloc(void*, std::size_t) noexcept;
void* __libc_memalign(std::size_t, std::size_t) noexcept;

void* malloc(std::size_t size) noexcept {
    ++allocations;
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
    ++allocations;
    return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) noexcept {
    ++allocations;
    return __libc_realloc(memory, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
    ++allocations;
    return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept { return memalign(alignment, size); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
    *memory = memalign(alignment, size);
    return *memory == nullptr ? ENOMEM : 0;
}
}

#endif
