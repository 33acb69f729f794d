#include <algorithm>
#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/sliding.hpp>
#include <autograd/kernels/transpose.hpp>
#include <type_traits>
#include <vector>

namespace autograd::kernels {

namespace {

using Signed = std::ptrdiff_t;

/// Memory that a thread keeps, by its use.
enum class Use { image, result, weight };
template <class T, Use>
T* room(std::size_t size) {
    thread_local Array<T> kept;
    if (kept.size() < size) kept.resize({size});
    return kept.data();
}

/// An image within its padding. Behind it lie as many numbers as a register holds, since whole registers are read.
struct Padded {
    explicit Padded(const WindowPlan& plan)
        : rows(plan.height + 2 * static_cast<std::size_t>(plan.window.padding.height)),
          pitch(plan.width + 2 * static_cast<std::size_t>(plan.window.padding.width)) {}
    std::size_t plane() const { return rows * pitch; }
    std::size_t rows, pitch;
};

/// A register of places: where the window's first pixel is for the first of them, where its result goes, and how many.
struct Piece {
    std::size_t x, z, count;
};

/// How places fall into registers: by the rows of the result; or, where these are short, one after the other with the
/// pixels between two rows, whose results nobody reads.
template <class T>
struct Places {
    explicit Places(const WindowPlan& plan) {
        constexpr std::size_t width = Register<T>::size;
        const Padded padded(plan);
        const std::size_t across = plan.places_across, down = plan.places_down;
        const std::size_t all = (down - 1) * padded.pitch + across;
        const auto registers_for = [](std::size_t n) { return (n + width - 1) / width; };
        by_rows = 4 * down * registers_for(across) <= 5 * registers_for(all);
        plane = by_rows ? plan.places() : all;
        registers = by_rows ? down * registers_for(across) : registers_for(all);
        length = by_rows ? across : all;
        x_step = padded.pitch;
    }
    /// Register number i.
    Piece operator[](std::size_t i) const {
        constexpr std::size_t width = Register<T>::size;
        const std::size_t of_a_row = (length + width - 1) / width, row = i / of_a_row, first = i % of_a_row * width;
        return {row * x_step + first, row * length + first, std::min(width, length - first)};
    }
    bool by_rows;
    std::size_t plane, registers, length, x_step;
};

template <class T>
struct Task {
    const T* x;                  // padded
    const std::size_t* offsets;  // in x, of each input for the first place
    const T* weight;             // (outputs, inputs)
    std::size_t inputs;
    const T* bias;
    T* z;
    std::size_t plane;  // from an output of z to the next
    bool accumulate;
};

/// `Height` outputs from o on, at the places of `Width` registers. The sums stay in registers.
template <std::size_t Height, std::size_t Width, class T>
void slide_tile(const Task<T>& task, std::size_t o, const Piece* pieces) {
    Register<T> sums[Height][Width];
#pragma GCC unroll 16
    for (std::size_t h = 0; h < Height; ++h)
#pragma GCC unroll 4
        for (std::size_t w = 0; w < Width; ++w)
            sums[h][w] = Register<T>(task.bias == nullptr ? T(0) : task.bias[o + h]);
    const T* a = task.weight + o * task.inputs;
    const T* x[Width];
    for (std::size_t w = 0; w < Width; ++w) x[w] = task.x + pieces[w].x;
    for (std::size_t l = 0; l < task.inputs; ++l, ++a) {
        const std::size_t offset = task.offsets[l];
        Register<T> row[Width];
#pragma GCC unroll 4
        for (std::size_t w = 0; w < Width; ++w) row[w] = load_some(x[w] + offset);
#pragma GCC unroll 16
        for (std::size_t h = 0; h < Height; ++h)
#pragma GCC unroll 4
            for (std::size_t w = 0; w < Width; ++w)
                sums[h][w] = xsimd::fma(Register<T>(a[h * task.inputs]), row[w], sums[h][w]);
    }
    T* z = task.z + o * task.plane;
#pragma GCC unroll 16
    for (std::size_t h = 0; h < Height; ++h, z += task.plane)
#pragma GCC unroll 4
        for (std::size_t w = 0; w < Width; ++w)
            store_or_add(z + pieces[w].z, sums[h][w], task.accumulate, pieces[w].count);
}

/// Tiles are as high as there are registers for their sums, or half as high, and so on.
template <class T>
constexpr std::size_t most_rows = sizeof(Register<T>) == 64 ? 8 : 4;

/// Calls f(first row, its height as a constant) for tiles of `rows` rows.
template <class T, std::size_t Height = most_rows<T>, class F>
void each_tile(std::size_t rows, const F& f, std::size_t first = 0) {
    for (; rows - first >= Height; first += Height) f(first, std::integral_constant<std::size_t, Height>());
    if constexpr (Height > 1) each_tile<T, Height / 2>(rows, f, first);
}

/// wt (inputs, step) += the products of `Height` inputs from r on with `Width` registers of outputs from o on, at all
/// places; zt is (places, step).
template <std::size_t Height, std::size_t Width, class T>
void weigh_tile(const WindowPlan& plan, const T* x, std::size_t pitch, const std::size_t* offsets, const T* zt,
                std::size_t step, T* wt) {
    constexpr std::size_t width = Register<T>::size;
    Register<T> sums[Height][Width];
#pragma GCC unroll 16
    for (std::size_t h = 0; h < Height; ++h)
#pragma GCC unroll 4
        for (std::size_t w = 0; w < Width; ++w) sums[h][w] = Register<T>(T(0));
    const T* seen[Height];
    for (std::size_t h = 0; h < Height; ++h) seen[h] = x + offsets[h];
    for (std::size_t i = 0; i < plan.places_down; ++i)
        for (std::size_t q = i * pitch; q < i * pitch + plan.places_across; ++q, zt += step) {
            Register<T> row[Width];
#pragma GCC unroll 4
            for (std::size_t w = 0; w < Width; ++w) row[w] = load_some(zt + w * width);
#pragma GCC unroll 16
            for (std::size_t h = 0; h < Height; ++h)
#pragma GCC unroll 4
                for (std::size_t w = 0; w < Width; ++w)
                    sums[h][w] = xsimd::fma(Register<T>(seen[h][q]), row[w], sums[h][w]);
        }
#pragma GCC unroll 16
    for (std::size_t h = 0; h < Height; ++h)
#pragma GCC unroll 4
        for (std::size_t w = 0; w < Width; ++w) store_or_add(wt + h * step + w * width, sums[h][w], true);
}

template <class T>
class Image {
  public:
    Image(const WindowPlan& plan, std::size_t channels)
        : plan_(plan), channels_(channels), padded_(plan), size_(channels * padded_.plane() + Register<T>::size) {
        x_ = room<T, Use::image>(size_);
        std::fill_n(x_, size_, T(0));
    }
    std::size_t pitch() const { return padded_.pitch; }

    /// The image within zeros.
    const T* pad(const T* x) {
        const auto& padding = plan_.window.padding;
        T* inner = x_ + static_cast<std::size_t>(padding.height) * padded_.pitch + padding.width;
        for (std::size_t c = 0; c < channels_; ++c)
            for (std::size_t i = 0; i < plan_.height; ++i, x += plan_.width)
                copy_or_add(x, inner + c * padded_.plane() + i * padded_.pitch, plan_.width, false);
        return x_;
    }

    /// Where in the padded image each input is for the first place.
    const std::size_t* offsets() const {
        thread_local std::vector<std::size_t> kept;
        kept.clear();
        const auto& [kernel, stride, padding, dilation] = plan_.window;
        for (std::size_t c = 0; c < channels_; ++c)
            for (Signed k = 0; k < kernel.height; ++k)
                for (Signed l = 0; l < kernel.width; ++l)
                    kept.push_back(c * padded_.plane() + static_cast<std::size_t>(k * dilation.height) * padded_.pitch +
                                   static_cast<std::size_t>(l * dilation.width));
        return kept.data();
    }

  private:
    const WindowPlan& plan_;
    std::size_t channels_;
    Padded padded_;
    std::size_t size_;
    T* x_;
};

}  // namespace

template <class T>
bool slides(const Sliding& what) {
    const WindowPlan& plan = what.window;
    const auto& [kernel, stride, padding, dilation] = plan.window;
    if (sizeof(Register<T>) < 32 || stride != Extent(1) || kernel == Extent(1)) return false;
    if (padding.height < 0 || padding.width < 0) return false;  // the transposed one of much padding
    const Padded padded(plan);
    if (padded.plane() > 4 * (plan.height * plan.width + 64)) return false;
    return 3 * plan.places() > Places<T>(plan).registers * Register<T>::size;
}

template <class T>
void slide(const Sliding& what, const T* x, const T* weight, const T* bias, T* z, bool accumulate) {
    const WindowPlan& plan = what.window;
    Image<T> image(plan, what.channels);
    const Places<T> places(plan);
    const std::size_t x_size = what.channels * plan.height * plan.width, z_size = what.outputs * plan.places();
    T* result = places.by_rows ? nullptr : room<T, Use::result>(what.outputs * places.plane);
    Task<T> task{nullptr, image.offsets(), nullptr,      what.inputs(),
                 nullptr, result,          places.plane, accumulate && places.by_rows};
    for (std::size_t i = 0; i < plan.images * what.groups; ++i) {
        const std::size_t g = i % what.groups;
        task.x = image.pad(x + i * x_size);
        task.weight = weight + g * what.outputs * task.inputs;
        task.bias = bias == nullptr ? nullptr : bias + g * what.outputs;
        if (places.by_rows) task.z = z + i * z_size;
        for (std::size_t p = 0; p < places.registers; p += 2) {
            const Piece pieces[] = {places[p], places[std::min(p + 1, places.registers - 1)]};
            each_tile<T>(what.outputs, [&](std::size_t o, auto height) {
                p + 1 < places.registers ? slide_tile<height, 2>(task, o, pieces)
                                         : slide_tile<height, 1>(task, o, pieces);
            });
        }
        if (!places.by_rows)
            for (std::size_t o = 0; o < what.outputs; ++o)
                for (std::size_t down = 0; down < plan.places_down; ++down)
                    copy_or_add(result + o * places.plane + down * image.pitch(),
                                z + i * z_size + (o * plan.places_down + down) * plan.places_across, plan.places_across,
                                accumulate);
    }
}

Sliding transposed(const Sliding& what) {
    const WindowPlan& plan = what.window;
    const auto& [kernel, stride, padding, dilation] = plan.window;
    const Extent around(dilation.height * (kernel.height - 1) - padding.height,
                        dilation.width * (kernel.width - 1) - padding.width);
    return {{plan.images, what.outputs * what.groups, plan.places_down, plan.places_across,
             Window{kernel, stride, around, dilation}, plan.height, plan.width},
            what.outputs,
            what.channels,
            what.groups};
}

template <class T>
void turn(const Sliding& what, const T* weight, T* turned) {
    const std::size_t size = what.window.kernel_size();
    for (std::size_t g = 0; g < what.groups; ++g)
        for (std::size_t c = 0; c < what.channels; ++c)
            for (std::size_t o = 0; o < what.outputs; ++o, turned += size)
                std::reverse_copy(weight + ((g * what.outputs + o) * what.channels + c) * size,
                                  weight + ((g * what.outputs + o) * what.channels + c + 1) * size, turned);
}

template <class T>
void slide_for_weight(const Sliding& what, const T* x, const T* z, T* weight, bool accumulate) {
    constexpr std::size_t width = Register<T>::size;
    const WindowPlan& plan = what.window;
    Image<T> image(plan, what.channels);
    const std::size_t x_size = what.channels * plan.height * plan.width, z_size = what.outputs * plan.places();
    const std::size_t inputs = what.inputs(), registers = (what.outputs + width - 1) / width, step = registers * width;
    const std::size_t* offsets = image.offsets();
    T* zt = room<T, Use::result>(plan.places() * step);
    T* wt = room<T, Use::weight>(what.groups * inputs * step);
    std::fill_n(zt, plan.places() * step, T(0));
    std::fill_n(wt, what.groups * inputs * step, T(0));
    for (std::size_t i = 0; i < plan.images * what.groups; ++i) {
        T* sums = wt + i % what.groups * inputs * step;
        const T* padded = image.pad(x + i * x_size);
        transpose(z + i * z_size, plan.places(), what.outputs, plan.places(), zt, step, false);
        for (std::size_t o = 0; o < registers; o += 2)
            each_tile<T>(inputs, [&](std::size_t r, auto height) {
                const auto tile = o + 1 < registers ? weigh_tile<height, 2, T> : weigh_tile<height, 1, T>;
                tile(plan, padded, image.pitch(), offsets + r, zt + o * width, step, sums + r * step + o * width);
            });
    }
    for (std::size_t g = 0; g < what.groups; ++g)
        transpose(wt + g * inputs * step, step, inputs, what.outputs, weight + g * what.outputs * inputs, inputs,
                  accumulate);
}

#define INSTANTIATE(T)                                                           \
    template bool slides<T>(const Sliding&);                                     \
    template void slide(const Sliding&, const T*, const T*, const T*, T*, bool); \
    template void turn(const Sliding&, const T*, T*);                            \
    template void slide_for_weight(const Sliding&, const T*, const T*, T*, bool);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd::kernels
