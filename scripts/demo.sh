#!/usr/bin/env bash
# Installs what is missing, builds, and shows the delta rule computed by hand beside the tape's numbers.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "== Packages"
scripts/install-deps.sh
echo "== Building"
[ -f build/release/CMakeCache.txt ] || cmake --preset release -G Ninja
cmake --build --preset release --parallel
echo "== The coursework's formulas beside the tape"
build/release/examples/coursework
