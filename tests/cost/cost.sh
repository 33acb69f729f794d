#!/usr/bin/env bash
# cost.sh COMPILER PROGRAM INCLUDES FLAGS...: what deltarule costs its user, in seconds of compiling and in bytes.
set -euo pipefail
compiler=$1 program=$2 includes=$3
shift 3
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

seconds() {  # the compiler's own processor time, the least of three; a failure is one of this script
    local TIMEFORMAT=%U least= took
    for _ in 1 2 3; do
        { time "$compiler" -O2 -std=c++20 -DXTENSOR_USE_XSIMD "${@:2}" -c "$1" -o "$work/out.o" 2>"$work/errors"; } 2>"$work/time" ||
            { cat "$work/errors" >&2; echo "$1 does not compile" >&2; return 1; }
        took=$(<"$work/time")
        least=$(printf '%s\n%s\n' "$took" "$least" | grep . | sort -g | head -n 1)
    done
    echo "$least"
}
IFS=: read -ra folders <<<"$includes"
whole=$(seconds "$here/whole.cpp" "${folders[@]/#/-I}" "$@")
xtensor=$(seconds "$here/xtensor.cpp" "$@")
strip -o "$work/program" "$program"
bytes=$(stat -c %s "$work/program")

echo "the whole API compiles in $whole s, one xtensor expression in $xtensor s; the program has $bytes bytes"
awk -v whole="$whole" -v xtensor="$xtensor" 'BEGIN { exit !(whole <= 3 * xtensor) }' ||
    { echo "the whole API takes more than three times as long as one xtensor expression"; exit 1; }
[ "$bytes" -le 5200000 ] || { echo "the program is larger than 5.2 MB"; exit 1; }
