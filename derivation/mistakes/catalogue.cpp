#include <algorithm>
#include <derivation/mistakes/catalogue.hpp>
#include <derivation/mistakes/edits.hpp>

namespace derivation {

const std::vector<Mistake>& catalogue() {
    static const std::vector<Mistake> rows = {
        {"update-climbs",
         "The update goes the wrong way: a step of descent subtracts the gradient, one of ascent adds it.", climbs},
        {"missing-old-value", "The old value is missing: a step starts from it.", missing_old_value},
        {"missing-rate", "The rate is missing.", missing_rate},
        {"updated-weights", "Updated weights are used; the gradient is taken at the old ones.", updated_weights},
        {"old-state", "The old value of a state is used; a step goes by the new one.", old_state},
        {"number-of-steps", "The means are divided as after different numbers of steps.", number_of_steps},
        {"exchanged-rates", "The means are divided by each other's correction.", exchanged_rates},
        {"sign-of-inverse", "The derivative of an inverse has a minus.", sign_of_inverse},
        {"sign", "The sign is the wrong one.", sign, generic | weak},
        {"factor-half", "It is half of what is right.", half, generic | weak},
        {"factor-two", "It is twice what is right.", twice, generic | weak},
        {"product-of-sums", "A product of sums stands for a sum of products.", product_of_sums},
        {"extra-sum", "A sum that should not be there.", extra_sum, generic},
        {"factor-outside-sum", "A factor stands outside the sum over its letter.", factor_outside},
        {"term-inside-sum", "A term stands inside a sum that belongs outside of it.", term_inside_sum, generic},
        {"batch-mean-missing", "The 1/N of the mean is missing: the error grows with the number of terms.",
         mean_missing},
        {"batch-mean-extra", "A 1/N that should not be there: the loss is a sum, not a mean.", mean_extra},
        {"batch-mean-twice", "The 1/N stands here twice: what is summed holds it already.", mean_twice},
        {"missing-sum", "A sum is missing.", missing_sum},
        {"transposed-inverse", "The inverse stands transposed.", transposed_inverse},
        {"order-in-trace", "The factors of a trace stand in another order.", order_in_trace},
        {"transposed", "A matrix stands transposed.", transposed},
        {"transposed", "The matrices stand transposed.", all_transposed},
        {"order-of-factors", "The factors stand in the wrong order.", order_of_factors},
        {"missing-inverse", "An inverse is missing.", inverse_forgotten},
        {"missing-identity", "A number is added to every entry: the identity is missing.", missing_identity},
        {"missing-determinant", "The determinant is missing as a factor.", missing_determinant},
        {"wrong-power", "The power is the wrong one.", power_in_determinant, weak},
        {"wrong-letter", "The wrong letter.", wrong_letter, generic | weak},
        {"wrong-axis", "The sum runs over the wrong axis.", wrong_axis, weak},
        {"wrong-letter", "The wrong letter.", square_of_entry, weak},
        {"wrong-letter", "The index is off.", index_shift, weak},
        {"wrong-condition", "The bound is off by one.", bound_off_by_one, weak},
        {"extra-sum", "A sum stands here that another factor holds already.", held_already},
        {"softmax-diagonal-missing", "Softmax's Jacobian is not this.", softmax_jacobian, last_resort},
        {"wrong-power", "The power is the wrong one.", power_of_bracket, weak},
        {"function-for-derivative", "A function stands where its derivative belongs.", function_for_derivative},
        {"derivative-at-activation", "The derivative is taken at the wrong place.", derivative_at_activation},
        {"extra-factor", "A factor that should not be there.", extra_factor, generic | weak},
        {"half-derivative", "Half of the derivative.", half_derivative},
        {"other-activation", "The derivative of another activation.", other_activation},
        {"missing-kronecker", "A Kronecker delta is missing.", missing_kronecker},
        {"wrong-name", "The chain is broken.", broken_chain, weak},
        {"other-adjoint", "The adjoint of another quantity.", exchanged_adjoint, last_resort},
        {"sign", "A sign is the wrong one.", small_signs, weak},
        {"missing-derivative", "The derivative of the activation is missing.", missing_derivative, generic},
        {"derivative-twice", "It is differentiated once too often.", one_prime_less},
        {"transposed", "It stands transposed.", letters_exchanged},
        {"jacobian-summed", "The rows of a Jacobian are summed.", jacobian_summed, last_resort},
        {"missing-regulariser", "The regulariser is missing.", missing_term},
        {"missing-path", "A path is missing.", missing_path, last_resort},
        {"extra-term", "A term that should not be there.", extra_term, generic},
        {"missing-term", "A term of a definition is missing.", missing_in_definition, weak},
        {"wrong-name", "Another quantity belongs here.", exchanged_name, last_resort | weak},
        {"missing-bracket", "A bracket is missing.", missing_bracket, weak},
        {"wrong-power", "The power is the wrong one.", power_of_derivative, weak},
        {"missing-root", "A square root is missing.", root_of_divisor, weak},
        {"missing-factor", "A number is missing as a factor.", missing_scalar, generic | last_resort | weak},
        {"missing-factor", "A factor is missing.", missing_factor, generic | last_resort | weak},
        {"missing-factor", "A number is missing as a factor.", missing_numeric_factor, last_resort | weak},
        {"missing-transposed-part", "The transposed part is missing.", missing_symmetric_part, last_resort | weak},
        {"missing-term", "A term is missing.", missing_second_derivative, last_resort},
        {"wrong-number", "A number is the wrong one.", wrong_number, weak},
        {"softmax-jacobian", "Softmax's Jacobian is another one.", not_softmax_jacobian, last_resort},
        {"missing-term", "A term is missing.", missing_summand, last_resort},
        {"missing-path", "A path is missing.", missing_path_of_arrays, last_resort},
        {"divided-for-times", "A factor stands where a divisor belongs.", divided_for_times, weak},
        {"wrong-power", "A power is missing.", small_changes, weak},
        {"missing-derivative", "The derivative of the activation is missing.", missing_derivative_within},
        {"missing-factor", "A factor is missing.", missing_factor_within, last_resort | weak},
    };
    return rows;
}

const Mistake* find_mistake(std::string_view name) {
    const auto found = std::ranges::find_if(catalogue(), [&](const Mistake& one) { return name == one.name; });
    return found == catalogue().end() ? nullptr : &*found;
}

}  // namespace derivation
