#!/usr/bin/env bash
# consumers.sh BUILD SOURCE WORK: installs BUILD into WORK and uses it as others would, one way after the other.
set -euo pipefail
build=$1 source=$2 work=$3
here=$source/tests/install
rm -rf "$work"
mkdir -p "$work"
export CMAKE_GENERATOR=Ninja  # which scripts/install-deps.sh installs; make may be missing

echo "== install"
cmake --install "$build" --prefix "$work/prefix" >/dev/null

echo "== find_package"
cmake -S "$here/find_package" -B "$work/find_package" -DCMAKE_PREFIX_PATH="$work/prefix"
cmake --build "$work/find_package"
"$work/find_package/consumer"

echo "== pkg-config"
export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig:$work/prefix/lib/$(g++ -print-multiarch)/pkgconfig
# shellcheck disable=SC2046
g++ "$here/consumer.cpp" $(pkg-config --cflags --libs deltarule) -o "$work/consumer"
"$work/consumer"

echo "== each header by itself"
flags=$(pkg-config --cflags deltarule)
export flags
find "$work/prefix/include/deltarule" -name '*.hpp' -printf '%P\n' | xargs -P "$(nproc)" -I{} bash -c '
    # shellcheck disable=SC2086
    g++ $flags -fsyntax-only -x c++ - <<<"#include <{}>" || { echo "<{}> does not compile by itself"; exit 1; }'

echo "== add_subdirectory"
cmake -S "$here/subdirectory" -B "$work/subdirectory" -DDELTARULE_SOURCE_DIR="$source"
cmake --build "$work/subdirectory" --parallel --target consumer
"$work/subdirectory/consumer"

echo "== without the flags: one sentence"
if g++ -std=c++20 -fsyntax-only -I"$work/prefix/include/deltarule" "$here/consumer.cpp" 2>"$work/errors"; then
    echo "a source without the flags compiled"
    exit 1
fi
grep -q 'deltarule: compile with the flags' "$work/errors"
