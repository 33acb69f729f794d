#include <fmt/format.h>

#include <lab/player.hpp>
#include <lab/player_files.hpp>
#include <lab/recording_json.hpp>
#include <nn/files/output.hpp>
#include <stdexcept>

namespace lab {

namespace {

/// JSON that may stand in a script element: without `<` nothing in it ends the element or begins a comment. That
/// character, and what scripts take for the end of a line, stand within strings only, where JSON has another way to
/// write them.
std::string for_script(std::string_view json) {
    std::string result;
    result.reserve(json.size() + json.size() / 4);
    for (;;) {
        const std::size_t at = json.find_first_of("<\xE2");
        result += json.substr(0, at);
        if (at == json.npos) return result;
        json.remove_prefix(at);
        const bool is_end_of_line = json.starts_with("\xE2\x80\xA8") || json.starts_with("\xE2\x80\xA9");
        result += json[0] == '<' ? "\\u003c" : !is_end_of_line ? "\xE2" : json[2] == '\xA8' ? "\\u2028" : "\\u2029";
        json.remove_prefix(is_end_of_line ? 3 : 1);
    }
}

/// The page up to what stands in the place of `mark`; the rest stays.
std::string taken_up_to(std::string_view& page, std::string_view mark) {
    const std::size_t at = page.find(mark);
    if (at == page.npos) throw std::logic_error(fmt::format("[player] the page has no place for {}", mark));
    std::string before(page.substr(0, at));
    page.remove_prefix(at + mark.size());
    return before;
}

std::string page_of(std::string_view json) {
    std::string_view rest = player_html;
    std::string page = taken_up_to(rest, R"(<link rel="stylesheet" href="player.css">)");
    page += fmt::format("<style>\n{}</style>", player_css);
    page += taken_up_to(rest, R"(<script type="application/json" id="recording">null</script>)");
    page += fmt::format(R"(<script type="application/json" id="recording">{}</script>)", for_script(json));
    page += taken_up_to(rest, R"(<script type="module" src="player.js"></script>)");
    page += fmt::format("<script type=\"module\">\n{}</script>", player_js);
    return page += rest;
}

}  // namespace

std::string to_page(const Recording& recording) { return page_of(to_json(recording)); }
std::string to_page(const std::vector<Recording>& training) { return page_of(to_json(training)); }

void write_page(const Recording& recording, const std::string& path) { nn::files::write(path, to_page(recording)); }
void write_page(const std::vector<Recording>& training, const std::string& path) {
    nn::files::write(path, to_page(training));
}

}  // namespace lab
