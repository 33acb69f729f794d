# page.awk -v path=PAGE -v out=FOLDER -v lessons=FOLDER: a page as Doxygen reads it. Comments go, headings get the names that GitHub gives
# them, and links lead to pages: a folder's is its README, a source's is one that scripts/docs.sh makes of it (it reads
# their list, FOLDER/linked), and a lesson's is in the folder `lessons` of the site, where that is named.
function slug(path) {
    if (path == "README.md") return "index"
    sub(/\.md$/, "", path)
    gsub(/[^A-Za-z0-9]/, "_", path)
    return path
}
function anchor(heading) {
    heading = tolower(heading)
    gsub(/[^a-z0-9 _-]/, "", heading)
    gsub(/ /, "-", heading)
    return heading
}
# A path as seen from the top, where `from` is the folder that it is relative to.
function from_top(from, target,    parts, kept, n, i, count) {
    n = split((from == "" ? "" : from "/") target, parts, "/")
    for (i = 1; i <= n; i++) {
        if (parts[i] == "" || parts[i] == ".") continue
        if (parts[i] == "..") count--
        else kept[++count] = parts[i]
    }
    target = ""
    for (i = 1; i <= count; i++) target = target (i > 1 ? "/" : "") kept[i]
    return target
}
function exists(path) { return system("test -e '" path "'") == 0 }
function reference(target,    hash, to) {
    if (target ~ /^(https?:|@ref )/) return target
    hash = ""
    if (match(target, /#.*/)) {
        hash = substr(target, RSTART + 1)
        target = substr(target, 1, RSTART - 1)
    }
    to = target == "" ? path : from_top(folder, target)
    if (exists(to "/README.md")) to = to "/README.md"
    if (to ~ /\.(svg|png)$/) {
        print to >> (out "/pictures")
        sub(/.*\//, "", to)
        return to
    }
    if (to ~ /^examples\/lessons\/.*\.md$/) {
        if (lessons) {
            sub(/.*\//, "", to)
            sub(/\.md$/, "_text.html", to)
            return lessons "/" to
        }
        print to >> (out "/linked")
    } else if (to !~ /\.md$/) print to >> (out "/linked")
    if (hash != "") return "@ref " slug(to) "_" hash
    return to == "README.md" ? "index.html" : "@ref " slug(to)
}
# Without marks of code, which Doxygen does not know in headings and links.
function plain(text) {
    gsub(/`/, "", text)
    return text
}
function with_links(line,    result, before, target, rest) {
    result = ""
    while (match(line, /\]\([^()]+\)/)) {
        before = result substr(line, 1, RSTART - 1)
        target = substr(line, RSTART + 2, RLENGTH - 3)
        rest = substr(line, RSTART + RLENGTH)
        if (gsub(/`/, "`", before) % 2 == 0) {  # not within code
            target = reference(target)
            if (match(before, /\[[^[]*$/)) before = substr(before, 1, RSTART - 1) plain(substr(before, RSTART))
        }
        result = before "](" target ")"
        line = rest
    }
    return result line
}
# Doxygen takes `f'(z)` for a quotation; within two marks it is code.
function with_code(line,    result) {
    result = ""
    while (match(line, /`[^`]*`/)) {
        span = substr(line, RSTART, RLENGTH)
        result = result substr(line, 1, RSTART - 1) (span ~ /\047/ ? "`" span "`" : span)
        line = substr(line, RSTART + RLENGTH)
    }
    return result line
}
BEGIN {
    folder = path
    if (!sub(/\/[^\/]*$/, "", folder)) folder = ""
}
comment { if (/-->/) comment = 0; next }
/^ *```/ {
    fence = !fence
    sub(/```(output|console|text|deriv|sh|csv)/, "```")
    sub(/```python/, "```py")
    print
    next
}
fence { print; next }
/^ *<!--/ { comment = !/-->/; next }
/^#/ {
    level = $0
    sub(/[^#].*/, "", level)
    heading = substr($0, length(level) + 2)
    id = level == "#" ? slug(path) : slug(path) "_" anchor(heading)
    if (seen[id]++) id = id "-" seen[id] - 1
    print level " " plain(with_links(heading)) (id == "index" ? "" : " {#" id "}")
    next
}
{ print with_code(with_links($0)) }
