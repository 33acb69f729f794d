#!/usr/bin/env bash
# consumers.sh BUILD SOURCE WORK COMPILER FLAGS: installs BUILD into WORK and uses it as others would, one way after the
# other. What builds the engine anew is in engine.sh.
set -euo pipefail
build=$1 source=$2 work=$3
here=$source/tests/install
rm -rf "$work"
mkdir -p "$work"
# Ninja is what scripts/install-deps.sh installs; make may be missing.
export CMAKE_GENERATOR=Ninja CXX=$4 CXXFLAGS=$5
. "$here/ways.sh"

echo "== install"
cmake --install "$build" --prefix "$work/prefix" >/dev/null
test -f "$work/prefix/share/deltarule/gdb/deltarule.py"

echo "== find_package"
find_package "$work/prefix" nn

echo "== pkg-config"
pkg_config "$work/prefix" "$libraries"

echo "== each public header by itself"
find "$work/prefix/include/deltarule" -mindepth 2 -maxdepth 2 -name '*.hpp' -printf '%P\n' | headers_alone

echo "== compiled for other instruction sets than the library"
"$here/instruction_sets.sh" "$work/sets" "$CXX" "$CXXFLAGS" baseline avx2

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

echo "== add_subdirectory: the engine alone, without a BLAS, as far as it is configured"
subproject "$work/configured" -DDELTARULE_SOURCE_DIR="$source"
