// Windows that slide over images. Few shapes fit them, so that random programs would seldom reach one.
#include "operations_table.hpp"

namespace {

/// One image of one channel.
A image(std::initializer_list<std::initializer_list<double>> rows) {
    A array = matrix<double>(rows);
    array.reshape({std::size_t{1}, std::size_t{1}, array.shape()[0], array.shape()[1]});
    return array;
}

A of_shape(const Shape& shape, A values) {
    values.reshape(shape);
    return values;
}

const A odd = image({{infinity, -infinity, NaN}}), pairs = image({{1, infinity, -infinity, 2, NaN, 3}});

}  // namespace

std::vector<Operation> image_rows() {
    return {
        {"unfold",
         "what lies outside is 0",
         {no_step({OF(unfold(x, {.kernel = 2}) * y), {{1, 2, 3, 3}, {1, 8, 4}}}),
          no_step({OF(unfold(x, {.kernel = {2, 3}, .stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}})),
                   {{2, 1, 3, 4}}})},
         {{OF(unfold(x, {.kernel = {1, 2}})), {image({{1, 2, 3}})}, {{{1, 2}, {2, 3}}}, {image({{1, 2, 1}})}},
          {OF(unfold(x, {.kernel = {1, 2}, .padding = {0, 1}})),
           {image({{infinity, NaN}})},
           {{{0, infinity, NaN}, {infinity, NaN, 0}}},
           {image({{2, 2}})}},
          {OF(unfold(x, {.kernel = {1, 2}, .stride = 2})), {none({0, 1, 1, 2})}, none({0, 2, 1}), {none({0, 1, 1, 2})}},
          refuses(OF(unfold(x, {.kernel = 2})), {{1, 2}},
                  "[unfold] images have the shape (n, channels, height, width), not (2,)"),
          refuses(OF(unfold(x, {.kernel = 2, .dilation = 2})), {image({{1, 2, 3}})},
                  "[unfold] a window of 2 x 2 (dilation 2 x 2) is larger than an image of shape (1, 1, 1, 3) with a "
                  "padding of 0 x 0"),
          refuses(OF(unfold(x, {.kernel = 1, .padding = {-1, 0}})), {image({{1, 2, 3}})},
                  "[unfold] a padding of -1 x 0 cannot be: it is at least 0 and at most 2147483647"),
          twice({A(Shape{3, 3}, 0.0)}, {OF(unfold(x, {.kernel = {1, 2}})),
                                        {odd},
                                        {{{infinity, -infinity}, {-infinity, NaN}}},
                                        {image({{1, 2, 1}})}})}},
        {"fold",
         "what windows share adds up; what they leave out is 0",
         {no_step({OF(fold(x, 3, {.kernel = 2}) * y), {{1, 8, 4}, {1, 2, 3, 3}}}),
          no_step({OF(fold(x, {3, 4}, {.kernel = {2, 3}, .stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}})),
                   {{2, 6, 8}}})},
         {{OF(fold(x, {1, 3}, {.kernel = {1, 2}})), {{{{1, 2}, {3, 4}}}}, image({{1, 5, 4}}), {{{{1, 1}, {1, 1}}}}},
          {OF(fold(x, {1, 3}, {.kernel = 1, .stride = 2})),
           {{{{infinity, NaN}}}},
           image({{infinity, 0, NaN}}),
           {{{{1, 1}}}}},
          refuses(OF(fold(x, {1, 3}, {.kernel = {1, 2}})), {{{{1, 2, 3}, {3, 4, 5}}}},
                  "[fold] columns of shape (1, 2, 3) do not fit a window of 2 numbers that stands at 2 places"),
          twice({A(Shape{3, 3}, 0.0)}, {OF(fold(x, {1, 3}, {.kernel = 1})),
                                        {of_shape({1, 1, 3}, {infinity, -infinity, NaN})},
                                        odd,
                                        {of_shape({1, 1, 3}, ones(3))}})}},
        {"conv2d",
         "x is 0 outside; the weight is (out, channels / groups, kernel height, kernel width)",
         {no_step({OF(conv2d(x, y)), {{1, 2, 4, 3}, {3, 2, 2, 2}}}),
          no_step({OF(conv2d(x, y)), {{2, 2, 2, 3}, {3, 2, 1, 1}}}),
          no_step({OF(conv2d(x, y, w, {.padding = 1})), {{2, 2, 3, 2}, {2, 2, 3, 2}, {2}}}),
          no_step({OF(conv2d(x, y, {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}, .groups = 2})),
                   {{2, 4, 3, 3}, {4, 2, 2, 2}}})},
         {{OF(conv2d(x, y)),
           {image({{1, 2, 3}}), image({{1, -1}})},
           image({{-1, -1}}),
           {image({{1, 0, -1}}), image({{3, 5}})}},
          {OF(conv2d(x, y)),
           {image({{infinity, 2, NaN}}), image({{1, -1}})},
           image({{infinity, NaN}}),
           {image({{1, 0, -1}}), image({{infinity, NaN}})}},
          {OF(conv2d(x, y)),
           {none({0, 1, 1, 2}), image({{3}})},
           none({0, 1, 1, 2}),
           {none({0, 1, 1, 2}), image({{0}})}},
          refuses(
              OF(conv2d(x, y)), {image({{1, 2, 3}}), {1, 2}},
              "[conv2d] images of shape (1, 1, 1, 3), a weight of shape (2,) and 1 groups: images are (n, channels, "
              "height, width), the weight is (out, channels / groups, kernel height, kernel width), and there is at "
              "least one group"),
          refuses(OF(conv2d(x, y, {.groups = 2})), {image({{1, 2, 3}}), image({{1}})},
                  "[conv2d] images of shape (1, 1, 1, 3) do not fit a weight of shape (1, 1, 1, 1) (out, channels / "
                  "groups, kernel height, kernel width) in 2 groups"),
          refuses(OF(conv2d(x, y)), {image({{1, 2, 3}}), image({{1}, {2}})},
                  "[conv2d] a window of 2 x 1 (dilation 1 x 1) is larger than an image of shape (1, 1, 1, 3) with a "
                  "padding of 0 x 0"),
          twice({A(Shape{3, 3}, 0.0), A(Shape{3, 1}, 1.0), A(Shape{1, 1}, 0.0)},
                {OF(conv2d(x, y)), {odd, image({{2}})}, odd, {image({{2, 2, 2}}), image({{NaN}})}}),
          twice({A(Shape{1, 1}, 0.0), A(Shape{1, 3}, 1.0), A(Shape{3, 3}, 0.0)},
                {OF(conv2d(x, y)),
                 {image({{2}}), of_shape({3, 1, 1, 1}, {infinity, -infinity, NaN})},
                 of_shape({1, 3, 1, 1}, {infinity, -infinity, NaN}),
                 {image({{NaN}}), of_shape({3, 1, 1, 1}, 2 * ones(3))}})}},
        {"max_pool2d",
         "at a tie the gradient goes to the first maximum, PyTorch's convention, where `amax` splits it; a NaN is the "
         "largest; padding is never a maximum",
         {no_step({OF(max_pool2d(x, {.kernel = 2}) * y), {{1, 2, 3, 3}, {1, 2, 2, 2}}, x_distinct}),
          no_step({OF(max_pool2d(x, {.kernel = {2, 3}, .stride = {2, 1}, .padding = {1, 1}, .dilation = {1, 2}})),
                   {{1, 1, 3, 4}},
                   x_distinct})},
         {{OF(max_pool2d(x, {.kernel = {1, 2}, .stride = 2})),
           {image({{1, 3, 2, 2}})},
           image({{3, 2}}),
           {image({{0, 1, 1, 0}})}},
          {OF(max_pool2d(x, {.kernel = {1, 2}, .stride = 2})),
           {image({{1, NaN, infinity, -infinity}})},
           image({{NaN, infinity}}),
           {image({{0, 1, 1, 0}})}},
          {OF(max_pool2d(x, {.kernel = 2, .stride = 2, .padding = 1})), {image({{-5}})}, image({{-5}}), {image({{1}})}},
          refuses(OF(max_pool2d(x, {.kernel = 2, .padding = 2})), {image({{1, 2, 3}})},
                  "[max_pool2d] a padding of 2 x 2 is more than half of a kernel of 2 x 2"),
          twice({A(Shape{6, 6}, 0.0)}, {OF(max_pool2d(x, {.kernel = {1, 2}, .stride = 2})),
                                        {pairs},
                                        image({{infinity, 2, NaN}}),
                                        {image({{0, 1, 0, 1, 1, 0}})}})}},
        {"avg_pool2d",
         "the padding's zeros count",
         {no_step({OF(avg_pool2d(x, {.kernel = 2}) * y), {{1, 2, 3, 3}, {1, 2, 2, 2}}}),
          no_step({OF(avg_pool2d(x, {.kernel = {2, 3}, .stride = {2, 1}, .padding = {1, 1}})), {{2, 1, 3, 5}}})},
         {{OF(avg_pool2d(x, {.kernel = {1, 2}})), {image({{1, 3}})}, image({{2}}), {image({{0.5, 0.5}})}},
          {OF(avg_pool2d(x, {.kernel = {1, 2}, .stride = 2})),
           {image({{infinity, 1, NaN, 1}})},
           image({{infinity, NaN}}),
           {image({{0.5, 0.5, 0.5, 0.5}})}},
          {OF(avg_pool2d(x, {.kernel = {1, 2}, .padding = {0, 1}})), {image({{4}})}, image({{2, 2}}), {image({{1}})}},
          twice({A(Shape{6, 6}, 0.0)}, {OF(avg_pool2d(x, {.kernel = {1, 2}, .stride = 2})),
                                        {pairs},
                                        image({{infinity, -infinity, NaN}}),
                                        {image({{0.5, 0.5, 0.5, 0.5, 0.5, 0.5}})}})}},
    };
}
