#!/usr/bin/env bash
# Measures everything in one session and writes RESULTS.md, results.json and results.svg.
#
#   bench/run.sh [--quick] [build folder]     --quick: few short repetitions, results in the build folder only
#
# libtorch, PyTorch and JAX are measured where $PYTHON (python3) can import torch and jax. They choose their kernels by
# the processor; so does OpenBLAS here, whatever the environment says.
set -euo pipefail
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

source=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
repetitions=15 least_time=0.01 operation_repetitions=7 operation_time=0.003
results=$source/bench
if [ "${1:-}" = --quick ]; then
    shift
    repetitions=3 least_time=0.001 operation_repetitions=2 operation_time=0.001
    results=
fi
build=${1:-$source/build/bench}
results=${results:-$build}
threads=$(nproc)
threads=$((threads < 2 ? threads : 2))

torch=()
if prefix=$("$python" -c 'import torch; print(torch.utils.cmake_prefix_path)' 2>/dev/null); then
    torch=("-DCMAKE_PREFIX_PATH=$prefix")
fi
cmake -S "$source" -B "$build" -DCMAKE_BUILD_TYPE=Release -DDELTARULE_BENCH=ON -DDELTARULE_TESTS=OFF \
    -DDELTARULE_APP=OFF -DDELTARULE_INSTALL=OFF "${torch[@]}"
cmake --build "$build" --target bench --parallel

measure() {  # name, repetitions, least time of a repetition, then options
    local name=$1 repetitions=$2 least=$3
    shift 3
    "$build/bench/bench" --benchmark_filter="^$name:" --benchmark_repetitions="$repetitions" \
        --benchmark_min_time="$least" --benchmark_out="$build/$name.json" "$@" >"$build/$name.txt"
}
echo "Steps ..."
measure step "$repetitions" "$least_time" --threads="$threads"
echo "PyTorch and JAX ..."
"$python" "$source/bench/steps/peers.py" --out="$build/peers.json" --threads="$threads" --repetitions="$repetitions" \
    --min-time="$least_time"
echo "Growth ..."
measure growth "$operation_repetitions" "$operation_time"
measure hvp "$operation_repetitions" "$least_time"
echo "Operations ..."
measure operation "$operation_repetitions" "$operation_time"
echo "Layers and networks ..."
measure layer "$operation_repetitions" "$operation_time"
measure network "$operation_repetitions" "$operation_time"
"$python" "$source/bench/layers/networks_by_jax.py" --out="$build/networks_by_jax.json" \
    --repetitions="$operation_repetitions" --min-time="$operation_time"

"$python" "$source/bench/report/results.py" --out="$results" "$build"/{step,peers,growth,hvp,operation,layer,network,networks_by_jax}.json
echo "Written to $results: RESULTS.md, results.json, results.svg"
