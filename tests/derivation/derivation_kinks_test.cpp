// Kinks and brackets that stand together.
#define BOOST_TEST_MODULE derivation_kinks
#include "judged.hpp"

// Each has shown both sides where a is below 1, but not q > q*a where the maximum is negative.
BOOST_AUTO_TEST_CASE(sides_of_two_kinks_are_shown_together) {
    verdicts_are("given a, b\nlet q = cos(b) - a\nlet L = relu(max(q*a, q))\n",
                 {{"dL/da = [q*a > q]*(q - a)*[max(q*a, q) > 0] - [q > q*a]*[max(q*a, q) > 0]", "holds"},
                  {"dL/da = [q*a > q]*(q - a)*[max(q*a, q) > 0] - [q > q*a]", "wrong"}},
                 20);
}
