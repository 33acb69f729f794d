#include <algorithm>
#include <derivation/formula/notations.hpp>
#include <derivation/report/rendering.hpp>

namespace derivation {

namespace {

/// Puts the caret below a part of the file, as far as it stands in the line: its pieces are joined by blanks.
void mark(LineReport& report, const std::vector<Span>& pieces, Span part) {
    std::size_t at = 0;
    bool begun = false;
    for (const Span piece : pieces) {
        if (at > 0) ++at;
        const std::size_t begin = std::max(part.begin, piece.begin),
                          end = std::min(std::max(part.end, part.begin + 1), piece.end);
        if (begin < end) {
            if (!begun) report.caret_begin = at + begin - piece.begin;
            report.caret_end = at + end - piece.begin;
            begun = true;
        }
        at += piece.end - piece.begin;
    }
}

}  // namespace

LineReport rendered(const Derivation& derivation, const Line& line, const Judgement& judgement) {
    const Source& source = derivation.source;
    LineReport report;
    report.line = line.number;
    report.kind = line.is_update ? "update" : "claim";
    report.label = line.label;
    report.text = source.text_of(line.pieces);
    report.verdict = judgement.verdict;
    report.member = judgement.member;
    report.index = judgement.index;
    report.expected = judgement.expected;
    report.got = judgement.got;
    report.reason = judgement.reason;
    report.mistake = judgement.mistake;
    report.repair = judgement.repaired_number;
    report.condition = judgement.condition;
    report.because_of = judgement.because_of;
    report.notes = judgement.notes;
    for (const Span part : judgement.marks) mark(report, line.pieces, part);
    // What is missing at the end stands behind the last character.
    if (!judgement.marks.empty() && report.caret_end == 0 && !report.text.empty()) {
        report.caret_begin = report.text.size() - 1;
        report.caret_end = report.text.size();
    }
    for (std::size_t i = 0; i < line.members.size(); ++i) {
        const Expression member = with_signs(derivation.model, line, line.members[i]);
        report.members_latex.push_back(to_latex(member));
        const bool departs = judgement.member == i && judgement.verdict != Verdict::holds && !judgement.marks.empty();
        std::string shown = to_mathml(member, departs ? judgement.marks.back() : Span{});
        // A mark between two signs stands on none of them: then the whole member is marked.
        if (departs && shown.find("\"departs\"") == shown.npos) shown = to_mathml(member, member.span);
        report.members_mathml.push_back(std::move(shown));
    }
    if (judgement.repair) {
        const Expression repair = with_signs(derivation.model, line, *judgement.repair);
        report.repair_latex = to_latex(repair);
        report.repair_mathml = to_mathml(repair);
        report.repair = is_latex(source, line, *judgement.member) ? report.repair_latex : to_text(*judgement.repair);
    }
    return report;
}

}  // namespace derivation
