// Reductions and changes of shape by hand: plain loops over the rows of matrices, forward and backward.
#pragma once

#include <bench/operations/measured_operations.hpp>

namespace by_hand {

/// A forward loop and the backward loop that belongs to it.
struct Loops {
    Loop forward, backward;
};

// Broadcasts: (rows, columns) + (columns,), and (rows, 1) * (rows, columns).
Loops add_row();
Loops multiply_column();

// Reductions of all numbers, with a factor: 1 for a sum, 1 / n for a mean.
Loops total(bool mean);
Loops sum_axis_0();
Loops sum_axis_1();

// Reductions of each row.
Loops product();
Loops maximum();
Loops minimum();
Loops norm();
Loops variance();
Loops logsumexp();
Loops softmax();
Loops log_softmax();

// Shapes.
Loops transpose();
Loops concatenate();
Loops slice();
Loops take_rows();
Loops take_along_axis();
Loops repeat_row();

}  // namespace by_hand
