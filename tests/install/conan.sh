#!/usr/bin/env bash
# conan.sh SOURCE WORK: Conan builds the engine by packaging/conan, and a consumer of it.
set -euo pipefail
source=$1 work=$2
if ! command -v conan >/dev/null; then
    echo "== SKIPPED: conan is not here (pip install conan), the recipe in packaging/conan was not tried. =="
    exit 77
fi
rm -rf "$work"
mkdir -p "$work"
export CONAN_HOME=$work/home
conan profile detect
conan create "$source/packaging/conan" --no-remote --settings build_type=Debug \
    --options '&:nn=False' --options '&:derivation=False' \
    --conf tools.cmake.cmaketoolchain:generator=Ninja --conf 'tools.cmake.cmake_layout:test_folder=$TMP'
