#!/usr/bin/env bash
# player.sh PAGES FOLDER SOURCES DELTARULE: checks the style and types of the lab's pages, has the programs PAGES and DELTARULE
# write the player's, and a browser step through them. FOLDER/screenshots is what they look like.
set -euo pipefail
pages=$1 folder=$2 root=$3 sources=$3/lab/player web=$3/lab/web live=$3/lab/web/page deltarule=$4 what="the player"
. "$(dirname "$0")/browser.sh"

echo "== Style and types"
cd "$folder"
npx --no-install prettier --config "$here/prettier.json" --check "$sources"/*.js "$sources"/*.css "$live"/*.js "$live"/*.css "$web"/*.js "$web"/*.mjs \
    "$here"/*.js "$here"/*.ts
npx --no-install tsc --noEmit --allowJs --checkJs --strict --target es2023 --lib es2023,dom,dom.iterable --module esnext \
    "$sources"/*.js "$live"/*.js
npx --no-install tsc --noEmit --allowJs --checkJs --strict --target es2023 --lib es2023,webworker "$here/worker.d.ts" "$web/worker.js"
cp "$here/eslint.config.js" "$folder/"
rm -rf "$folder/linted" && mkdir -p "$folder"/linted/{player,live,web,tests}
cp "$sources"/*.js "$folder/linted/player/" && cp "$live"/*.js "$folder/linted/live/" && cp "$web"/*.js "$web"/*.mjs "$folder/linted/web/"
cp "$here"/*_in_*.js "$folder/linted/tests/"
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
