#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <derivation/derivation.hpp>
#include <derivation/formula/characters.hpp>
#include <derivation/report/plain_lines.hpp>

namespace derivation {

namespace {

constexpr std::size_t width = 80;
constexpr std::size_t indent = 18;

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

}  // namespace

std::size_t columns(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string with_repair(const LineReport& one) {
    const bool is_update = one.kind == "update";
    // Where the left side ends, and the sign before the member that is at fault.
    std::size_t end = one.text.size(), signs = 0;
    std::string_view sign;
    const std::size_t wanted = std::max<std::size_t>(one.member.value_or(1), 1);
    for (std::size_t i = 0, open = 0; i < one.text.size() && signs < wanted; ++i) {
        const char c = one.text[i];
        if (c == '[' || c == '(' || c == '{') ++open;
        if ((c == ']' || c == ')' || c == '}') && open > 0) --open;
        if (open > 0) continue;  // not the == of [k == n]
        const auto stands_here = [&](std::string_view text) { return one.text.compare(i, text.size(), text) == 0; };
        std::string_view here;
        if (is_update) {
            for (const std::string_view step : {":=", "<-", "←", "\\leftarrow", "\\gets", "="})
                if (here.empty() && stands_here(step)) here = step;
        } else {
            for (const std::string_view equal : {"=", "~", "≈", "\\approx", "\\simeq"})
                if (here.empty() && stands_here(equal)) here = equal;
        }
        if (here.empty()) continue;
        if (++signs == 1) end = i;
        sign = is_update ? ":=" : here;
        i += here.size() - 1;
    }
    if (signs == 0) return one.repair;
    // The left side is at fault: then the right one stays.
    if (one.member == 0) return fmt::format("{} {}{}", one.repair, sign, one.text.substr(end + sign.size()));
    std::string left = one.text.substr(0, end);
    while (!left.empty() &&
           (left.back() == ' ' || left.back() == '&' || left.back() == '-' || left.back() == '+' || left.back() == ':'))
        left.pop_back();
    for (const std::string_view change : {"Δ", "\\Delta", "Delta"})
        if (is_update && left.starts_with(change)) left.erase(0, change.size());
    return fmt::format("{} {} {}", left, sign, one.repair);
}

std::pair<std::string, std::string> told_apart(double a, double b) {
    constexpr int most_digits = 17;
    for (int digits = 5;; ++digits) {
        std::pair<std::string, std::string> texts(fmt::format("{:.{}g}", a, digits), fmt::format("{:.{}g}", b, digits));
        if (texts.first != texts.second || digits == most_digits) return texts;
    }
}

void make_plain(std::string& text) {
    for (std::size_t bad = 0; (bad += first_bad_byte(std::string_view(text).substr(bad))) < text.size();)
        text[bad] = '?';
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_control(text[i]) && text[i] != '\n') text[i] = ' ';
        const std::string_view rest = std::string_view(text).substr(i);
        if (rest.starts_with('\xC2') && static_cast<unsigned char>(rest[1]) < 0xA0) text.replace(i, 2, "·");
        // Marks that turn the direction of writing: U+202A ... U+202E, U+2066 ... U+2069.
        if ((rest.starts_with("\xE2\x80") && rest[2] >= '\xAA' && rest[2] <= '\xAE') ||
            (rest.starts_with("\xE2\x81") && rest[2] >= '\xA6' && rest[2] <= '\xA9'))
            text.replace(i, 3, "\xEF\xBF\xBD");
    }
}

std::vector<std::string> wrapped(const std::string& text, std::size_t room) {
    std::vector<std::string> lines;
    std::string line;
    for (std::size_t i = 0; i <= text.size();) {
        const std::size_t end = std::min(text.find(' ', i), text.size());
        const std::string word = text.substr(i, end - i);
        if (!line.empty() && columns(line) + 1 + columns(word) > room) {
            lines.push_back(line);
            line.clear();
        }
        line += (line.empty() ? "" : " ") + word;
        i = end + 1;
    }
    lines.push_back(line);
    return lines;
}

namespace {

void make_report_plain(Report& report) {
    make_plain(report.file);
    if (report.error) {
        make_plain(report.error->sentence);
        make_plain(report.error->text);
    }
    for (ProseReport& prose : report.prose) make_plain(prose.text);
    for (LineReport& line : report.lines) {
        for (std::string* text : {&line.label, &line.text, &line.reason, &line.repair, &line.condition})
            make_plain(*text);
        for (std::string& note : line.notes) make_plain(note);
    }
}

/// The pieces of a formula that fit a line each, broken before ` = ` where it is possible.
std::vector<std::pair<std::size_t, std::size_t>> pieces_of(const std::string& text, std::size_t room) {
    std::vector<std::pair<std::size_t, std::size_t>> pieces;
    std::size_t begin = 0;
    // Four bytes are a character at most: the whole rest need not be counted for each piece.
    while (columns(std::string_view(text).substr(begin, 4 * (room + 1))) > room) {
        std::size_t cut = std::string::npos;
        int depth = 0;
        std::size_t at_blank = std::string::npos;
        for (std::size_t i = begin; i < text.size() && columns(std::string_view(text).substr(begin, i - begin)) <= room;
             ++i) {
            if (text[i] == '(' || text[i] == '[' || text[i] == '{') ++depth;
            if (text[i] == ')' || text[i] == ']' || text[i] == '}') --depth;
            if (text[i] != ' ' || i == begin) continue;
            at_blank = i;
            if (depth == 0 && text.compare(i, 3, " = ") == 0 && i > begin + 2) cut = i;
        }
        if (cut == std::string::npos || cut < begin + room / 3) cut = at_blank == std::string::npos ? cut : at_blank;
        if (cut == std::string::npos) break;
        pieces.emplace_back(begin, cut);
        begin = cut + 1;
    }
    pieces.emplace_back(begin, text.size());
    return pieces;
}

class Printer {
  public:
    Printer(const Report& report, const TextStyle& style) : report_(report), style_(style) {}

    std::string run() {
        if (report_.error) return error(*report_.error);
        std::vector<std::string> counts;
        for (std::size_t v = 0; v < verdict_names.size(); ++v) {
            const std::size_t n = report_.count(static_cast<Verdict>(v));
            if (n == 0) continue;
            const std::string lines = fmt::format("{} line{}", n, n == 1 ? "" : "s");
            const std::string what = v == 0   ? (n == 1 ? "holds" : "hold")
                                     : v == 3 ? (n == 1 ? "follows from a wrong one" : "follow from a wrong one")
                                              : fmt::format("{} {}", n == 1 ? "is" : "are", verdict_names[v]);
            counts.push_back(counts.empty() ? lines + " " + what : fmt::format("{} {}", n, what));
        }
        out_ = fmt::format("{}: {}\n\n", report_.file,
                           counts.empty() ? "there is nothing to judge" : fmt::format("{}", fmt::join(counts, ", ")));
        for (const LineReport& one : report_.lines) {
            label_width_ = std::max(label_width_, one.label.empty() ? 0 : columns(one.label) + 3);
            number_width_ = std::max(number_width_, fmt::format("{}", one.line).size());
            verdict_width_ =
                std::max(verdict_width_, std::string_view(verdict_names[static_cast<std::size_t>(one.verdict)]).size());
        }
        for (std::size_t i = 0; i < report_.lines.size(); ++i) {
            prose_before(i);
            line(report_.lines[i]);
        }
        prose_before(report_.lines.size());
        return out_;
    }

  private:
    std::string paint(const std::string& text, const char* colour) const {
        return style_.colour ? fmt::format("\033[{}m{}\033[0m", colour, text) : text;
    }

    static const char* colour_of(Verdict verdict) {
        switch (verdict) {
            case Verdict::holds:
                return "32";
            case Verdict::conditional:
            case Verdict::follows:
            case Verdict::undecided:
                return "33";
            default:
                return "1;31";
        }
    }

    std::string error(const ReadError& error) const {
        // A sentence may quote what was typed.
        std::string sentence = error.sentence;
        std::ranges::replace(sentence, '\n', ' ');
        std::string result = fmt::format("{}:{}:{}: {}\n", report_.file, error.line, error.column, sentence);
        if (error.text.empty()) return result;
        // A window of the line around the caret, in characters.
        constexpr std::size_t room = width - 2, before = 50;
        const std::size_t first = columns(error.text) > room && error.column > before ? error.column - before : 0;
        std::string text;
        std::size_t column = 0;
        for (const char c : error.text) {
            if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++column;
            if (column <= first || column > first + room) continue;
            text += c;
        }
        const std::size_t caret = error.column - 1 - first;
        const std::size_t length = std::clamp<std::size_t>(error.length, 1, room - std::min(caret, room - 1));
        result += "  " + text + "\n  " + std::string(caret, ' ') + std::string(length, '^') + "\n";
        return result;
    }

    void prose_before(std::size_t line) {
        for (const ProseReport& prose : report_.prose) {
            if (prose.before_line != line) continue;
            std::size_t begin = 0;
            while (begin < prose.text.size()) {
                const std::size_t end = std::min(prose.text.find('\n', begin), prose.text.size());
                for (const std::string& part : wrapped(prose.text.substr(begin, end - begin), width))
                    out_ += part + "\n";
                begin = end + 1;
            }
        }
    }

    void line(const LineReport& one) {
        std::string name = verdict_names[static_cast<std::size_t>(one.verdict)];
        if (one.verdict == Verdict::wrong) name = "WRONG";
        if (one.verdict == Verdict::ill_formed) name = "ILL-FORMED";
        std::string head = fmt::format("  {}{}  {:>{}}  ", paint(name, colour_of(one.verdict)),
                                       std::string(verdict_width_ - name.size(), ' '), one.line, number_width_);
        std::size_t used = 2 + verdict_width_ + 2 + number_width_ + 2;
        if (label_width_ > 0) {
            head += fmt::format("{:{}}", one.label.empty() ? "" : "(" + one.label + ")", label_width_);
            used += std::max(label_width_, one.label.empty() ? 0 : columns(one.label) + 2);
        }
        const bool marked = one.verdict != Verdict::holds && one.caret_end > one.caret_begin;
        const auto pieces = pieces_of(one.text, width > used ? width - used : 20);
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            const auto [begin, end] = pieces[i];
            out_ += (i == 0 ? head : std::string(used, ' ')) + one.text.substr(begin, end - begin) + "\n";
            if (!marked) continue;
            const std::size_t from = std::max(one.caret_begin, begin), to = std::min(one.caret_end, end);
            if (from >= to) continue;
            out_ += std::string(used + columns(std::string_view(one.text).substr(begin, from - begin)), ' ') +
                    paint(std::string(columns(std::string_view(one.text).substr(from, to - from)), '^'),
                          colour_of(one.verdict)) +
                    "\n";
        }
        if (one.verdict == Verdict::holds) {
            if (!one.condition.empty()) say("Local factors: " + one.condition + ".");
        } else {
            if (!one.reason.empty()) say(one.reason);
            if (!one.repair.empty() && !style_.hint) repair(one);
            evidence(one);
        }
        for (const std::string& note : one.notes) say(note);
    }

    void say(const std::string& sentence) {
        for (const std::string& part : wrapped(sentence, width - indent))
            out_ += std::string(indent, ' ') + part + "\n";
    }

    void repair(const LineReport& one) {
        std::string text = "It would hold as    " + with_repair(one);
        if (columns(text) > width - indent) {
            out_ += std::string(indent, ' ') + "It would hold as\n";
            text = "  " + with_repair(one);
        }
        const auto pieces = pieces_of(text, width - indent - 4);
        for (std::size_t i = 0; i < pieces.size(); ++i)
            out_ += std::string(indent + (i > 0 ? 4 : 0), ' ') +
                    paint(text.substr(pieces[i].first, pieces[i].second - pieces[i].first), "36") + "\n";
    }

    void evidence(const LineReport& one) {
        if (!one.expected) return;
        std::string where;
        for (const auto& [letter, value] : one.index)
            where += fmt::format("{}{}={}", where.empty() ? "" : ", ", letter, value);
        const auto [expected, got] = told_apart(*one.expected, *one.got);
        const std::string values = fmt::format("{}the tape says {}, this line {}",
                                               where.empty() ? "At one point " : "At " + where + " ", expected, got);
        const std::string command =
            fmt::format("(deltarule check {} --line {} --seed {})", report_.file, one.line, report_.seed);
        if (columns(values) + 3 + columns(command) <= width - indent) {
            out_ += std::string(indent, ' ') + values + "   " + command + "\n";
        } else {
            say(values);
            // In one piece, so that it can be copied.
            const std::size_t room = std::max(width, columns(command) + 2) - columns(command);
            out_ += std::string(std::min(indent, room), ' ') + command + "\n";
        }
    }

    const Report& report_;
    const TextStyle& style_;
    std::string out_;
    std::size_t label_width_ = 0, number_width_ = 1, verdict_width_ = 5;
};

}  // namespace

std::string to_text(const Report& report, const TextStyle& style) {
    Report plain = report;
    make_report_plain(plain);
    return Printer(plain, style).run();
}

}  // namespace derivation
