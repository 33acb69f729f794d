# What consumers.sh, engine.sh and shared.sh have in common; they set $here, $work, $build, CXX and CXXFLAGS.

find_package() {  # find_package PREFIX ROOM OPTIONS...: builds and runs a consumer of that room
    rm -rf "$work/find_package"
    cmake -S "$here/find_package" -B "$work/find_package" -DCMAKE_PREFIX_PATH="$1" -DROOM="$2" "${@:3}" &&
        cmake --build "$work/find_package" && "$work/find_package/consumer"
}
pkg_config() {  # pkg_config PREFIX FOLDER: the same by pkg-config, with PREFIX's libraries in FOLDER
    export PKG_CONFIG_PATH=$1/$2/pkgconfig
    # shellcheck disable=SC2046,SC2086
    $CXX $CXXFLAGS "$here/consumer.cpp" $(pkg-config --cflags --libs deltarule) -o "$work/consumer" &&
        LD_LIBRARY_PATH=$1/$2 "$work/consumer"
}
headers_alone() {  # headers_alone: each header whose path is read from the standard input, by itself; after pkg_config
    flags="$CXXFLAGS $(pkg-config --cflags deltarule)"
    export flags
    xargs -P "$(nproc)" -I{} bash -c '
        # shellcheck disable=SC2086
        $CXX $flags -fsyntax-only -x c++ - <<<"#include <{}>" || { echo "<{}> does not compile by itself"; exit 1; }'
}
libraries=$(sed -n 's/^CMAKE_INSTALL_LIBDIR:[^=]*=//p' "$build/CMakeCache.txt")

# The engine needs none of these: they are not found.
nothing_but_the_engine=()
for package in ZLIB nlohmann_json FastFloat CLI11 Boost; do
    nothing_but_the_engine+=("-DCMAKE_DISABLE_FIND_PACKAGE_$package=ON")
done
# (-O1, as xsimd 8 does not compile for AVX-512 without optimisation.)
subproject() {  # subproject FOLDER OPTIONS...: configures the engine as a part of another project
    cmake -S "$here/subdirectory" -B "$1" -DCMAKE_CXX_FLAGS="$CXXFLAGS -O1" -DCMAKE_DISABLE_FIND_PACKAGE_BLAS=ON \
        "${nothing_but_the_engine[@]}" "${@:2}"
}
