#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test: optimised, then with sanitizers (not with --fast). With --all, also
# what takes long: the examples that train, every derivation at 50 seeds, 300 kills, each fuzz target for
# DELTARULE_FUZZ_SECONDS (300), ONNX and MPI where they are, and what --lab does alone: the lab's pages in a browser, which it installs.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
    --fast | --all | --lab | "") ;;
    *)
        echo "scripts/test.sh [--fast | --all | --lab]" >&2
        exit 2
        ;;
esac

# The tests of every day are the same each time.
fuzz_seconds=${DELTARULE_FUZZ_SECONDS:-300}
unset DELTARULE_FUZZ_SECONDS DELTARULE_SEEDS DELTARULE_KILLS

echo "== Packages"
scripts/install-deps.sh
browser_tests() {
    echo "== Testing: the lab in a browser"
    scripts/install-deps.sh lab || true  # the test says what is missing
    # Only where there is no compiler for it: a page that does not build is a failure.
    scripts/lab.sh || { [ $? -eq 77 ] && rm -rf build/lab && echo "SKIPPED: the live page, whose compiler cannot be had here." >&2; }
    DELTARULE_BROWSER=1 ctest --preset release -R '^(player|web_engine|live_page)$'
}
if [ "${1:-}" = --lab ]; then
    [ -f build/release/CMakeCache.txt ] || cmake --preset release -G Ninja
    cmake --build --preset release --parallel --target player_pages deltarule
    browser_tests
    exit
fi
presets=(release dev)
[ "${1:-}" != --fast ] || presets=(release)
for preset in "${presets[@]}"; do
    echo "== Building: $preset"
    [ -f "build/$preset/CMakeCache.txt" ] || cmake --preset "$preset" -G Ninja
    cmake --build --preset "$preset" --parallel
    echo "== Testing: $preset"
    ctest --preset "$preset" --parallel "$(nproc)"
done

if [ "${1:-}" = --all ]; then
    export DELTARULE_FUZZ_SECONDS="$fuzz_seconds" DELTARULE_SEEDS=50 DELTARULE_KILLS=300
    browser_tests
    if [ -e /usr/include/onnx/onnx_pb.h ]; then
        echo "== Testing: ONNX"
        cmake -S . -B build/onnx -G Ninja -DCMAKE_BUILD_TYPE=Release -DDELTARULE_ONNX=ON
        cmake --build build/onnx --parallel --target deltarule onnx_networks onnx_export_test
        ctest --test-dir build/onnx -R '^onnx_' --output-on-failure
    fi
    if command -v mpicxx >/dev/null; then
        echo "== Testing: MPI"
        cmake -S . -B build/mpi -G Ninja -DCMAKE_BUILD_TYPE=Release -DDELTARULE_MPI=ON
        cmake --build build/mpi --parallel --target deltarule fit_over_processes processes_program_test
        ctest --test-dir build/mpi -R '^mpi_' --output-on-failure
    fi
    echo "== Testing at length: release"
    ctest --preset release --parallel "$(nproc)" -C long -R '_long$|^(derivation_examples|damaged_program|derivation_fuzz)_test$'
    echo "== Testing at length: dev"
    ctest --preset dev --parallel "$(nproc)" -C long -R '_long$'
    # libFuzzer finds more, as it sees which inputs reach new code.
    if clang=$(command -v clang++) && [ -e "$("$clang" -print-resource-dir)/lib/linux/libclang_rt.fuzzer-$(uname -m).a" ]; then
        echo "== Fuzzing: libFuzzer"
        cmake -S . -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER="$clang" -DCMAKE_BUILD_TYPE=Release -DDELTARULE_LIBFUZZER=ON
        cmake --build build/fuzz --parallel --target fuzz
        for target in build/fuzz/tests/fuzz/*_fuzz; do
            name=$(basename "$target" _fuzz)
            mkdir -p "build/fuzz/corpus/$name"
            "$target" -max_total_time="$DELTARULE_FUZZ_SECONDS" -timeout=300 -rss_limit_mb=4096 -print_final_stats=1 \
                -dict="tests/fuzz/words/${name}_words" "build/fuzz/corpus/$name" "tests/fuzz/seeds/$name"
        done
    fi
fi
echo "== All tests passed."
