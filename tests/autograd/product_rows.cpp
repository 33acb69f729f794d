// Products of matrices.
#include "operations_table.hpp"

std::vector<Operation> product_rows() {
    return {
        {"matmul",
         "NumPy's shapes; inner sizes must be equal",
         {{OF(matmul(x, y)), {{2, 3}, {3, 4}}},
          no_step({OF(matmul(x, y)), {{2, 1, 2, 3}, {2, 3, 2}}}),
          no_step({OF(matmul(x, y)), {{3}, {3}}}),
          no_step({OF(matmul(x, y)), {{3}, {3, 2}}}),
          {OF(matmul(x, matrix_transpose(y))), {{2, 3}, {4, 3}}},
          no_step({OF(matmul(x, x)), {{3, 3}}})},
         {{OF(matmul(x, y)), {{1, 2}, {3, 4}}, A(11.0), {{3, 4}, {1, 2}}},
          {OF(matmul(x, y)), {{1, 2}, column({3, 4})}, {11}, {{3, 4}, column({1, 2})}},
          {OF(matmul(x, y)), {none({2, 0}), none({0, 3})}, {{0, 0, 0}, {0, 0, 0}}, {none({2, 0}), none({0, 3})}},
          refuses(OF(matmul(x, y)), {none({std::size_t{1} << 33, 0}), none({0, std::size_t{1} << 31})},
                  "[matmul] an array of shape (8589934592, 2147483648) is larger than any memory"),
          refuses(OF(matmul(x, y)), {{1, 2}, {1, 2, 3}}, "[matmul] inner sizes differ: (1, 2) x (3, 1)")}},
        {"linear",
         "inner sizes must be equal",
         {no_step({OF(linear(x, y, w)), {{2, 3}, {4, 3}, {4}}}),
          {OF(linear(x, y)), {{2, 3}, {4, 3}}},
          {OF(linear(x, y, sum(y, {-1}))), {{2, 3}, {4, 3}}}},
         {{OF(linear(x, y)), {{{1, 2}}, {{3, 4}}}, column({11}), {{{3, 4}}, {{1, 2}}}},
          refuses(OF(linear(x, y)), {{{1, 2}}, {{3, 4, 5}}},
                  "[linear] an input of shape (1, 2) does not fit a weight of shape (1, 3) (out, in)")}},
    };
}
