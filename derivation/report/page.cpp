#include <fmt/format.h>

#include <derivation/derivation.hpp>
#include <derivation/report/html.hpp>
#include <derivation/report/plain_lines.hpp>

namespace derivation {

namespace {

constexpr const char* style = R"(
:root { color-scheme: light dark; --right: #1a7f37; --wrong: #cf222e; --maybe: #9a6700; --line: #d0d7de; --mark: #ffebe9; }
@media (prefers-color-scheme: dark) { :root { --right: #3fb950; --wrong: #f85149; --maybe: #d29922; --line: #30363d; --mark: #67060c; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; }
section { border-left: 4px solid var(--line); padding: .4rem 1rem; margin: .8rem 0; }
section.holds { border-color: var(--right); } section.wrong, section.ill-formed { border-color: var(--wrong); }
section.conditional, section.follows, section.undecided { border-color: var(--maybe); }
.verdict { font-weight: 600; margin-right: .8rem; } .holds .verdict { color: var(--right); }
.wrong .verdict, .ill-formed .verdict { color: var(--wrong); }
.conditional .verdict, .follows .verdict, .undecided .verdict { color: var(--maybe); }
.number, .evidence { opacity: .65; font-size: .9rem; } code { font-size: .9rem; } .formula { font-size: 1.15rem; overflow-x: auto; }
.departs, mark { background: var(--mark); color: inherit; border-bottom: 2px solid var(--wrong); border-radius: 2px; }
ul.declared { list-style: none; padding: 0 0 0 calc(1rem + 4px); } .declared math { margin-left: 1rem; } h1 { overflow-wrap: anywhere; } pre { overflow-x: auto; white-space: pre-wrap; }
h2 { font-size: 1.2rem; } h3, h4, h5, h6 { font-size: 1.05rem; } blockquote { border-left: 4px solid var(--line); margin-left: 0; padding-left: 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; } th, td { border: 1px solid var(--line); padding: .2rem .6rem; text-align: left; }
)";

std::string math(const std::string& inside) { return "<math displaystyle=\"true\"><mrow>" + inside + "</mrow></math>"; }

/// The line as it was typed; the part that is at fault is marked.
std::string typed(const LineReport& line) {
    const auto part = [&](std::size_t begin, std::size_t end) {
        return escaped(std::string_view(line.text).substr(begin, end - begin));
    };
    if (line.caret_end <= line.caret_begin || line.caret_end > line.text.size() || line.verdict == Verdict::holds)
        return "<code>" + escaped(line.text) + "</code>";
    return "<code>" + part(0, line.caret_begin) + "<mark>" + part(line.caret_begin, line.caret_end) + "</mark>" +
           part(line.caret_end, line.text.size()) + "</code>";
}

/// What the tape and the line say at the worst entry.
std::string numbers_of(const LineReport& line) {
    if (!line.expected || !line.got) return {};
    std::string names, values;
    const auto column = [&](const std::string& name, const std::string& value) {
        names += "<th>" + escaped(name) + "</th>";
        values += "<td>" + value + "</td>";
    };
    for (const auto& [letter, value] : line.index) column(letter, fmt::format("{}", value));
    const auto [expected, got] = told_apart(*line.expected, *line.got);
    column("the tape", expected);
    column("this line", got);
    return fmt::format("<table class=\"evidence\"><tr>{}</tr><tr>{}</tr></table>\n", names, values);
}

std::string line_of(const LineReport& line, bool hint) {
    const char* verdict = verdict_names[static_cast<std::size_t>(line.verdict)];
    std::string page = fmt::format(
        "<section class=\"{0}\" id=\"line-{1}\">\n<div><span class=\"verdict\">{0}</span><span class=\"number\">line "
        "{1}{2}</span></div>\n<div class=\"formula\">",
        verdict, line.line, line.label.empty() ? "" : " (" + escaped(line.label) + ")");
    std::string formula;
    for (std::size_t i = 0; i < line.members_mathml.size(); ++i)
        formula += (i == 0 ? "" : line.kind == "update" ? "<mo>&#x2254;</mo>" : "<mo>=</mo>") + line.members_mathml[i];
    // A number that is compared has no formula of its own.
    if (line.members_mathml.size() == 1) formula.clear();
    page += (formula.empty() ? typed(line) : math(formula)) + "</div>\n";
    if (!formula.empty()) page += "<div>" + typed(line) + "</div>\n";
    if (line.verdict == Verdict::holds && !line.condition.empty())
        page += "<p>Local factors: " + escaped(line.condition) + ".</p>\n";
    if (!line.reason.empty()) page += "<p>" + escaped(line.reason) + "</p>\n";
    if (!hint && !line.repair.empty()) {
        page += "<p>It would hold as</p>\n<div class=\"formula\">";
        const bool of_left_side = line.member == 0 && line.members_mathml.size() == 2;
        if (line.repair_mathml.empty() || line.members_mathml.empty())
            page += "<code>" + escaped(with_repair(line)) + "</code></div>\n";
        else
            page += math(of_left_side
                             ? line.repair_mathml + "<mo>=</mo>" + line.members_mathml[1]
                             : line.members_mathml[0] + (line.kind == "update" ? "<mo>&#x2254;</mo>" : "<mo>=</mo>") +
                                   line.repair_mathml) +
                    "</div>\n<div><code>" + escaped(line.repair) + "</code></div>\n";
    }
    page += numbers_of(line);
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
    // Prose and declarations as they come in the file, each once.
    auto declaration = report.declarations.begin();
    auto prose = report.prose.begin();
    const auto before = [&](std::size_t line) {
        const auto declared_before = [&](std::size_t statement) {
            std::string list;
            for (; declaration != report.declarations.end() && declaration->before_line <= line &&
                   declaration->statement < statement;
                 ++declaration)
                list += "<li><code>" + escaped(declaration->text) + "</code>" +
                        (declaration->mathml.empty() ? "" : math(declaration->mathml)) + "</li>\n";
            if (!list.empty()) page += "<ul class=\"declared\">\n" + list + "</ul>\n";
        };
        for (; prose != report.prose.end() && prose->before_line <= line; ++prose) {
            declared_before(prose->statement);
            page += html_of_markdown(prose->text);
        }
        declared_before(std::string::npos);
    };
    for (std::size_t i = 0; i < report.lines.size(); ++i) {
        before(i);
        page += line_of(report.lines[i], hint);
    }
    before(report.lines.size());
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
