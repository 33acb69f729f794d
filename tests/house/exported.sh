#!/usr/bin/env bash
# exported.sh SOURCE OBJECT...: what the object files of the program and of lab take from the rooms is exported where these are shared libraries.
set -euo pipefail
source=$1
shift

# Between `global:` and `local:` stand the patterns, comments apart.
mapfile -t patterns < <(sed -e 's#/\*.*\*/##' -e '/\/\*/,/\*\//d' "$source"/cmake/symbols/*.map |
    awk '/local:/ { on = 0 } on { gsub(/;/, "\n"); print } /global:/ { on = 1 }' | tr -d ' ' | sed '/^$/d')
missing=0
while read -r symbol; do
    for pattern in "${patterns[@]}"; do
        # shellcheck disable=SC2053  # a pattern it is
        [[ $symbol == $pattern ]] && continue 2
    done
    echo "The program or lab uses what cmake/symbols does not name: $(c++filt "$symbol")"
    missing=1
done < <(comm -23 <(nm "$@" | awk 'NF == 2 && $1 == "U" { print $2 }' | sort -u) <(nm "$@" | awk 'NF == 3 { print $3 }' | sort -u) |
    grep -E '^_Z(T[ISV])?N?[KRO]*(8autograd|2nn|10derivation|3lab)')
[ "${#patterns[@]}" -gt 10 ]
exit "$missing"
