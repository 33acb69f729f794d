#!/usr/bin/env bash
# consumers.sh BUILD SOURCE WORK COMPILER FLAGS: installs BUILD into WORK and uses it as others would, one way after the
# other; then the engine alone, and shared libraries.
set -euo pipefail
build=$1 source=$2 work=$3
here=$source/tests/install
rm -rf "$work"
mkdir -p "$work"
# Ninja is what scripts/install-deps.sh installs; make may be missing.
export CMAKE_GENERATOR=Ninja CXX=$4 CXXFLAGS=$5
# The engine needs none of these: they are not found.
nothing_but_the_engine=()
for package in ZLIB nlohmann_json FastFloat CLI11 Boost; do
    nothing_but_the_engine+=("-DCMAKE_DISABLE_FIND_PACKAGE_$package=ON")
done

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
libraries=$(sed -n 's/^CMAKE_INSTALL_LIBDIR:[^=]*=//p' "$build/CMakeCache.txt")

echo "== install"
cmake --install "$build" --prefix "$work/prefix" >/dev/null
test -f "$work/prefix/share/deltarule/gdb/deltarule.py"

echo "== find_package"
find_package "$work/prefix" nn

echo "== pkg-config"
pkg_config "$work/prefix" "$libraries"

echo "== each header by itself"
flags="$CXXFLAGS $(pkg-config --cflags deltarule)"
export flags
find "$work/prefix/include/deltarule" -name '*.hpp' -printf '%P\n' | xargs -P "$(nproc)" -I{} bash -c '
    # shellcheck disable=SC2086
    $CXX $flags -fsyntax-only -x c++ - <<<"#include <{}>" || { echo "<{}> does not compile by itself"; exit 1; }'

echo "== without the flags, or as C++17: one sentence, and nothing behind it"
stops_with() {  # stops_with SENTENCE SOURCE FLAGS...
    # shellcheck disable=SC2086
    if $CXX $CXXFLAGS "${@:3}" -fsyntax-only -I"$work/prefix/include/deltarule" -x c++ - <<<"$2" 2>"$work/errors"; then
        echo "a source compiled with '${*:3}' alone"
        exit 1
    fi
    if ! grep -q "error: '\?deltarule: $1" "$work/errors" || [ "$(grep -c 'error: ' "$work/errors")" -ne 1 ]; then
        echo "not one sentence, but $(wc -l <"$work/errors") lines:"
        head -20 "$work/errors"
        exit 1
    fi
}
for header in autograd/autograd autograd/gradcheck autograd/node autograd/parameter nn/nn; do
    stops_with 'compile with the flags' "#include <$header.hpp>" -std=c++20
    stops_with 'compile as C++20' "#include <$header.hpp>" -std=c++17 -DXTENSOR_USE_XSIMD
done
stops_with 'compile as C++20' "$(cat "$here/consumer.cpp")" -std=c++17

echo "== add_subdirectory: the engine alone, without a BLAS"
# (-O1, as xsimd 8 does not compile for AVX-512 without optimisation.)
subproject() {  # subproject FOLDER OPTIONS...: configures the engine as a part of another project
    cmake -S "$here/subdirectory" -B "$1" -DCMAKE_CXX_FLAGS="$CXXFLAGS -O1" -DCMAKE_DISABLE_FIND_PACKAGE_BLAS=ON \
        "${nothing_but_the_engine[@]}" "${@:2}"
}
if command -v git >/dev/null; then
    subproject "$work/configured" -DDELTARULE_SOURCE_DIR="$source"
    # FetchContent adds what it fetched in the same way, and that is built.
    echo "== FetchContent: the same from a git address"
    mkdir "$work/origin"
    cp -r "$source"/{CMakeLists.txt,cmake,autograd} "$work/origin"
    git -C "$work/origin" init -q -b main
    git -C "$work/origin" add -A
    git -C "$work/origin" -c user.name=deltarule -c user.email=deltarule@localhost -c commit.gpgsign=false \
        commit -q -m "This tree"
    subproject "$work/subdirectory" -DDELTARULE_GIT="file://$work/origin"
else
    echo "== SKIPPED: git is not here, FetchContent was not tried. =="
    subproject "$work/subdirectory" -DDELTARULE_SOURCE_DIR="$source"
fi
cmake --build "$work/subdirectory" --parallel
"$work/subdirectory/consumer"

echo "== installed: the engine alone"
cmake --install "$work/subdirectory" --prefix "$work/engine" >/dev/null
find_package "$work/engine" autograd "${nothing_but_the_engine[@]}"
pkg_config "$work/engine" "$libraries"
if find_package "$work/engine" nn 2>"$work/errors"; then
    echo "a room that was not built was found"
    exit 1
fi
grep -q 'not all were built; there are autograd' <(tr -s ' \n' ' ' <"$work/errors")

echo "== shared libraries"
cmake -S "$source" -B "$work/shared_build" -DBUILD_SHARED_LIBS=ON -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="$CXXFLAGS -O1" \
    -DDELTARULE_TESTS=OFF
cmake --build "$work/shared_build" --parallel
cmake --install "$work/shared_build" --prefix "$work/shared" >/dev/null
find_package "$work/shared" nn -DCMAKE_DISABLE_FIND_PACKAGE_ZLIB=ON
pkg_config "$work/shared" "$libraries"
"$work/shared/bin/deltarule" check "$source/examples/derivations/coursework.deriv" >/dev/null
for room in autograd nn derivation; do
    library=$work/shared/$libraries/libdeltarule_$room.so
    readelf -d "$library" | grep -q "SONAME.*\[libdeltarule_$room\.so\.[0-9.]*\]"
    # Nothing but the rooms' names is exported, and xtensor's << for arrays.
    nm -D --defined-only "$library" | awk '{ print $3 }' >"$work/symbols"
    if grep -vE '^_(ZT[ISV]|ZGVZ|ZZ|Z)NK?[RO]?(8autograd|2nn|10derivation)|^_ZN2xtls' "$work/symbols" >"$work/foreign"; then
        echo "libdeltarule_$room.so exports what is not its own:"
        head "$work/foreign"
        exit 1
    fi
    stripped=$work/$room.so
    strip -o "$stripped" "$library"
    echo "libdeltarule_$room.so: $(stat -c %s "$stripped") bytes, $(wc -l <"$work/symbols") symbols"
done
