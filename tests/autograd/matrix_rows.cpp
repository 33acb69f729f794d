// Square matrices: what elimination and Cholesky's factor give.
#include "operations_table.hpp"

namespace {

double determinant(const A& x, std::vector<std::size_t> columns) {
    if (columns.empty()) return 1;
    double total = 0, sign = 1;
    for (std::size_t k = 0; k < columns.size(); ++k, sign = -sign) {
        std::vector<std::size_t> others = columns;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(k));
        total += sign * x(x.shape()[0] - columns.size(), columns[k]) * determinant(x, others);
    }
    return total;
}

/// Of the first n rows and columns.
double leading(const A& x, std::size_t n) {
    A block(Shape{n, n});
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) block(i, j) = x(i, j);
    std::vector<std::size_t> columns(n);
    for (std::size_t i = 0; i < n; ++i) columns[i] = i;
    return determinant(block, columns);
}

const Domain regular{-2, 2, [](const A& x, const A&) { return std::abs(leading(x, x.shape()[0])) > 1; }};
const Domain of_positive_determinant{-2, 2, [](const A& x, const A&) { return leading(x, x.shape()[0]) > 1; }};
const Domain positive_definite{-2, 2, [](const A& x, const A&) {
                                   const A symmetric = (x + xt::transpose(x)) / 2;
                                   for (std::size_t n = 1; n <= x.shape()[0]; ++n)
                                       if (leading(symmetric, n) < 0.5) return false;
                                   return true;
                               }};

/// A number that is not finite makes all NaN.
std::vector<Point> not_finite(Formula of, const Shape& result) {
    std::vector<Point> points;
    for (const double odd : {infinity, -infinity, NaN})
        points.push_back(
            twice({A(Shape{4, 4}, NaN)}, {of, {A{{odd, 1}, {1, 2}}}, A(result, NaN), {A(Shape{2, 2}, NaN)}}));
    return points;
}

std::vector<Point> with(std::vector<Point> points, std::vector<Point> more) {
    points.insert(points.end(), more.begin(), more.end());
    return points;
}

}  // namespace

std::vector<Operation> matrix_rows() {
    return {
        {"trace",
         "a matrix must be square; what stands beside the diagonal does not count",
         {{OF(trace(x)), {{3, 3}}}, no_step({OF(trace(matmul(x, y))), {{2, 3}, {3, 2}}})},
         {{OF(trace(x)), {A{{1, NaN}, {3, 4}}}, A(5.0), {A{{1, 0}, {0, 1}}}},
          {OF(trace(x)), {none({0, 0})}, A(0.0), {none({0, 0})}},
          refuses(OF(trace(x)), {A{{1, 2, 3}}}, "[trace] a square matrix is wanted, not an array of shape (1, 3)"),
          refuses(OF(trace(x)), {{1, 2}}, "[trace] a square matrix is wanted, not an array of shape (2,)"),
          twice({A(Shape{4, 4}, 0.0)}, {OF(trace(x)), {A{{infinity, 1}, {2, 3}}}, A(infinity), {A{{1, 0}, {0, 1}}}}),
          twice({A(Shape{4, 4}, 0.0)}, {OF(trace(x)), {A{{-infinity, 1}, {2, 3}}}, A(-infinity), {A{{1, 0}, {0, 1}}}}),
          twice({A(Shape{4, 4}, 0.0)}, {OF(trace(x)), {A{{NaN, 1}, {2, 3}}}, A(NaN), {A{{1, 0}, {0, 1}}}})}},
        {"det",
         "a matrix must be square; every derivative is right where it is singular, too; a number that is not finite "
         "makes all NaN",
         {no_step({OF(det(x)), {{3, 3}}}), no_step({OF(det(x)), {{1, 1}}}),
          no_step({OF(det(matmul(x, y))), {{2, 3}, {3, 2}}})},
         with({twice({A{{0, 0, 0, 1}, {0, 0, -1, 0}, {0, -1, 0, 0}, {1, 0, 0, 0}}},
                     {OF(det(x)), {A{{2, 1}, {4, 6}}}, A(8.0), {A{{6, -4}, {-1, 2}}}}),
               twice({A{{0, 0, 0, 1}, {0, 0, -1, 0}, {0, -1, 0, 0}, {1, 0, 0, 0}}},
                     {OF(det(x)), {A{{1, 2}, {2, 4}}}, A(0.0), {A{{4, -2}, {-2, 1}}}}),
               twice({A{{0, 0, 0, 1}, {0, 0, -1, 0}, {0, -1, 0, 0}, {1, 0, 0, 0}}},
                     {OF(det(x)), {A{{0, 0}, {0, 0}}}, A(0.0), {A{{0, 0}, {0, 0}}}}),
               {OF(det(x)), {A{{2, 0, 0}, {0, 0, 0}, {0, 0, 0}}}, A(0.0), {A(Shape{3, 3}, 0.0)}},
               {OF(det(x)), {A{{1, 2, 3}, {2, 4, 6}, {0, 1, 1}}}, A(0.0), {A{{-2, -2, 2}, {1, 1, -1}, {0, 0, 0}}}},
               twice({A{{0, 0, 0, 0, 0, 0, 0, 0, 0},
                        {0, 0, 0, 0, 0, 0, 0, 0, 0},
                        {0, 0, 0, 0, 0, 0, 0, 0, 0},
                        {0, 0, 0, 0, 0, 0, 0, 0, 0},
                        {0, 0, 0, 0, 0, 0, 0, 0, 2},
                        {0, 0, 0, 0, 0, 0, 0, -2, 0},
                        {0, 0, 0, 0, 0, 0, 0, 0, 0},
                        {0, 0, 0, 0, 0, -2, 0, 0, 0},
                        {0, 0, 0, 0, 2, 0, 0, 0, 0}}},
                     {OF(det(x)), {A{{2, 0, 0}, {0, 0, 0}, {0, 0, 0}}}, A(0.0), {A(Shape{3, 3}, 0.0)}}),
               {OF(det(x)),
                {A{{1e200, 0, 0}, {0, 1e200, 0}, {0, 0, 1e-300}}},
                A(1e100),
                {A{{1e-100, 0, 0}, {0, 1e-100, 0}, {0, 0, infinity}}}},
               {OF(det(x)), {none({0, 0})}, A(1.0), {none({0, 0})}},
               refuses(OF(det(x)), {A{{1, 2, 3}}}, "[det] a square matrix is wanted, not an array of shape (1, 3)"),
               refuses(OF(det(x)), {A(Shape{2, 3, 3}, 1.0)},
                       "[det] a square matrix is wanted, not an array of shape (2, 3, 3)")},
              not_finite(OF(det(x)), {}))},
        {"logdet",
         "the determinant must be positive; it may be too large or too small for a number; a number that is not finite "
         "makes all NaN",
         {no_step({OF(logdet(x)), {{3, 3}}, of_positive_determinant}),
          no_step({OF(logdet(x)), {{1, 1}}, of_positive_determinant})},
         with({twice({A{{-0.5625, 0.375, 0.09375, -0.0625},
                        {0.375, -0.25, -0.1875, 0.125},
                        {0.09375, -0.1875, -0.015625, 0.03125},
                        {-0.0625, 0.125, 0.03125, -0.0625}}},
                     {OF(logdet(x)), {A{{2, 1}, {4, 6}}}, A(2.0794415416798357), {A{{0.75, -0.5}, {-0.125, 0.25}}}}),
               {OF(logdet(x)), {A{{1e300, 0}, {0, 1e200}}}, A(1151.2925464970228), {A{{1e-300, 0}, {0, 1e-200}}}},
               {OF(logdet(x)), {none({0, 0})}, A(0.0), {none({0, 0})}},
               refuses(OF(logdet(x)), {A{{0, 2}, {3, 4}}},
                       "[logdet] the determinant of a matrix of shape (2, 2) is negative"),
               refuses(OF(logdet(x)), {A{{1, 2}, {2, 4}}},
                       "[logdet] a matrix of shape (2, 2) is singular: column 1 is made of those before it"),
               refuses(OF(logdet(x)), {A{{1, 2, 3}}},
                       "[logdet] a square matrix is wanted, not an array of shape (1, 3)")},
              not_finite(OF(logdet(x)), {}))},
        {"inverse",
         "a matrix must be square and not singular, to rounding; a number that is not finite makes all NaN",
         {no_step({OF(inverse(x)), {{3, 3}}, regular}), no_step({OF(inverse(x)), {{1, 1}}, regular}),
          no_step({OF(matmul(inverse(x), y)), {{2, 2}, {2, 3}}, regular})},
         with({twice({A{{0.234375, -0.125, 0.0390625, -0.03125},
                        {-0.125, 0.0625, 0.015625, 0},
                        {0.0390625, 0.015625, -0.01953125, 0.0234375},
                        {-0.03125, 0, 0.0234375, -0.015625}}},
                     {OF(inverse(x)),
                      {A{{2, 1}, {4, 6}}},
                      {{0.75, -0.125}, {-0.5, 0.25}},
                      {A{{-0.15625, 0.0625}, {-0.078125, 0.03125}}}}),
               {OF(inverse(x)), {A{{1, 1}, {0, 1e-20}}}, {{1, -1e20}, {0, 1e20}}, {A{{1e20, -1e20}, {0, 0}}}},
               {OF(inverse(x)), {none({0, 0})}, none({0, 0}), {none({0, 0})}},
               refuses(OF(inverse(x)), {A{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}},
                       "[inverse] a matrix of shape (3, 3) is singular: column 2 is made of those before it"),
               refuses(OF(inverse(x)), {A{{0, 2}, {0, 4}}},
                       "[inverse] a matrix of shape (2, 2) is singular: column 0 is made of those before it"),
               refuses(OF(inverse(x)), {A{{1, 2, 3}}},
                       "[inverse] a square matrix is wanted, not an array of shape (1, 3)")},
              not_finite(OF(inverse(x)), {2, 2}))},
        {"solve",
         "a vector or a matrix as the right side; the matrix must be square and not singular, to rounding; a number "
         "that "
         "is not finite in it makes all NaN",
         {no_step({OF(solve(x, y)), {{3, 3}, {3, 2}}, regular}), no_step({OF(solve(x, y)), {{3, 3}, {3}}, regular}),
          no_step({OF(solve(x, x * x)), {{2, 2}}, regular})},
         {twice(
              {A{{0.375, -0.125, 0.0625, -0.0625},
                 {-0.125, 0, 0.0625, 0},
                 {0.0625, 0.0625, -0.03125, 0.03125},
                 {-0.0625, 0, 0.03125, 0}},
               A{{-0.1875, 0.03125}, {0.125, -0.0625}, {-0.09375, 0.015625}, {0.0625, -0.03125}}, A(Shape{2, 2}, 0.0)},
              {OF(solve(x, y)), {A{{2, 1}, {4, 6}}, {2, 4}}, {1, 0}, {A{{-0.25, 0}, {-0.125, 0}}, {0.25, 0.125}}}),
          {OF(solve(x, y)), {none({0, 0}), none({0, 2})}, none({0, 2}), {none({0, 0}), none({0, 2})}},
          {OF(solve(x, y)), {column({2}), none({1, 0})}, none({1, 0}), {column({0}), none({1, 0})}},
          refuses(OF(solve(x, y)), {A{{1, 2}, {2, 4}}, {1, 2}},
                  "[solve] a matrix of shape (2, 2) is singular: column 1 is made of those before it"),
          refuses(OF(solve(x, y)), {A{{1, 2}, {3, 4}}, column({1, 2, 3})},
                  "[solve] a matrix of shape (2, 2) does not fit a right side of shape (3, 1)"),
          refuses(OF(solve(x, y)), {A{{1, 2, 3}}, {1}},
                  "[solve] a square matrix is wanted, not an array of shape (1, 3)"),
          twice({column({NaN}), A{{-0.25, -0.25, -0.25}}, A(Shape{3, 3}, 0.0)},
                {OF(solve(x, y)),
                 {column({2}), A{{infinity, -infinity, NaN}}},
                 {{infinity, -infinity, NaN}},
                 {column({NaN}), A{{0.5, 0.5, 0.5}}}}),
          twice({column({NaN}), column({NaN}), column({0})},
                {OF(solve(x, y)), {column({infinity}), {3}}, {NaN}, {column({NaN}), {NaN}}}),
          twice({column({NaN}), column({NaN}), column({0})},
                {OF(solve(x, y)), {column({-infinity}), {3}}, {NaN}, {column({NaN}), {NaN}}}),
          twice({column({NaN}), column({NaN}), column({0})},
                {OF(solve(x, y)), {column({NaN}), {3}}, {NaN}, {column({NaN}), {NaN}}})}},
        {"cholesky",
         "of a matrix that is not symmetric it is that of (x + x^T) / 2, so that the derivatives are symmetric; it "
         "must "
         "be positive definite, to rounding; a number that is not finite makes all NaN",
         {no_step({OF(cholesky(x)), {{3, 3}}, positive_definite}),
          no_step({OF(cholesky(x)), {{1, 1}}, positive_definite})},
         with(
             {roughly(1e-14, twice({A{{-0.00578703703703703703, -0.00925925925925925926, -0.00925925925925925926,
                                       -0.00231481481481481481},
                                      {-0.00925925925925925926, -0.02314814814814814814, -0.02314814814814814814,
                                       0.00462962962962962963},
                                      {-0.00925925925925925926, -0.02314814814814814814, -0.02314814814814814814,
                                       0.00462962962962962963},
                                      {-0.00231481481481481481, 0.00462962962962962963, 0.00462962962962962963,
                                       -0.00925925925925925926}}},
                                   {OF(cholesky(x)),
                                    {A{{4, 2}, {2, 10}}},
                                    {{2, 0}, {1, 3}},
                                    {A{{1.0 / 6, 1.0 / 6}, {1.0 / 6, 1.0 / 6}}}})),
              {OF(cholesky(x)), {A{{4, 4}, {0, 10}}}, {{2, 0}, {1, 3}}, {A{{1.0 / 6, 1.0 / 6}, {1.0 / 6, 1.0 / 6}}}},
              {OF(cholesky(x)), {none({0, 0})}, none({0, 0}), {none({0, 0})}},
              refuses(OF(cholesky(x)), {A{{1, 2}, {2, 3}}},
                      "[cholesky] a matrix of shape (2, 2) is not positive definite: its first 2 rows and columns are "
                      "not"),
              refuses(OF(cholesky(x)), {A{{1, 1}, {1, 1}}},
                      "[cholesky] a matrix of shape (2, 2) is not positive definite: its first 2 rows and columns are "
                      "not"),
              refuses(OF(cholesky(x)), {A{{-1, 0}, {0, 1}}},
                      "[cholesky] a matrix of shape (2, 2) is not positive definite: its first row and column are not"),
              refuses(OF(cholesky(x)), {A{{1, 2, 3}}},
                      "[cholesky] a square matrix is wanted, not an array of shape (1, 3)")},
             not_finite(OF(cholesky(x)), {2, 2}))},
    };
}
