#!/usr/bin/env bash
# Installs what is missing, builds, checks the coursework, trains on handwritten digits, and writes a page.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "== Packages"
scripts/install-deps.sh
echo "== Building"
[ -f build/release/CMakeCache.txt ] || cmake --preset release -G Ninja
cmake --build --preset release --parallel --target deltarule coursework
echo "== The coursework's formulas beside the tape"
build/release/examples/coursework
echo "== The coursework, line by line"
build/release/deltarule check examples/derivations/coursework_latex.deriv || [ $? -eq 1 ]
echo "== A network on handwritten digits"
build/release/deltarule train
echo "== The coursework's network, to be stepped through"
build/release/deltarule explain examples/derivations/coursework.deriv -o build/release/coursework.html
echo "Open it in a browser: $PWD/build/release/coursework.html"
