// The lets of every derivation in examples/, lowered to arrays, against the checker's numbers.
#define BOOST_TEST_MODULE lowering
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <derivation/formula/building.hpp>
#include <derivation/truth/random_points.hpp>
#include <filesystem>
#include <lab/lowering.hpp>
#include <random>

#include "example_derivations.hpp"
#include "temporary_folder.hpp"

namespace {

using derivation::Expression;
using derivation::Model;
using derivation::Point;
using lab::Lowering, lab::Manner;

Expression entry(const Model& model, int quantity) {
    Expression e;
    e.kind = derivation::Kind::entry;
    e.name = model.quantity(quantity).name;
    e.symbol = quantity;
    for (const int letter : model.quantity(quantity).letters)
        e.indices.push_back({{{model.letter(letter).name, 1, letter}}, 0, {}});
    return e;
}

/// Every definition, and the derivative of the loss by everything given, at one point.
void agrees(const Model& model, Point& point, Lowering& lowering) {
    constexpr double rounding = 1e-11;
    for (int q = 0; q < model.count(); ++q) {
        const auto& node = lowering.arrays[static_cast<std::size_t>(q)];
        if (!node) continue;
        BOOST_TEST_CONTEXT(lab::name_of(model, q)) {
            BOOST_REQUIRE(node->size() == model.size(model.quantity(q)));
            BOOST_TEST(node->dimension() == model.quantity(q).ranges.size());
            for (std::size_t place = 0; place < node->size(); ++place)
                BOOST_TEST(std::abs(node->value().data()[place] - point.value(q, place)) <=
                               rounding * std::max(point.scale(q, place), 1.0),
                           node->value().data()[place] << " is not " << point.value(q, place));
        }
    }
    if (!lowering.result) return;
    const auto& loss = *lowering.arrays[static_cast<std::size_t>(*lowering.result)];
    const auto gradients = lowering.tape->backward(loss);
    for (int q = 0; q < model.count(); ++q) {
        const auto& node = lowering.arrays[static_cast<std::size_t>(q)];
        if (!node || !node->requires_gradient() || model.quantity(q).role == derivation::Role::definition) continue;
        const Expression derivative = derivation::derivative_of(entry(model, *lowering.result), entry(model, q));
        BOOST_TEST_CONTEXT("by " << lab::name_of(model, q))
        for (std::size_t place = 0; place < node->size(); ++place) {
            bool kinked = false;
            const auto expected = point.derivative(derivative, letters_of(model, model.quantity(q), place), kinked);
            BOOST_TEST(
                std::abs(gradients[*node].data()[place] - expected.value) <= rounding * std::max(expected.scale, 1.0),
                gradients[*node].data()[place] << " is not " << expected.value);
        }
    }
}

std::string operations_of(const Lowering& lowering) {
    std::string all;
    for (std::uint32_t i = 0; i < lowering.tape->size(); ++i)
        if (const auto& node = node_at(*lowering.tape, i); !node.inputs.empty())
            all += (all.empty() ? "" : " ") + std::string(node.operation);
    return all;
}

/// Reads a derivation, compares, and gives its operations.
std::string operations_of(const std::string& text) {
    const derivation::Derivation file = derivation::read_derivation(text);
    std::string operations;
    for (Point& point : draw_points(file.model, {}, 1, 2)) {
        Lowering lowering = lab::lowered(file, point);
        agrees(file.model, point, lowering);
        operations = operations_of(lowering);
    }
    return operations;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_example_has_the_numbers_of_the_checker) {
    std::size_t files = 0, lets = 0, whole = 0, steps = 0, entries = 0, nodes = 0;
    for (const std::string& path : example_derivations()) {
        BOOST_TEST_CONTEXT(path) {
            const derivation::Derivation file = derivation::read_derivation(bytes_of(path));
            std::vector<Point> points = draw_points(file.model, {}, 3, 2);
            BOOST_TEST(!points.empty());
            for (Point& point : points) {
                Lowering lowering = lab::lowered(file, point);
                agrees(file.model, point, lowering);
                if (&point != &points.front()) continue;
                ++files;
                nodes += lowering.tape->size();
                lets += lowering.lets.size();
                for (const lab::LoweredLet& let : lowering.lets) {
                    BOOST_TEST(let.note.empty() == (let.manner == Manner::whole));
                    whole += let.manner == Manner::whole;
                    steps += let.manner == Manner::step_by_step;
                    entries += let.manner == Manner::entry_by_entry;
                }
            }
        }
    }
    // A let that is lowered no more, or one more in another manner, is to be seen.
    BOOST_TEST(files == 65u);
    BOOST_TEST(lets == 360u);
    BOOST_TEST(whole == 353u);
    BOOST_TEST(steps == 6u);
    BOOST_TEST(entries == 1u);
    BOOST_TEST(nodes < 3200u);  // of numbers for each entry the checker records 30,768
}

BOOST_AUTO_TEST_CASE(a_network_is_what_people_expect) {
    BOOST_TEST(operations_of(R"(
index i : input = 3
index j : hidden = 4
index k, n : output = 5
given x[i], W[j,i], b[j], V[k,j], y[k] onehot
let z[j] = sum(i, W[j,i] * x[i]) + b[j]
let a[j] = tanh(z[j])
let o[k] = sum(j, V[k,j] * a[j])
let p[k] = exp(o[k]) / sum(n, exp(o[n]))
let C = -sum(k, y[k] * log(p[k]))
)") == "matmul add tanh matmul softmax log mul sum neg");
    BOOST_TEST(operations_of(R"(
index i = 3
index j = 4
given x[i], W[j,i], b[j], t[j]
let a = relu(W x + b)
let L = 1/2 ||a - t||^2
)") == "matmul add relu sub pow sum mul");
    // Rows of a batch: a bias needs no more than it has, the weights are transposed.
    BOOST_TEST(operations_of(R"(
index s = 6
index i = 3
index j, m = 4
given X[s,i], W[j,i], b[j]
let Z[s,j] = sum(i, W[j,i] * X[s,i]) + b[j]
let P = softmax(Z)
let C = -mean(s, log(sum(j, exp(Z[s,j]))) - P[s,1])
)") == "transpose matmul add softmax logsumexp take sub mean neg");
    BOOST_TEST(operations_of("index i = 3\ngiven w[i], x[i], b\nlet z = sum(i, w[i] * x[i]) + b\n") == "mul sum add");
}

BOOST_AUTO_TEST_CASE(sums_of_products_are_products_of_matrices_where_they_are) {
    const std::string ranges =
        "index i, p = 2\nindex j, q = 3\nindex k = 4\nindex s = 5\n"
        "given A[i,j], B[j,k], C[k,i], v[j], u[i], D[s,i,j], E[s,j,k], F[i,j]\n";
    const auto of = [&](const std::string& let) { return operations_of(ranges + "let " + let + "\n"); };
    BOOST_TEST(of("r[i,k] = sum(j, A[i,j] * B[j,k])") == "matmul");
    BOOST_TEST(of("r[k,i] = sum(j, A[i,j] * B[j,k])") == "transpose transpose matmul");
    BOOST_TEST(of("r[i] = sum(j, A[i,j] * v[j])") == "matmul");
    BOOST_TEST(of("r[j] = sum(i, A[i,j] * u[i])") == "transpose matmul");
    BOOST_TEST(of("r[j] = sum(i, u[i] * A[i,j])") == "matmul");
    BOOST_TEST(of("r = sum(i, j, u[i] * A[i,j] * v[j])") == "matmul mul sum");
    BOOST_TEST(of("r[s,i,k] = sum(j, D[s,i,j] * E[s,j,k])") == "matmul");
    BOOST_TEST(of("r[s,i,k] = sum(j, D[s,i,j] * B[j,k])") == "matmul");
    BOOST_TEST(of("r[i] = sum(j, A[i,j] * F[i,j])") == "mul sum");
    BOOST_TEST(of("r[i] = sum(j, A[i,j] * F[i,j] * v[j])").ends_with("matmul"));
    BOOST_TEST(of("r[i] = 3 * sum(j, u[i] * A[i,j] * v[j] / 2)") == "matmul div mul mul");
    BOOST_TEST(of("r[i] = sum(j, A[i,j] / v[j])") == "div sum");
    BOOST_TEST(of("r[i] = sum(j, k, A[i,j] * B[j,k])") == "sum matmul");
    BOOST_TEST(of("r[i] = mean(j, A[i,j] * v[j])") == "matmul div");
    BOOST_TEST(of("r = sum(i, j, k, A[i,j] * B[j,k] * C[k,i])").ends_with("sum"));
    BOOST_TEST(of("r = sum(i, j, 2)") == "");
    BOOST_TEST(of("r[i,p] = u[i] * u[p] + [i == p]\nlet t = r^{-1} u + r^{-1} r^{-1} u") ==
               "reshape mul add inverse matmul matmul matmul add");
    BOOST_TEST(of("r[j,i] = u[i] * v[j]") == "reshape mul");
    BOOST_TEST(of("r[i,p] = sum(j, A[i,j] * A[p,j])") == "transpose matmul");
    BOOST_TEST(of("r = sum(i, sum(j, A[i,j] * v[j]) * u[i]) / sum(i, u[i] * u[i])") == "matmul mul sum mul sum div");
}

BOOST_AUTO_TEST_CASE(whatever_a_formula_has) {
    const std::string names =
        "index i, p, q = 3\nindex t : time = 5 from 0\nindex r : taps = 2 from 0\nfunction f\nfunction g = sigmoid\n"
        "constant c\ngiven x[i], y[i], A[i,p], B[i,p] positive definite, s[t], h[r], m positive, o[i] onehot, k[t]\n";
    for (const char* let : {
             "a[i] = f(x[i]) + f'(y[i]) - f''(x[i]) * g(y[i])",
             "a[i] = max(x[i], y[i], 0)",
             "a[i,p] = min(x[i], y[p])",
             "a = max(i, x[i]) + min(i, y[i]) + prod(i, x[i] + 2)",
             "a[i] = sum(p, [p != i] * x[p])",
             "a[i] = sum(p != i, x[p] * y[i])",
             "a[i] = mean(p != i, x[p])",
             "a[i] = max(p != i, x[p]) + prod(p != i, x[p])",
             "a[i,p] = [i == p] * x[i] + A[p,i]",
             "a[i] = [x[i] > y[i]] * A[i,i]",
             "a = x[1] * A[2,0] + s[3]",
             "a[i] = A[i,1] + A[2,i]",
             "a[t] = sum(r, h[r] * s[t+r])",
             "a[t] = s[t-1] + 2 * s[4-t]",
             "a[i] = x[i]^2 + m^c + m^x[i] + 2^x[i] + x[i]^3",
             "a[i] = exp(x[i]) / sum(p, exp(x[p])) * o[i] / m",
             "a = -sum(i, o[i] * log(exp(x[i]) / sum(p, exp(x[p]))))",
             "a = log(sum(i, exp(x[i]))) + log(sum(i, p, exp(A[i,p])))",
             "a = det(B) + logdet(B) + tr(A) + sum(i, A[i,i])",
             "a = log(det(B))",
             "a = B^{-1} x",
             "a = x^T (B + c A A^T)^{-1} y",
             "a = diag(x) A + outer(x, y)",
             "a[i] = x[i]",
             "a = 3",
             "a[i] = 2",
             "a[i] = [i >= 1] + sum(p, [p < 2] * x[p]) / size(i)",
             "a[i] = |x[i]| + sign(y[i]) + sqrt(m) + softplus(x[i]) + sin(x[i]) * cos(y[i])",
             "a[i] = d(sum(p, x[p]^3 * y[p]))/dx[i]",
             "a[i,p] = d2(sum(q, x[q]^3 * y[q]))/(dx[i] dx[p])",
             "a[i] = d(x[i] * y[i])/dy[i]",
             "a[i,p] = d(x[i] * sum(q, x[q]))/dx[p]",
         }) {
        BOOST_TEST_CONTEXT(let) {
            try {
                operations_of(names + "let " + let + "\nlet L = sum(i, x[i]^2)\n");
            } catch (const derivation::Error& error) {
                BOOST_ERROR(error.what());
            }
        }
    }
}

namespace {

/// A formula over letters, made at random.
class RandomFormula {
  public:
    explicit RandomFormula(std::uint64_t seed) : engine_(seed) {}

    /// With these letters free, which stand for ranges of 2, 3 and 4.
    std::string with(std::vector<char> letters, int depth) {
        const auto part = [&] { return with(letters, depth - 1); };
        switch (depth == 0 ? 0 : pick(12)) {
            case 0:
            case 1:
                return leaf(letters);
            case 2:
                return fmt("(% + %)", part(), part());
            case 3:
                return fmt("(% - %)", part(), part());
            case 4:
            case 5:
                return fmt("% * %", part(), part());
            case 6:
                return fmt("% / (2 + (%)^2)", part(), part());
            case 7:
                return fmt(pick(2) ? "tanh(%)" : "sigmoid(%)", part());
            case 8:
                return fmt("(%)^%", part(), std::to_string(1 + pick(3)));
            default: {
                const std::string bound = names_[pick(names_.size())];
                const char letter = bound[static_cast<std::size_t>(count_++ % 6)];
                if (count_ > 60 || std::ranges::find(letters, letter) != letters.end()) return leaf(letters);
                std::vector<char> more = letters;
                more.push_back(letter);
                const char* const reductions[] = {"sum", "sum", "sum", "mean"};
                const std::string body = pick(2) ? with(more, depth - 1)
                                                 : fmt("% * % * (%)", matrix(letter, letters), matrix(letter, letters),
                                                       with(letters, depth - 1));
                return fmt("%(%, %)", reductions[pick(4)], std::string(1, letter), body);
            }
        }
    }

  private:
    std::size_t pick(std::size_t n) { return engine_() % n; }
    std::string leaf(const std::vector<char>& letters) {
        if (letters.empty() || pick(6) == 0) return pick(2) ? "c" : "0.5";
        const char a = letters[pick(letters.size())], b = letters[pick(letters.size())];
        const auto range = [&](char one) { return static_cast<char>('0' + range_of(one)); };
        if (pick(3) == 0) return fmt("v%[%]", std::string(1, range(a)), std::string(1, a));
        return leaf_of(a, b);
    }
    std::string matrix(char letter, const std::vector<char>& letters) {
        const char other = letters.empty() ? letter : letters[pick(letters.size())];
        return pick(2) ? leaf_of(letter, other) : leaf_of(other, letter);
    }
    std::string leaf_of(char a, char b) const {
        const auto range = [&](char one) { return static_cast<char>('0' + range_of(one)); };
        return fmt("m%[%,%]", std::string{range(a), range(b)}, std::string(1, a), std::string(1, b));
    }
    std::size_t range_of(char letter) const {
        for (std::size_t range = 0; range < names_.size(); ++range)
            if (names_[range].find(letter) != std::string::npos) return range + 2;
        return 0;
    }
    template <class... Parts>
    static std::string fmt(std::string form, const Parts&... parts) {
        std::size_t at = 0;
        ((at = form.find('%', at), form.replace(at, 1, parts), at += std::string(parts).size()), ...);
        return form;
    }

    std::mt19937_64 engine_;
    std::size_t count_ = 0;
    const std::vector<std::string> names_ = {"abghyz", "ijklmn", "pqrstu"};
};

}  // namespace

BOOST_AUTO_TEST_CASE(formulas_made_at_random) {
    std::string names =
        "index a, b, g, h, y, z : two = 2\nindex i, j, k, l, m, n : three = 3\nindex p, q, r, s, t, u : four = 4\n"
        "given c\n";
    for (const char* const row : {"2a", "3i", "4p"}) {
        names += std::string("given v") + row[0] + "[" + row[1] + "]\n";
        for (const char* const column : {"2b", "3j", "4q"})
            names += std::string("given m") + row[0] + column[0] + "[" + row[1] + "," + column[1] + "]\n";
    }
    std::size_t products = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        RandomFormula formula(seed);
        const std::string text = names + "let A[i,p] = " + formula.with({'i', 'p'}, 5) +
                                 "\nlet L = " + formula.with({}, 5) + " + sum(i, p, A[i,p] * m34[i,p])\n";
        BOOST_TEST_CONTEXT("seed " << seed << '\n' << text) {
            try {
                products += operations_of(text).find("matmul") != std::string::npos;
            } catch (const std::exception& error) {
                BOOST_ERROR(error.what());
            }
        }
    }
    BOOST_TEST(products > 50u);
}

BOOST_AUTO_TEST_CASE(recurrences_are_steps) {
    const std::string text = R"(
index t : time = 4
index j, m = 3
given U[j,m], x[t,j], y[j]
let z[t,j] = sum(m, U[j,m] * h[t-1,m]) + x[t,j]
let h[t,j] = tanh(z[t,j])
let L = 1/2 * sum(j, (h[3,j] - y[j])^2)
let g[t,j] = dL/dh[t,j]
)";
    // The first step has no earlier one; L takes the last one alone.
    const std::string operations = operations_of(text);
    BOOST_TEST(operations.starts_with("take tanh matmul take add tanh matmul take add tanh matmul take add"),
               operations);
    const derivation::Derivation file = derivation::read_derivation(text);
    std::vector<Point> points = draw_points(file.model, {}, 1, 1);
    const Lowering lowering = lab::lowered(file, points[0]);
    BOOST_TEST(lowering.lets[0].note == "z is recorded step by step over t: it uses entries of its own.");
    BOOST_TEST((lowering.lets[0].manner == Manner::step_by_step));
    BOOST_TEST((lowering.lets[3].manner == Manner::whole));
    const int h = file.model.quantities_named("h").front();
    BOOST_TEST(lowering.steps[static_cast<std::size_t>(h)].size() == 4u);
    // A sum over earlier entries has no array to take.
    BOOST_TEST(operations_of("index t, u : time = 4 from 0\ngiven x[t]\n"
                             "let h[t] = x[t] + sum(u < t, 1/2 * h[u])\nlet L = sum(t, h[t]^2)\n") != "");
}

BOOST_AUTO_TEST_CASE(what_is_recorded_entry_by_entry_is_said) {
    const auto note_of = [](const std::string& text) {
        const derivation::Derivation file = derivation::read_derivation(text);
        std::vector<Point> points = draw_points(file.model, {}, 1, 1);
        const Lowering lowering = lab::lowered(file, points[0]);
        std::string all;
        for (const lab::LoweredLet& let : lowering.lets)
            if (let.manner == Manner::entry_by_entry) all += let.note;
        return all;
    };
    const std::string network =
        "index i, j = 2\nindex m = 3\ngiven x[i], A[m,i]\nlet y[m] = tanh(sum(i, A[m,i] * x[i]))\n";
    BOOST_TEST(note_of(network + "let J[m,i] = dy[m]/dx[i]\nlet L = sum(m, sum(i, J[m,i]^2))\n") ==
               "J is recorded entry by entry over m: each is walked back from by itself.");
    BOOST_TEST(note_of(network + "let L = sum(m, y[m]^2)\nlet H[i,j] = d^2L/(dx[i] dx[j])\nlet T = sum(i, H[i,i])\n") ==
               "H is recorded entry by entry over i: each is walked back from by itself.");
    BOOST_TEST(note_of(network + "let g[i] = d(sum(m, y[m]))/dx[i]\nlet L = sum(i, g[i]^2)\n") == "");
    BOOST_TEST(note_of("index t, u : time = 4 from 0\ngiven x[t]\nlet h[t] = x[t] + sum(u < t, 1/2 * h[u])\n"
                       "let L = sum(t, h[t]^2)\n") ==
               "h is recorded entry by entry: it uses entries of its own in a sum.");
}

BOOST_AUTO_TEST_CASE(recurrences_of_every_kind) {
    BOOST_TEST(operations_of("index t = 2\ngiven x[t], c\nlet h[t] = c * h[t-1] + x[t]\nlet L = h[1]^2\n")
                   .starts_with("take mul take add"));

    for (const char* text : {
             // Backwards, along two letters, through three names, by two steps at once, with a matrix for each step.
             "index t = 5\ngiven x[t]\nlet d[t] = tanh(x[t]) + 1/2 * d[t+1]\nlet L = sum(t, d[t] * x[t])\n",
             "index t = 4\nindex s = 3\ngiven x[t,s]\nlet h[t,s] = x[t,s] + 1/2 * h[t-1,s] - 1/3 * h[t,s-1]\n"
             "let L = sum(t, sum(s, h[t,s]^2))\n",
             "index t = 4\ngiven x[t], u\nlet a[t] = u * c[t-1] + x[t]\nlet b[t] = sigmoid(a[t])\n"
             "let c[t] = b[t] * a[t]\nlet L = c[3]^2 + b[0]\nlet g[t] = dL/da[t]\n",
             "index t = 6\ngiven x[t]\nlet h[t] = x[t] + h[t-1] * h[t-2]\nlet L = h[5]\nlet g[t] = dL/dh[t]\n"
             "let J[t] = dh[5]/dx[t]\n",
             "index t = 3\nindex j, m, p = 2\ngiven A[t,j,m]\nlet P[t,j,m] = A[t,j,m] + sum(p, A[t,j,p] * P[t-1,p,m])\n"
             "let L = sum(j, P[2,j,j])\n",
             "index t, r : n = 4\ngiven x[t]\nlet h[t] = x[t] + sum(r < t, 1/2 * h[r]) + max(r <= t, x[r])\n"
             "let L = sum(t, h[t]^2)\n",
         })
        BOOST_TEST_CONTEXT(text) try { BOOST_TEST(operations_of(text) != ""); } catch (const derivation::Error& error) {
            BOOST_ERROR(error.what());
        }
}

BOOST_AUTO_TEST_CASE(no_name_has_the_adjoint_of_what_is_not_it) {
    for (const char* lets :
         {"let G = A^{-1}\nlet L = tr(G G) + tr(A^{-1})\nlet g = dL/dG\n",
          "let L = tr(A^{-1}) + 1\nlet G = A^{-1}\nlet M = L + tr(G G A^{-1})\nlet g = dM/dG\n",
          "let L = tr(A A A)\nlet G[i,k] = dL/dA[i,k]\nlet M = sum(i, k, dL/dA[i,k] * A[i,k]) + G[1,2]\n"
          "let g[i,k] = dM/dG[i,k]\n",
          "let G[i,k] = A[i,k]\nlet L = tr(G A) + tr(G)\nlet g = dL/dG\n"})
        BOOST_TEST_CONTEXT(lets) {
            BOOST_TEST(operations_of(std::string("index i, k = 3\ngiven A[i,k] invertible\n") + lets) != "");
        }
}

BOOST_AUTO_TEST_CASE(derivatives_in_lets) {
    BOOST_TEST(operations_of(R"(
index i, k = 3
index j, m = 4
given x[i], W[j,i]
let mu = mean(i, x[i])
let v = mean(i, (x[i] - mu)^2)
let z[j] = sum(i, W[j,i] * (x[i] - mu) / v)
let L = sum(j, z[j]^2)
let whole[i] = dL/dx[i]
let held[i] = dL/dx[i]|(mu)
let both[i] = dL/dx[i]|(mu, v)
let J[j,i] = dz[j]/dx[i]
let G[j,i] = dz[j]/dx[i]|(mu)
let K[j,i] = dz[j]/dx[i]|(v)
let D[i] = dz[1]/dx[i]
let H[i,k] = d2L/(dx[i] dx[k])
let T[j,i,m] = d2L/(dW[j,i] dz[m])
let used = sum(i, whole[i] * held[i])
let second[i] = dused/dx[i]
)") != "");
}

BOOST_AUTO_TEST_CASE(nodes_have_names_letters_lines_and_groups) {
    const derivation::Derivation file = derivation::read_derivation(R"(
index i = 3
index j, m = 4
index k = 5
given x[i]
given w[j,i]
given w[k,j]
let z = w_{ji} x
let a[j] = tanh(z[j])
let o[k] = sum(j, w[k,j] * a[j])
let S[j,m] = a[j] * a[m]
let L = sum(k, o[k]^2)
)");
    std::vector<Point> points = draw_points(file.model, {}, 1, 1);
    const Lowering lowering = lab::lowered(file, points[0]);
    std::string all;
    for (std::uint32_t i = 0; i < lowering.tape->size(); ++i) {
        const auto& node = node_at(*lowering.tape, i);
        const lab::NodeFacts& facts = lowering.nodes[i];
        all += std::string(node.name.empty() ? node.operation : node.name) + "[";
        for (const std::string& letter : facts.letters) all += letter;
        all += "] " + std::to_string(facts.line) + " " + facts.group + "\n";
    }
    BOOST_TEST(all ==
               "w[j,i][ji] 6 \nx[i] 5 \nz[j] 8 z\na[j] 9 a\nw[k,j][kj] 7 \no[k] 10 o\nreshape[] 11 S\n"
               "S[jm] 11 S\npow[k] 12 L\nL[] 12 L\n");
    BOOST_TEST(*lowering.result == file.model.count() - 1);
    BOOST_TEST(lab::name_of(file.model, 1) == "w[j,i]");
}

BOOST_AUTO_TEST_CASE(what_is_left_out_is_not_recorded) {
    const derivation::Derivation file =
        derivation::read_derivation("given x\ngiven unused\nlet y = x^2\nlet g = dy/dx\n");
    std::vector<Point> points = draw_points(file.model, {}, 1, 1);
    const Lowering lowering = lab::lowered(file, points[0], {3});
    BOOST_TEST(lowering.tape->size() == 2u);
    BOOST_TEST(!lowering.arrays[1].has_value());
    BOOST_TEST(!lowering.arrays[3].has_value());
    BOOST_TEST((lowering.lets[1].manner == Manner::left_out));
}
