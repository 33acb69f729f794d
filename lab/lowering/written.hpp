// The operations that lets become: each records a node, and notes the C++ that records it.
#pragma once

#include <autograd/grad.hpp>
#include <autograd/operations.hpp>
#include <derivation/truth/curve.hpp>
#include <lab/lowering.hpp>
#include <string>
#include <vector>

namespace lab::lowering {

using autograd::Array;
using autograd::Axes;
using autograd::Indices;
using autograd::Shape;

/// A node, and where the C++ of all nodes is noted; nowhere for one that was not made by what stands below.
class Variable : public autograd::Variable<double> {
  public:
    Variable() = default;
    Variable(const autograd::Variable<double>& node) : autograd::Variable<double>(node) {}
    Variable(const autograd::Variable<double>& node, Codes* codes, Code code)
        : autograd::Variable<double>(node), codes_(codes) {
        if (codes_ == nullptr) return;
        if (codes_->size() <= index()) codes_->resize(index() + 1);
        if ((*codes_)[index()].text.empty()) (*codes_)[index()] = std::move(code);
    }
    Codes* codes() const { return codes_; }

  private:
    Codes* codes_ = nullptr;
};

// Operators and functions of autograd/operations.hpp, under their names.
Variable operator+(const Variable& x, const Variable& y);
Variable operator-(const Variable& x, const Variable& y);
Variable operator*(const Variable& x, const Variable& y);
Variable operator/(const Variable& x, const Variable& y);
Variable operator+(const Variable& x, double c);
Variable operator*(const Variable& x, double c);
Variable operator/(const Variable& x, double c);
Variable operator-(double c, const Variable& x);
Variable operator/(double c, const Variable& x);
Variable operator-(const Variable& x);
Variable pow(const Variable& x, const Variable& y);
Variable pow(const Variable& x, double c);
Variable maximum(const Variable& x, const Variable& y);
Variable minimum(const Variable& x, const Variable& y);
Variable log(const Variable& x);
Variable abs(const Variable& x);
Variable sum(const Variable& x);
Variable mean(const Variable& x);
Variable prod(const Variable& x);
Variable amax(const Variable& x);
Variable amin(const Variable& x);
Variable sum(const Variable& x, const Axes& axes);
Variable mean(const Variable& x, const Axes& axes);
Variable prod(const Variable& x, const Axes& axes);
Variable amax(const Variable& x, const Axes& axes);
Variable amin(const Variable& x, const Axes& axes);
Variable logsumexp(const Variable& x, const Axes& axes);
Variable softmax(const Variable& x, std::ptrdiff_t axis);
Variable transpose(const Variable& x, const Axes& axes = {});
Variable reshape(const Variable& x, const Shape& shape);
Variable broadcast_to(const Variable& x, const Shape& shape);
Variable pad(const Variable& x, std::ptrdiff_t axis, std::ptrdiff_t before, std::ptrdiff_t after);
Variable take(const Variable& x, const Indices& indices, std::ptrdiff_t axis = 0);
Variable stack(const std::vector<Variable>& parts);
Variable where(const Variable& mask, const Variable& x, const Variable& y);
Variable matmul(const Variable& x, const Variable& y);
Variable det(const Variable& x);
Variable logdet(const Variable& x);
Variable inverse(const Variable& x);
Variable grad(const Variable& y, const Variable& x);
std::vector<Variable> grad(const Variable& y, const std::vector<Variable>& xs);
/// 1 where x and y, of one shape, compare as the bracket [x > y] says, else 0: a constant. Its name is what is written.
Variable bracket(const derivation::Expression& comparison, const Variable& x, const Variable& y);
/// A leaf with the numbers of x: a constant, or a variable.
Variable held(const Variable& x, const std::string& name);
Variable computed_variable(const Variable& x, const std::string& name);
Variable derivative_at(const derivation::Curve& f, int order, const Variable& x);

/// The product of a matrix and a column, or of a row and a matrix, as one node.
Variable times_column(const Variable& w, const Variable& x);
Variable row_times(const Variable& x, const Variable& w);

}  // namespace lab::lowering
