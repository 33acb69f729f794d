#!/usr/bin/env bash
# manual.sh PROGRAM SOURCE: the manual page and the completions know the commands and options that --help names, and no others.
set -euo pipefail
program=$(realpath "$1") source=$2
page=$source/packaging/deltarule.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

same() {  # same WHAT EXPECTED FOUND: two lists of words, in any order
    diff <(tr -s ' ' '\n' <<<"$2" | sort -u) <(tr -s ' ' '\n' <<<"$3" | sort -u) >"$work/diff" && return
    echo "$1: < stands in --help only, > here only"
    grep '^[<>]' "$work/diff"
    failed=1
}
words() { tr '\n' ' ' | sed 's/ *$//'; }

# shellcheck source=/dev/null
. "$source/packaging/completion/deltarule"
bash_offers() {  # bash_offers WORD...: what may stand in place of the last one
    COMP_WORDS=("$program" "$@")
    COMP_CWORD=$#
    _deltarule
    words < <(printf '%s\n' "${COMPREPLY[@]}")
}
zsh_offers() {  # the same; the functions of zsh that show what is found print it here
    zsh -f -c '
        compadd() { shift; print -l -- "$@"; }
        _describe() { print -l -- ${(P)2%%:*}; }
        _files() { :; }
        _message() { :; }
        compset() { PREFIX=${PREFIX#*=}; }
        script=$1; shift
        words=("$@") CURRENT=$# PREFIX=${@[-1]}
        . "$script"' zsh "$source/packaging/completion/_deltarule" "$program" "$@" | words
}
shells=(bash)
if command -v zsh >/dev/null; then
    shells+=(zsh)
else
    echo "== SKIPPED: zsh is not here, its completion was not run. =="
fi

commands=$("$program" --help | sed -nE '1,/^subcommands:/Id; s/^ {2}([a-z]+) .*/\1/p' | words)
[ -n "$commands" ]
same "SYNOPSIS" "$commands" "$(sed -nE 's/^\.B deltarule ([a-z]+)$/\1/p' "$page" | words)"
for shell in "${shells[@]}"; do same "$shell: commands" "$commands" "$(${shell}_offers '')"; done

for command in '' $commands; do
    section=OPTIONS
    [ -z "$command" ] || section="\"deltarule $command\""
    # shellcheck disable=SC2086
    help=$("$program" $command --help)
    options=$(sed -nE 's/^ {1,12}(-[a-z], *)?(--[a-z-]+).*/\2/p' <<<"$help" | words)
    # A paragraph in a line, the hyphens plain.
    awk -v heading=".SH $section" '
        /^\.SH/ { here = $0 == heading }
        here && /^\.TP/ { printf "\n"; next }
        here { printf "%s ", $0 }' "$page" | sed 's/\\-/-/g' >"$work/section"
    same "$page: $section" "$options" "$(sed -nE 's/^\.B[A-Z]*[^.]* "?(--[a-z-]+).*/\1/p' "$work/section" | words)"
    for shell in "${shells[@]}"; do
        # shellcheck disable=SC2086
        same "$shell: options of '$command'" "$options" "$(${shell}_offers $command -)"
    done

    for option in $options; do
        paragraph=$(grep -E -- "^[^.]*\.B[A-Z]* ([^.]* )?\"?$option\b" "$work/section" || true)
        line=$(grep -E -- "^ {1,12}(-[a-z], *)?$option( |$)" <<<"$help")
        choices=$(sed -nE "s/^ *$option [A-Z]+:\{([^}]*)\}.*/\1/p" <<<"$line" | tr ',' ' ')
        standard=$(sed -nE "s/^ *$option [^ ]*(=\[?| \[)([^] ]+).*/\2/p" <<<"$line")
        for word in $choices $standard; do
            grep -qw -- "$word" <<<"$paragraph" && continue
            echo "$page: $section: $option does not name '$word'"
            failed=1
        done
        [ -n "$choices" ] || continue
        for shell in "${shells[@]}"; do
            same "$shell: $command $option" "$choices" "$(${shell}_offers "$command" "$option" '')"
        done
    done
done
exit $failed
