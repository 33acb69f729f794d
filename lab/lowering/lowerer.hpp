// Lets become operations on arrays, which have a letter for each of their axes.
#pragma once

#include <algorithm>
#include <derivation/resolve/dependence.hpp>
#include <derivation/truth/letters.hpp>
#include <lab/lowering/written.hpp>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace lab::lowering {

using derivation::Expression;
using derivation::Index;
using derivation::IndexTerm;
using derivation::Joint;
using derivation::Kind;
using derivation::Model;
using derivation::Quantity;
using derivation::Role;
using Letters = std::vector<int>;

inline bool is_among(const Letters& letters, int one) { return std::ranges::find(letters, one) != letters.end(); }

inline Letters without(Letters letters, const Letters& others) {
    std::erase_if(letters, [&](int one) { return is_among(others, one); });
    return letters;
}

/// An array on the tape with a letter for each of its axes, or a number that is none yet.
struct Value {
    std::optional<Variable> node;
    double number = 0;
    Letters axes;

    bool is_number() const { return !node; }
};

inline Value number(double x) { return {{}, x, {}}; }

/// What a definition refers to within its circle of definitions that use each other.
struct Recurrence {
    std::set<int> ranges;         ///< along which it goes
    bool entry_by_entry = false;  ///< where a sum runs over earlier entries
};

/// The nodes where some quantities are held fixed, as derivatives ask for it; most often none are.
struct Version {
    Letters held;
    std::map<int, Variable> arrays;
    std::map<std::pair<int, Letters>, Variable> steps;
};

class Lowerer {
  public:
    Lowerer(const derivation::Derivation& derivation, const derivation::Point& point);

    Lowering run(const std::vector<int>& left_out);

  private:
    autograd::Tape<double>& tape() { return *result_.tape; }
    Variable constant(const Array<double>& value, const std::string& name = "") {
        return {tape().constant(value, name), &result_.codes, {}};
    }
    Variable constant(double value) { return {tape().constant(value), &result_.codes, {}}; }
    Variable variable(const Array<double>& value, const std::string& name) {
        return {tape().variable(value, name), &result_.codes, {}};
    }
    std::size_t size_of(int letter) const { return static_cast<std::size_t>(model_.range_of(letter).size); }
    Shape shape_of(const Letters& axes) const {
        Shape shape;
        for (const int one : axes) shape.push_back(size_of(one));
        return shape;
    }

    // ---- what is known of nodes

    std::size_t line_of(int q) const { return derivation_.source.position(model_.quantity(q).span.begin).line; }

    /// Of whole arrays, the letters that their ranges were declared with.
    std::vector<std::string> names_of(const Letters& axes) const;

    /// The node has these letters, where it has none yet.
    Value noted(const Variable& node, Letters axes);
    /// The same where the nodes from this one on are elementwise: those of its shape have its letters.
    Value noted_since(std::size_t from, const Variable& node, const Letters& axes);

    /// The nodes from this one on belong to this quantity, where they do to none yet.
    void belongs(std::size_t from, int q);
    /// The nodes from this one on are a walk back that is recorded.
    void is_backward(std::size_t from);

    // ---- names

    /// The array of a quantity.
    Variable array(int q);

    /// Whether some line or definition takes a derivative by it.
    bool is_differentiated_by(int q) const;

    Array<double> numbers_of(int q) const;

    /// A definition where its other letters are fixed.
    Variable definition(int q, const Letters& letters, const std::string& name);

    // ---- recurrences: h[t] by h[t-1]

    bool use_each_other(int a, int b) const { return depends_on(model_, a, b) && depends_on(model_, b, a); }

    /// Calls visit(index, its range, the letters of the left side) for the indices with which the definitions that use
    /// each other, q among them, do so.
    template <class Visit>
    void each_index_of_circle(int q, Visit visit) const {
        for (int other = 0; other < model_.count(); ++other) {
            if (!use_each_other(q, other)) continue;
            any_part(model_.quantity(other).definition, [&](const Expression& e) {
                if (e.kind == Kind::entry && e.symbol && use_each_other(q, *e.symbol))
                    for (std::size_t axis = 0; axis < e.indices.size(); ++axis)
                        visit(e.indices[axis], model_.quantity(e).ranges[axis], model_.quantity(other).letters);
                return false;
            });
        }
    }

    Recurrence recurrence_of(int q) const;
    /// Whether the recurrence goes along the axis.
    bool is_step(int q, std::size_t axis) const;

    /// The letters of the axes along which a recurrence goes, and those of the rest.
    std::pair<Letters, Letters> split(int q) const;

    /// Its array where the letters along which it goes have these values, and all of them as one array.
    Variable step(int q, const Letters& values);
    Variable array_of_steps(int q);
    void describe(LoweredLet& let) const;

    static int& value_of(Letters& letters, int letter) { return letters[static_cast<std::size_t>(letter)]; }
    static int value_of(const Letters& letters, int letter) { return letters[static_cast<std::size_t>(letter)]; }
    Letters values_of(const Letters& letters) const {
        Letters values;
        for (const int letter : letters) values.push_back(value_of(fixed_, letter));
        return values;
    }
    bool is_fixed(int letter) const { return value_of(fixed_, letter) >= 0; }

    /// Calls body() with the letters at each of their values, the last fastest.
    template <class Body>
    void each(const Letters& letters, Body body) {
        const Letters before = fixed_;
        std::size_t count = 1;
        for (const int one : letters) count *= size_of(one);
        for (std::size_t i = 0; i < count; ++i) {
            std::size_t rest = i;
            for (std::size_t k = letters.size(); k-- > 0;) {
                value_of(fixed_, letters[k]) = static_cast<int>(rest % size_of(letters[k]));
                rest /= size_of(letters[k]);
            }
            body();
        }
        fixed_ = before;
    }

    /// What body() gives at each of the letters' values, as one array.
    template <class Body>
    Value stacked(const Letters& letters, Body body) {
        if (letters.empty()) return body();
        std::vector<Value> parts;
        each(letters, [&] { parts.push_back(body()); });
        Letters inner;
        for (const Value& part : parts)
            for (const int axis : part.axes)
                if (!is_among(inner, axis)) inner.push_back(axis);
        std::vector<Variable> nodes;
        for (Value& part : parts) nodes.push_back(as_node(spread(std::move(part), inner)));
        Letters axes = letters;
        axes.insert(axes.end(), inner.begin(), inner.end());
        Variable all = stack(nodes);
        if (letters.size() > 1) all = reshape(all, shape_of(axes));
        return noted(all, axes);
    }

    // ---- arrays and their axes

    Variable as_node(const Value& value) { return value.node ? *value.node : constant(value.number); }

    /// The same with its axes in this order.
    Value arranged(const Value& value, const Letters& axes);

    /// Those of the axes, in this order.
    static Letters those_of(const Letters& order, const Letters& axes);

    /// The node with its axes in this order, and 1 in the place of those that it lacks behind its first.
    Variable aligned(const Value& value, const Letters& axes);

    /// The same with exactly these axes.
    Value spread(Value value, const Letters& axes);

    /// The axes of both, in the order that needs the fewest moves.
    Letters joined(const Letters& a, const Letters& b) const;
    /// Where a letter stands on the left side.
    std::size_t rank(int axis) const;

    /// An elementwise operation on two, and on one.
    template <class Operation>
    Value together(const Value& a, const Value& b, Operation operation) {
        const Letters axes = joined(a.axes, b.axes);
        const std::size_t from = tape().size();
        const Variable x = aligned(a, axes), y = aligned(b, axes);
        return noted_since(from, operation(x, y), axes);
    }
    template <class Operation>
    Value alone(const Value& a, Operation operation) {
        const std::size_t from = tape().size();
        return noted_since(from, operation(*a.node), a.axes);
    }

    Value plus(const Value& a, const Value& b, bool minus);
    Value negative(const Value& a);
    Value times(const Value& a, const Value& b);
    Value over(const Value& a, const Value& b);

    // ---- formulas

    /// The letters of a formula that are bound neither in it nor fixed.
    Letters free_of(const Expression& e) const;

    /// The formula, over the letters that are free in it and not fixed.
    Value record(const Expression& e);

    /// Whether it has the same numbers at every point: it is made of letters and numbers.
    static bool is_of_letters(const Expression& e);
    double number_of_letters(const Expression& e) const;
    Value of_letters(const Expression& e);

    Value entry(const Expression& e);

    /// The place that an index means, where all of its letters are fixed.
    std::optional<int> number_of(const Index& index) const;

    /// The entries of an array where its indices say, 0 where they leave it.
    Value indexed(Variable x, const Letters& ranges, const std::vector<Index>& indices);

    // ---- products and sums

    struct Factor {  // none where it was taken with another one
        const Expression* e;
        bool divides;
    };

    void add_factors(const Expression& e, bool divides, std::vector<Factor>& factors) const;
    static std::vector<Factor> factors_of_one(const Expression& e);

    /// Of exp(z[k]) / sum(n, exp(z[n])) the letter k, where these are all factors.
    std::optional<int> softmax_of(const std::vector<Factor>& factors) const;
    std::optional<int> softmax_letter(const Expression& above, const Expression& below) const;

    Value product(std::vector<Factor> factors);

    /// A sum of products over letters, by products of matrices where it is one.
    Value sum_of_products(const Expression& body, const Letters& letters);

    /// Takes one letter, or several at once, out of a product.
    void sum_out(std::vector<Value>& values, Letters& left);

    template <class Reduction>
    Value reduced(const Value& x, const Letters& letters, Reduction reduction) {
        Axes axes;
        for (std::size_t axis = 0; axis < x.axes.size(); ++axis)
            if (is_among(letters, x.axes[axis])) axes.push_back(static_cast<std::ptrdiff_t>(axis));
        return noted(reduction(*x.node, axes), without(x.axes, letters));
    }

    /// The sum over a letter of a product of two, where it is one of vectors, matrices or stacks of them.
    std::optional<Value> matrix_product(const Value& a, const Value& b, int letter);

    Value reduce(const Expression& e);

    /// The same one term after the other.
    Value expanded(const Expression& e);

    // ---- functions

    Value power(const Expression& e);
    Value call(const Expression& e);
    Value comparison(const Expression& e);
    Value of_matrix(const Expression& e);

    // ---- derivatives within lets: what the backward pass gives, recorded

    Value derivative(const Expression& e);
    Version& version_holding(const Letters& held);
    /// Of a number by an entry or several; by a whole array, where it depends on one.
    Value gradient(const Value& y, const Expression& by);
    std::optional<Variable> gradient_by_array(const Variable& y, int q);

    const derivation::Derivation& derivation_;
    const Model& model_;
    const derivation::Point& point_;
    Letters fixed_;                      ///< the values of letters that have one, else -1
    Letters order_;                      ///< the letters of the left side
    bool expands_ = false;               ///< sums go term by term
    std::size_t open_ = 0;               ///< definitions within definitions
    int definition_ = -1;                ///< the innermost of them
    std::map<int, Letters> one_by_one_;  ///< of definitions, the letters whose entries are walked back from one by one
    std::map<Letters, Version> versions_;
    Version* version_;
    std::map<int, Recurrence> recurrences_;
    std::map<std::tuple<Version*, std::uint32_t, int>, std::optional<Variable>> gradients_;
    std::map<std::uint32_t, Variable> inverses_;  ///< of the nodes that have one already
    Lowering result_;
};

}  // namespace lab::lowering
