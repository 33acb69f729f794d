#include <fmt/format.h>

#include <derivation/derivation.hpp>
#include <derivation/report/html.hpp>

namespace derivation {

namespace {

constexpr const char* style = R"(
:root { color-scheme: light dark; --right: #1a7f37; --wrong: #cf222e; --maybe: #9a6700; --line: #d0d7de; }
@media (prefers-color-scheme: dark) { :root { --right: #3fb950; --wrong: #f85149; --maybe: #d29922; --line: #30363d; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; }
section { border-left: 4px solid var(--line); padding: .4rem 1rem; margin: .8rem 0; }
section.holds { border-color: var(--right); } section.wrong, section.ill-formed { border-color: var(--wrong); }
section.conditional, section.follows, section.undecided { border-color: var(--maybe); }
.verdict { font-weight: 600; margin-right: .8rem; } .holds .verdict { color: var(--right); }
.wrong .verdict, .ill-formed .verdict { color: var(--wrong); }
.conditional .verdict, .follows .verdict, .undecided .verdict { color: var(--maybe); }
.number, .evidence { opacity: .65; font-size: .9rem; } code { font-size: .9rem; } .formula { font-size: 1.15rem; overflow-x: auto; }
.departs { text-decoration: underline wavy var(--wrong); text-underline-offset: .4em; } pre { overflow-x: auto; white-space: pre-wrap; }
h2 { font-size: 1.2rem; } h3, h4, h5, h6 { font-size: 1.05rem; } blockquote { border-left: 4px solid var(--line); margin-left: 0; padding-left: 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; } th, td { border: 1px solid var(--line); padding: .2rem .6rem; text-align: left; }
)";

std::string math(const std::string& inside) { return "<math><mrow>" + inside + "</mrow></math>"; }

std::string line_of(const LineReport& line, bool hint) {
    const char* verdict = verdict_names[static_cast<std::size_t>(line.verdict)];
    std::string page = fmt::format(
        "<section class=\"{0}\" id=\"line-{1}\">\n<div><span class=\"verdict\">{0}</span><span class=\"number\">line "
        "{1}{2}</span></div>\n<div class=\"formula\">",
        verdict, line.line, line.label.empty() ? "" : " (" + escaped(line.label) + ")");
    if (line.members_mathml.empty()) page += "<code>" + escaped(line.text) + "</code>";
    for (std::size_t i = 0; i < line.members_mathml.size(); ++i) {
        if (i > 0) page += math(line.kind == "update" ? "<mo>&#x2254;</mo>" : "<mo>=</mo>");
        const bool departs = line.member && *line.member == i && line.verdict != Verdict::holds;
        page += departs ? "<span class=\"departs\">" + math(line.members_mathml[i]) + "</span>"
                        : math(line.members_mathml[i]);
    }
    page += "</div>\n";
    page += "<div><code>" + escaped(line.text) + "</code></div>\n";
    if (line.verdict == Verdict::holds && !line.condition.empty())
        page += "<p>Local factors: " + escaped(line.condition) + ".</p>\n";
    if (!line.reason.empty()) page += "<p>" + escaped(line.reason) + "</p>\n";
    if (!hint && !line.repair.empty()) {
        page += "<p>It would hold as</p>\n<div class=\"formula\">";
        if (!line.members_mathml.empty())
            page += math(line.members_mathml[0]) + math(line.kind == "update" ? "<mo>&#x2254;</mo>" : "<mo>=</mo>");
        page += line.repair_mathml.empty() ? "<code>" + escaped(line.repair) + "</code>" : math(line.repair_mathml);
        page += "</div>\n<div><code>" + escaped(line.repair) + "</code></div>\n";
    }
    if (line.expected && line.got) {
        std::string where;
        for (const auto& [letter, value] : line.index)
            where += fmt::format("{}{} = {}", where.empty() ? " at " : ", ", escaped(letter), value);
        page += fmt::format("<p class=\"evidence\">The tape says {:.5g}{}, this line {:.5g}.</p>\n", *line.expected,
                            where, *line.got);
    }
    for (const std::string& note : line.notes) page += "<p class=\"evidence\">" + escaped(note) + "</p>\n";
    return page + "</section>\n";
}

std::string report_of(const Report& report, bool hint) {
    std::string page = "<h1>" + escaped(report.file) + "</h1>\n";
    if (report.error)
        return page + fmt::format("<p>Line {}, column {}: {}</p>\n<pre>{}\n{}^</pre>\n", report.error->line,
                                  report.error->column, escaped(report.error->sentence), escaped(report.error->text),
                                  std::string(report.error->column - 1, ' '));
    std::string counts;
    for (std::size_t v = 0; v < verdict_names.size(); ++v)
        if (const std::size_t n = report.count(static_cast<Verdict>(v)); n > 0)
            counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", n, verdict_names[v]);
    page += "<p>" + counts + "</p>\n";
    const auto prose_before = [&](std::size_t line) {
        for (const ProseReport& prose : report.prose)
            if (prose.before_line == line) page += html_of_markdown(prose.text);
    };
    for (std::size_t i = 0; i < report.lines.size(); ++i) {
        prose_before(i);
        page += line_of(report.lines[i], hint);
    }
    prose_before(report.lines.size());
    return page;
}

}  // namespace

std::string to_html(const std::vector<Report>& reports, bool hint) {
    std::string page =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
        "content=\"width=device-width\">\n<title>Derivations</title>\n<style>";
    page += style;
    page += "</style>\n</head>\n<body>\n";
    for (const Report& report : reports) page += report_of(report, hint);
    return page + "</body>\n</html>\n";
}

}  // namespace derivation
