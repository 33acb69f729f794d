#!/usr/bin/env bash
# Installs what is missing, builds, shows the delta rule beside the tape, and trains on handwritten digits.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "== Packages"
scripts/install-deps.sh
echo "== Building"
[ -f build/release/CMakeCache.txt ] || cmake --preset release -G Ninja
cmake --build --preset release --parallel
echo "== The coursework's formulas beside the tape"
build/release/examples/coursework
echo "== A network on handwritten digits"
build/release/deltarule train
