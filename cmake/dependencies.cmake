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
deltarule_require(OpenBLAS libopenblas-dev)
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
if(DELTARULE_TESTS)
    deltarule_require(Boost libboost-test-dev 1.74 COMPONENTS unit_test_framework)
endif()

message(STATUS "BLAS: OpenBLAS ${OpenBLAS_VERSION} (${OpenBLAS_LIBRARIES})")
