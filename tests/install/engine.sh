#!/usr/bin/env bash
# engine.sh BUILD SOURCE WORK COMPILER FLAGS: the engine alone, where nothing is found that it does not need, fetched from a
# git address by another project, built there, and installed with it.
set -euo pipefail
build=$1 source=$2 work=$3
here=$source/tests/install
rm -rf "$work"
mkdir -p "$work"
export CMAKE_GENERATOR=Ninja CXX=$4 CXXFLAGS=$5
. "$here/ways.sh"

echo "== FetchContent: the engine alone, without a BLAS, from a git address"
if command -v git >/dev/null; then
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

echo "== installed"
cmake --install "$work/subdirectory" --prefix "$work/engine" >/dev/null
find_package "$work/engine" autograd "${nothing_but_the_engine[@]}"
pkg_config "$work/engine" "$libraries"
if find_package "$work/engine" nn 2>"$work/errors"; then
    echo "a room that was not built was found"
    exit 1
fi
grep -q 'not all were built; there are autograd' <(tr -s ' \n' ' ' <"$work/errors")

echo "== each of its headers by itself, those that are not public, too"
find "$work/engine/include/deltarule" -name '*.hpp' -printf '%P\n' | headers_alone
