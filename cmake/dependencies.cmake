# What deltarule needs, each found once; a missing one stops with one sentence that names Debian's package.

macro(deltarule_require name package)
    find_package(${name} ${ARGN} QUIET)
    if(NOT ${name}_FOUND)
        message(FATAL_ERROR "deltarule needs ${name}: install the package ${package} (scripts/install-deps.sh installs all).")
    endif()
endmacro()

set(THREADS_PREFER_PTHREAD_FLAG ON)
deltarule_require(xtl libxtensor-dev)
deltarule_require(xsimd libxsimd-dev)
deltarule_require(xtensor libxtensor-dev 0.24)
# CMake's own search: the package file of Debian 13's OpenBLAS names a library that is not there.
set(BLA_VENDOR OpenBLAS)
deltarule_require(BLAS libopenblas-dev)
deltarule_require(ZLIB zlib1g-dev)
deltarule_require(fmt libfmt-dev 9)
deltarule_require(nlohmann_json nlohmann-json3-dev)

find_path(DELTARULE_XTENSOR_BLAS_INCLUDE_DIR xtensor-blas/xblas.hpp)
mark_as_advanced(DELTARULE_XTENSOR_BLAS_INCLUDE_DIR)
if(NOT DELTARULE_XTENSOR_BLAS_INCLUDE_DIR)
    message(FATAL_ERROR "deltarule needs xtensor-blas: install the package libxtensor-blas-dev (scripts/install-deps.sh installs all).")
endif()

if(DELTARULE_APP)
    deltarule_require(CLI11 libcli11-dev)
endif()
if(DELTARULE_BENCH)
    deltarule_require(benchmark libbenchmark-dev)
    find_path(DELTARULE_CBLAS_INCLUDE_DIR cblas.h PATH_SUFFIXES openblas)
    mark_as_advanced(DELTARULE_CBLAS_INCLUDE_DIR)
endif()
if(DELTARULE_TESTS)
    deltarule_require(Boost libboost-test-dev 1.74 COMPONENTS unit_test_framework)
endif()

message(STATUS "BLAS: ${BLAS_LIBRARIES}")
