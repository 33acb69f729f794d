// Losses.
#include "operations_table.hpp"

namespace {

template <class T>
Variable<T> cross_entropy(Variable<T> logits, const Options& o) {
    CrossEntropyOptions options = o.cross_entropy;
    options.reduction = o.reduction;
    if (o.probabilities) return softmax_cross_entropy(logits, Array<T>(xt::cast<T>(*o.probabilities)), options);
    return softmax_cross_entropy(logits, o.indices, options);
}

}  // namespace

std::vector<Operation> loss_rows() {
    return {
        {"softmax_cross_entropy",
         "stable for logits of +-1e4; 0 log 0 is 0; all rows ignored is an error",
         {no_step({OF(softmax_cross_entropy(x, Indices{0, 2})), {{2, 3}}}),
          no_step({OF(softmax_cross_entropy(x, Indices{0, -1, 2}, {Reduction::none, {0.5, 1, 2}, 0.1, -1})), {{3, 3}}}),
          no_step({OF(softmax_cross_entropy(x, Array<T>{{0.25, 0.75, 0}, {0.5, 0.25, 0.25}},
                                            {.reduction = Reduction::sum})),
                   {{2, 3}}}),
          no_step({OF(x * softmax_cross_entropy(x, Indices{1, 40, 7})), {{3, 43}}}),
          {OF(softmax_cross_entropy(x, Array<T>(x.shape(), 0.5))), {{2, 3}}},
          {OF(softmax_cross_entropy(x, Indices{0, 1}, {.label_smoothing = 0.2})), {{2, 3}}}},
         {{OF(softmax_cross_entropy(x, Indices{1})), {{{1e4, -1e4}}}, A(2e4), {{{1, -1}}}},
          {OF(softmax_cross_entropy(x, Indices{0})), {{{1e4, -1e4}}}, A(0.0), {{{0, 0}}}},
          {OF(softmax_cross_entropy(x, Indices{0, 1}, {.reduction = Reduction::none})),
           {{{0, 0}, {1e4, 0}}},
           {ln2, 1e4},
           {{{-0.5, 0.5}, {1, -1}}}},
          {OF(softmax_cross_entropy(x, Indices{0, 1}, {.reduction = Reduction::sum})),
           {{{0, 0}, {1e4, 0}}},
           A(ln2 + 1e4),
           {{{-0.5, 0.5}, {1, -1}}}},
          {OF(softmax_cross_entropy(x, Array<T>{{1, 0}})), {{{0, -infinity}}}, A(0.0), {{{0, 0}}}},
          {OF(softmax_cross_entropy(x, Array<T>{{0.25, 0.75}})), {{{0, 0}}}, A(ln2), {{{0.25, -0.25}}}},
          {OF(softmax_cross_entropy(x, Indices{0, 1}, {.class_weights = {1, 3}})),
           {{{0, 0}, {0, 0}}},
           A(ln2),
           {{{-0.125, 0.125}, {0.375, -0.375}}}},
          {OF(softmax_cross_entropy(x, Indices{0}, {.label_smoothing = 0.5})), {{{0, 0}}}, A(ln2), {{{-0.25, 0.25}}}},
          {OF(softmax_cross_entropy(x, Indices{0, -1}, {.ignored_label = -1})),
           {{{0, 0}, {7, infinity}}},
           A(ln2),
           {{{-0.5, 0.5}, {0, 0}}}},
          refuses(OF(softmax_cross_entropy(x, Indices{-1}, {.ignored_label = -1})), {{{0, 0}}},
                  "[softmax_cross_entropy] no row counts: every label is ignored, or of weight 0"),
          refuses(OF(softmax_cross_entropy(x, Array<T>{1, 0})), {{{1, 0}}},
                  "[softmax_cross_entropy] predictions have shape (1, 2), targets (2,): they must be equal")},
         WITH(cross_entropy(x, o))},
        {"binary_cross_entropy_with_logits",
         "value and derivative right at 0 and at +-1e4; the shapes must be equal",
         {{OF(binary_cross_entropy_with_logits(x, y, Reduction::none)),
           IS(log_of_1_plus_exp(x) - x * y),
           {{2, 3}, {2, 3}}},
          no_step({OF(binary_cross_entropy_with_logits(x, y)), {{2, 3}, {2, 3}}, probabilities})},
         {{OF(binary_cross_entropy_with_logits(x, y, Reduction::none)),
           {{0, 1e4, 1e4, -1e4, -1e4}, {1, 1, 0, 0, 1}},
           {ln2, 0, 1e4, 0, 1e4},
           {{-0.5, 0, 1, 0, -1}, {0, -1e4, -1e4, 1e4, 1e4}}},
          refuses(
              OF(binary_cross_entropy_with_logits(x, y)), {column({1, 2}), {1, 2}},
              "[binary_cross_entropy_with_logits] predictions have shape (2, 1), targets (2,): they must be equal")},
         WITH(binary_cross_entropy_with_logits(x, y, o.reduction))},
        {"mean_squared_error",
         "the shapes must be equal",
         {{OF(mean_squared_error(x, y)), {{2, 3}, {2, 3}}},
          {OF(mean_squared_error(x, y, Reduction::none)), IS((x - y) * (x - y)), {{2, 3}, {2, 3}}}},
         {{OF(mean_squared_error(x, y)), {{1, 2}, {1, 4}}, A(2.0), {{0, -2}, {0, 2}}},
          refuses(OF(mean_squared_error(x, y)), {column({1, 2}), {1, 2}},
                  "[mean_squared_error] predictions have shape (2, 1), targets (2,): they must be equal")},
         WITH(mean_squared_error(x, y, o.reduction))},
    };
}
