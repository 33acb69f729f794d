#!/usr/bin/env bash
# shared.sh BUILD SOURCE WORK COMPILER FLAGS: builds shared libraries in WORK, installs and uses them, and holds that they
# export what is theirs alone.
set -euo pipefail
build=$1 source=$2 work=$3
here=$source/tests/install
rm -rf "$work"
mkdir -p "$work"
export CMAKE_GENERATOR=Ninja CXX=$4 CXXFLAGS=$5
. "$here/ways.sh"

# -O1, as consumers.sh says.
cmake -S "$source" -B "$work/shared_build" -DBUILD_SHARED_LIBS=ON -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="$CXXFLAGS -O1" \
    -DDELTARULE_TESTS=OFF
cmake --build "$work/shared_build" --parallel
cmake --install "$work/shared_build" --prefix "$work/shared" >/dev/null
find_package "$work/shared" nn -DCMAKE_DISABLE_FIND_PACKAGE_ZLIB=ON
pkg_config "$work/shared" "$libraries"
"$work/shared/bin/deltarule" check "$source/examples/derivations/two_hidden_layers.deriv" >/dev/null
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
