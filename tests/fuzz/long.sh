#!/usr/bin/env bash
# A fuzz target on inputs that no run before had: for DELTARULE_FUZZ_SECONDS, or a minute.
set -euo pipefail
exec "$1" "--seconds=${DELTARULE_FUZZ_SECONDS:-60}" "--seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')" "${@:2}"
