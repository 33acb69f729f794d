#!/usr/bin/env bash
# program.sh FOLDER SOURCE PAGE...: writes a program that holds every block of C++ of these pages and runs them in their
# order, in one translation unit as the engine's headers are large. A page's blocks are one scope after the other: a comment `cpp` begins a new one.
set -euo pipefail
folder=$1 source=$2
shift 2
here=$(dirname "$0")
rm -rf "$folder"
mkdir -p "$folder"
awk -v folder="$folder" -v root="$source" -f "$here/blocks.awk" "$@"

blocks() { awk '$2 ~ /^cpp/ { print $1 }' "$folder/list"; }
echo "// Written by tests/pages/program.sh."
(cd "$folder" && blocks | xargs -r grep -h '^#include' | LC_ALL=C sort -u)
cat <<'CPP'
#include <iostream>
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wunused-value"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wshadow"
// A line that says whose output follows.
static void block_begins(const char* place) { std::cout << "\n@ " << place << std::endl; }
CPP

calls="" scope="" function="" as_it_is=0
close_scope() {
    [ -z "$function" ] || echo "}"
    [ -z "$scope" ] || echo "}"
    function="" scope=""
}
while read -r number kind place _; do
    block=$folder/$number
    line="#line ${place##*:} \"${place%:*}\""
    case $kind in
    page) close_scope ;;
    cpp-global)  # opens what the blocks up to the next of its kind stand in as they are
        close_scope
        as_it_is=$((1 - as_it_is))
        printf '%s\n' "$line"
        grep -v '^#include' "$block" || true
        ;;
    cpp | cpp-before)
        [ "$kind" = cpp ] || close_scope
        if [ "$as_it_is" = 1 ]; then
            printf '%s\n' "$line"
            sed 's/^#include.*//' "$block"
        elif grep -q '^int main(' "$block"; then
            close_scope
            # In a namespace main is a function like any other; `auto` lets it end without a return.
            printf 'namespace block_%s {\n%s\n' "$number" "$line"
            sed 's/^#include.*//; s/^int main(/auto program(/' "$block"
            echo "}"
            calls+="    block_begins(\"$place\"); block_$number::program();"$'\n'
        elif sed '/^#include/d; /^ *\/\//d; /^ *$/d' "$block" | head -1 | grep -qE '^(template|struct|class|using|FACTS)\b'; then
            [ -z "$function" ] || close_scope
            [ -n "$scope" ] || { scope=$number && echo "namespace scope_$number {"; }
            printf '%s\n' "$line"
            sed 's/^#include.*//' "$block"
        else
            [ -n "$scope" ] || { scope=$number && echo "namespace scope_$number {"; }
            if [ -z "$function" ]; then
                function=$number
                echo "void function_$number() {"
                calls+="    scope_$scope::function_$number();"$'\n'
            fi
            printf 'block_begins("%s");\n%s\n' "$place" "$line"
            sed 's/^#include.*//' "$block"
        fi
        ;;
    esac
done <"$folder/list"
close_scope
printf '#line 1 "pages.cpp"\nint main() {\n%s}\n' "$calls"
