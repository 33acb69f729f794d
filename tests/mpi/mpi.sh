#!/usr/bin/env bash
# mpi.sh COUNT PROGRAM...: runs a program in so many processes of MPI, or, with 0, by itself, as one that calls mpirun. Without
# mpirun it says so and exits with 77, which ctest takes for skipped.
set -euo pipefail
count=$1
shift
command -v mpirun >/dev/null || { echo "SKIPPED: nothing ran in several processes, as mpirun is not installed." >&2; exit 77; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
[ "$count" -ne 0 ] || exec "$@"
exec mpirun --oversubscribe -n "$count" "$@"
