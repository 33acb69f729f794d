# What consumers.sh and shared.sh have in common; they set $here, $work, $build, CXX and CXXFLAGS.

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
