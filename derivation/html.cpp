#include <derivation/derivation.hpp>

namespace derivation {

std::string to_html(const std::vector<Report>&, bool) { return {}; }

}  // namespace derivation
