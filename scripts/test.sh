#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test: optimised, then with sanitizers (not with --fast).
set -euo pipefail
cd "$(dirname "$0")/.."

echo "== Packages"
scripts/install-deps.sh
presets=(release dev)
[ "${1:-}" != --fast ] || presets=(release)
for preset in "${presets[@]}"; do
    echo "== Building: $preset"
    [ -f "build/$preset/CMakeCache.txt" ] || cmake --preset "$preset" -G Ninja
    cmake --build --preset "$preset" --parallel
    echo "== Testing: $preset"
    ctest --preset "$preset" --parallel "$(nproc)"
done
echo "== All tests passed."
