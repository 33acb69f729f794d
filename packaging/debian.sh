#!/usr/bin/env bash
# debian.sh: builds Debian's packages in a small Debian 13, has lintian read them, and tries them in another one that has
# nothing else: the program trains, a consumer builds, older packages are replaced, and nothing stays behind.
# The packages are then in build/packages. scripts/in-debian.sh makes the two systems and says where it cannot (77).
set -eEuo pipefail
trap 'echo "[debian] failed: $BASH_COMMAND" >&2' ERR
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

try() {  # inside the second system
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    local all program
    mapfile -t all < <(find $packages -name '*.deb' ! -name '*-dbgsym_*')
    mapfile -t program < <(printf '%s\n' "${all[@]}" | grep -v -- -dev_)

    say "the program alone"
    get "${program[@]}"
    # What it needs is in its package: this tree is away.
    cp -r tests/install /tmp/install
    cd /
    rm -rf /src
    [ "$(deltarule --version)" = "deltarule $version" ]
    local level examples=/usr/share/doc/deltarule/examples
    deltarule train --epochs 2 | tee /tmp/trained
    grep -Eq '^test accuracy: [89]' /tmp/trained
    deltarule train --csv $examples/iris.csv --hidden 16 --epochs 60 --save /tmp/iris.safetensors | tail -n 1
    [ "$(deltarule predict /tmp/iris.safetensors --csv $examples/iris.csv | wc -l)" -eq 151 ]
    deltarule check $examples/derivations/two_hidden_layers.deriv >/dev/null
    if deltarule check $examples/derivations/two_hidden_layers_mistakes.deriv >/dev/null; then die "mistakes are not seen"; fi
    # The loader takes the libraries of the highest level that this machine has.
    local levels=()
    for level in x86-64-v2 x86-64-v3 x86-64-v4; do
        [ ! -d "$(echo /usr/lib/*/glibc-hwcaps/$level)" ] || [[ $(loader --help) != *"$level (supported"* ]] || levels+=($level)
    done
    if [ ${#levels[@]} -gt 0 ]; then
        ldd /usr/bin/deltarule | grep "libdeltarule_autograd.*/glibc-hwcaps/${levels[-1]}/"
        measure none "${levels[@]}"
    fi
    zcat /usr/share/man/man1/deltarule.1.gz | grep -q '^\.SH NAME'
    bash -c '. /usr/share/bash-completion/completions/deltarule && COMP_WORDS=(deltarule train --op) COMP_CWORD=2 &&
        _deltarule && [ "${COMPREPLY[*]}" = --optimizer ]'
    [ -s /usr/share/zsh/vendor-completions/_deltarule ]
    [ ! -e /usr/share/deltarule/deltarule-lab.html ] || [ "$(BROWSER=true deltarule lab)" = file:///usr/share/deltarule/deltarule-lab.html ]
    purge

    say "over older packages"
    older
    get /tmp/older/*.deb
    [ -e /usr/share/deltarule/older ]
    get "${all[@]}"
    [ ! -e /usr/share/deltarule/older ]
    local package
    [ "$(installed | wc -l)" -eq ${#all[@]} ]
    for package in $(installed); do
        dpkg-query -W -f '${Version}\n' "$package" | grep -q "^$version-" || die "$package is not the new one"
    done
    [ "$(deltarule --version)" = "deltarule $version" ]

    say "a program of one's own, by find_package and by pkg-config"
    get g++ cmake ninja-build pkgconf
    local room
    for room in autograd nn; do
        rm -rf /tmp/consumer
        cmake -G Ninja -S /tmp/install/find_package -B /tmp/consumer -DROOM=$room >/dev/null
        cmake --build /tmp/consumer
        /tmp/consumer/consumer
    done
    # shellcheck disable=SC2046
    g++ /tmp/install/consumer.cpp $(pkg-config --cflags --libs deltarule) -o /tmp/by_pkg_config
    /tmp/by_pkg_config
    /tmp/install/instruction_sets.sh /tmp/sets g++ "" baseline avx2 native
    purge
    say "all is well"
}
loader() { /lib64/ld-linux-x86-64.so.2 "$@" 2>/dev/null || true; }
measure() {  # measure LEVEL...: how long the same training takes with the libraries of each level, the best of five
    local level run begun best took right
    export OPENBLAS_NUM_THREADS=1
    for level in "$@"; do
        best=
        for run in 1 2 3 4 5; do
            begun=$(date +%s%N)
            # (The loader's program does not know where it stands, and so not where its digits are.)
            right=$(loader --glibc-hwcaps-mask "$level" /usr/bin/deltarule train --csv /usr/share/deltarule/digits.csv.gz \
                --hidden 256,256 --activation gelu | grep '^test accuracy')
            took=$((($(date +%s%N) - begun) / 1000000))
            [ -n "$best" ] && [ "$best" -le $took ] || best=$took
        done
        say "libraries for ${level/none/any machine}: $best ms, $right"
    done
}
get() { apt-get install -qqy --no-install-recommends "$@" >/dev/null; }
installed() { dpkg-query -W -f '${Package} ${db:Status-Status}\n' | sed -n 's/^\(.*deltarule.*\) installed$/\1/p'; }
older() {  # the same packages with an older version, and with a file that the new ones no longer have
    mkdir /tmp/older
    local file
    for file in "${all[@]}"; do
        dpkg-deb -R "$file" /tmp/opened
        sed -i "s/\b${version//./\\.}\b/$version~older/g" /tmp/opened/DEBIAN/control
        [[ $file != */deltarule_* ]] || touch /tmp/opened/usr/share/deltarule/older
        dpkg-deb --root-owner-group -b /tmp/opened /tmp/older >/dev/null
        rm -rf /tmp/opened
    done
}
purge() {  # nothing of the packages stays behind
    local path left=()
    # shellcheck disable=SC2046
    dpkg -L $(installed) | sort -u >/tmp/owned
    # shellcheck disable=SC2046
    apt-get purge -qqy $(installed) >/dev/null
    [ -z "$(installed)" ]
    while read -r path; do
        [[ ! -e $path && ! -L $path || -d $path && $path != *deltarule* ]] || left+=("$path")
    done </tmp/owned
    [ ${#left[@]} -eq 0 ] || die "left behind: ${left[*]}"
}

case ${1:-} in
    build | try) "$1"; exit ;;
    "") ;;
    *) say "usage: packaging/debian.sh" >&2; exit 2 ;;
esac

roots=${DELTARULE_ROOTS:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/deltarule/roots}
settings=()
for name in ${!DEB_*}; do settings+=("$name=${!name}"); done

say "building"
DELTARULE_ROOTS=$roots scripts/in-debian.sh $release env "${settings[@]}" packaging/debian.sh build
rm -rf build/packages
mkdir -p build/packages
find "$roots/$release$packages" -maxdepth 1 -type f -exec cp {} build/packages \;

say "trying them in a system that has nothing else"
DELTARULE_ROOTS=$roots/pristine scripts/in-debian.sh $release true
rm -rf --one-file-system "$roots/clean"
mkdir "$roots/clean"
cp -a "$roots/pristine/$release" "$roots/clean/"
cp -r build/packages "$roots/clean/$release$packages"
DELTARULE_ROOTS=$roots/clean scripts/in-debian.sh $release packaging/debian.sh try
ls -l build/packages/*.deb
