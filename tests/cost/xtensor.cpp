// What anybody waits for who computes one thing with xtensor.
#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xarray.hpp>
#else
#include <xtensor/xarray.hpp>
#endif

int main() {
    const xt::xarray<float> a = {1, 2}, b = a * 2.0f;
    return b(0) > 3;
}
