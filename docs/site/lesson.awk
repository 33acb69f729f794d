# lesson.awk -v name=LESSON -v title=TITLE: a lesson's report as a page of the site. The verdict of each line waits behind a
# question, so that the reader decides first.
/<title>/ { sub(/<title>[^<]*/, "<title>" title) }
/<\/style>/ {
    sub(/<\/style>/, "summary { cursor: pointer; opacity: .75; } section:not(:has([open])) { border-color: var(--line); }\n" \
        "section:not(:has([open])) :is(.departs, mark) { background: none; border: none; }\n&")
}
/^<h1>/ {
    print "<p><a href=\"../docs_lessons.html\">All lessons</a> &middot; <a href=\"" name ".html\">Step through this network</a></p>"
    getline  # how many lines hold: it would say how many do not
    next
}
/^<h2>/ && !titled { titled = 1; gsub(/h2>/, "h1>") }
/^<h3>/ { gsub(/h3>/, "h2>") }
/^<section / { waits = 1 }
waits && /^<div><span class="verdict">/ {
    verdict = $0
    sub(/^<div><span class="verdict">/, "", verdict)
    sub(/<.*/, "", verdict)
    label = match($0, /\([^)]*\)/) ? substr($0, RSTART, RLENGTH) : ""
    print "<div class=\"number\">" label "</div>"
    next
}
waits && !/^<(section|div)/ {
    print "<details><summary>Does it hold?</summary>\n<p class=\"verdict\">" verdict "</p>"
    waits = 0
    opened = 1
}
opened && /^<\/section>/ { print "</details>"; opened = 0 }
{
    while (match($0, /href="[a-z0-9_]+\.md"/))
        $0 = substr($0, 1, RSTART + RLENGTH - 5) "_text.html" substr($0, RSTART + RLENGTH - 1)
    print
}
