# For the tests in a browser: `browser` is its program, and what they need of npm stands in `folder`, outside of the sources;
# where DELTARULE_BROWSER is set, as by scripts/test.sh --lab, it is put there. `what` is tested.
skip() {
    echo "SKIPPED: $what in a browser, as $1 (scripts/test.sh --lab installs what it needs)." >&2
    exit 77
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
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
