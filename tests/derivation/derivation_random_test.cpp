// Thousands of right claims, made by rewriting right ones, and of wrong ones, made by changing them: no right one is
// called wrong, no wrong one right, and fewer than one in 200 is left undecided.
#define BOOST_TEST_MODULE derivation_random
#include <chrono>
#include <cstdlib>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/editing.hpp>
#include <derivation/read/parser.hpp>
#include <derivation/read/reader.hpp>
#include <random>

#include "judged.hpp"

using namespace derivation;

namespace {

struct Start {
    std::string declarations;
    std::vector<std::string> claims;
};

const std::vector<Start> starts = {
    {network,
     {"dC/dz[k] = -(y[k] - yhat[k])", "delta[j] = f'(z[j]) * sum(k, w[k,j] * delta[k])",
      "dC/dw[j,i] = sum(n, dC/dz[n] * dz[n]/da[j] * da[j]/dz[j] * dz[j]/dw[j,i])",
      "dC/dw[k,j] = (yhat[k] - y[k]) * a[j]", "dyhat[k]/dz[n] = yhat[k] * ([k == n] - yhat[n])",
      "dC/dx[i] = sum(j, w[j,i] * f'(z[j]) * sum(k, w[k,j] * (yhat[k] - y[k])))", "z[k] = sum(j, w[k,j] * f(z[j]))",
      "dz[n]/da[j] = w[n,j]"}},
    {R"(
index i, j : n = 4
index s, t : batch = 5
given x[s,i]
given y[s] unit
given w[i]
constant lambda
let u[s] = sum(i, w[i] * x[s,i])
let p[s] = sigmoid(u[s])
let C = mean(s, -y[s] * log(p[s]) - (1 - y[s]) * log(1 - p[s]))
let L = C + lambda/2 * sum(i, w[i]^2)
)",
     {"dC/du[s] = (p[s] - y[s]) / size(s)", "dL/dw[i] = mean(s, (p[s] - y[s]) * x[s,i]) + lambda * w[i]",
      "d2C/(dw[i] dw[j]) = mean(s, p[s] * (1 - p[s]) * x[s,i] * x[s,j])",
      "dp[s]/du[t] = [s == t] * p[s] * (1 - p[s])"}},
    {R"(
index s, t : batch = 5
constant eps
given x[s]
given y[s]
let mu = mean(s, x[s])
let var = mean(s, (x[s] - mu)^2)
let xhat[s] = (x[s] - mu) / sqrt(var + eps)
let L = sum(s, (xhat[s] - y[s])^2)
)",
     {"dL/dxhat[s] = 2 * (xhat[s] - y[s])", "dL/dmu = -sum(s, dL/dxhat[s]) / sqrt(var + eps)",
      "dL/dx[s] = (dL/dxhat[s] - mean(t, dL/dxhat[t]) - xhat[s] * mean(t, dL/dxhat[t] * xhat[t])) / sqrt(var + eps)"}},
    // Kinks and brackets.
    {R"(
index i, j : n = 4
index s, t : batch = 5
given x[s,i]
given y[s]
given w[i]
given b
constant C
let u[s] = sum(i, w[i] * x[s,i]) + b
let h[s] = relu(u[s])
let g[s] = max(0, 1 - y[s] * u[s])
let L = sum(s, abs(h[s] - y[s])) + C * sum(s, g[s])
)",
     {"dh[s]/du[t] = [s == t] * [u[s] > 0]", "dg[s]/dw[i] = -y[s] * x[s,i] * [1 - y[s] * u[s] > 0]",
      "dL/dh[s] = [h[s] > y[s]] - [h[s] < y[s]]",
      "dL/du[s] = ([h[s] > y[s]] - [h[s] < y[s]]) * [u[s] > 0] - C * y[s] * [g[s] > 0]", "dL/db = sum(s, dL/du[s])"}},
    // Entries of an inverse.
    {R"(
index i, j, k, l : n = 3
given A[i,j] invertible, S[i,j] positive definite
given x[i], y[i]
let B[i,j] = (A^-1)[i,j]
let u[i] = sum(j, B[i,j] * x[j])
let q = sum(i, j, x[i] * (S^-1)[i,j] * y[j])
let L = 1/2 * sum(i, (u[i] - y[i])^2) + logdet(A)
)",
     {"dB[k,l]/dA[i,j] = -B[k,i] * (A^-1)[j,l]", "dq/dx[i] = sum(j, (S^-1)[i,j] * y[j])",
      "dq/dS[i,j] = -sum(k, (S^-1)[k,i] * x[k]) * sum(l, (S^-1)[j,l] * y[l])",
      "dL/dx[i] = sum(j, B[j,i] * (u[j] - y[j]))", "dL/dA[i,j] = (A^-1)[j,i] - sum(k, B[k,i] * (u[k] - y[k])) * u[j]"}},
};

class Rewriting {
  public:
    Rewriting(const Derivation& known, std::mt19937_64& engine) : known_(known), engine_(engine) {}

    Expression rewritten(Expression e) {
        for (std::size_t i = 0, n = 1 + pick(4); i < n; ++i) e = once(e);
        return e;
    }

    std::size_t pick(std::size_t n) { return engine_() % n; }

  private:
    Expression once(const Expression& root) {
        Expression copy = root;
        std::vector<Expression*> nodes;
        const auto collect = [&](auto& self, Expression& e) -> void {
            nodes.push_back(&e);
            // What a derivative is taken of and by stays.
            if (e.kind != Kind::derivative && e.kind != Kind::iverson && e.name != "size" && e.name != "entry" &&
                e.name != "logdet")
                for (Expression& child : e.children) self(self, child);
        };
        collect(collect, copy);
        for (int tries = 0; tries < 20; ++tries) {
            Expression& node = *nodes[pick(nodes.size())];
            if (change(node)) break;
        }
        return copy;
    }

    bool change(Expression& e) {
        switch (pick(7)) {
            case 0:  // a + b = b + a, a b = b a
                if (e.kind == Kind::add ||
                    (e.kind == Kind::product && std::ranges::count(e.joints, Joint::divided) == 0)) {
                    const std::size_t i = pick(e.children.size()), k = pick(e.children.size());
                    std::swap(e.children[i], e.children[k]);
                    std::swap(e.joints[i], e.joints[k]);
                    if (e.kind == Kind::product) e.joints[0] = Joint::times;
                    return i != k;
                }
                return false;
            case 1: {  // a (b + c) = a b + a c
                if (e.kind != Kind::product) return false;
                for (std::size_t i = 0; i < e.children.size(); ++i) {
                    if (e.children[i].kind != Kind::add || e.joints[i] == Joint::divided) continue;
                    std::vector<Part> terms;
                    for (const Part& term : terms_of(e.children[i])) {
                        std::vector<Part> factors = factors_of(e);
                        factors[i].expression = term.expression;
                        terms.push_back({product_of_factors(factors), term.joint});
                    }
                    e = sum_of_terms(terms);
                    return true;
                }
                return false;
            }
            case 2: {  // another bound letter
                if (e.kind != Kind::reduce || e.letters.size() != 1) return false;
                const std::string from = e.letters[0].name;
                for (const Letter& letter : known_.model.letters) {
                    if (letter.name[0] == '_' || letter.name == from || uses_letter(e, letter.name)) continue;
                    if (letter.range != known_.model.letter(*known_.model.find_letter(from)).range) continue;
                    if (std::ranges::find(outer, letter.name) != outer.end()) continue;
                    rename_letter(e, from, letter.name);
                    return true;
                }
                return false;
            }
            case 3: {  // a name for its definition
                if (e.kind != Kind::entry || e.indices.empty()) return false;
                for (const Quantity& quantity : known_.model.quantities) {
                    if (quantity.name != e.name || quantity.role != Role::definition ||
                        quantity.ranges.size() != e.indices.size() || quantity.written.kind == Kind::derivative)
                        continue;
                    Expression body = quantity.written;
                    bool fits = true;
                    for (std::size_t i = 0; i < e.indices.size(); ++i) {
                        const Letter& letter = known_.model.letters[static_cast<std::size_t>(quantity.letters[i])];
                        fits = fits && e.indices[i].is_letter();
                        if (!fits) break;
                        const std::string to = e.indices[i].terms[0].name;
                        const int range = known_.model.letter(*known_.model.find_letter(to)).range;
                        fits = range == letter.range && (to == letter.name || !uses_letter(body, to));
                        if (fits) rename_letter(body, letter.name, to);
                    }
                    if (!fits || binds_outer(body)) return false;
                    e = body;
                    return true;
                }
                return false;
            }
            case 4:
                e = negated(negated_apart(e));
                return true;
            case 5:
                e = product_of_factors(
                    {{e, Joint::times}, {number_of(2), Joint::times}, {number_of(2), Joint::divided}});
                return true;
            default: {  // a sum(k, b) = sum(k, a b)
                if (e.kind != Kind::product || e.children.size() != 2) return false;
                for (const std::size_t i : {0u, 1u}) {
                    Expression sum = e.children[i];
                    const Expression& factor = e.children[1 - i];
                    if (sum.kind != Kind::reduce || sum.letters.size() != 1 || sum.name == "prod" ||
                        e.joints[i] == Joint::divided || uses_letter(factor, sum.letters[0].name) ||
                        e.joints[1 - i] == Joint::divided)
                        continue;
                    sum.children[0] = product_of({factor, sum.children[0]});
                    e = sum;
                    return true;
                }
                return false;
            }
        }
    }

    static Expression negated_apart(const Expression& e) { return product_of({number_of(-1), e}); }

    bool binds_outer(const Expression& e) const {
        return (e.kind == Kind::reduce &&
                std::ranges::any_of(
                    e.letters,
                    [&](const IndexTerm& letter) { return std::ranges::find(outer, letter.name) != outer.end(); })) ||
               std::ranges::any_of(e.children, [&](const Expression& child) { return binds_outer(child); });
    }

    const Derivation& known_;
    std::mt19937_64& engine_;

  public:
    std::vector<std::string> outer;  ///< letters that stand in the line already
};

std::vector<std::string> letters_in(const Model& model, const Expression& e) {
    std::vector<std::string> used;
    for (const Letter& letter : model.letters)
        if (uses_letter(e, letter.name)) used.push_back(letter.name);
    return used;
}

#ifdef __SANITIZE_ADDRESS__  // which takes ten times as long
constexpr int files = 12, changes = 20;
#else
constexpr int files = 40, changes = 70;
#endif

}  // namespace

BOOST_AUTO_TEST_CASE(rewritten_claims_hold) {
    std::mt19937_64 engine(3);
    std::size_t total = 0, wrong = 0, undecided = 0;
    for (const Start& start : starts) {
        std::string claims;
        for (const std::string& claim : start.claims) claims += "claim " + claim + "\n";
        const Derivation known = read_derivation(start.declarations + claims);
        for (int file = 0; file < files; ++file) {
            std::string text = start.declarations;
            for (const Line& line : known.lines)
                for (int i = 0; i < 6; ++i) {
                    Rewriting rewriting(known, engine);
                    rewriting.outer = letters_in(known.model, line.members[1]);
                    for (const std::string& letter : letters_in(known.model, line.members[0]))
                        rewriting.outer.push_back(letter);
                    const Expression right = rewriting.rewritten(line.members[1]);
                    const bool latex = rewriting.pick(3) == 0;
                    text +=
                        "claim " + to_text(line.members[0]) + " = " + (latex ? to_latex(right) : to_text(right)) + "\n";
                }
            const Report report = check_file(text);
            for (const LineReport& line : report.lines) {
                ++total;
                undecided += line.verdict == Verdict::undecided;
                if (line.verdict != Verdict::holds && line.verdict != Verdict::undecided) {
                    ++wrong;
                    BOOST_TEST_MESSAGE(line.text << "   " << line.reason);
                }
            }
        }
    }
    BOOST_TEST(total >= 75u * files);
    BOOST_TEST(wrong == 0u, wrong << " of " << total << " right claims are called wrong");
    BOOST_TEST(undecided * 200 < total, undecided << " of " << total);
}

BOOST_AUTO_TEST_CASE(changed_claims_do_not_hold_and_what_repairs_them_does) {
    std::mt19937_64 engine(5);
    std::size_t total = 0, right = 0, undecided = 0, mended = 0, failed = 0;
    for (const Start& start : starts) {
        std::string claims;
        for (const std::string& claim : start.claims) claims += "claim " + claim + "\n";
        const Derivation known = read_derivation(start.declarations + claims);
        for (const Line& line : known.lines)
            for (int i = 0; i < changes; ++i) {
                Rewriting rewriting(known, engine);
                rewriting.outer = letters_in(known.model, line.members[1]);
                for (const std::string& letter : letters_in(known.model, line.members[0]))
                    rewriting.outer.push_back(letter);
                Expression member = i % 2 == 0 ? line.members[1] : rewriting.rewritten(line.members[1]);
                // Each of these changes the value of everything that is not 0.
                switch (rewriting.pick(5)) {
                    case 0:
                        member = negated(member);
                        break;
                    case 1:
                        member = product_of({number_of(2), member});
                        break;
                    case 2:
                        member = product_of_factors({{member, Joint::times}, {number_of(3), Joint::divided}});
                        break;
                    case 3:
                        member = sum_of_terms({{member, Joint::plus}, {number_of(0.25), Joint::plus}});
                        break;
                    default:
                        member = product_of(
                            {member, sum_of_terms({{number_of(1), Joint::plus}, {line.members[0], Joint::plus}})});
                }
                const std::string text =
                    start.declarations + "claim " + to_text(line.members[0]) + " = " + to_text(member) + "\n";
                const LineReport one = judged(text);
                ++total;
                right += one.verdict == Verdict::holds;
                undecided += one.verdict == Verdict::undecided;
                if (one.verdict == Verdict::holds) BOOST_TEST_MESSAGE(one.text);
                if (one.repair.empty()) continue;
                ++mended;
                if (repaired(text, one).verdict != Verdict::holds) {
                    ++failed;
                    BOOST_TEST_MESSAGE(one.text << "   " << one.repair);
                }
            }
    }
    BOOST_TEST(total >= 14u * changes);
    BOOST_TEST(right == 0u, right << " of " << total << " wrong claims are called right");
    BOOST_TEST(undecided * 200 < total);
    BOOST_TEST(failed == 0u, failed << " of " << mended << " repairs fail");
    BOOST_TEST(mended * 100 >= total * 97, mended << " of " << total << " are mended");
}

namespace {

/// Lines of square matrices with inverses. Both sides are put together at once, by the same steps, each of which is
/// written in two ways that are equal.
class MatrixLines {
  public:
    explicit MatrixLines(std::mt19937_64& engine) : engine_(engine) {}

    struct Sides {
        std::string left, right;
    };

    static constexpr const char* declarations = R"(
index i, j : n = 3
given A[i,j] invertible, B[i,j] invertible, C[i,j], S[i,j] positive definite, P[i,j] positive definite
given x[i], y[i], t positive
)";

    std::size_t pick(std::size_t n) { return engine_() % n; }

    /// Of matrices that are far from singular.
    Sides inverse() {
        const std::string a = one_of({"A", "B"}), s = one_of({"S", "P"}), p = one_of({"S", "P"});
        return exchanged(one_of({
            Sides{a + "^-1", "inv(" + a + ")"},
            {"(" + a + "^T)^-1", a + "^-T"},
            {"(" + a + " B)^-1", "B^-1 " + a + "^-1"},
            {"(" + a + " " + s + ")^{-1}", "solve(" + s + ", " + a + "^{-1})"},
            {"(2 * " + a + ")^(1 - 2)", "1/2 * " + a + "^-1"},
            {s + "^-T", "(" + s + "^-1)^T"},
            {"(" + s + " + t I)^-1", "(t I + " + s + "^T)^-1"},
            {"(I + " + s + " " + p + ")^-1 " + s, s + " (I + " + p + " " + s + ")^-1"},
            {"(" + s + " + x x^T)^-1", s + "^-1 - " + s + "^-1 x x^T " + s + "^-1 / (1 + x^T " + s + "^-1 x)"},
            {"I - (I + " + s + ")^-1", "(I + " + s + "^-1)^-1"},
        }));
    }
    Sides matrix(std::size_t depth) {
        if (depth == 0) {
            const std::string m = one_of({"A", "B", "C", "S", "x y^T"});
            if (pick(2) == 0) return inverse();
            return exchanged(
                one_of({Sides{m, m}, {"(" + m + ")", "((" + m + ")^T)^T"}, {"S", "S^T"}, {"A", "inv(inv(A))"}}));
        }
        const Sides a = matrix(depth - 1), b = matrix(pick(depth));
        return exchanged(one_of({
            Sides{"(" + a.left + ") + (" + b.left + ")", "(" + b.right + ") + (" + a.right + ")"},
            {"2 * (" + a.left + ") - (" + b.left + ")", "-((" + b.right + ") - (" + a.right + ") - (" + a.right + "))"},
            {"(" + a.left + ") (" + b.left + ")", "((" + b.right + ")^T (" + a.right + ")^T)^T"},
            {"(" + a.left + ") ((" + b.left + ") + I)", "(" + a.right + ") (" + b.right + ") + (" + a.right + ")"},
            {"(" + a.left + ") ⊙ (" + b.left + ")", "(" + b.right + ") * (" + a.right + ")"},
            {"A A^-1 (" + a.left + ")", "(" + a.right + ")"},
            {"t * (" + a.left + ")", "(" + a.right + ") / (1/t)"},
        }));
    }
    Sides number() {
        const Sides a = matrix(pick(3)), b = matrix(0);
        return exchanged(one_of({
            Sides{"tr((" + a.left + ") (" + b.left + "))", "tr((" + b.right + ") (" + a.right + "))"},
            {"x^T (" + a.left + ") y", "y^T (" + a.right + ")^T x"},
            {"x^T (" + a.left + ") y", "tr(y x^T (" + a.right + "))"},
            {"sum((" + a.left + ") * (" + b.left + "))", "tr((" + a.right + ")^T (" + b.right + "))"},
            {"det(A B) * tr(" + a.left + ")", "det(A) * det(B) * tr((" + a.right + ")^T)"},
            {"logdet(S P) + tr(" + a.left + ")", "log(det(S)) + logdet(P) + tr(" + a.right + ")"},
            {"logdet(A^-1) * tr(" + a.left + ")", "-logdet(A) * tr(" + a.right + ")"},
        }));
    }
    /// What is added to a side makes it another one.
    std::pair<Sides, std::string> line() {
        switch (pick(4)) {
            case 0: {
                const Sides a = number();
                return {a, one_of({"1", "det(A)", "tr(S^-1)", "x^T P^-1 x"})};
            }
            case 1: {
                const Sides a = number();
                // Not by S, whose entries are independent there: S^T is another matrix.
                const std::string by = one_of({"A", "B", "C"});
                // Of two derivatives that are 0 nothing is said.
                const auto derivative = [&](const std::string& of) {
                    return "d(" + of + " + tr(P " + by + "))/d" + by;
                };
                return {{derivative(a.left), derivative(a.right)}, one_of({"I", "A^-1", "x y^T"})};
            }
            default:
                return {matrix(1 + pick(2)), one_of({"I", "A^-1", "S", "B^-T", "x x^T"})};
        }
    }

  private:
    template <class T>
    T one_of(std::initializer_list<T> choices) {
        return choices.begin()[pick(choices.size())];
    }
    std::string one_of(std::initializer_list<const char*> choices) { return choices.begin()[pick(choices.size())]; }
    Sides exchanged(Sides sides) {
        if (pick(2) == 0) std::swap(sides.left, sides.right);
        return sides;
    }

    std::mt19937_64& engine_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(lines_with_inverses) {
    // DELTARULE_FUZZ_SECONDS=600 goes on with others for so long.
    const char* seconds = std::getenv("DELTARULE_FUZZ_SECONDS");
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(seconds != nullptr ? std::atoi(seconds) : 0);
    std::mt19937_64 engine(seconds != nullptr ? std::random_device()() : 11);
    MatrixLines lines(engine);
    std::size_t total = 0, undecided = 0, failed = 0;
    for (int file = 0; file < 4 * files || std::chrono::steady_clock::now() < end; ++file) {
        std::string text = MatrixLines::declarations;
        // A right one, and below it the same with something added to it.
        for (int i = 0; i < 4; ++i) {
            const auto [sides, more] = lines.line();
            text += "claim (label) " + sides.left + " = " + sides.right + "\n";
            text += "claim (label) " + sides.left + " = " + sides.right + (lines.pick(2) == 0 ? " + " : " - ") + more +
                    "\n";
        }
        derivation::Options options;
        options.seed = engine() % 1000;
        const Report report = derivation::check(text, options);
        BOOST_REQUIRE(report.lines.size() == 8u);
        for (std::size_t i = 0; i < report.lines.size(); ++i) {
            const LineReport& line = report.lines[i];
            ++total;
            undecided += line.verdict == Verdict::undecided;
            if (line.verdict == Verdict::undecided) {
                BOOST_TEST_MESSAGE("undecided, seed " << options.seed << ": " << line.text << "   " << line.reason);
                continue;
            }
            const bool is_right = i % 2 == 0;
            if (is_right ? line.verdict != Verdict::holds
                         : line.verdict != Verdict::wrong && line.verdict != Verdict::conditional) {
                ++failed;
                BOOST_TEST_MESSAGE(verdict_of(line)
                                   << ", seed " << options.seed << ": " << line.text << "   " << line.reason);
            }
        }
    }
    BOOST_TEST_MESSAGE(total << " lines, " << undecided << " undecided");
    BOOST_TEST(failed == 0u, failed << " of " << total << " lines are judged wrongly");
    BOOST_TEST(undecided * 200 < total, undecided << " of " << total);
}
