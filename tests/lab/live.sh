#!/usr/bin/env bash
# live.sh FOLDER SOURCES DELTARULE PAGE: types into the live page PAGE, which scripts/lab.sh builds, and compares its verdicts with
# those of the native program. FOLDER/live/screenshots is what it looks like.
set -euo pipefail
folder=$1 root=$2 deltarule=$3 page=$4 what="the live page"
. "$(dirname "$0")/browser.sh"
[ -f "$page" ] || skip "$page is not there (scripts/lab.sh builds it)"
[ -n "${DELTARULE_BROWSER:-}" ] || skip "$page may be older than the sources"
node "$here/live_in_browser.js" "$folder" "$browser" "$page" "$root" "$deltarule"
