// What depends on what, through definitions.
#pragma once

#include <derivation/formula/model.hpp>
#include <optional>
#include <string>
#include <vector>

namespace derivation {

/// Whether the value of one quantity depends on another, through definitions.
bool depends_on(const Model& model, int quantity, int on);
bool depends_on(const Model& model, const Expression& e, int on);

/// Whether the quantity itself stands in the formula.
bool mentions(const Expression& e, int quantity);
/// Whether the function is called in the formula, or in a definition behind it.
bool calls(const Model& model, const Expression& e, int function);
/// The quantities that stand in a formula, in its order, each as often as it stands there.
void add_entries(const Expression& e, std::vector<int>& quantities);

/// The scalar definitions without a derivative that depend on the parameter, the last first.
std::vector<int> possible_losses(const Model& model, int parameter);
/// The last of them whose place in the file is before `end`.
std::optional<int> default_loss(const Model& model, int parameter, std::size_t end = std::string::npos);

/// The step of descent of a parameter that no update takes one: on its default loss, with any rate.
std::optional<StepAbove> usual_step(const Model& model, int parameter);

/// The constants that a loss does not depend on: what can be a learning rate.
std::vector<int> possible_rates(const Model& model, int loss);

}  // namespace derivation
