#!/usr/bin/env bash
# arrows.sh [LIST]: reads all includes and says, a sentence for each offence, where
#   - one goes against the arrows of rooms.txt;
#   - an installed header includes one that is not installed, or an internal one is installed that none of them needs;
#   - two sources that stand for different things have one name, so that nobody can say which is meant.
# LIST names the installed headers, a line each; without it nothing is said of them.
set -euo pipefail
list=$(realpath "${1:-/dev/null}")
cd "$(dirname "$0")/../.."

# Not what is hidden, no build folder, and not packaging/, whose names are those that package managers want.
files=$(find . \( -name '.?*' -o -path ./build -o -path ./packaging -o -type d -exec test -e '{}/CMakeCache.txt' \; \) -prune -o -type f -print |
    sed 's|^\./||' | LC_ALL=C sort)
export files
sources=$(grep -E '\.[ch]pp$' <<<"$files")

# shellcheck disable=SC2086
awk -v table=tests/house/rooms.txt -v known=tests/house/exceptions.txt -v list="$list" '
function folder(path) { return path ~ /\// ? substr(path, 1, match(path, /\/[^\/]*$/) - 1) : "" }
function name(path) { sub(/.*\//, "", path); return path }
function stem(path) { path = name(path); sub(/\..*/, "", path); return path }
function room(path) {
    for (path = folder(path); path != "" && !(path in rooms); path = folder(path)) {}
    return path
}
function offence(first, second, sentence) {
    if ((first, second) in exceptions) { used[first, second] = 1; return }
    print sentence
    offences++
}
# Whether the table lets a room, or a single file, include this file of that room.
function allowed(from, to, target,    i, count, entries) {
    count = split(rooms[from], entries, " ")
    for (i = 1; i <= count; i++)
        if (entries[i] == "*" || entries[i] == to || entries[i] == target) return 1
    return 0
}
# The file that stands in the tree, or "" for one of the system: beside the source, in a folder above it, at the top.
function found(path, from) {
    for (from = folder(from); from != ""; from = folder(from))
        if ((from "/" path) in exists) return from "/" path
    return path in exists ? path : ""
}
# A header and its source, which stands beside it or below, are one thing.
function same(one, other) {
    return one ~ /hpp$/ && other ~ /cpp$/ && index(other, folder(one) "/") == 1 ||
           one ~ /cpp$/ && other ~ /hpp$/ && index(one, folder(other) "/") == 1
}
BEGIN {
    while ((getline line < table) > 0)
        if (split(line, part, / *: */) == 2 && line !~ /^#/) rooms[part[1]] = part[2]
    while ((getline line < known) > 0)
        if (line !~ /^#/ && split(line, part, " ") >= 2) exceptions[part[1], part[2]] = 1
    while ((getline line < list) > 0) installed[line] = 1
    count = split(ENVIRON["files"], all, "\n")
    for (i = 1; i <= count; i++) {
        path = all[i]
        sub(/\.in$/, "", path)  # CMake makes the header of it
        exists[path] = 1
    }
}
/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    target = $0
    sub(/^[^<"]*[<"]/, "", target)
    sub(/[>"].*/, "", target)
    while (sub(/^\.\.\//, "", target)) {}
    from = room(FILENAME)
    if (from == "") {
        if (!(FILENAME in homeless)) offence(FILENAME, "", FILENAME " stands in no room of " table ".")
        homeless[FILENAME] = 1
        next
    }
    outer = target
    sub(/\/.*/, "", outer)
    if (outer == "xtensor") {
        to = outer
    } else {
        target = found(target, FILENAME)
        if (target == "") next
        to = room(target)
        if (FILENAME in installed) {
            needed[target] = 1
            if (list != "/dev/null" && !(target in installed))
                offence(FILENAME, target, FILENAME ":" FNR " is installed and includes " target ", which is not (cmake/install.cmake).")
        }
    }
    if (to != from && !allowed(from, to, target) && !allowed(FILENAME, to, target))
        offence(FILENAME, target, FILENAME ":" FNR " in the room " from " includes " target " of the room " to ", and no arrow of " table " leads there.")
}
END {
    for (header in installed) {
        if (!(header in exists)) offence(header, "", header " is installed, but is not there (cmake/install.cmake).")
        else if (folder(header) ~ /\// && !(header in needed)) offence(header, "", header " is installed, and no installed header needs it (cmake/install.cmake).")
    }
    # An example has the name of what it shows.
    for (i = 1; i <= count; i++) {
        path = all[i]
        if (path ~ /^examples\// || path ~ /(^|\/)(README\.md|CMakeLists\.txt)$/) continue
        key = path ~ /\.[ch]pp$/ ? stem(path) : name(path)
        for (k = 1; k <= things[key] && !same(thing[key, k], path); k++) {}
        if (k > things[key]) thing[key, ++things[key]] = path
    }
    for (key in things)
        for (k = 2; k <= things[key]; k++)
            offence(thing[key, 1], thing[key, k], thing[key, 1] " and " thing[key, k] " have one name and are different things.")
    for (pair in exceptions)
        if (!(pair in used)) {
            split(pair, part, SUBSEP)
            print "tests/house/exceptions.txt excuses " part[1] " and " part[2] ", which need it no longer: take the line away."
            offences++
        }
    exit (offences > 0)
}' $sources && echo "Every include follows an arrow."
