#include <algorithm>
#include <cctype>
#include <derivation/report/html.hpp>
#include <functional>
#include <utility>
#include <vector>

namespace derivation {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 128; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::string tagged(const std::string& tag, const std::string& inside) {
    return "<" + tag + ">" + inside + "</" + tag + ">";
}

/// The Markdown within a paragraph.
class Inline {
  public:
    explicit Inline(std::string_view text) : text_(text) {}

    std::string html() {
        while (at_ < text_.size()) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size() &&
                std::ispunct(static_cast<unsigned char>(text_[at_ + 1])))
                put(1, 2);
            else if (!(code() || formula() || link() || emphasis(strong_) || emphasis(star_) || emphasis(line_)))
                put(0, 1);
        }
        return html_;
    }

  private:
    /// Shows the characters from `begin` to `end`, both counted from here, and goes behind them.
    void put(std::size_t begin, std::size_t end) {
        html_ += escaped(text_.substr(at_ + begin, end - begin));
        at_ += end;
    }

    bool starts(std::string_view mark) const { return text_.substr(at_).starts_with(mark); }

    bool code() {
        if (!starts("`")) return false;
        const std::size_t end = text_.find('`', at_ + 1);
        if (end == text_.npos) return false;
        html_ += "<code>" + escaped(text_.substr(at_ + 1, end - at_ - 1)) + "</code>";
        at_ = end + 1;
        return true;
    }

    /// Between dollars, * and _ are mathematics.
    bool formula() {
        if (!starts("$")) return false;
        const std::size_t end = text_.find('$', at_ + 1);
        if (end == text_.npos) return false;
        put(0, end + 1 - at_);
        return true;
    }

    bool link() {
        if (!starts("[")) return false;
        const std::size_t middle = text_.find_first_of("[]", at_ + 1);
        if (middle == text_.npos || !text_.substr(middle).starts_with("](")) return false;
        std::string_view address = text_.substr(middle + 2, 2000);
        const std::size_t length = address.find_first_of(") \n");
        if (length == address.npos || address[length] != ')') return false;
        address = address.substr(0, length);
        // A page beside this one has no scheme: nothing that a browser would run.
        const bool beside =
            !address.empty() && (is_word(address[0]) || address[0] == '#') && address.find(':') == address.npos;
        if (!beside && !address.starts_with("https://") && !address.starts_with("http://")) return false;
        html_ +=
            "<a href=\"" + escaped(address) + "\">" + Inline(text_.substr(at_ + 1, middle - at_ - 1)).html() + "</a>";
        at_ = middle + 2 + length + 1;
        return true;
    }

    struct Mark {
        std::string_view mark;
        const char* tag;
        bool ends = true;  ///< false once the rest was seen to have no end: it is not searched again
    };

    /// `*so*`, never `2 * 3` or `x_1 y_2`.
    bool emphasis(Mark& kind) {
        const std::string_view mark = kind.mark;
        if (!kind.ends || !starts(mark)) return false;
        const std::size_t begin = at_ + mark.size();
        if (begin >= text_.size() || is_space(text_[begin]) || text_[begin] == mark[0]) return false;
        if (mark == "_" && at_ > 0 && is_word(text_[at_ - 1])) return false;
        for (std::size_t end = text_.find(mark, begin); end != text_.npos; end = text_.find(mark, end + 1)) {
            const std::size_t behind = end + mark.size();
            if (mark == "*" && (text_[end - 1] == '*' || text_.substr(behind).starts_with('*'))) continue;
            if (is_space(text_[end - 1]) || (mark == "_" && behind < text_.size() && is_word(text_[behind]))) continue;
            html_ += tagged(kind.tag, Inline(text_.substr(begin, end - begin)).html());
            at_ = behind;
            return true;
        }
        return kind.ends = false;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string html_;
    Mark strong_{"**", "strong"}, star_{"*", "em"}, line_{"_", "em"};
};

std::string inline_html(std::string_view text) { return Inline(trimmed(text)).html(); }

bool is_fence(std::string_view line) { return trimmed(line).starts_with("```"); }
bool is_rule(std::string_view line) {
    line = trimmed(line);
    return line.size() >= 3 && (line[0] == '-' || line[0] == '*' || line[0] == '_') &&
           line.find_first_not_of(line[0]) == line.npos;
}
std::size_t heading(std::string_view line) {
    const std::size_t level = std::min(line.find_first_not_of('#'), line.size());
    return level <= 6 && level < line.size() && line[level] == ' ' ? level : 0;
}
/// The list that a line is an item of ("ul", "ol" or none), and the item.
std::pair<std::string, std::string_view> item(std::string_view line) {
    line = trimmed(line);
    if (line.size() > 2 && (line[0] == '-' || line[0] == '*' || line[0] == '+') && line[1] == ' ')
        return {"ul", line.substr(2)};
    const std::size_t digits = line.find_first_not_of("0123456789");
    if (digits != line.npos && digits > 0 && digits < 5 && (line[digits] == '.' || line[digits] == ')') &&
        line.substr(digits + 1).starts_with(" "))
        return {"ol", line.substr(digits + 2)};
    return {};
}
bool is_row(std::string_view line) { return trimmed(line).starts_with("|"); }
bool is_quote(std::string_view line) { return trimmed(line).starts_with(">"); }
bool is_text(std::string_view line) {
    return !trimmed(line).empty() && !is_fence(line) && !is_rule(line) && !is_row(line) && !is_quote(line) &&
           heading(line) == 0 && item(line).first.empty();
}

std::string row_html(std::string_view row, const std::string& cell) {
    row = trimmed(row).substr(1);
    if (row.ends_with("|")) row.remove_suffix(1);
    std::string html;
    for (std::size_t begin = 0; begin <= row.size();) {
        std::size_t end = row.find('|', begin);
        while (end != row.npos && end > 0 && row[end - 1] == '\\') end = row.find('|', end + 1);
        end = std::min(end, row.size());
        html += tagged(cell, inline_html(row.substr(begin, end - begin)));
        begin = end + 1;
    }
    return tagged("tr", html) + "\n";
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '&')
            result += "&amp;";
        else if (c == '<')
            result += "&lt;";
        else if (c == '>')
            result += "&gt;";
        else if (c == '"')
            result += "&quot;";
        else
            result += c;
    }
    return result;
}

std::string html_of_markdown(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    std::string html;
    std::size_t i = 0;
    /// What the lines from here on that `belong` hold, each without what `content` takes away.
    const auto gather = [&](auto belong, auto content) {
        std::string gathered;
        while (i < lines.size() && belong(lines[i])) gathered += std::string(content(lines[i++])) + "\n";
        return gathered;
    };
    while (i < lines.size()) {
        const std::string_view line = lines[i];
        if (trimmed(line).empty()) {
            ++i;
        } else if (is_fence(line)) {
            ++i;
            const auto inside = [](std::string_view other) { return !is_fence(other); };
            html += "<pre><code>" + escaped(gather(inside, std::identity())) + "</code></pre>\n";
            ++i;
        } else if (const std::size_t level = heading(line); level > 0) {
            html += tagged("h" + std::to_string(std::min<std::size_t>(level + 1, 6)), inline_html(line.substr(level))) +
                    "\n";
            ++i;
        } else if (is_rule(line)) {
            html += "<hr>\n";
            ++i;
        } else if (is_row(line)) {
            const bool titled = i + 1 < lines.size() && is_row(lines[i + 1]) &&
                                trimmed(lines[i + 1]).find_first_not_of("|-: \t") == line.npos;
            html += "<table>\n" + row_html(line, titled ? "th" : "td");
            for (i += titled ? 2 : 1; i < lines.size() && is_row(lines[i]); ++i) html += row_html(lines[i], "td");
            html += "</table>\n";
        } else if (is_quote(line)) {
            html +=
                tagged("blockquote",
                       inline_html(gather(is_quote, [](std::string_view quote) { return trimmed(quote).substr(1); }))) +
                "\n";
        } else if (const std::string list = item(line).first; !list.empty()) {
            html += "<" + list + ">\n";
            while (i < lines.size() && item(lines[i]).first == list) {
                const std::string first(item(lines[i++]).second);
                html += tagged("li", inline_html(first + "\n" + gather(is_text, trimmed))) + "\n";
            }
            html += "</" + list + ">\n";
        } else {
            html += tagged("p", inline_html(gather(is_text, std::identity()))) + "\n";
        }
    }
    return html;
}

}  // namespace derivation
