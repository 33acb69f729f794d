#!/usr/bin/env bash
# lab.sh [FOLDER]: builds the live page, build/lab/deltarule-lab.html, and in FOLDER (build/web) what it is made of. It needs
# Emscripten 3.1.60 or newer, of which Debian 13 has one: where it is not here, a small Debian 13 builds the page
# (in-debian.sh, 2.5 GB), and installs it there. Ends with 77 and a sentence where neither can be had.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(em++ --version 2>/dev/null | sed -n '1s/.* \([0-9][0-9.]*\) .*/\1/p') || true
if [ -z "$version" ] || [ "$(printf '%s\n' 3.1.60 "$version" | sort -V | head -n 1)" != 3.1.60 ]; then
    [ $# -eq 0 ] || { echo "[lab] Emscripten 3.1.60 or newer is not here" >&2; exit 77; }
    exec scripts/in-debian.sh --keep build/web-in-debian --keep build/lab trixie \
        sh -c 'scripts/install-deps.sh web >/dev/null || exit 77; exec scripts/lab.sh build/web-in-debian'
fi
folder=${1:-build/web}
[ -f "$folder/build.ninja" ] || emcmake cmake --preset web -B "$folder" -G Ninja
cmake --build "$folder" --target engine
node lab/web/join.mjs . "$folder/lab/web" /usr/share/doc build/lab/deltarule-lab.html
