#!/usr/bin/env bash
# shared.sh BUILD SOURCE WORK COMPILER FLAGS: builds shared libraries in WORK for any machine, as packages have them, installs
# and uses them, and holds that they export what is theirs alone; then the engine for this machine. Both serve programs that
# are compiled for other instruction sets.
set -euo pipefail
build=$1 source=$2 work=$3
here=$source/tests/install
rm -rf "$work"
mkdir -p "$work"
export CMAKE_GENERATOR=Ninja CXX=$4 CXXFLAGS=$5
. "$here/ways.sh"

install_shared() {  # install_shared PREFIX OPTIONS...
    # -O1, as ways.sh says; each source with what it includes itself.
    cmake -S "$source" -B "$1_build" -DBUILD_SHARED_LIBS=ON -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="$CXXFLAGS -O1" \
        -DDELTARULE_TESTS=OFF -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON "${@:2}"
    cmake --build "$1_build" --parallel
    cmake --install "$1_build" --prefix "$1" >/dev/null
}
install_shared "$work/shared" -DDELTARULE_NATIVE=OFF
find_package "$work/shared" nn -DCMAKE_DISABLE_FIND_PACKAGE_ZLIB=ON
pkg_config "$work/shared" "$libraries"
"$work/shared/bin/deltarule" check "$source/examples/derivations/two_hidden_layers.deriv" >/dev/null
for room in autograd nn derivation lab; do
    library=$work/shared/$libraries/libdeltarule_$room.so
    readelf -d "$library" | grep -q "SONAME.*\[libdeltarule_$room\.so\.[0-9.]*\]"
    # Nothing but the rooms' names is exported, and xtensor's << for arrays.
    nm -D --defined-only "$library" | awk '{ print $3 }' >"$work/symbols"
    if grep -vE '^_(ZT[ISV]|ZGVZ|ZZ|Z)NK?[RO]?(8autograd|2nn|10derivation|3lab)|^_ZN2xtls' "$work/symbols" >"$work/foreign"; then
        echo "libdeltarule_$room.so exports what is not its own:"
        head "$work/foreign"
        exit 1
    fi
    stripped=$work/$room.so
    strip -o "$stripped" "$library"
    echo "libdeltarule_$room.so: $(stat -c %s "$stripped") bytes, $(wc -l <"$work/symbols") symbols"
done

echo "== programs compiled for other instruction sets than the library"
install_shared "$work/native" -DDELTARULE_NN=OFF -DDELTARULE_DERIVATION=OFF -DDELTARULE_APP=OFF
for prefix in "$work/shared" "$work/native"; do
    export PKG_CONFIG_PATH=$prefix/$libraries/pkgconfig
    "$here/instruction_sets.sh" "$work/sets" "$CXX" "$CXXFLAGS" baseline avx2 native
    [ -x "$work/sets/program" ] || continue
    # What the program has of the library's templates does not replace the library's own.
    LD_DEBUG=bindings LD_BIND_NOW=1 LD_LIBRARY_PATH=$prefix/$libraries "$work/sets/program" 2>"$work/bindings"
    grep -q "binding file $work/sets/program .*8autograd" "$work/bindings"
    if grep -E "binding file [^ ]*libdeltarule_.* to $work/sets/program .*_ZNK?[RO]?8autograd" "$work/bindings" >"$work/replaced"; then
        echo "the library calls the program's:"
        head -n 5 "$work/replaced"
        exit 1
    fi
done
