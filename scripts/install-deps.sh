#!/usr/bin/env bash
# install-deps.sh [autograd|debian|docs|lab|mpi|web]: installs what deltarule needs, or the engine alone, other Debians to try it
# in, its site, the browser tests of the lab, training in several processes, or the compiler of its live page, on Debian and
# Ubuntu, where not all is there; on another system it prints what is needed.
set -euo pipefail

# Who needs it, and its name in Debian and Ubuntu, Fedora, Arch, Homebrew; `-` comes with the system.
table='
autograd  g++                 gcc-c++               gcc            -
autograd  cmake               cmake                 cmake          cmake
autograd  ninja-build         ninja-build           ninja          ninja
autograd  pkg-config          pkgconf-pkg-config    pkgconf        pkgconf
autograd  xtl-dev             xtl-devel             xtl            xtl
autograd  libxtensor-dev      xtensor-devel         xtensor        xtensor
autograd  libxsimd-dev        xsimd-devel           xsimd          xsimd
autograd  libfmt-dev          fmt-devel             fmt            fmt
autograd  libopenblas-dev     openblas-devel        openblas       openblas
nn        libfast-float-dev   fast_float-devel      fast_float     fast_float
nn        nlohmann-json3-dev  json-devel            nlohmann-json  nlohmann-json
nn        zlib1g-dev          zlib-ng-compat-devel  zlib           zlib
app       libcli11-dev        cli11-devel           cli11          cli11
tests     graphviz            graphviz              graphviz       graphviz
tests     libboost-test-dev   boost-devel           boost          boost
debian    debootstrap         debootstrap           debootstrap    -
docs      doxygen             doxygen               doxygen        doxygen
docs      doxygen-awesome-css -                     -              -
lab       chromium            chromium              chromium       chromium
lab       nodejs              nodejs                nodejs         node
lab       npm                 nodejs-npm            npm            -
mpi       libopenmpi-dev      openmpi-devel         openmpi        open-mpi
mpi       openmpi-bin         openmpi               -              -
web       emscripten          emscripten            emscripten     emscripten
web       nodejs              nodejs                nodejs         node
'
names() {  # names COLUMN WHO
    awk -v column="$1" -v who="$2" 'NF && $1 ~ "^" who "$" && $column != "-" { printf "%s%s", (n++ ? " " : ""), $column }' <<<"$table"
}
part=${1:-}
part=${part#--}  # lab or --lab, as scripts/test.sh has it
case $part in
    "") who='[^dlmw].*' ;;  # all but debian, docs, lab, mpi and web
    autograd) who=autograd ;;
    web) who='(autograd|nn|web)' ;;
    debian | docs | lab | mpi) who=$part ;;  # what scripts/in-debian.sh needs, scripts/docs.sh, scripts/test.sh --lab, DELTARULE_MPI
    *) echo "[install-deps] usage: scripts/install-deps.sh [autograd|debian|docs|lab|mpi|web]" >&2; exit 2 ;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    printf '%s\n' "No apt-get here. What deltarule needs (CONTRIBUTING.md says where it was tried):" \
        "  Debian, Ubuntu  $(names 2 "$who")" \
        "  Fedora          $(names 3 "$who")" \
        "  Arch            $(names 4 "$who")" \
        "  Homebrew        $(names 5 "$who")"
    exit 0
fi

missing=()
for package in $(names 2 "$who"); do
    # A node from elsewhere brings its npm along.
    [ "$package" != npm ] || ! command -v npm >/dev/null || continue
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "All packages are installed."
    exit 0
fi

echo "Installing: ${missing[*]}"
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
