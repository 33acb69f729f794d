#!/usr/bin/env bash
# player.sh PAGES FOLDER SOURCES DELTARULE: has the programs PAGES and DELTARULE write the player's pages, and a browser step
# through them. What the tests need of npm stands in FOLDER, outside of the sources; where DELTARULE_BROWSER is set, as by scripts/test.sh --lab, it is
# put there. FOLDER/screenshots is what the pages look like.
set -euo pipefail
pages=$1 folder=$2 root=$3 sources=$3/lab/player deltarule=$4 here=$(cd "$(dirname "$0")" && pwd)
skip() {
    echo "SKIPPED: the player in a browser, as $1 (scripts/test.sh --lab installs what it needs)." >&2
    exit 77
}
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "chromium is not here"
command -v node >/dev/null || skip "node is not here"
mkdir -p "$folder"
if ! cmp -s "$here/package.json" "$folder/installed.json"; then
    [ -n "${DELTARULE_BROWSER:-}" ] || skip "playwright-core is not in $folder"
    command -v npm >/dev/null || skip "npm is not here"
    cp "$here/package.json" "$folder/"
    (cd "$folder" && npm install --no-package-lock --no-audit --no-fund --loglevel=error) || skip "npm could not install"
    cp "$here/package.json" "$folder/installed.json"
fi

echo "== Style and types"
cd "$folder"
npx --no-install prettier --config "$here/prettier.json" --check "$sources"/*.js "$sources"/*.css "$here"/*.js
npx --no-install tsc --noEmit --allowJs --checkJs --strict --target es2023 --lib es2023,dom,dom.iterable --module esnext \
    "$sources"/*.js
cp "$here/eslint.config.js" "$folder/"
mkdir -p "$folder/linted" && cp "$sources"/*.js "$folder/linted/"
npx --no-install eslint --no-inline-config linted

echo "== The pages"
rm -rf "$folder/pages" "$folder/screenshots"
mkdir -p "$folder/pages" "$folder/screenshots"
"$pages" "$folder/pages"
for name in coursework_mistakes two_hidden_layers_batch layer_normalisation; do
    "$deltarule" explain "$root/examples/derivations/$name.deriv" -o "$folder/pages/$name.html" >/dev/null
done
node "$here/player_in_browser.js" "$folder" "$browser"

echo "== The lessons"
for lesson in "$root"/examples/lessons/*.md; do
    "$deltarule" explain "$lesson" -o "$folder/pages/$(basename "$lesson" .md).html" >/dev/null
done
node "$here/lessons_in_browser.js" "$folder" "$browser" "$root/examples/lessons"
