#!/usr/bin/env bash
# debian.sh: builds Debian's packages in a small Debian 13, has lintian read them, and tries them in another one that has
# nothing else: the program trains, a consumer builds, older packages are replaced, and nothing stays behind.
# The packages are then in build/packages. scripts/in-debian.sh makes the two systems and says where it cannot (77).
set -euo pipefail
cd "$(dirname "$0")/.."
release=trixie
version=$(sed -n 's/^project(deltarule VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
packages=/packages

say() { printf '[debian] %s\n' "$*"; }
die() {
    say "$*" >&2
    exit 1
}

build() {  # inside the first system
    export DEBIAN_FRONTEND=noninteractive
    grep -q "^deltarule ($version-" packaging/debian/changelog ||
        die "packaging/debian/changelog does not begin with version $version, as CMakeLists.txt does"
    apt-get update -q
    apt-get install -qy --no-install-recommends debhelper dpkg-dev lintian
    rm -rf $packages
    mkdir $packages
    cp -r . "$packages/deltarule-$version"
    cd "$packages/deltarule-$version"
    tar -cJf "../deltarule_$version.orig.tar.xz" -C .. "deltarule-$version"
    cp -r packaging/debian debian
    apt-get build-dep -qy --no-install-recommends .
    # A compiler cache serves where one is installed.
    [ ! -d /usr/lib/ccache ] || export PATH=/usr/lib/ccache:$PATH CCACHE_DIR=${CCACHE_DIR:-/var/cache/ccache}
    dpkg-buildpackage -us -uc
    cd ..
    say "lintian"
    lintian --allow-root --fail-on error ./*.changes
}

case ${1:-} in
    build) build; exit ;;
esac
