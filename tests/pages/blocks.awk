# blocks.awk -v folder=DIR PAGE...: takes the blocks of code out of Markdown pages, each into a file DIR/NUMBER, and lists
# them in DIR/list, a line each: number, kind, page:line, and what else is to be known. tests/README.md says what a
# page may hold.
function fail(sentence) {
    print FILENAME ":" FNR ": " sentence > "/dev/stderr"
    failed = 1
    exit 1
}
function begin(kind, more) {
    path = sprintf("%s/%03d", folder, ++count)
    printf "" > path
    printf "%03d %s %s:%d %s\n", count, kind, page, FNR + 1, more > (folder "/list")
}
function end() { close(path) }
function length_of_fence(    line) {  # a block of Markdown has a longer one, ````, and may hold shorter ones
    line = $0
    sub(/^ */, "", line)
    match(line, /^`+/)
    return RLENGTH
}
FNR == 1 {
    if (fence || hidden) fail("the block before it has no end")
    page = FILENAME
    if (root != "" && index(page, root "/") == 1) page = substr(page, length(root) + 2)
    begin("page", "")
    end()
    directive = ""
}
fence && $0 ~ /^ *```/ && length_of_fence() >= fence { fence = 0; end(); next }
hidden && /-->/ { hidden = 0; end(); next }
fence || hidden {
    line = $0
    if (substr(line, 1, indent) ~ /^ *$/) line = substr(line, indent + 1)
    print line > path
    next
}
/^ *<!--.*-->/ {
    directive = $0
    gsub(/^ *<!-- *| *--> *$/, "", directive)
    if (directive !~ /^(not run|file|stands in): /) directive = ""
    next
}
/^ *<!-- *(cpp|cpp global|sh|deriv|python|file: .*)$/ {
    kind = $0
    sub(/^ *<!-- */, "", kind)
    more = kind
    sub(/^[^ ]* */, "", more)
    sub(/[: ].*/, "", kind)
    if (more == "global") kind = "cpp-global"
    else if (kind != "file" && kind != "sh") kind = kind "-before"  # a new beginning
    hidden = 1
    match($0, /^ */)
    indent = RLENGTH
    begin(kind, kind == "file" ? more : "")
    next
}
/^ *<!--/ { fail("what stands in a comment before code is cpp, cpp global, sh, deriv, python or file: NAME") }
/^ *```/ {
    match($0, /^ */)
    indent = RLENGTH
    ticks = length_of_fence()
    kind = substr($0, indent + ticks + 1)
    if (kind !~ /^(cpp|sh|console|output|deriv|python|cmake|csv|json|markdown|text)$/) fail("a block says what it is: cpp, sh, console, output, deriv, python, cmake, csv, json, markdown, or text for what is none of them")
    more = directive
    sub(/^[^:]*: */, "", more)
    if (directive ~ /^not run/) kind = "left"
    if (directive ~ /^file/) kind = "file"
    if (directive ~ /^stands in/) kind = "quoted"
    if (kind ~ /^(cmake|csv|json|markdown)$/) fail("such a block needs a comment before it: not run: REASON, file: NAME, or stands in: FILE")
    fence = ticks
    directive = ""
    begin(kind, more)
}
END { if (!failed && (fence || hidden)) fail("the last block has no end") }
