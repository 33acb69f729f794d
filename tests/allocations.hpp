// Counts what this program allocates, whoever asks: operator new, xtensor's aligned arrays, BLAS. For one source of a
// program.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>

inline std::atomic<std::size_t> allocations = 0;
inline std::atomic<std::size_t> live_allocations = 0;  ///< those that were not freed

#if defined(__has_feature) && !defined(__SANITIZE_ADDRESS__)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__  // as GCC calls it
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)

// Declared here: GCC's packages bring AddressSanitizer's library without <sanitizer/allocator_interface.h>.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*, std::size_t),
                                                         void (*free_hook)(const volatile void*));

inline const int counting = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) {
        ++allocations;
        ++live_allocations;
    },
    [](const volatile void*) { --live_allocations; });

#else

extern "C" {
void* __libc_malloc(std::size_t) noexcept;
void* __libc_calloc(std::size_t, std::size_t) noexcept;
void* __libc_realloc(void*, std::size_t) noexcept;
void* __libc_memalign(std::size_t, std::size_t) noexcept;
void __libc_free(void*) noexcept;

void* malloc(std::size_t size) noexcept {
    ++allocations;
    ++live_allocations;
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
    ++allocations;
    ++live_allocations;
    return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) noexcept {
    ++allocations;
    if (memory == nullptr) ++live_allocations;
    return __libc_realloc(memory, size);
}
void free(void* memory) noexcept {
    if (memory != nullptr) --live_allocations;
    __libc_free(memory);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
    ++allocations;
    ++live_allocations;
    return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept { return memalign(alignment, size); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
    *memory = memalign(alignment, size);
    return *memory == nullptr ? ENOMEM : 0;
}
}

#endif
