#!/usr/bin/env bash
# instruction_sets.sh WORK COMPILER FLAGS SET...: compiles instruction_sets.cpp for each SET (baseline, avx2, native), links
# it alone and all together to the libraries that pkg-config names, and runs that. FLAGS stand behind those of pkg-config.
set -euo pipefail
here=$(dirname "$0") work=$1 compiler=$2 flags=$3
sets=("${@:4}")
if [ "$(uname -m)" != x86_64 ]; then
    echo "== SKIPPED: this is no x86-64, instruction sets were not mixed. =="
    exit 0
fi
declare -A march=([baseline]=x86-64 [avx2]=x86-64-v3 [native]=native)
mkdir -p "$work"
all=() calls=
for set in "${sets[@]}"; do
    if [ "$set" = avx2 ] && ! grep -qw avx2 /proc/cpuinfo; then
        echo "== SKIPPED: this machine has no AVX2. =="
        continue
    fi
    # Without optimisation nothing is inlined, and the linker has most to confuse; xsimd 8 cannot for AVX-512.
    optimise=-O0
    [ "$set" != native ] || optimise=-O1
    # shellcheck disable=SC2046,SC2086
    $compiler $(pkg-config --cflags deltarule) $flags $optimise "-march=${march[$set]}" "-DNAME=$set" \
        -c "$here/instruction_sets.cpp" -o "$work/$set.o"
    nm --defined-only "$work/$set.o" | awk '$2 ~ /[VWu]/ { print $3 }' | sort -u >"$work/$set.names"
    all+=("$set")
    calls+="${calls:+ + }$set()"
done
run() {  # run CALLS OBJECTS...: links and runs a program that makes these calls, each the number of its wrong values
    {
        printf 'int %s();\n' "${all[@]}"
        echo "int main() { return $1 != 0; }"
    } >"$work/main.cpp"
    # shellcheck disable=SC2046,SC2086
    $compiler $flags "$work/main.cpp" "${@:2}" $(pkg-config --libs deltarule) -o "$work/program"
    LD_LIBRARY_PATH=$(pkg-config --variable=libdir deltarule)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$work/program"
}
objects=()
for set in "${all[@]}"; do
    run "$set()" "$work/$set.o"
    objects+=("$work/$set.o")
done
# What one source makes of registers must not be taken for another's, whose registers have another size.
if [[ " ${all[*]} " == *" baseline avx2 "* ]] &&
    comm -12 "$work/baseline.names" "$work/avx2.names" | grep 8autograd7kernels >"$work/same"; then
    echo "of two instruction sets these have one name, and $(($(wc -l <"$work/same") - 5)) others:"
    head -n 5 "$work/same" | c++filt
    exit 1
fi
[ ${#all[@]} -lt 2 ] || run "$calls" "${objects[@]}"
echo "right: ${all[*]}"
