// The same network as a careful engineer writes it for one purpose: buffers made once, one pass over each product's
// result for bias and activation, BLAS for the rest, transcendental functions from xsimd.
#include <cblas.h>

#include <algorithm>
#include <bench/loops.hpp>
#include <bench/steps/cases.hpp>
#include <cmath>
#include <type_traits>

namespace {

/// c = a @ b, where a is (m, k) and b is (k, n) after the transpositions.
template <class T>
void gemm(bool transpose_a, bool transpose_b, std::size_t m, std::size_t n, std::size_t k, const T* a, const T* b,
          T* c) {
    const auto ta = transpose_a ? CblasTrans : CblasNoTrans, tb = transpose_b ? CblasTrans : CblasNoTrans;
    const auto i = [](std::size_t x) { return static_cast<int>(x); };
    const int lda = i(transpose_a ? m : k), ldb = i(transpose_b ? k : n);
    if (m == 1) {  // a row times a matrix
        const auto t = transpose_b ? CblasNoTrans : CblasTrans;
        const int rows = i(transpose_b ? n : k), columns = i(transpose_b ? k : n);
        if constexpr (std::is_same_v<T, float>)
            cblas_sgemv(CblasRowMajor, t, rows, columns, 1, b, columns, a, 1, 0, c, 1);
        else
            cblas_dgemv(CblasRowMajor, t, rows, columns, 1, b, columns, a, 1, 0, c, 1);
    } else if constexpr (std::is_same_v<T, float>) {
        cblas_sgemm(CblasRowMajor, ta, tb, i(m), i(n), i(k), 1, a, lda, b, ldb, 0, c, i(n));
    } else {
        cblas_dgemm(CblasRowMajor, ta, tb, i(m), i(n), i(k), 1, a, lda, b, ldb, 0, c, i(n));
    }
}

template <class T>
struct ByHand : Side {
    explicit ByHand(const Case& what) : problem(what), c(what), layers(c.widths.size() - 1) {
        for (std::size_t l = 0; l < layers; ++l) {
            const auto &w = problem.network.parameters()[2 * l].value(),
                       &b = problem.network.parameters()[2 * l + 1].value();
            weights.emplace_back(w.begin(), w.end());
            biases.emplace_back(b.begin(), b.end());
            a.emplace_back(c.batch * c.widths[l + 1]);
            delta.emplace_back(c.batch * c.widths[l + 1]);
            weight_gradients.emplace_back(w.size());
            bias_gradients.emplace_back(b.size());
        }
        for (auto* moments : {&first, &second})
            for (std::size_t l = 0; l < layers; ++l) {
                moments->emplace_back(weights[l].size());
                moments->emplace_back(biases[l].size());
            }
    }

    double step() override {
        forward();
        if (c.optimizer == "none") return static_cast<double>(a.back()[0]);
        const double loss = loss_and_delta();
        for (std::size_t l = layers; l-- > 0;) {
            const std::size_t in = c.widths[l], out = c.widths[l + 1];
            const T* below = l == 0 ? problem.x.data() : a[l - 1].data();
            gemm(true, false, out, in, c.batch, delta[l].data(), below, weight_gradients[l].data());
            sum_rows(delta[l].data(), out, bias_gradients[l].data());
            if (l == 0) break;
            gemm(false, false, c.batch, in, out, delta[l].data(), weights[l].data(), delta[l - 1].data());
            T* d = delta[l - 1].data();
            const T* y = a[l - 1].data();
            if (c.activation == nn::ActivationKind::relu) {
                for (std::size_t i = 0; i < c.batch * in; ++i) d[i] = y[i] > 0 ? d[i] : 0;
            } else {
                for (std::size_t i = 0; i < c.batch * in; ++i) d[i] *= 1 - y[i] * y[i];
            }
        }
        ++steps;
        for (std::size_t l = 0; l < layers; ++l) {
            update(2 * l, weights[l], weight_gradients[l]);
            update(2 * l + 1, biases[l], bias_gradients[l]);
        }
        return loss;
    }

    void forward() {
        for (std::size_t l = 0; l < layers; ++l) {
            const std::size_t in = c.widths[l], out = c.widths[l + 1];
            gemm(false, true, c.batch, out, in, l == 0 ? problem.x.data() : a[l - 1].data(), weights[l].data(),
                 a[l].data());
            const T* __restrict b = biases[l].data();
            for (std::size_t i = 0; i < c.batch; ++i) {
                T* __restrict row = a[l].data() + i * out;
                if (l + 1 == layers) {
                    for (std::size_t j = 0; j < out; ++j) row[j] += b[j];
                } else if (c.activation == nn::ActivationKind::relu) {
                    for (std::size_t j = 0; j < out; ++j) row[j] = std::max(row[j] + b[j], T(0));
                } else {
                    each<T>(out, [&](std::size_t j, auto part) {
                        store(row + j, tanh(load(row + j, part) + load(b + j, part)), part);
                    });
                }
            }
        }
    }

    double loss_and_delta() {
        const std::size_t classes = c.widths.back();
        T loss = 0;
        const T share = T(1) / static_cast<T>(c.batch);
        for (std::size_t i = 0; i < c.batch; ++i) {
            const T* z = a.back().data() + i * classes;
            T* d = delta.back().data() + i * classes;
            const auto label = static_cast<std::size_t>(problem.labels(i));
            T most = z[0], sum = 0;
            for (std::size_t k = 1; k < classes; ++k) most = std::max(most, z[k]);
            if (classes < 4)  // too few for a register
                for (std::size_t k = 0; k < classes; ++k) d[k] = std::exp(z[k] - most);
            else
                each<T>(classes, [&](std::size_t k, auto part) { store(d + k, exp(load(z + k, part) - most), part); });
            for (std::size_t k = 0; k < classes; ++k) sum += d[k];
            loss += std::log(sum) + most - z[label];
            for (std::size_t k = 0; k < classes; ++k) d[k] *= share / sum;
            d[label] -= share;
        }
        return static_cast<double>(loss * share);
    }

    void sum_rows(const T* __restrict rows, std::size_t columns, T* __restrict sums) {
        std::copy_n(rows, columns, sums);
        for (std::size_t i = 1; i < c.batch; ++i)
            for (std::size_t j = 0; j < columns; ++j) sums[j] += rows[i * columns + j];
    }

    void update(std::size_t index, Buffer<T>& parameter, const Buffer<T>& gradient) {
        T* __restrict p = parameter.data();
        const T* __restrict g = gradient.data();
        T* __restrict m = first[index].data();
        T* __restrict v = second[index].data();
        const std::size_t n = parameter.size();
        const T rate = static_cast<T>(learning_rate), decay = static_cast<T>(momentum),
                rest1 = static_cast<T>(1 - beta1), keep2 = static_cast<T>(beta2), rest2 = static_cast<T>(1 - beta2),
                tiny = static_cast<T>(epsilon);
        if (c.optimizer == "sgd") {
            for (std::size_t i = 0; i < n; ++i) p[i] -= rate * g[i];
        } else if (c.optimizer == "momentum") {
            for (std::size_t i = 0; i < n; ++i) {
                m[i] = decay * m[i] + g[i];
                p[i] -= rate * m[i];
            }
        } else {
            const T size = static_cast<T>(learning_rate / (1 - std::pow(beta1, steps)));
            const T root = static_cast<T>(1 / std::sqrt(1 - std::pow(beta2, steps)));
            for (std::size_t i = 0; i < n; ++i) {
                m[i] += rest1 * (g[i] - m[i]);
                v[i] = keep2 * v[i] + rest2 * g[i] * g[i];
                p[i] -= size * m[i] / (std::sqrt(v[i]) * root + tiny);
            }
        }
    }

    Problem<T> problem;
    Case c;
    std::size_t layers;
    int steps = 0;
    std::vector<Buffer<T>> weights, biases, a, delta, weight_gradients, bias_gradients, first, second;
};

template <class T>
struct ProductsAlone : ByHand<T> {
    using ByHand<T>::ByHand;
    using ByHand<T>::c;
    double step() override {
        for (std::size_t l = 0; l < this->layers; ++l)
            gemm(false, true, c.batch, c.widths[l + 1], c.widths[l],
                 l == 0 ? this->problem.x.data() : this->a[l - 1].data(), this->weights[l].data(), this->a[l].data());
        if (c.optimizer == "none") return 0;
        for (std::size_t l = this->layers; l-- > 0;) {
            const std::size_t in = c.widths[l], out = c.widths[l + 1];
            gemm(true, false, out, in, c.batch, this->delta[l].data(),
                 l == 0 ? this->problem.x.data() : this->a[l - 1].data(), this->weight_gradients[l].data());
            if (l > 0)
                gemm(false, false, c.batch, in, out, this->delta[l].data(), this->weights[l].data(),
                     this->delta[l - 1].data());
        }
        return 0;
    }
};

}  // namespace

template <class T>
std::unique_ptr<Side> by_hand(const Case& c) {
    return std::make_unique<ByHand<T>>(c);
}
template <class T>
std::unique_ptr<Side> products_alone(const Case& c) {
    return std::make_unique<ProductsAlone<T>>(c);
}

template std::unique_ptr<Side> by_hand<float>(const Case&);
template std::unique_ptr<Side> by_hand<double>(const Case&);
template std::unique_ptr<Side> products_alone<float>(const Case&);
template std::unique_ptr<Side> products_alone<double>(const Case&);

void set_threads(int threads) { openblas_set_num_threads(threads); }

std::string blas_version() { return std::string(openblas_get_config()) + ", kernels for " + openblas_get_corename(); }
