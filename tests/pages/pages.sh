#!/usr/bin/env bash
# pages.sh PROGRAM BLOCKS BUILD SOURCE WORK COMPILER FLAGS...: runs what the pages show, and compares what they say is
# printed. PROGRAM holds the blocks of C++ (program.sh), BLOCKS is the folder of all of them, BUILD the tree with the program
# `deltarule`. Commands run in WORK, a copy of what they may touch. A block with a main is what a reader copies: it must
# compile by itself, too.
set -euo pipefail
program=$1 blocks=$2 build=$3 source=$4 work=$5 compiler=$6
shift 6
flags=("$@")
rm -rf "$work"
mkdir -p "$work/tree/build" "$work/outputs"
cp -r "$source"/{CMakeLists.txt,CMakePresets.json,README.md,autograd,app,cmake,derivation,docs,examples,lab,nn,scripts,tests,bench} "$work/tree"
ln -s "$build" "$work/tree/build/release"
mkdir "$work/bin"
ln -s "$build/deltarule" "$work/bin"
export PATH=$work/bin:$PATH
export CMAKE_GENERATOR=Ninja

failures=0 compiled=0 ran=0 compared=0 quoted=0
complain() {
    echo "$place: $1"
    failures=$((failures + 1))
}
# Whether a text is what a page shows; "..." stands for anything within a line, and as a line for any lines.
as_shown() {
    awk 'function alike(pattern, line,    pieces, n, i, at) {
            n = split(pattern, pieces, /\.\.\./)
            if (n < 2) return pattern == line
            if (substr(line, 1, length(pieces[1])) != pieces[1]) return 0
            line = substr(line, length(pieces[1]) + 1)
            for (i = 2; i < n; i++) {
                if (!(at = index(line, pieces[i]))) return 0
                line = substr(line, at + length(pieces[i]))
            }
            return length(line) >= length(pieces[n]) && substr(line, length(line) - length(pieces[n]) + 1) == pieces[n]
        }
        NR == FNR { shown[++n] = $0; next } { printed[++m] = $0 }
        function fits(i, j) {
            for (; i <= n; i++) {
                if (shown[i] ~ /^ *\.\.\.$/) {
                    for (; j <= m + 1; j++) if (fits(i + 1, j)) return 1
                    return 0
                }
                if (j > m || !alike(shown[i], printed[j++])) return 0
            }
            return j > m
        }
        END { while (m > 0 && printed[m] == "") m--; exit !fits(1, 1) }' "$1" "$2"
}
compare() {
    [ "$2" != "$work/skipped" ] || return 0
    compared=$((compared + 1))
    as_shown "$1" "$2" && return
    complain "the page says that this is printed:"
    sed 's/^/    /' "$1"
    echo "  and this is:"
    sed 's/^/    /' "$2"
}
run() {  # a command of the pages; its output in $printed
    ran=$((ran + 1))
    (cd "$work/tree" && bash -euo pipefail "$1") >"$printed" 2>"$work/errors" </dev/null && return
    local status=$?
    [ "$status" -eq 1 ] && [ "${2:-}" = fails ] && return
    complain "this ends with $status:"
    sed 's/^/    /' "$1" "$printed" "$work/errors"
}

(cd "$work" && exec "$program") >"$work/all" || { echo "the program of the pages fails:"; tail -3 "$work/all"; exit 1; }
awk -v folder="$work/outputs" '/^@ .*:[0-9]+$/ { if (path) close(path); path = substr($0, 3); gsub("/", "%", path); path = folder "/" path; next }
    path { print > path }' "$work/all"

printed=/dev/null
while read -r number kind place more; do
    block=$blocks/$number
    case $kind in
    cpp)
        compiled=$((compiled + 1))
        printed=$work/outputs/${place//\//%}
        sed -i '${/^$/d}' "$printed" 2>/dev/null || : >"$printed"
        ! grep -q '^int main(' "$block" ||
            "$compiler" -std=c++20 -fsyntax-only -DXTENSOR_USE_XSIMD "-I$source" "-I$build/include" "${flags[@]}" -x c++ "$block" \
                2>"$work/errors" || { complain "by itself it does not compile:" && head -5 "$work/errors"; }
        ;;
    page | cpp-global | cpp-before) ;;
    sh)
        printed=$work/outputs/$number
        run "$block"
        ;;
    console)  # commands behind a $, and below each what it prints
        printed=$work/outputs/$number
        rm -f "$work"/step.*
        awk -v path="$work/step" '/^\$ / { n++; print substr($0, 3) > (path "." n ".sh"); next } { print > (path "." n ".shown") }' "$block"
        for ((step = 1; ; step++)); do
            [ -f "$work/step.$step.sh" ] || break
            run "$work/step.$step.sh" fails
            touch "$work/step.$step.shown"
            compare "$work/step.$step.shown" "$printed"
        done
        ;;
    output) compare "$block" "$printed" ;;
    file)
        mkdir -p "$(dirname "$work/tree/$more")"
        cp "$block" "$work/tree/$more"
        ;;
    deriv-before) cat "$block" >>"$work/deriv" ;;
    deriv)
        cat "$block" >>"$work/deriv"
        ran=$((ran + 1))
        deltarule check "$work/deriv" >"$work/verdicts" 2>&1 || { complain "this does not hold:" && cat "$work/verdicts"; }
        rm "$work/deriv"
        ;;
    python | python-before)
        [ "$kind" = python ] || rm -f "$work/program.py"
        if [ -z "${python:-}" ]; then
            python=none
            for one in "${DELTARULE_PYTHON:-python3}"; do
                "$one" -c 'import torch, safetensors' 2>/dev/null && python=$one
            done
            [ "$python" != none ] || echo "SKIPPED: the pages' Python, as no python3 with torch and safetensors is here (DELTARULE_PYTHON names one)."
        fi
        printed=$work/outputs/$number
        [ "$python" = none ] && { printed=$work/skipped && continue; }
        cat "$block" >>"$work/program.py"
        ran=$((ran + 1))
        (cd "$work/tree" && "$python" "$work/program.py") >"$printed" 2>&1 || { complain "this fails:" && cat "$printed"; }
        ;;
    quoted)
        quoted=$((quoted + 1))
        while IFS= read -r line; do
            grep -qF -- "$line" "$source/$more" || complain "'$line' does not stand in $more"
        done <"$block"
        ;;
    left) echo "$place is not run: $more" ;;
    text) ;;
    esac
done <"$blocks/list"

echo "$compiled blocks of C++, $ran commands, $compared outputs, $quoted quotations; $failures do not hold."
[ "$failures" -eq 0 ]
