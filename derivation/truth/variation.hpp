// What is taken to be otherwise than the file says: a condition that is tried, or what an earlier wrong line says.
#pragma once

#include <derivation/formula/model.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace derivation {

/// A derivative that is taken to be something else: what an earlier, wrong line says.
struct Assumption {
    Expression derivative;  ///< resolved, of entries with letters
    Expression value;
};

/// What differs from the model as it was declared.
struct Variation {
    std::map<int, std::string> functions;  ///< their definitions
    std::map<int, Domain> domains;
    std::map<int, Expression> definitions;
    std::vector<Assumption> assumptions;
    std::set<int> always_kinked;  ///< the definitions that stand on a kink at every point

    Domain domain_of(const Model& model, int quantity) const {
        const auto changed = domains.find(quantity);
        return changed == domains.end() ? model.quantity(quantity).domain : changed->second;
    }
    bool empty() const { return functions.empty() && domains.empty() && definitions.empty() && assumptions.empty(); }
};

}  // namespace derivation
