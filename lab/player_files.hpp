// What stands in lab/player, which CMake puts into the library.
#pragma once

#include <string_view>

namespace lab {

extern const std::string_view player_html, player_css, player_js;

}  // namespace lab
