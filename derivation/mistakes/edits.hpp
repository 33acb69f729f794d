// The edits behind the rows of the catalogue: each offers lines that would be right if the mistake was made.
#pragma once

#include <derivation/mistakes/editing.hpp>

namespace derivation {

// updates
void climbs(Editing& editing);
void missing_rate(Editing& editing);
void missing_old_value(Editing& editing);
void updated_weights(Editing& editing);
void old_state(Editing& editing);
void number_of_steps(Editing& editing);
void exchanged_rates(Editing& editing);

// signs and numbers
void sign(Editing& editing);
void half(Editing& editing);
void twice(Editing& editing);
void missing_numeric_factor(Editing& editing);
void mean_missing(Editing& editing);
void mean_extra(Editing& editing);
void mean_twice(Editing& editing);
void wrong_number(Editing& editing);
void small_changes(Editing& editing);
void small_signs(Editing& editing);
void missing_bracket(Editing& editing);

// sums
void extra_sum(Editing& editing);
void missing_sum(Editing& editing);
void factor_outside(Editing& editing);
void held_already(Editing& editing);
void product_of_sums(Editing& editing);
void term_inside_sum(Editing& editing);

// letters
void wrong_letter(Editing& editing);
void letters_exchanged(Editing& editing);
void square_of_entry(Editing& editing);
void index_shift(Editing& editing);
void bound_off_by_one(Editing& editing);
void wrong_axis(Editing& editing);

// arrays
void transposed(Editing& editing);
void order_of_factors(Editing& editing);
void all_transposed(Editing& editing);
void missing_symmetric_part(Editing& editing);
void missing_path_of_arrays(Editing& editing);

// matrices with inverses
void transposed_inverse(Editing& editing);
void sign_of_inverse(Editing& editing);
void inverse_forgotten(Editing& editing);
void order_in_trace(Editing& editing);
void missing_determinant(Editing& editing);
void power_in_determinant(Editing& editing);
void missing_identity(Editing& editing);

// derivatives of activations, softmax, Kronecker
void missing_derivative(Editing& editing);
void missing_derivative_within(Editing& editing);
void function_for_derivative(Editing& editing);
void derivative_at_activation(Editing& editing);
void half_derivative(Editing& editing);
void other_activation(Editing& editing);
void one_prime_less(Editing& editing);
void power_of_derivative(Editing& editing);
void power_of_bracket(Editing& editing);
void softmax_jacobian(Editing& editing);
void not_softmax_jacobian(Editing& editing);
void missing_second_derivative(Editing& editing);
void missing_kronecker(Editing& editing);

// factors
void jacobian_summed(Editing& editing);
void missing_factor(Editing& editing);
void missing_factor_within(Editing& editing);
void missing_scalar(Editing& editing);
void root_of_divisor(Editing& editing);
void extra_factor(Editing& editing);
void divided_for_times(Editing& editing);

// names
void broken_chain(Editing& editing);
void exchanged_adjoint(Editing& editing);
void exchanged_name(Editing& editing);

// terms
void missing_term(Editing& editing);
void missing_in_definition(Editing& editing);
void missing_path(Editing& editing);
void missing_summand(Editing& editing);
void extra_term(Editing& editing);

}  // namespace derivation
