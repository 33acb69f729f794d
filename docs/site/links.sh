#!/usr/bin/env bash
# links.sh SITE: says which links of a site lead nowhere, and what its pages would fetch from another host.
set -euo pipefail
cd "$1"
find . -name '*.html' -printf '%P\n' | LC_ALL=C sort | xargs awk '
    FNR == 1 {
        page = folder = FILENAME
        pages[page] = 1
        if (!sub(/[^\/]*$/, "", folder)) folder = ""
    }
    {
        line = $0
        while (match(line, /(id|name)="[^"]*"/)) {
            name = substr(line, RSTART, RLENGTH)
            gsub(/^[a-z]*="|"$/, "", name)
            names[page "#" name] = 1
            line = substr(line, RSTART + RLENGTH)
        }
        line = $0
        while (match(line, /(href|src)="[^"]*"/)) {
            target = substr(line, RSTART, RLENGTH)
            kind = target ~ /^src/ || $0 ~ /<link / ? "fetched" : "link"
            gsub(/^[a-z]*="|"$/, "", target)
            line = substr(line, RSTART + RLENGTH)
            if (target ~ /^(https?:)?\/\//) {
                if (kind == "fetched") { print page ": fetches " target; bad++ }
                continue
            }
            if (target ~ /^(javascript:|mailto:|data:|#$)/ || target == "") continue
            sub(/#step=.*/, "", target)  # where the player is, and no place on its page
            if (target ~ /#nested-classes$/) continue  # Doxygen leads there also where all of them are private
            links[++count] = page "\t" (target ~ /^#/ ? page : folder) target
        }
    }
    END {
        for (i = 1; i <= count; i++) {
            split(links[i], part, "\t")
            target = part[2]
            file = target
            sub(/#.*/, "", file)
            if (!(file in there)) there[file] = (file in pages) || system("test -e \"" file "\"") == 0
            if (!there[file] || (target ~ /#/ && (file in pages) && !(target in names))) {
                print part[1] ": " target " is not there"
                bad++
            }
        }
        print count " links, " bad + 0 " of them bad."
        exit bad > 0
    }'
