#include "units.hpp"

#include <bit>
#include <random>

template <class T>
double units(T got, const std::array<double, 2>& exact) {
    const long double expected = static_cast<long double>(exact[0]) + exact[1];
    const T rounded = static_cast<T>(expected);
    if (std::isnan(exact[0]) || got == rounded) return 0;
    if (!std::isfinite(rounded) || !std::isfinite(got)) return infinity;
    const T unit = std::max(std::nextafter(std::abs(rounded), std::numeric_limits<T>::infinity()) - std::abs(rounded),
                            std::numeric_limits<T>::denorm_min());
    return static_cast<double>(std::abs(static_cast<long double>(got) - expected) / static_cast<long double>(unit));
}

template <class T>
Given<T> given(const Formula& formula, const std::vector<T>& x, const std::vector<T>& y) {
    Tape<T> tape;
    const auto array = [&](const std::vector<T>& numbers) {
        Array<T> result = Array<T>::from_shape({numbers.size()});
        std::copy(numbers.begin(), numbers.end(), result.begin());
        return result;
    };
    const auto of_x = tape.variable(array(x)), of_y = tape.variable(array(y));
    const auto z = formula(Inputs<T>{of_x, of_y});
    const auto gradients = tape.backward(z, Array<T>(z.shape(), T(1)));
    const auto numbers = [](const Array<T>& from) { return std::vector<T>(from.begin(), from.end()); };
    return {numbers(z.value()), numbers(gradients[of_x]), numbers(gradients[of_y])};
}

template <class T>
GivenExactly given_exactly(const Scalar& element, const std::vector<T>& x, const std::vector<T>& y) {
    GivenExactly result;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const Exact z = element.exactly(Exact::variable(double(x[i]), 0), Exact::variable(double(y[i]), 1));
        const bool has_value = !std::isnan(z.value()[0]);  // (what has none has no derivative)
        result.value.push_back(z.value());
        result.by_x.push_back(has_value ? z.derivative(0) : z.value());
        result.by_y.push_back(has_value ? z.derivative(1) : z.value());
    }
    return result;
}

template <class T>
Points<T> points_of_range(std::size_t each) {
    std::mt19937_64 engine(1);
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    const auto of_bits = [&] {
        for (;;)
            if (const T number = std::bit_cast<T>(static_cast<Bits>(engine())); std::isfinite(number) && number != 0)
                return number;
    };
    const auto between = [&](double low, double high) {
        return low + (high - low) * (static_cast<double>(engine() >> 11) * 0x1p-53);
    };
    const auto some = [&](double low, double high) { return static_cast<T>(between(low, high)); };
    const auto of_any_size = [&](double low, double high) {
        return static_cast<T>((engine() % 2 == 0 ? 1 : -1) * std::pow(10, between(low, high)));
    };
    Points<T> points;
    const auto add = [&](auto x, auto y) {
        for (std::size_t i = 0; i < each; ++i) {
            points.x.push_back(x());
            points.y.push_back(y());
        }
    };
    const auto positive = [&] { return std::abs(of_bits()); };
    const auto least_to_most = [&] {
        const double size = std::abs(std::log(std::abs(static_cast<double>(points.x.back()))));
        return static_cast<T>(between(-1, 1) * std::log(std::numeric_limits<T>::max()) / std::max(size, 1e-3));
    };
    add(of_bits, of_bits);
    for (const double size : {1, 4, 30, 100})
        add([&, size] { return some(-size, size); }, [&, size] { return some(-size, size); });
    add([&] { return some(-4, -2.5); }, [&] { return some(2, 4); });
    add([&] { return some(0.5, 2); }, [&] { return some(-100, 100); });
    add([&] { return of_any_size(-9, 9); }, [&] { return of_any_size(-9, 9); });
    add([&] { return std::abs(of_any_size(-9, 9)); }, least_to_most);
    add(positive, least_to_most);
    return points;
}

template <class T>
Worst worst_of(const std::vector<T>& got, const std::vector<std::array<double, 2>>& exact, const Points<T>& points,
               double most) {
    Worst worst;
    for (std::size_t i = 0; i < got.size(); ++i) {
        if (std::abs(points.x[i]) > most || std::abs(points.y[i]) > most) continue;
        if (const double off = units(got[i], exact[i]); off > worst.units)
            worst = {off, double(points.x[i]), double(points.y[i])};
    }
    return worst;
}

bool is_one_operation(const Variant& variant) {
    if (variant.scalar == nullptr) return false;
    Tape<double> tape;
    variant.of(Inputs<double>{tape.variable(A{0.5}), tape.variable(A{0.25})});
    return tape.size() <= 4;
}

#define INSTANTIATE(T)                                                                                \
    template double units(T, const std::array<double, 2>&);                                           \
    template Given<T> given(const Formula&, const std::vector<T>&, const std::vector<T>&);            \
    template GivenExactly given_exactly(const Scalar&, const std::vector<T>&, const std::vector<T>&); \
    template Points<T> points_of_range(std::size_t);                                                  \
    template Worst worst_of(const std::vector<T>&, const std::vector<std::array<double, 2>>&, const Points<T>&, double);
INSTANTIATE(float)
INSTANTIATE(double)
