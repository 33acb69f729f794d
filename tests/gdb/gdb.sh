#!/usr/bin/env bash
# gdb.sh PROGRAM PRINTERS: what gdb shows with the printers is what a person would want.
set -euo pipefail
program=$1 printers=$2
if ! command -v gdb >/dev/null || ! gdb -nx -batch -ex 'python print(1)' -ex run --args true >/dev/null 2>&1; then
    echo "SKIPPED: the printers for gdb, as gdb with Python is not here, or may not run a program."
    exit 77
fi
shown=$(gdb -nx -batch -ex "source $printers" -ex "source $printers" -ex 'break stop_here' -ex run -ex up \
    -ex 'print a' -ex 'print labels' -ex 'print scalar' -ex 'print none' -ex 'print w' -ex 'print earlier' -ex 'print unused' \
    -ex 'print x' -ex 'print y' -ex 'print z' -ex 'print tape' -ex 'print gradients' "$program" 2>&1 | sed -n '/^\$1 /,$p')
expected='$1 = (2,) [1.5, 2.5]
$2 = (3,) [3, 1, 2]
$3 = () [7]
$4 = (0, 3) []
$5 = parameter "0.weight" (3, 2) [0.5, -0.25, 2, 4, 8, 16]
$6 = %0 of an earlier recording
$7 = never recorded
$8 = %0 = variable "x" (2,) [1, 2]
$9 = %4 = reshape(%3) "y" (3,) [0, 10, 40]
$10 = %5 = sum(%4) () [50]
$11 = tape of 6 nodes = {%0 = variable "x" (2,) [1, 2],
  %1 = parameter "0.weight" (3, 2) [0.5, -0.25, 2, 4, 8, 16],
  %2 = reshape(%0) (2, 1) [1, 2],
  %3 = matmul(%1, %2) (3, 1) [0, 10, 40],
  %4 = reshape(%3) "y" (3,) [0, 10, 40],
  %5 = sum(%4) () [50]}
$12 = gradients = {%0 (2,) [10.5, 19.75],
  %1 (3, 2) [1, 2, 1, 2, 1, 2]}'
if ! diff <(tr -s ' \n' ' ' <<<"$expected") <(tr -s ' \n' ' ' <<<"$shown"); then
    echo "gdb shows this instead of that."
    exit 1
fi
