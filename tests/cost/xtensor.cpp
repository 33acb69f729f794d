// What anybody waits for who computes one thing with xtensor.
#include <xtensor/xarray.hpp>

int main() {
    const xt::xarray<float> a = {1, 2}, b = a * 2.0f;
    return b(0) > 3;
}
