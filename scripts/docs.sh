#!/usr/bin/env bash
# docs.sh [BUILD]: makes the site in build/docs of the pages in docs/, the READMEs, the public headers, and what the program
# in BUILD (build/release) says of itself. Needs doxygen; with doxygen-awesome-css it is dark where the reader's system is,
# and readable on a phone. (scripts/install-deps.sh docs installs both.)
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
out=build/docs pages=build/docs-pages
if ! command -v doxygen >/dev/null; then
    echo "SKIPPED: the site, as doxygen is not here (scripts/install-deps.sh docs installs it)." >&2
    exit 77
fi
rm -rf "$out" "$pages"
mkdir -p "$out" "$pages"

slug() { sed 's/\.md$//; s/[^A-Za-z0-9]/_/g' <<<"$1"; }
lessons=$([ ! -x "$build/deltarule" ] || echo lessons)
# A page as Doxygen reads it, from the standard input.
page() { awk -v path="$1" -v out="$pages" -v lessons="$lessons" -f docs/site/page.awk >"$pages/$(slug "$1").md"; }
written=$(find . -name '*.md' -not -path './build/*' -not -path './.*' -not -path './examples/derivations/lecture_notes*' -not -path './examples/lessons/*' -not -path './tests/*/*' |
    sed 's|^\./||' | LC_ALL=C sort)
for path in $written; do page "$path" <"$path"; done

# What the program says of itself.
if [ -x "$build/deltarule" ]; then
    {
        echo "# The program"
        program=$(realpath "$build/deltarule")
        for command in "" train predict check; do
            printf '\n## deltarule %s\n\n```\n' "$command"
            # shellcheck disable=SC2086
            (exec -a deltarule "$program" $command --help) | sed '/./,$!d'
            echo '```'
        done
    } | sed 's/^## deltarule $/## deltarule/' | page docs/program.md
else
    echo "SKIPPED: the page about the program, as $build/deltarule is not there." >&2
fi

# Each lesson twice: its text with the verdicts, what would be right kept back, and the player's page that it leads to.
if [ -n "$lessons" ]; then
    mkdir "$out/$lessons"
    program=$(realpath "$build/deltarule") site=$(realpath "$out/$lessons")
    (
        cd examples/lessons
        for lesson in *.md; do
            name=${lesson%.md}
            "$program" check --hint "$lesson" --html "$site/report" >/dev/null || [ $? -eq 1 ]
            awk -v name="$name" -v title="$(sed -n '1s/^# //p' "$lesson")" -f ../../docs/site/lesson.awk "$site/report" >"$site/${name}_text.html"
            rm "$site/report"
            "$program" explain "$lesson" -o "$site/$name.html" >/dev/null
        done
    )
fi

# The catalogue of mistakes, from its one table.
{
    printf '# The mistakes that a check knows\n\n| short name | what it says |\n|---|---|\n'
    tr '\n' ' ' <derivation/mistakes/catalogue.cpp | grep -oE '\{"[a-z-]+", +"[^"]*"' |
        sed -E 's/\{"([a-z-]+)", +"(.*)"/| `\1` | \2 |/'
} | page docs/mistakes.md

# A page for each source that pages lead to; a folder's lists its files.
sources=$(LC_ALL=C sort -u "$pages/linked")
for path in $sources; do [ ! -d "$path" ] || sources+=$'\n'$(find "$path" -maxdepth 1 -type f | LC_ALL=C sort); done
for path in $sources; do
    {
        printf '# %s {#%s}\n\n' "$path" "$(slug "$path")"
        if [ -d "$path" ]; then
            find "$path" -maxdepth 1 -type f | LC_ALL=C sort | while read -r file; do
                printf -- '- [%s](@ref %s)\n' "${file##*/}" "$(slug "$file")"
            done
        else
            printf '````%s\n' "$(case $path in *.?pp) echo cpp ;; esac)"
            cat "$path"
            printf '\n````\n'
        fi
    } >"$pages/$(slug "$path").md"
done

live=build/lab/deltarule-lab.html
if [ ! -f "$live" ]; then
    live=""
    echo "SKIPPED: the live page on the site, as build/lab/deltarule-lab.html is not there (scripts/lab.sh builds it)." >&2
fi

# The tabs: pages in the order in which one reads them, instead of an alphabet of all.
doxygen -l "$pages/layout.xml"
tabs=""
while IFS='|' read -r page title; do
    [ -f "$pages/$(slug "$page").md" ] || continue
    tabs+="<tab type=\"user\" url=\"@ref $(slug "$page")\" title=\"$title\"/>"
    [ -n "$live" ] && [ "$page" = docs/lab.md ] || continue
    tabs+="<tab type=\"user\" url=\"deltarule-lab.html\" title=\"Try it\"/>"
done <<'TABS'
docs/start.md|Start
docs/network.md|Build a network
docs/derivation.md|Check a derivation
docs/grading.md|Grade a class
docs/lab.md|Step through it
docs/lessons.md|Lessons
docs/how.md|Learn how it works
docs/pytorch.md|From PyTorch
docs/language.md|The language
docs/numerics.md|Operations
docs/accuracy.md|Accuracy
docs/program.md|The program
docs/files.md|File formats
docs/onnx.md|ONNX
docs/tested.md|How it is tested
TABS
sed -i "s|<tab type=\"pages\" [^>]*/>|$tabs|; s|<tab type=\"files\" visible=\"yes\"|<tab type=\"files\" visible=\"no\"|" "$pages/layout.xml"

style=/usr/share/doxygen-awesome-css
{
    cat docs/site/Doxyfile
    echo "PROJECT_NUMBER = $(sed -n 's/^project(deltarule VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)"
    echo "OUTPUT_DIRECTORY = $out"
    echo "LAYOUT_FILE = $pages/layout.xml"
    echo "INPUT = $pages autograd/autograd.hpp $(ls autograd/*.hpp nn/*.hpp mpi/*.hpp onnx_export/*.hpp | tr '\n' ' ') derivation/derivation.hpp"
    echo "USE_MDFILE_AS_MAINPAGE = $pages/README.md"
    echo "STRIP_FROM_PATH = . $pages"
    echo "IMAGE_PATH = $pages"
    if [ -f "$style/doxygen-awesome.css" ]; then
        echo "HTML_EXTRA_STYLESHEET = $style/doxygen-awesome.css docs/site/site.css"
    else
        echo "SKIPPED: the style of the site, as doxygen-awesome-css is not here." >&2
    fi
} >"$pages/Doxyfile"
[ ! -f "$pages/pictures" ] || xargs cp -t "$pages" <"$pages/pictures"
doxygen "$pages/Doxyfile"
docs/site/links.sh "$out"
[ -z "$live" ] || cp "$live" "$out/"  # now, as its script names files that it holds
echo "$out/index.html"
