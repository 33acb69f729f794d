#include <bench/operations/rows_by_hand.hpp>
#include <cmath>
#include <limits>

namespace by_hand {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// z[i] = f(i, part) for the numbers of a row.
template <class F>
void fill_row(float* z, std::size_t n, F f) {
    each<float>(n, [&](std::size_t i, auto part) { store(z + i, f(i, part), part); });
}
void fill_row(float* z, std::size_t n, float value) { std::fill_n(z, n, value); }

float sum(const float* x, std::size_t n) {
    return fold(n, 0.f, plus, [x](std::size_t i, auto part) { return load(x + i, part); });
}

/// z = the sum of the rows of x.
void sum_rows(const float* x, std::size_t rows, float* z) {
    std::fill_n(z, columns, 0.f);
    for (std::size_t i = 0; i < rows; ++i)
        fill_row(z, columns, [=, row = x + i * columns](std::size_t j, auto part) {
            return load(z + j, part) + load(row + j, part);
        });
}

/// The loops of a reduction of each row: `forward(x, i)` is its result, `backward(xbar, x, z, zbar, i)` writes the
/// gradient.
template <class Forward, class Backward>
Loops of_rows(Forward forward, Backward backward) {
    return {[forward](const Memory& m) {
                for (std::size_t i = 0; i < m.rows; ++i) m.z[i] = forward(m.x[0] + i * columns, m.kept + i);
            },
            [backward](const Memory& m) {
                for (std::size_t i = 0; i < m.rows; ++i)
                    backward(m.xbar[0] + i * columns, m.x[0] + i * columns, m.z[i], m.zbar[i], m.kept[i]);
            }};
}

/// The largest or the smallest of each row; tied numbers share the gradient evenly.
template <class Combine>
Loops extremum(float start, Combine combine) {
    return of_rows(
        [=](const float* x, float*) {
            return fold(columns, start, combine, [x](std::size_t j, auto part) { return load(x + j, part); });
        },
        [](float* xbar, const float* x, float z, float zbar, float) {
            const auto is_extreme = [&](std::size_t j, auto part) {
                return xsimd::select(load(x + j, part) == z, Register<float>(1), Register<float>(0));
            };
            const float share = zbar / fold(columns, 0.f, plus, is_extreme);
            fill_row(xbar, columns, [&](std::size_t j, auto part) { return is_extreme(j, part) * share; });
        });
}

/// z = exp(x - max x); returns the maximum and the sum.
std::pair<float, float> exponentials(const float* x, float* z) {
    const float most = fold(columns, -infinity, larger, [x](std::size_t j, auto part) { return load(x + j, part); });
    const float total = fold(columns, 0.f, plus, [&](std::size_t j, auto part) {
        const Register<float> e = exp(load(x + j, part) - most);
        store(z + j, e, part);
        return e;
    });
    return {most, total};
}

}  // namespace

Loops add_row() {
    return {[](const Memory& m) {
                const float* row = m.x[1];
                for (std::size_t i = 0; i < m.rows; ++i) {
                    const float* x = m.x[0] + i * columns;
                    fill_row(m.z + i * columns, columns,
                             [=](std::size_t j, auto part) { return load(x + j, part) + load(row + j, part); });
                }
            },
            [](const Memory& m) {
                float* row = m.xbar[1];
                std::fill_n(row, columns, 0.f);
                for (std::size_t i = 0; i < m.rows; ++i) {
                    const float* zbar = m.zbar + i * columns;
                    float* xbar = m.xbar[0] + i * columns;
                    each<float>(columns, [=](std::size_t j, auto part) {
                        const auto value = load(zbar + j, part);
                        store(xbar + j, value, part);
                        store(row + j, load(row + j, part) + value, part);
                    });
                }
            }};
}

Loops multiply_column() {
    return {[](const Memory& m) {
                for (std::size_t i = 0; i < m.rows; ++i) {
                    const float factor = m.x[0][i], *y = m.x[1] + i * columns;
                    fill_row(m.z + i * columns, columns,
                             [=](std::size_t j, auto part) { return load(y + j, part) * factor; });
                }
            },
            [](const Memory& m) {
                for (std::size_t i = 0; i < m.rows; ++i) {
                    const float factor = m.x[0][i], *y = m.x[1] + i * columns, *zbar = m.zbar + i * columns;
                    float* ybar = m.xbar[1] + i * columns;
                    m.xbar[0][i] = fold(columns, 0.f, plus, [=](std::size_t j, auto part) {
                        const auto value = load(zbar + j, part);
                        store(ybar + j, value * factor, part);
                        return value * load(y + j, part);
                    });
                }
            }};
}

Loops total(bool mean) {
    const auto factor = [mean](const Memory& m) { return mean ? 1 / static_cast<float>(m.n) : 1.f; };
    return {[factor](const Memory& m) { *m.z = sum(m.x[0], m.n) * factor(m); },
            [factor](const Memory& m) { fill_row(m.xbar[0], m.n, *m.zbar * factor(m)); }};
}

Loops sum_axis_0() {
    return {[](const Memory& m) { sum_rows(m.x[0], m.rows, m.z); },
            [](const Memory& m) {
                for (std::size_t i = 0; i < m.rows; ++i) std::copy_n(m.zbar, columns, m.xbar[0] + i * columns);
            }};
}

Loops sum_axis_1() {
    return of_rows([](const float* x, float*) { return sum(x, columns); },
                   [](float* xbar, const float*, float, float zbar, float) { fill_row(xbar, columns, zbar); });
}

Loops product() {
    return of_rows(
        [](const float* x, float*) {
            return fold(columns, 1.f, times, [x](std::size_t j, auto part) { return load(x + j, part); });
        },
        [](float* xbar, const float* x, float z, float zbar, float) {
            if (z != 0) {
                fill_row(xbar, columns, [&](std::size_t j, auto part) { return (zbar * z) / load(x + j, part); });
                return;
            }
            float before = zbar;  // a zero among them: the products of all before and all behind
            for (std::size_t j = 0; j < columns; ++j) xbar[j] = before, before *= x[j];
            float behind = 1;
            for (std::size_t j = columns; j-- > 0;) xbar[j] *= behind, behind *= x[j];
        });
}

Loops maximum() { return extremum(-infinity, larger); }
Loops minimum() { return extremum(infinity, smaller); }

Loops norm() {
    return of_rows(
        [](const float* x, float*) {
            return std::sqrt(fold(columns, 0.f, plus, [x](std::size_t j, auto part) {
                const auto value = load(x + j, part);
                return value * value;
            }));
        },
        [](float* xbar, const float* x, float z, float zbar, float) {
            const float factor = z == 0 ? 0 : zbar / z;
            fill_row(xbar, columns, [&](std::size_t j, auto part) { return load(x + j, part) * factor; });
        });
}

Loops variance() {
    return of_rows(
        [](const float* x, float* mean) {
            *mean = sum(x, columns) / columns;
            return fold(columns, 0.f, plus,
                        [&](std::size_t j, auto part) {
                            const auto difference = load(x + j, part) - *mean;
                            return difference * difference;
                        }) /
                   columns;
        },
        [](float* xbar, const float* x, float, float zbar, float mean) {
            const float factor = 2 * zbar / columns;
            fill_row(xbar, columns, [&](std::size_t j, auto part) { return (load(x + j, part) - mean) * factor; });
        });
}

Loops logsumexp() {
    return of_rows(
        [](const float* x, float*) {
            const float most =
                fold(columns, -infinity, larger, [x](std::size_t j, auto part) { return load(x + j, part); });
            return most + std::log(fold(columns, 0.f, plus,
                                        [&](std::size_t j, auto part) { return exp(load(x + j, part) - most); }));
        },
        [](float* xbar, const float* x, float z, float zbar, float) {
            fill_row(xbar, columns, [&](std::size_t j, auto part) { return exp(load(x + j, part) - z) * zbar; });
        });
}

Loops softmax() {
    return {[](const Memory& m) {
                for (std::size_t i = 0; i < m.rows; ++i) {
                    float* z = m.z + i * columns;
                    const float share = 1 / exponentials(m.x[0] + i * columns, z).second;
                    fill_row(z, columns, [&](std::size_t j, auto part) { return load(z + j, part) * share; });
                }
            },
            [](const Memory& m) {
                for (std::size_t i = 0; i < m.rows; ++i) {
                    const float *z = m.z + i * columns, *zbar = m.zbar + i * columns;
                    const float dot = fold(columns, 0.f, plus, [&](std::size_t j, auto part) {
                        return load(z + j, part) * load(zbar + j, part);
                    });
                    fill_row(m.xbar[0] + i * columns, columns, [&](std::size_t j, auto part) {
                        return load(z + j, part) * (load(zbar + j, part) - dot);
                    });
                }
            }};
}

Loops log_softmax() {
    return {[](const Memory& m) {
                for (std::size_t i = 0; i < m.rows; ++i) {
                    const float* x = m.x[0] + i * columns;
                    float* z = m.z + i * columns;
                    const auto [most, total] = exponentials(x, z);
                    const float log_of_sum = most + std::log(total);
                    fill_row(z, columns, [&](std::size_t j, auto part) { return load(x + j, part) - log_of_sum; });
                }
            },
            [](const Memory& m) {
                for (std::size_t i = 0; i < m.rows; ++i) {
                    const float *z = m.z + i * columns, *zbar = m.zbar + i * columns;
                    const float total = sum(zbar, columns);
                    fill_row(m.xbar[0] + i * columns, columns, [&](std::size_t j, auto part) {
                        return load(zbar + j, part) - exp(load(z + j, part)) * total;
                    });
                }
            }};
}

namespace {

/// Tile by tile, so that what is read and what is written stay in the first cache.
void transpose(const float* x, float* z, std::size_t rows, std::size_t width) {
    constexpr std::size_t tile = 16;
    for (std::size_t i = 0; i < rows; i += tile)
        for (std::size_t j = 0; j < width; j += tile)
            for (std::size_t l = j; l < std::min(j + tile, width); ++l)
                for (std::size_t k = i; k < std::min(i + tile, rows); ++k) z[l * rows + k] = x[k * width + l];
}

}  // namespace

Loops transpose() {
    return {[](const Memory& m) { transpose(m.x[0], m.z, m.rows, columns); },
            [](const Memory& m) { transpose(m.zbar, m.xbar[0], columns, m.rows); }};
}

Loops concatenate() {
    return {[](const Memory& m) {
                for (std::size_t i = 0; i < m.rows; ++i)
                    for (std::size_t k : {0, 1})
                        std::copy_n(m.x[k] + i * columns, columns, m.z + (2 * i + k) * columns);
            },
            [](const Memory& m) {
                for (std::size_t i = 0; i < m.rows; ++i)
                    for (std::size_t k : {0, 1})
                        std::copy_n(m.zbar + (2 * i + k) * columns, columns, m.xbar[k] + i * columns);
            }};
}

Loops slice() {
    constexpr std::size_t start = columns / 4, width = columns / 2;
    return {[](const Memory& m) {
                for (std::size_t i = 0; i < m.rows; ++i)
                    std::copy_n(m.x[0] + i * columns + start, width, m.z + i * width);
            },
            [](const Memory& m) {
                for (std::size_t i = 0; i < m.rows; ++i) {
                    float* xbar = m.xbar[0] + i * columns;
                    std::fill_n(xbar, start, 0.f);
                    std::copy_n(m.zbar + i * width, width, xbar + start);
                    std::fill_n(xbar + start + width, columns - start - width, 0.f);
                }
            }};
}

Loops take_rows() {
    return {[](const Memory& m) {
                const std::int64_t* indices = m.data.row_indices.data();
                for (std::size_t i = 0; i < m.rows; ++i)
                    std::copy_n(m.x[0] + static_cast<std::size_t>(indices[i]) * columns, columns, m.z + i * columns);
            },
            [](const Memory& m) {
                const std::int64_t* indices = m.data.row_indices.data();
                std::fill_n(m.xbar[0], m.n, 0.f);
                for (std::size_t i = 0; i < m.rows; ++i) {
                    float* xbar = m.xbar[0] + static_cast<std::size_t>(indices[i]) * columns;
                    const float* zbar = m.zbar + i * columns;
                    fill_row(xbar, columns,
                             [&](std::size_t j, auto part) { return load(xbar + j, part) + load(zbar + j, part); });
                }
            }};
}

Loops take_along_axis() {
    return {[](const Memory& m) {
                const std::int64_t* indices = m.data.column_indices.data();
                for (std::size_t i = 0; i < m.rows; ++i)
                    for (std::size_t j = 0; j < columns; ++j)
                        m.z[i * columns + j] = m.x[0][i * columns + static_cast<std::size_t>(indices[i * columns + j])];
            },
            [](const Memory& m) {
                const std::int64_t* indices = m.data.column_indices.data();
                for (std::size_t i = 0; i < m.rows; ++i) {
                    float* xbar = m.xbar[0] + i * columns;
                    std::fill_n(xbar, columns, 0.f);
                    for (std::size_t j = 0; j < columns; ++j)
                        xbar[static_cast<std::size_t>(indices[i * columns + j])] += m.zbar[i * columns + j];
                }
            }};
}

Loops repeat_row() {
    return {[](const Memory& m) {
                for (std::size_t i = 0; i < m.rows; ++i) std::copy_n(m.x[0], columns, m.z + i * columns);
            },
            [](const Memory& m) { sum_rows(m.zbar, m.rows, m.xbar[0]); }};
}

}  // namespace by_hand
