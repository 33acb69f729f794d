// Arrays of different shapes walked in step, as NumPy broadcasts them: row by row, along which each moves with the
// result, or repeats one element.
#pragma once

#include <autograd/array.hpp>

namespace autograd::kernels {

/// How far rows lie apart, one number for each operand; with room for four axes of four.
using Steps = xt::svector<std::size_t, 16>;
template <class T>
using RowStarts = xt::svector<const T*, 8>;  ///< where a row begins: one place for each operand

/// Several arrays walked in step: `operands` broadcast to `shape`. Neighbouring axes along which each operand moves, or
/// repeats, throughout are one. The innermost of what is left is a row, and rows make planes.
class BroadcastWalk {
  public:
    BroadcastWalk(ShapeView shape, std::span<const ShapeView> operands);

    std::size_t planes() const { return planes_; }
    std::size_t rows() const { return lengths_[1]; }
    std::size_t row_length() const { return lengths_[0]; }
    /// Whether an operand moves along a row, or repeats an element.
    bool moves(std::size_t operand) const { return strides_[operand] != 0; }
    /// How far an operand's rows lie apart, and where its current plane begins.
    std::size_t step(std::size_t operand) const { return strides_[operands_ + operand]; }
    std::size_t offset(std::size_t operand) const { return offsets_[operand]; }
    void next_plane();

  private:
    std::size_t operands_, planes_ = 1;
    Steps lengths_, strides_, position_, offsets_;  // axes innermost first; strides axis by axis
};

/// The rows of an expression, whatever its type.
template <class T>
struct ExpressionRows {
    const void* expression;
    std::span<const T*> data;     ///< where its arrays begin
    std::span<ShapeView> shapes;  ///< theirs, and behind them a place for the result's
    bool is_array;                ///< the expression is an array

    /// z = values, or z += values, for rows of n numbers that lie `steps` apart. An array that does not move `along` a
    /// row repeats one element; all of them move where `along` is null.
    void (*write)(const void* expression, T* z, const T* const* row, std::size_t n, bool accumulate, const bool* along,
                  std::size_t rows, const std::size_t* steps);

    /// The same for one row that holds all numbers.
    void write_row(T* z, std::size_t n, bool accumulate, const bool* along = nullptr) const {
        write(expression, z, data.data(), n, accumulate, along, 1, nullptr);
    }
};

/// Writes an expression of shape `shape` to z, whose shape `kept` has a 1 on every axis that is to be summed, or adds
/// it, row by row.
template <class T>
void evaluate_rows(T* z, ShapeView kept, ShapeView shape, const ExpressionRows<T>& expression, bool accumulate);

/// How many rows of the shape `kept` there are where it has a 1 on some leading axes of `shape` and is equal to it
/// behind them; 0 where it is another shape.
std::size_t leading_rows(ShapeView kept, ShapeView shape);

}  // namespace autograd::kernels
