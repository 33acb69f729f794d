// How an elementwise expression becomes numbers: one loop over registers for the whole expression, whatever it is.
// Where shapes differ, it runs row by row: along a row each operand moves with the result, or repeats one element.
//
// The plain form of everything here is `for (i...) z[i] = f(x[i], y[i], ...)`, with NumPy's broadcasting.
#pragma once

#include <algorithm>
#include <array>
#include <autograd/kernels/broadcast.hpp>
#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/transcendental.hpp>
#include <functional>
#include <tuple>
#include <utility>

namespace autograd::kernels::inline DELTARULE_REGISTERS {

template <class E>
struct IsFunction : std::false_type {};
template <class F, class... A>
struct IsFunction<xt::xfunction<F, A...>> : std::true_type {};

template <class E>
struct IsNumber : std::false_type {};
template <class A>
struct IsNumber<xt::xscalar<A>> : std::is_arithmetic<std::decay_t<A>> {};

template <class E, class T>
struct IsArray : std::false_type {};
template <class T, class C, class S, class G>
struct IsArray<xt::xarray_container<C, xt::layout_type::row_major, S, G>, T> : std::is_same<typename C::value_type, T> {
};
template <class T, class C, class S, class G>
struct IsArray<xt::xarray_adaptor<C, xt::layout_type::row_major, S, G>, T>
    : std::is_same<std::decay_t<typename std::decay_t<C>::value_type>, T> {};

/// The number of arrays in an expression.
template <class E, class T>
constexpr std::size_t arrays() {
    if constexpr (IsFunction<E>::value) {
        return []<class F, class... A>(std::type_identity<xt::xfunction<F, A...>>) {
            return (std::size_t{0} + ... + arrays<std::decay_t<A>, T>());
        }(std::type_identity<E>());
    }
    return IsArray<E, T>::value ? 1 : 0;
}

/// How many scalars there are in an expression: one in 2 * x.
template <class E>
constexpr std::size_t scalars() {
    if constexpr (IsFunction<E>::value) {
        return []<class F, class... A>(std::type_identity<xt::xfunction<F, A...>>) {
            return (std::size_t{0} + ... + scalars<std::decay_t<A>>());
        }(std::type_identity<E>());
    }
    return IsNumber<E>::value ? 1 : 0;
}

/// Whether an expression's outermost function runs on blocks of numbers, by a loop of its own.
template <class E>
struct IsTranscendental : std::false_type {};
template <class F, class... A>
struct IsTranscendental<xt::xfunction<F, A...>> : std::bool_constant<is_transcendental<F>> {};

template <class E>
using Arguments = std::decay_t<decltype(std::declval<const E&>().arguments())>;
template <class E, std::size_t I>
using Argument = std::decay_t<std::tuple_element_t<I, Arguments<E>>>;
template <class E>
using ArgumentIndices = std::make_index_sequence<std::tuple_size_v<Arguments<E>>>;

/// The number of blocks that hold the arguments of transcendental functions in an expression.
template <class E>
constexpr std::size_t blocks() {
    if constexpr (IsFunction<E>::value) {
        const auto sum = []<std::size_t... I>(std::index_sequence<I...>) {
            return (std::size_t{0} + ... + blocks<Argument<E, I>>());
        };
        return sum(ArgumentIndices<E>()) + (IsTranscendental<E>::value ? ArgumentIndices<E>::size() : 0);
    }
    return 0;
}

/// Where an expression's first array, block and number stand among all.
struct Place {
    std::size_t array = 0, block = 0, number = 0;

    /// Where those of argument `I` of a function stand that is here itself.
    template <class E, class T, std::size_t I>
    constexpr Place argument() const {
        const auto behind = [this]<std::size_t... K>(std::index_sequence<K...>) {
            return Place{array + (std::size_t{0} + ... + arrays<Argument<E, K>, T>()),
                         block + (std::size_t{0} + ... + blocks<Argument<E, K>>()),
                         number + (std::size_t{0} + ... + scalars<Argument<E, K>>())};
        };
        return behind(std::make_index_sequence<I>());
    }
};

/// A register of the expression's values, where `load(k)` is one of its k-th array, `called(k)` one of its k-th block,
/// and `number(k)` its k-th number.
template <class T, Place Here, class E, class Load, class Called, class Number>
[[gnu::always_inline]] inline auto value(const E& e, const Load& load, const Called& called, const Number& number) {
    if constexpr (IsTranscendental<E>::value) {
        return called(std::integral_constant<std::size_t, Here.block + blocks<E>() - 1>());
    } else if constexpr (IsFunction<E>::value) {
        const auto apply_to = [&]<std::size_t... I>(std::index_sequence<I...>) {
            return e.functor().simd_apply(
                value<T, Here.template argument<E, T, I>()>(std::get<I>(e.arguments()), load, called, number)...);
        };
        return apply_to(ArgumentIndices<E>());
    } else if constexpr (IsNumber<E>::value) {
        return number(std::integral_constant<std::size_t, Here.number>());
    } else {
        return load(std::integral_constant<std::size_t, Here.array>());
    }
}

/// What a register of an expression's values is; void where it is not made of arrays of T, numbers, and functions that
/// work on registers.
template <class E, class T>
struct RegisterOf {
    using type = std::conditional_t<IsNumber<E>::value || IsArray<E, T>::value, Register<T>, void>;
};
template <class F, class... R>
struct Applied {
    using type = void;
};
template <class F, class... R>
requires requires(const F& f, const R&... r) { f.simd_apply(r...); }
struct Applied<F, R...> {
    using type = decltype(std::declval<const F&>().simd_apply(std::declval<const R&>()...));
};
template <class F, class... A, class T>
struct RegisterOf<xt::xfunction<F, A...>, T> : Applied<F, typename RegisterOf<std::decay_t<A>, T>::type...> {};

template <class E, class T>
concept Fused = (arrays<E, T>() != 0) && std::is_same_v<typename RegisterOf<E, T>::type, Register<T>>;

/// Calls f(array) and g(number) for each in an expression, from the left.
template <class E, class F, class G>
[[gnu::always_inline]] inline void each_leaf(const E& e, const F& f, const G& g) {
    if constexpr (IsFunction<E>::value)
        std::apply([&](const auto&... arguments) { (each_leaf(arguments, f, g), ...); }, e.arguments());
    else if constexpr (IsNumber<E>::value)
        g(e());
    else
        f(e);
}

/// An expression's arrays, bound to the places where they are read.
template <class T, class E>
struct Bound {
    static constexpr std::size_t count = arrays<E, T>();
    const E& expression;
    std::array<const T*, count> data;
    std::array<ShapeView, count + 1> shapes;  ///< the last place is for what is written

    explicit Bound(const E& e) : expression(e) {
        std::size_t k = 0;
        const auto bind = [&](const auto& array) {
            data[k] = array.data();
            shapes[k++] = {array.shape().data(), array.dimension()};
        };
        each_leaf(e, bind, [](auto) {});
    }

    std::span<const ShapeView> operands() const { return std::span(shapes).first(count); }

    /// All arrays have one shape, so that there is one row.
    bool flat() const {
        for (std::size_t k = 1; k < count; ++k)
            if (!equal_shapes(shapes[0], shapes[k])) return false;
        return true;
    }

    /// z = values, or z += values, for n numbers, where it is flat.
    void write(T* z, std::size_t n, bool accumulate) const { write(expression, z, data, n, accumulate, all_move); }

    /// As evaluate_rows.
    void write_rows(T* z, ShapeView kept, ShapeView shape, bool accumulate) {
        constexpr bool is_array = std::is_same_v<E, Array<T>>;
        evaluate_rows<T>(z, kept, shape, {&expression, data, shapes, is_array, write_erased}, accumulate);
    }

  private:
    using Row = std::array<const T*, count>;

    static constexpr auto all_move = [](auto) { return std::true_type(); };  // along a row
    static constexpr std::size_t block_length = 256;

    /// As ExpressionRows::write.
    static void write_erased(const void* expression, T* z, const T* const* from, std::size_t n, bool accumulate,
                             const bool* along, std::size_t rows, const std::size_t* steps) {
        const E& e = *static_cast<const E*>(expression);
        Row row;
        std::copy_n(from, count, row.begin());
        // Of an expression of one array its shape is that array's, unless it is the array itself that is broadcast.
        if constexpr (count > 1 || std::is_same_v<E, Array<T>>)
            if (along) {
                std::array<bool, count> some;
                std::copy_n(along, count, some.begin());
                const auto moves = [some](std::size_t k) { return some[k]; };
                return write(e, z, row, n, accumulate, moves, rows, steps);
            }
        write(e, z, row, n, accumulate, all_move, rows, steps);
    }

    template <class Moves>
    [[gnu::noinline]] static void write(const E& expression, T* z, Row row, std::size_t n, bool accumulate, Moves moves,
                                        std::size_t rows = 1, const std::size_t* steps = nullptr) {
        for (;;) {
            Part<Moves> part(row, n, moves);
            T* to = z;
            if constexpr (blocks<E>() != 0) {
                for (; part.n > block_length; to += block_length) {
                    const std::size_t rest = std::exchange(part.n, block_length) - block_length;
                    part.write(expression, to, accumulate);
                    for (std::size_t k = 0; k < count; ++k)
                        if (moves(k)) part.row[k] += block_length;
                    part.n = rest;
                }
            }
            part.write(expression, to, accumulate);
            if (--rows == 0) return;
            for (std::size_t k = 0; k < count; ++k) row[k] += steps[k];
            z += steps[count];
        }
    }

    /// n numbers of a row, at most a block where there are transcendental functions.
    template <class Moves>
    struct Part {
        Part(const Row& from, std::size_t count_of_numbers, Moves along)
            : row(from), n(count_of_numbers), moves(along) {}

        Row row;
        std::size_t n;
        [[no_unique_address]] Moves moves;
        alignas(64) std::array<std::array<T, block_length>, blocks<E>()> block;

        [[gnu::always_inline]] void write(const E& e, T* z, bool accumulate) {
            if constexpr (IsTranscendental<E>::value)
                if (!accumulate) return call<Place{}>(e, z);
            prepare<Place{}>(e);
            each_register<Place{}>(e, [&](std::size_t i, Register<T> result, auto... some) {
                store_or_add(z + i, result, accumulate, some...);
            });
        }

        /// Runs the transcendental functions in an expression, each into its block.
        template <Place Here, class F>
        [[gnu::always_inline]] void prepare(const F& e) {
            if constexpr (IsTranscendental<F>::value) {
                call<Here>(e, block[Here.block + blocks<F>() - 1].data());
            } else if constexpr (blocks<F>() != 0) {
                const auto prepare_all = [&]<std::size_t... I>(std::index_sequence<I...>) {
                    (prepare<Here.template argument<F, T, I>()>(std::get<I>(e.arguments())), ...);
                };
                prepare_all(ArgumentIndices<F>());
            }
        }

        /// z = the values of a transcendental function.
        template <Place Here, class F>
        [[gnu::always_inline]] void call(const F& e, T* z) {
            const auto apply_to = [&]<std::size_t... I>(std::index_sequence<I...>) {
                apply(e.functor(), n, z,
                      numbers<Here.template argument<F, T, I>(), Here.block + blocks<F>() - 1 - I>(
                          std::get<I>(e.arguments()))...);
            };
            apply_to(ArgumentIndices<F>());
        }

        /// An expression's values, where they are or written to block `To`.
        template <Place Here, std::size_t To, class F>
        [[gnu::always_inline]] const T* numbers(const F& e) {
            if constexpr (IsArray<F, T>::value)
                if (moves(std::integral_constant<std::size_t, Here.array>())) return row[Here.array];
            prepare<Here>(e);
            T* z = block[To].data();
            each_register<Here>(e, [z](std::size_t i, const Register<T>& x, auto...) { x.store_aligned(z + i); });
            return z;
        }

        /// use(i, register) for each register of an expression's values, and use(i, register, m) for a last one of m
        /// numbers, which zeros fill up, so that a number does not depend on its place.
        template <Place Here, class F, class Use>
        [[gnu::always_inline]] void each_register(const F& e, const Use& use) const {
            // Read once: what is written might stand in the expression, for all that the compiler knows.
            std::array<Register<T>, scalars<F>()> constants;
            std::size_t count_of_constants = 0;
            each_leaf(
                e, [](const auto&) {},
                [&](auto number) { constants[count_of_constants++] = Register<T>(static_cast<T>(number)); });
            const auto at = [&](std::size_t i, auto... some) {
                use(i,
                    value<T, Here>(
                        e, [&](auto k) { return moves(k) ? load_some(row[k] + i, some...) : Register<T>(*row[k]); },
                        [&](auto k) { return Register<T>::load_aligned(block[k].data() + i); },
                        [&](auto k) { return constants[k - Here.number]; }),
                    some...);
            };
            std::size_t i = 0;
            for (; i + Register<T>::size <= n; i += Register<T>::size) at(i);
            if (i < n) at(i, n - i);
        }
    };
};

}  // namespace autograd::kernels::inline DELTARULE_REGISTERS
