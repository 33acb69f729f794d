// Text as HTML.
#pragma once

#include <string>
#include <string_view>

namespace derivation {

/// With & < > " written so that a browser shows them.
std::string escaped(std::string_view text);

/// Markdown as a browser should show it: headings (a level lower, below the page's own), paragraphs, lists, quotes,
/// tables, rules, fenced code, and within a line code, emphasis and links to the web. All else, HTML and formulas too,
/// stands as it was written.
std::string html_of_markdown(std::string_view text);

}  // namespace derivation
