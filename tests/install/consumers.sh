#!/usr/bin/env bash
# consumers.sh BUILD SOURCE WORK COMPILER FLAGS: installs BUILD into WORK and uses it as others would, one way after the
# other; then the engine alone.
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

. "$here/ways.sh"

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
