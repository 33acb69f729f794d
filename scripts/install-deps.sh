#!/usr/bin/env bash
# Installs what deltarule needs on Debian 12; does nothing where all is there.
set -euo pipefail

packages=(g++ cmake ninja-build pkg-config xtl-dev libxtensor-dev libxsimd-dev libxtensor-blas-dev libopenblas-dev
          libboost-test-dev libcli11-dev libfmt-dev nlohmann-json3-dev zlib1g-dev)

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "All packages are installed."
    exit 0
fi

echo "Installing: ${missing[*]}"
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
