#!/usr/bin/env bash
# in-debian.sh [--keep FOLDER]... RELEASE COMMAND...: runs COMMAND on a copy of this tree in a small Debian of its own, as
#
#     scripts/in-debian.sh trixie scripts/test.sh --fast
#
# A FOLDER of this tree that is kept is not copied: there and here it is the same one, so that what is made in it stays.
# The first call makes the root of RELEASE (bookworm, trixie, sid) with debootstrap, later ones use it again; removing it
# begins anew. The mirror and apt's settings are this machine's. DELTARULE_ROOTS says where the roots are kept.
# Ends as COMMAND does, or with 77 and a sentence where no such root can be made or entered.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin

cannot() {
    echo "[in-debian] $1" >&2
    exit 77
}
keep=()
while [ "${1:-}" = --keep ] && [ $# -ge 2 ]; do
    keep+=("$2")
    shift 2
done
[ $# -ge 2 ] || { echo "[in-debian] usage: scripts/in-debian.sh [--keep FOLDER]... RELEASE COMMAND..." >&2; exit 2; }
release=$1
shift
[[ $release =~ ^[a-z]+$ ]] || { echo "[in-debian] '$release' is no release of Debian" >&2; exit 2; }

[ "$(id -u)" -eq 0 ] || cannot "a root can only be made and entered by the user root"
for tool in unshare chroot flock tar; do
    command -v $tool >/dev/null || cannot "the command $tool is missing"
done
# In a namespace of its own nothing stays mounted.
unshare --mount true 2>/dev/null || cannot "this machine does not permit mounts"

roots=${DELTARULE_ROOTS:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/deltarule/roots}
root=$roots/$release
mkdir -p "$roots" || cannot "the folder $roots cannot be made"
exec 9>"$roots/$release.lock"
flock 9  # one call at a time

if [ ! -d "$root" ]; then
    command -v debootstrap >/dev/null || cannot "debootstrap is missing: install the package debootstrap"
    [ -e "/usr/share/debootstrap/scripts/$release" ] || cannot "debootstrap knows no release '$release'"
    # Where this machine takes Debian from; debootstrap has a default of its own.
    mirror=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 2>/dev/null | sed -n 's/^Debian //p' | head -n 1) || true
    echo "[in-debian] making $root"
    rm -rf "$root.new"
    # shellcheck disable=SC2086
    debootstrap --variant=minbase --include=ca-certificates "$release" "$root.new" $mirror >"$root.log" 2>&1 || {
        tail -n 5 "$root.log" >&2
        cannot "debootstrap cannot make a root of $release here, see $root.log"
    }
    mv "$root.new" "$root"
fi

for file in /etc/resolv.conf /etc/hosts; do
    [ ! -e $file ] || cp -L $file "$root$file"
done
apt-config dump --no-empty --format '%f "%v";%n' Acquire 2>/dev/null |
    grep -iE '^Acquire::(https?|ftp|proxy|retries|ForceIPv|check-)' >"$root/etc/apt/apt.conf.d/90machine" || true
rm -rf "$root/src"
mkdir "$root/src"
tar -c --exclude-vcs --exclude=./build . | tar -x --no-same-owner -C "$root/src"
for folder in "${keep[@]}"; do
    mkdir -p "$folder" "$root/src/$folder"
done

# shellcheck disable=SC2016
exec unshare --mount bash -c '
    root=$1 folders=$2
    shift 2
    for folder in $folders; do
        mount --bind "$folder" "$root/src/$folder" || exit 77
    done
    { mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev"; } ||
        { echo "[in-debian] this machine does not permit mounts" >&2; exit 77; }
    kept=()
    for name in http_proxy https_proxy ftp_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY TERM; do
        [ -z "${!name:-}" ] || kept+=("$name=${!name}")
    done
    exec chroot "$root" env -i "${kept[@]}" HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        sh -c "cd /src && exec \"\$@\"" sh "$@"' bash "$root" "${keep[*]}" "$@"
