# The flags of the library's own sources (deltarule_flags), and those that change xtensor's code and therefore travel to
# whoever compiles against it (DELTARULE_PUBLIC_OPTIONS).

set(DELTARULE_PUBLIC_OPTIONS "")
if(DELTARULE_NATIVE)
    list(APPEND DELTARULE_PUBLIC_OPTIONS -march=native)
endif()

add_library(deltarule_flags INTERFACE)
target_compile_features(deltarule_flags INTERFACE cxx_std_20)
# A program takes from the libraries the functions that it calls, not whole sources.
target_compile_options(deltarule_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -ffunction-sections -fdata-sections)
if(DELTARULE_WARNINGS_AS_ERRORS)
    target_compile_options(deltarule_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # False alarms of GCC 12 from within the SIMD intrinsics and std::string at -O3.
    target_compile_options(deltarule_flags INTERFACE -Wno-maybe-uninitialized -Wno-uninitialized -Wno-restrict)
    if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 14)
        # And of GCC 14 from within std::string, where two are added, and Boost's numbers.
        target_compile_options(deltarule_flags INTERFACE -Wno-array-bounds)
    endif()
endif()
if(DELTARULE_SANITIZE)
    # A sanitized library needs a sanitized program: these travel too. (The checks that are left out take long to compile;
    # most of what they find ends a program without them, and libFuzzer's build has them.)
    set(DELTARULE_SANITIZE_OPTIONS -fsanitize=address,undefined -fno-sanitize=null,alignment,object-size,vptr
        -fno-sanitize-recover=undefined)
    # gold, where it is there, links these large programs in half the time.
    include(CheckLinkerFlag)
    check_linker_flag(CXX -fuse-ld=gold DELTARULE_HAS_GOLD)
    if(DELTARULE_HAS_GOLD)
        add_link_options(-fuse-ld=gold)
    endif()
endif()
if(DELTARULE_LIBFUZZER)
    # It sees which code an input reaches; the sanitizers see what it breaks there.
    set(DELTARULE_SANITIZE_OPTIONS -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
endif()

# The instruction set that xsimd chooses under these flags, for config.hpp; one that is given stands, as where the library is
# compiled for another machine.
if(NOT DEFINED DELTARULE_SIMD)
    set(probe "${CMAKE_BINARY_DIR}/CMakeFiles/simd.cpp")
    file(WRITE "${probe}" [[
#include <cstdio>
#include <xsimd/xsimd.hpp>
int main() { std::printf("%s", xsimd::default_arch::name()); }
]])
    get_target_property(xsimd_include xsimd INTERFACE_INCLUDE_DIRECTORIES)
    try_run(DELTARULE_SIMD_RUNS DELTARULE_SIMD_COMPILES "${CMAKE_BINARY_DIR}/CMakeFiles/simd" "${probe}"
            CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${xsimd_include}"
            COMPILE_DEFINITIONS ${DELTARULE_PUBLIC_OPTIONS}
            CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON
            RUN_OUTPUT_VARIABLE simd)
    if(NOT DELTARULE_SIMD_COMPILES OR NOT DELTARULE_SIMD_RUNS EQUAL 0)
        message(FATAL_ERROR "deltarule cannot compile and run a program with xsimd under the flags '${DELTARULE_PUBLIC_OPTIONS}'; "
                            "-DDELTARULE_NATIVE=OFF may help.")
    endif()
    set(DELTARULE_SIMD "${simd}" CACHE INTERNAL "")
endif()
message(STATUS "SIMD: ${DELTARULE_SIMD}")

# What nearly every source of a target includes is compiled once; a source that has flags of its own is compiled without it
# (SKIP_PRECOMPILE_HEADERS), and CMAKE_DISABLE_PRECOMPILE_HEADERS=ON shows that no source leans on it.
set(DELTARULE_PRECOMPILED <algorithm> <cmath> <fmt/format.h> <functional> <map> <optional> <stdexcept> <string> <vector>)
# Targets with the same flags share it: the first one of a group makes it.
function(deltarule_precompile group target)
    get_property(first GLOBAL PROPERTY deltarule_precompiled_${group})
    if(first)
        target_precompile_headers(${target} REUSE_FROM ${first})
    else()
        target_precompile_headers(${target} PRIVATE ${DELTARULE_PRECOMPILED} ${ARGN})
        set_property(GLOBAL PROPERTY deltarule_precompiled_${group} ${target})
    endif()
endfunction()

# A room's library, static, or shared where BUILD_SHARED_LIBS says so. It exports what cmake/symbols/ROOM.map names, and
# while deltarule is 0.x each minor version has a soname of its own.
set(DELTARULE_SOVERSION ${PROJECT_VERSION_MAJOR})
if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(DELTARULE_SOVERSION 0.${PROJECT_VERSION_MINOR})
endif()
function(deltarule_library room)
    add_library(${room} ${ARGN})
    add_library(deltarule::${room} ALIAS ${room})
    set_target_properties(${room} PROPERTIES OUTPUT_NAME deltarule_${room} POSITION_INDEPENDENT_CODE ON
                          VERSION ${PROJECT_VERSION} SOVERSION ${DELTARULE_SOVERSION})
    if(BUILD_SHARED_LIBS)
        target_compile_options(${room} PRIVATE -fno-semantic-interposition)
        if(NOT APPLE)
            set(map "${PROJECT_SOURCE_DIR}/cmake/symbols/${room}.map")
            # What it calls of its own is its own, though a program has the same template compiled for another instruction set.
            target_link_options(${room} PRIVATE "-Wl,--version-script=${map}" -Wl,-Bsymbolic-functions)
            set_target_properties(${room} PROPERTIES LINK_DEPENDS "${map}")
        endif()
    endif()
endfunction()
# What a room uses inside. Who links a static library links it, too; a shared one has it with it.
function(deltarule_uses room)
    target_link_libraries(${room} PRIVATE $<BUILD_INTERFACE:deltarule_flags>)
    foreach(library IN LISTS ARGN)
        if(BUILD_SHARED_LIBS)
            set(library "$<BUILD_INTERFACE:${library}>")
        endif()
        target_link_libraries(${room} PRIVATE "${library}")
    endforeach()
endfunction()
