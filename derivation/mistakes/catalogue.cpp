#include <derivation/mistakes/catalogue.hpp>
#include <derivation/mistakes/edits.hpp>

namespace derivation {

const std::vector<Mistake>& catalogue() {
    static const std::vector<Mistake> rows = {
        {"update-climbs", "The update climbs: it adds the gradient, and a step of descent subtracts it.", climbs},
        {"missing-old-value", "The old value is missing: a step starts from it.", missing_old_value},
        {"missing-rate", "The rate is missing.", missing_rate},
        {"updated-weights", "Updated weights are used; the gradient is taken at the old ones.", updated_weights},
        {"sign", "The sign is the wrong one.", sign, true},
        {"factor-half", "It is half of what is right.", half, true},
        {"factor-two", "It is twice what is right.", twice, true},
        {"product-of-sums", "A product of sums stands for a sum of products.", product_of_sums},
        {"extra-sum", "A sum that should not be there.", extra_sum, true},
        {"factor-outside-sum", "A factor stands outside the sum over its letter.", factor_outside},
        {"batch-mean-missing", "The 1/N of the mean is missing: the error grows with the number of terms.",
         mean_missing},
        {"batch-mean-extra", "A 1/N that should not be there: the loss is a sum, not a mean.", mean_extra},
        {"batch-mean-twice", "The 1/N stands here twice: what is summed holds it already.", mean_twice},
        {"missing-sum", "A sum is missing.", missing_sum},
        {"transposed", "A matrix stands transposed.", transposed},
        {"order-of-factors", "The factors stand in the wrong order.", order_of_factors},
        {"wrong-letter", "The wrong letter.", wrong_letter, true},
        {"wrong-letter", "The wrong letter.", square_of_entry},
        {"wrong-letter", "The index is off.", index_shift},
        {"extra-sum", "A sum stands here that another factor holds already.", held_already},
        {"softmax-diagonal-missing", "Softmax's Jacobian is not this.", softmax_jacobian},
        {"function-for-derivative", "A function stands where its derivative belongs.", function_for_derivative},
        {"derivative-at-activation", "The derivative is taken at the wrong place.", derivative_at_activation},
        {"extra-factor", "A factor that should not be there.", extra_factor, true},
        {"half-derivative", "Half of the derivative.", half_derivative},
        {"other-activation", "The derivative of another activation.", other_activation},
        {"missing-kronecker", "A Kronecker delta is missing.", missing_kronecker},
        {"other-adjoint", "The adjoint of another quantity.", exchanged_adjoint},
        {"missing-derivative", "The derivative of the activation is missing.", missing_derivative, true},
        {"derivative-twice", "It is differentiated once too often.", one_prime_less},
        {"transposed", "It stands transposed.", letters_exchanged},
        {"jacobian-summed", "The rows of a Jacobian are summed.", jacobian_summed},
        {"missing-regulariser", "The regulariser is missing.", missing_term},
        {"missing-path", "A path is missing.", missing_path},
        {"extra-term", "A term that should not be there.", extra_term, true},
        {"wrong-name", "Another quantity belongs here.", exchanged_name},
        {"missing-factor", "A factor is missing.", missing_factor, true},
        {"missing-factor", "A number is missing as a factor.", missing_numeric_factor},
        {"missing-term", "A term is missing.", missing_summand},
        {"wrong-power", "The power is the wrong one.", power_of_derivative},
        {"divided-for-times", "A factor stands where a divisor belongs.", divided_for_times},
        {"wrong-number", "A number is the wrong one.", small_changes},
    };
    return rows;
}

}  // namespace derivation
