// The identities of matrix calculus, right and wrong: what is said of each, and what would be right.
#define BOOST_TEST_MODULE derivation_matrices
#include "judged.hpp"

namespace {

const std::string declarations = R"(
index i, j, k, l = 3
index m, n = 4
given A[i,j] invertible, B[i,j] invertible, C[i,j], X[i,j] invertible, S[i,j] positive definite, Q[i,j] symmetric
given a[i], b[i], x[i], s[i], t positive, u
given F[m,i], G[i,m], H[m,i], c[m]
)";

struct Identity {
    const char *line, *verdict;
    const char* mistake = "";  ///< of a wrong one
    const char* repair = "";   ///< empty: there is none
    const char* condition = "";
};

// Each was known beforehand, from the usual collections of such identities; a wrong one is a right one with one
// mistake.
const std::vector<Identity> identities = {
    {"d(a^T x)/dx = a", "holds"},
    {"d(a^T x)/dx = a^T", "ill-formed", "transposed", "a"},
    {"d(a^T X b)/dX = a b^T", "holds"},
    {"d(a^T X b)/dX = b a^T", "wrong", "transposed", "a b^T"},
    {"d(a^T X^T b)/dX = b a^T", "holds"},
    {"d(a^T X^T b)/dX = a b^T", "wrong", "transposed", "b a^T"},
    {"d(a^T X^T X b)/dX = X (a b^T + b a^T)", "holds"},
    {"d(a^T X^T X b)/dX = X a b^T", "wrong", "unknown", "X b a^T + X a b^T"},
    {"d(x^T C x)/dx = (C + C^T) x", "holds"},
    {"d(x^T C x)/dx = 2 C x", "conditional", "", "", "C is symmetric"},
    {"d(x^T Q x)/dx = 2 Q x", "holds"},
    {"d(x^T Q x)/dx = Q x", "wrong", "factor-half", "2 * Q x"},
    {"d((x - s)^T Q (x - s))/dx = 2 Q (x - s)", "holds"},
    {"d((x - s)^T Q (x - s))/ds = -2 Q (x - s)", "holds"},
    {"d((x - s)^T Q (x - s))/ds = 2 Q (x - s)", "wrong", "sign", "-2 Q (x - s)"},
    {"d((x - A s)^T S (x - A s))/ds = -2 A^T S (x - A s)", "holds"},
    {"d((x - A s)^T S (x - A s))/ds = -2 A S (x - A s)", "wrong", "transposed", "-2 A^T S (x - A s)"},
    {"d((x - A s)^T S (x - A s))/dA = -2 S (x - A s) s^T", "holds"},
    {"d((x - A s)^T S (x - A s))/dA = -2 s (x - A s)^T S", "wrong", "transposed", "-2 S^T (x - A s) s^T"},
    {"d(tr(X))/dX = I", "holds"},
    {"d(tr(C X))/dX = C^T", "holds"},
    {"d(tr(C X))/dX = C", "wrong", "transposed", "C^T"},
    {"d(tr(C X^T))/dX = C", "holds"},
    {"d(tr(C X^T))/dX = C^T", "wrong", "transposed", "C"},
    {"d(tr(A X B))/dX = A^T B^T", "holds"},
    {"d(tr(A X B))/dX = B^T A^T", "wrong", "order-of-factors", "A^T B^T"},
    {"d(tr(A X^T B))/dX = B A", "holds"},
    {"d(tr(A X^T B))/dX = A B", "wrong", "order-of-factors", "B A"},
    {"d(tr(X X))/dX = 2 X^T", "holds"},
    {"d(tr(X X))/dX = 2 X", "wrong", "transposed", "2 X^T"},
    {"d(tr(X^T X))/dX = 2 X", "holds"},
    {"d(tr(X^T X))/dX = 2 X^T", "wrong", "transposed", "2 X"},
    {"d(tr(X X^T))/dX = 2 X", "holds"},
    {"d(tr(X^T C X))/dX = (C + C^T) X", "holds"},
    {"d(tr(X^T C X))/dX = 2 C X", "conditional", "", "", "C is symmetric"},
    {"d(tr(X C X^T))/dX = X (C + C^T)", "holds"},
    {"d(tr(X C X^T))/dX = (C + C^T) X", "wrong", "order-of-factors", "X (C + C^T)"},
    {"d(tr(A X B X))/dX = A^T X^T B^T + B^T X^T A^T", "holds"},
    {"d(tr(A X B X))/dX = A^T X^T B^T", "wrong", "unknown", "A^T X^T B^T + B^T X^T A^T"},
    {"d(tr(A X B X^T))/dX = A^T X B^T + A X B", "holds"},
    {"d(tr(A X B X^T))/dX = 2 A X B", "wrong", "unknown", "A^T X B^T + A X B"},
    {"d(tr(X X X))/dX = 3 (X X)^T", "holds"},
    {"d(tr(X X X))/dX = 3 X X", "wrong", "transposed", "3 X^T X^T"},
    {"d(tr(A X^{-1} B))/dX = -(X^{-1} B A X^{-1})^T", "holds"},
    {"d(tr(A X^{-1} B))/dX = -X^{-1} B A X^{-1}", "wrong", "transposed", "-X^-T A^T B^T X^-T"},
    {"d(tr(A X^{-1} B))/dX = (X^{-1} B A X^{-1})^T", "wrong", "sign-of-inverse", "-X^-T A^T B^T X^-T"},
    {"d(tr(X^{-1}))/dX = -X^{-T} X^{-T}", "holds"},
    {"d(tr(X^{-1}))/dX = -X^{-1} X^{-1}", "wrong", "transposed-inverse", "-X^-T X^-T"},
    {"d(tr(X^{-1}))/dX = X^{-T} X^{-T}", "wrong", "sign-of-inverse", "-X^-T X^-T"},
    {"d(tr((X + C)^{-1}))/dX = -((X + C)^{-1} (X + C)^{-1})^T", "holds"},
    {"d(a^T X^{-1} b)/dX = -X^{-T} a b^T X^{-T}", "holds"},
    {"d(a^T X^{-1} b)/dX = -X^{-1} a b^T X^{-1}", "wrong", "transposed-inverse", "-X^-T a b^T X^-T"},
    {"d(a^T X^{-1} b)/dX = -X^{-T} b a^T X^{-T}", "wrong", "unknown", "-X^-T a b^T X^-T"},
    {"d(a^T X^{-1} b)/dX = X^{-T} a b^T X^{-T}", "wrong", "sign-of-inverse", "-X^-T a b^T X^-T"},
    {"d(a^T X^{-1} b)/db = X^{-T} a", "holds"},
    {"d(a^T X^{-1} b)/db = X^{-1} a", "wrong", "transposed-inverse", "X^-T a"},
    {"d(a^T X^{-1} b)/da = X^{-1} b", "holds"},
    {"d(a^T X^{-1} b)/da = X^{-T} b", "wrong", "transposed-inverse", "X^-1 b"},
    {"d(det(X))/dX = det(X) X^{-T}", "holds"},
    {"d(det(X))/dX = det(X) X^{-1}", "wrong", "transposed-inverse", "det(X) X^-T"},
    {"d(det(X))/dX = X^{-T}", "wrong", "missing-determinant", "det(X) X^-T"},
    {"d(det(A X B))/dX = det(A X B) X^{-T}", "holds"},
    {"d(det(A X B))/dX = det(A X B) (A X B)^{-T}", "wrong", "unknown", "det(A X B) A^T (A X B)^-T B^T"},
    {"d(det(X^T S X))/dX = 2 det(X^T S X) X^{-T}", "holds"},
    {"d(det(X^T S X))/dX = det(X^T S X) X^{-T}", "wrong", "factor-half", "2 * det(X^T S X) X^-T"},
    {"d(det(X X))/dX = 2 det(X)^2 X^{-T}", "holds"},
    {"d(logdet(X))/dX = X^{-T}", "holds"},
    {"d(logdet(X))/dX = X^{-1}", "wrong", "transposed-inverse", "X^-T"},
    {"d(logdet(X))/dX = det(X) X^{-T}", "wrong", "extra-factor", "X^-T"},
    {"d(log(det(X^T X)))/dX = 2 X^{-T}", "holds"},
    {"d(log(det(X^T X)))/dX = X^{-T}", "wrong", "factor-half", "2 * X^-T"},
    {"d(logdet(F^T F))/dF = 2 F (F^T F)^{-1}", "holds"},
    {"d(logdet(F^T F))/dF = 2 (F^T F)^{-1} F^T", "ill-formed", "transposed", "2 F (F^T F)^-T"},
    {"d(logdet(F^T F))/dF = F (F^T F)^{-1}", "wrong", "factor-half", "2 * F (F^T F)^-1"},
    {"d(logdet(S))/dS = S^{-1}", "holds"},
    {"d(logdet(S))/dS = -S^{-1}", "wrong", "sign", "S^-1"},
    {"d(logdet(X^{-1}))/dX = -X^{-T}", "holds"},
    {"d(logdet(X^{-1}))/dX = X^{-T}", "wrong", "sign", "-X^-T"},
    {"d(det(X^{-1}))/dX = -det(X^{-1}) X^{-T}", "holds"},
    {"d(logdet(A + t B))/dt = tr((A + t B)^{-1} B)", "holds"},
    {"d(logdet(A + t B))/dt = tr((A + t B) B)", "wrong", "missing-inverse", "tr((A + t B)^-1 B)"},
    {"d(det(A + t B))/dt = det(A + t B) tr((A + t B)^{-1} B)", "holds"},
    {"d(tr((A + t B)^{-1} C))/dt = -tr((A + t B)^{-1} B (A + t B)^{-1} C)", "holds"},
    {"d(tr((A + t B)^{-1} C))/dt = tr((A + t B)^{-1} B (A + t B)^{-1} C)", "wrong", "sign-of-inverse",
     "-tr((A + t B)^-1 B (A + t B)^-1 C)"},
    {"d(||X||^2)/dX = 2 X", "holds"},
    {"d(||c - F x||^2)/dx = -2 F^T (c - F x)", "holds"},
    {"d(||c - F x||^2)/dx = 2 F^T (c - F x)", "wrong", "sign", "-2 F^T (c - F x)"},
    {"d(||c - F x||^2)/dx = -2 F (c - F x)", "ill-formed", "transposed", "-2 F^T (c - F x)"},
    {"d(||c - F x||^2)/dF = -2 (c - F x) x^T", "holds"},
    {"d(||F X - H||^2)/dX = 2 F^T (F X - H)", "holds"},
    {"d(||F X - H||^2)/dX = 2 (F X - H) F^T", "ill-formed", "order-of-factors", "2 F^T (F X - H)"},
    {"(A B)^{-1} = B^{-1} A^{-1}", "holds"},
    {"(A B)^{-1} = A^{-1} B^{-1}", "wrong", "order-of-factors", "B^-1 A^-1"},
    {"(A^T)^{-1} = (A^{-1})^T", "holds"},
    {"det(A B) = det(A) det(B)", "holds"},
    {"det(A + B) = det(A) + det(B)", "wrong", "unknown"},
    {"det(t A) = t^3 det(A)", "holds"},
    {"det(t A) = t det(A)", "wrong", "wrong-power", "t^size(i) det(A)"},
    {"det(A^{-1}) = 1/det(A)", "holds"},
    {"logdet(A B) = logdet(A) + logdet(B)", "holds"},
    {"tr(A B C) = tr(C A B)", "holds"},
    {"tr(A B C) = tr(B A C)", "wrong", "order-in-trace", "tr(C A B)"},
    {"tr(A B C) = tr(A C B)", "wrong", "order-in-trace", "tr(C A B)"},
    {"tr(a b^T) = a^T b", "holds"},
    {"a^T C a = tr(C a a^T)", "holds"},
    {"(A + a b^T)^{-1} = A^{-1} - A^{-1} a b^T A^{-1} / (1 + b^T A^{-1} a)", "holds"},
    {"(A + a b^T)^{-1} = A^{-1} - A^{-1} a b^T A^{-1} / (1 + a^T A^{-1} b)", "wrong", "transposed-inverse",
     "A^-1 - A^-1 a b^T A^-1/(1 + a^T A^-T b)"},
    {"(A + a b^T)^{-1} = A^{-1} + A^{-1} a b^T A^{-1} / (1 + b^T A^{-1} a)", "wrong", "sign",
     "A^-1 - A^-1 a b^T A^-1/(1 + b^T A^-1 a)"},
    {"det(A + a b^T) = det(A) (1 + b^T A^{-1} a)", "holds"},
    {"det(A + a b^T) = det(A) (1 - b^T A^{-1} a)", "wrong", "sign", "det(A) (1 + b^T A^-1 a)"},
    {"det(I_i + a b^T) = 1 + a^T b", "holds"},
    {"(A + G F)^{-1} = A^{-1} - A^{-1} G (I + F A^{-1} G)^{-1} F A^{-1}", "holds"},
    {"(A + G F)^{-1} = A^{-1} - A^{-1} G (I + F A^{-1} G) F A^{-1}", "wrong", "missing-inverse",
     "A^-1 - A^-1 G (I + F A^-1 G)^-1 F A^-1"},
    {"(A^{-1} + B^{-1})^{-1} = A (A + B)^{-1} B", "holds"},
    {"(A^{-1} + B^{-1})^{-1} = A (A + B) B", "wrong", "missing-inverse", "A (A + B)^-1 B"},
    {"(I + t S)^{-1} = I - t S (I + t S)^{-1}", "holds"},
    {"(S + t I)^{-1} S = I - t (S + t I)^{-1}", "holds"},
    {"solve(A, x) = A^{-1} x", "holds"},
    {"solve(A, x) = A x", "wrong", "missing-inverse", "A^-1 x"},
    {"d(x^T S^{-1} x)/dS = -S^{-1} x x^T S^{-1}", "holds"},
    {"d(x^T S^{-1} x)/dx = 2 S^{-1} x", "holds"},
    {"d(x^T S^{-1} x)/dx = 2 S x", "wrong", "missing-inverse", "2 S^-1 x"},
    {"d(logdet(S) + x^T S^{-1} x)/dS = S^{-1} - S^{-1} x x^T S^{-1}", "holds"},
    {"d(logdet(S) + x^T S^{-1} x)/dS = S^{-1} + S^{-1} x x^T S^{-1}", "wrong", "sign-of-inverse",
     "S^-1 - S^-1 x x^T S^-1"},
    {"d(logdet(S) + x^T S^{-1} x)/dS = S^{-1} - x x^T", "wrong", "unknown", "S^-1 - S^-1 x x^T S^-1"},
    {"d(logdet(X))/dX = 2 X^{-1} - diag(X^{-1} 1_i)", "wrong", "unknown", "X^-T"},
    {"d(logdet(S))/dS = 2 S^{-1} - S^{-1} * I", "conditional", "", "", "S has one number for each pair"},
    {"d(x^T Q x)/dQ = 2 x x^T - diag(x^2)", "conditional", "", "", "Q has one number for each pair"},
    {"d(x^T Q x)/dQ = 2 x x^T", "wrong", "factor-two", "x x^T"},
    {"d(logdet(S))/dS = 2 S^{-1}", "wrong", "factor-two", "S^-1"},
    {"d(logdet(X))/dX = X", "wrong", "unknown", "X^-T"},
    {"d(tr(S^{-1} C))/dS = -S^{-1} C S^{-1}", "wrong", "transposed", "-S^-T C^T S^-T"},
    {"d(tr(S^{-1} C))/dS = -S^{-1} C^T S^{-1}", "holds"},
};

std::string of_verdict(const std::string& verdict) {
    std::string lines;
    for (const Identity& one : identities)
        if (one.verdict == verdict) lines += std::string("claim ") + one.line + "\n";
    return lines;
}

}  // namespace

BOOST_AUTO_TEST_CASE(identities_of_matrix_calculus) {
    std::string text = declarations;
    for (const Identity& one : identities) text += std::string("claim ") + one.line + "\n";
    const derivation::Report report = check_file(text);
    BOOST_TEST_REQUIRE(report.lines.size() == identities.size());
    for (std::size_t i = 0; i < identities.size(); ++i) BOOST_TEST_CONTEXT(identities[i].line) {
            const derivation::LineReport& line = report.lines[i];
            BOOST_TEST(verdict_of(line) == identities[i].verdict, verdict_of(line) << ": " << line.reason);
            BOOST_TEST(line.repair == identities[i].repair);
            if (identities[i].verdict == std::string("wrong")) BOOST_TEST(line.mistake == identities[i].mistake);
            BOOST_TEST(line.condition == identities[i].condition);
        }
}

// What a repair says holds, read as it is printed.
BOOST_AUTO_TEST_CASE(repairs_hold) {
    std::string text = declarations;
    std::size_t count = 0;
    for (const Identity& one : identities) {
        if (*one.repair == '\0') continue;
        derivation::LineReport line;
        line.text = one.line;
        text += "claim " + left_side_of(line) + "= " + one.repair + "\n";
        ++count;
    }
    BOOST_TEST(count > 40u);
    const derivation::Report report = check_file(text);
    BOOST_TEST(report.exit_code() == 0, to_text(report));
}

// No verdict depends on the points.
BOOST_AUTO_TEST_CASE(verdicts_are_the_same_at_other_points) {
#ifdef __SANITIZE_ADDRESS__  // which takes ten times as long
    constexpr std::uint64_t last = 2;
#else
    constexpr std::uint64_t last = 7;
#endif
    for (const char* verdict : {"holds", "wrong", "conditional"})
        for (std::uint64_t seed = 2; seed <= last; ++seed) {
            derivation::Options options;
            options.seed = seed;
            const derivation::Report report = derivation::check(declarations + of_verdict(verdict), options);
            for (const derivation::LineReport& line : report.lines)
                BOOST_TEST(verdict_of(line) == verdict, line.text << " at seed " << seed);
        }
}

// In lines of letters an entry of a matrix that is no name has its letters behind it.
BOOST_AUTO_TEST_CASE(entries) {
    const std::vector<std::pair<const char*, const char*>> lines = {
        {R"((A^{-1})_{ij} = A^{-1}_{ij} = inv(A)[i,j])", "holds"},
        {R"(\frac{\partial (X^{-1})_{kl}}{\partial X_{ij}} = -(X^{-1})_{ki} (X^{-1})_{jl})", "holds"},
        {"d((X^-1)[k,l])/dX[i,j] = (X^-1)[k,i] * (X^-1)[j,l]", "wrong"},
        {"d((X^-1)[k,l])/dX[i,j] = -(X^-1)[i,k] * (X^-1)[j,l]", "wrong"},
        {"d(det(X))/dX[i,j] = det(X) * (X^-1)[j,i]", "holds"},
        {"d(det(X))/dX[i,j] = det(X) * (X^-1)[i,j]", "wrong"},
        {"d(logdet(X))/dX[i,j] = X^{-T}[i,j]", "holds"},
        {"(A B)_{ij} = sum(k, A[i,k] * B[k,j])", "holds"},
        {"tr(A B) = sum(i, (A B)[i,i])", "holds"},
        {"d2(logdet(X))/(dX[i,j] dX[k,l]) = -(X^-1)[j,k] * (X^-1)[l,i]", "holds"},
        {"(A^-1)[i,n] = 0", "ill-formed"},
        {"(A^-1)[i] = 0", "ill-formed"},
        {"A x = (A^-1)[i,j] x", "ill-formed"},
    };
    for (const auto& [line, verdict] : lines) {
        const std::string text = declarations + "claim " + line + "\n";
        BOOST_TEST(verdict_of(judged(text)) == verdict, line);
        if (verdict == std::string("ill-formed")) continue;
        for (const derivation::Notation notation : {derivation::Notation::text, derivation::Notation::latex})
            BOOST_TEST(verdict_of(judged(derivation::rewritten(text, notation))) == verdict,
                       derivation::rewritten(text, notation));
    }
}

// Only the exponent's number says what a power of a matrix is, however it is written.
BOOST_AUTO_TEST_CASE(exponents) {
    const std::string file = declarations + R"(
constant minus = -1
constant two = 2, negative = -2
constant q
given fixed = -1
given v
let defined = 1 - 2
let P = abs(A)
)";
    const std::string only = "only the power A^{-1} is read";
    for (const std::string exponent : {"-1",
                                       "{-1}",
                                       "(-1)",
                                       "(-(-(-1)*1))",
                                       "(-1*2/2)",
                                       "(1 - 2)",
                                       "(-(1))",
                                       "(-1)^3",
                                       "(2 - 3)^(1 + 2)",
                                       "(-1^2)",
                                       "(2*(-1/2))",
                                       "(-4^(1/2)/2)",
                                       "minus",
                                       "(minus)",
                                       "(two - 3)",
                                       "(minus * two / 2)",
                                       "(size(j) - 1 - size(i))",
                                       "{-\\frac{2}{2}}",
                                       "(-1.0)",
                                       "(1/(-1))"}) {
        const derivation::LineReport line = judged(file + "claim A^" + exponent + " A = I\n");
        BOOST_TEST(verdict_of(line) == "holds", exponent << ": " << line.reason);
        BOOST_TEST(verdict_of(judged(file + "claim A^" + exponent + " = 1/A\n")) == "wrong", exponent);
        for (const derivation::Notation notation : {derivation::Notation::text, derivation::Notation::latex})
            BOOST_TEST(verdict_of(judged(derivation::rewritten(file + "claim A^" + exponent + " A = I\n", notation))) ==
                           "holds",
                       exponent);
    }
    for (const std::string exponent :
         {"-2",       "(-2)",        "{-2}",    "(-1/2)",        "(1 - 3)",  "(2*(-1))", "(-(-(-2)))",
          "negative", "(minus - 1)", "-q",      "(-q)",          "(q*(-1))", "(-2*q)",   "-v",
          "fixed",    "(2 * fixed)", "defined", "(defined - 1)", "(-1/0)",   "(0/0)"}) {
        const derivation::LineReport line = judged(file + "claim A^" + exponent + " A = I\n");
        BOOST_TEST(verdict_of(line) == "ill-formed", exponent);
        BOOST_TEST(line.reason.find(only) != std::string::npos, exponent << ": " << line.reason);
    }
    // Entry by entry, as `*` is.
    for (const std::string line :
         {"P^(1/2) = sqrt(P)", "P^2 = P * P", "A^(4/2) = A * A", "A^two = A * A", "A^(-1*(-2)) = A * A",
          "P^q * P = P^(q + 1)", "d(sum(P^q))/dP = q * P^(q - 1)", "(A^(1 - 2))^T = A^{-T}", "(A^T)^(1 - 2) = A^-T",
          "(A^(1 - 2))^(1 - 2) = A", "(A^(1 - 2))^2 = A^-1 * A^-1", "tr(A^(1 - 2) A) = size(i)",
          "det(A^(-(-(-1)*1))) = 1/det(A)", "a^(1 - 2) = 1/a", "F^1 = F"})
        BOOST_TEST(verdict_of(judged(file + "claim " + line + "\n")) == "holds",
                   line << judged(file + "claim " + line + "\n").reason);
    BOOST_TEST(verdict_of(judged(file + "claim (A^(1 - 2))[i,j] = (A^-1)[i,j]\n")) == "holds");
    BOOST_TEST(verdict_of(judged(file + "claim F^(1 - 2) = F\n")) == "ill-formed");
    for (const std::string transposed : {"A^(-1)^T", "A^-1^T", "A^{-1}^T", "A^(-1).T", "A^(-1)'", "A^2^T", "A^{-1 T}"})
        BOOST_TEST(verdict_of(judged(file + "claim " + transposed + " = A^{-T}\n")) == "ill-formed", transposed);
}

// dL = tr(G^T dX) is dL/dX = G.
BOOST_AUTO_TEST_CASE(differentials) {
    const std::string file = declarations + R"(
let L = a^T A^{-1} b
let Z = A B
let J = tr(Z Z)
let K = ||F x - c||^2 * t
)";
    const std::vector<std::pair<const char*, const char*>> lines = {
        {"dL = -a^T A^{-1} dA A^{-1} b", "holds"},
        {"dL = -tr(A^{-1} b a^T A^{-1} dA)", "holds"},
        {"dL = tr(A^{-1} b a^T A^{-1} dA)", "wrong"},
        {"dL = -tr(A^{-1} a b^T A^{-1} dA)", "wrong"},
        {"dL = da^T A^{-1} b + a^T A^{-1} db", "holds"},
        {"dL = da^T A^{-1} b + a^T A^{-1} db - a^T A^{-1} dA A^{-1} b", "holds"},
        {"dL = da^T A^{-1} b + a^T A^{-1} db + 1", "wrong"},
        {"dJ = 2 * tr(Z dZ)", "holds"},
        {"dJ = 2 * tr(B Z dA)", "holds"},
        {"dJ = 2 * tr(Z B dA)", "wrong"},
        {"dK = 2 t (F x - c)^T F dx", "holds"},
        {"dK = 2 t (F x - c)^T dF x + ||F x - c||^2 dt", "holds"},
        {"dK = 2 (F x - c)^T F dx", "wrong"},
        {"d(A^{-1}) = -A^{-1} dA A^{-1}", "holds"},
        {"d(A^{-1}) = A^{-1} dA A^{-1}", "wrong"},
        {"d(A B) = dA B + A dB", "holds"},
        {"d(A B) = dA B + dB A", "wrong"},
        {"d(X^T X) = dX^T X + X^T dX", "holds"},
        {"d(X^T X) = 2 X^T dX", "wrong"},
        {"d det(X) = det(X) tr(X^{-1} dX)", "holds"},
        {"d logdet(X) = tr(X^{-1} dX)", "holds"},
        {"dlogdet(X) = tr(X dX)", "wrong"},
        {"dK = sum(i, dK/dx[i] * dx[i])", "holds"},
        {"dL = 0", "ill-formed"},
    };
    for (const auto& [line, verdict] : lines)
        BOOST_TEST(verdict_of(judged(file + "claim " + line + "\n")) == verdict, line);
    const derivation::LineReport zero = judged(file + "claim dL = tr(dB X)\n");
    BOOST_TEST(zero.mistake == "not-zero");
    BOOST_TEST(zero.repair.empty());
    // A name that is declared below wins from there on, and derivatives are what they were.
    BOOST_TEST(verdict_of(judged(
                   file + "claim dL = -a^T A^{-1} dA A^{-1} b\ngiven dA\nclaim d(dA^2)/ddA = 2 * dA\n")) == "holds");
    BOOST_TEST(verdict_of(judged(file + "claim dL = -a^T A^{-1} dA A^{-1} b\nclaim dL/dA = -A^{-T} a b^T A^{-T}\n")) ==
               "holds");
}

// Bars around a square matrix are a determinant or entry by entry: where that is open it is asked.
BOOST_AUTO_TEST_CASE(bars) {
    BOOST_TEST(verdict_of(judged(declarations + "claim log|S| = logdet(S)\n")) == "holds");
    BOOST_TEST(verdict_of(judged(declarations + "claim log(|S + t I|) = logdet(S + t I)\n")) == "holds");
    BOOST_TEST(verdict_of(judged(declarations + "claim sum(|A|) = sum(abs(A))\n")) == "holds");
    BOOST_TEST(verdict_of(judged(declarations + "claim |A| = det(A)\n")) == "ill-formed");
    BOOST_TEST(verdict_of(judged(declarations + "claim |F| = abs(F)\n")) == "holds");
}

// One derivative is not taken for another whose formula differs in the places of summed letters alone.
BOOST_AUTO_TEST_CASE(derivatives_of_formulas_are_told_apart) {
    const std::vector<std::pair<const char*, const char*>> lines = {
        {"d(sum(i, j, A[i,j] * C[i,j]))/dA[k,l] = C[k,l]", "holds"},
        {"d(sum(i, j, A[i,j] * C[j,i]))/dA[k,l] = C[l,k]", "holds"},
        {"d(sum(i, j, A[i,j] * C[j,i]))/dA[k,l] = C[k,l]", "wrong"},
        {"d(sum(i, j, A[i,j] * C[i,j]))/dA[k,l] = d(sum(i, j, A[i,j] * C[j,i]))/dA[k,l]", "wrong"},
        {"d(sum(i, a[i] * x[i]^2) * sum(j, x[j]))/dx[k] = d(sum(i, a[i] * x[i] * sum(j, x[j]^2)))/dx[k]", "wrong"},
        {"d(sum((A^T)^-1 * C))/dA = -A^-T C^T A^-T", "holds"},
        {"d(sum(A^-1 * C))/dA = -A^-T C A^-T", "holds"},
        {"d(sum(A^-T * C))/dA = -A^-T C^T A^-T", "holds"},
        {"d(sum((A^T)^-1 * C))/dA = d(sum(A^-1 * C))/dA", "wrong"},
        {"d(sum((A^T)^-1 * C))/dA = d(sum(A^-T * C))/dA", "holds"},
        {"d(t^2 * tr(I_m))/dt = 8 * t", "holds"},
        {"d(t^2 * tr(I_i))/dt = 6 * t", "holds"},
        {"d2(sum(i, j, A[i,j]^2 * C[j,i]))/(dA[k,l] dA[k,l]) = 2 * C[l,k]", "holds"},
        {"d2(sum(i, j, A[i,j]^2 * C[i,j]))/(dA[k,l] dA[k,l]) = 2 * C[l,k]", "wrong"},
    };
    std::string text = declarations;
    for (const auto& [line, verdict] : lines) text += std::string("claim ") + line + "\n";
    const derivation::Report report = check_file(text);
    BOOST_REQUIRE(report.lines.size() == lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i)
        BOOST_TEST(verdict_of(report.lines[i]) == lines[i].second, lines[i].first << ": " << report.lines[i].reason);
}

// Beyond this size a claim is undecided.
BOOST_AUTO_TEST_CASE(large_matrices) {
    const std::string file = "index p, q = 30\ngiven A[p,q] invertible\n";
    BOOST_TEST(verdict_of(judged(file + "claim det(A) = 1\n")) == "undecided");
}
