// The operations that are measured, each as a formula on the tape and as plain loops.
#pragma once

#include <autograd/operations.hpp>
#include <autograd/tape.hpp>
#include <bench/loops.hpp>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

/// Matrices have this many columns.
inline constexpr std::size_t columns = 100;

/// Where an operation's numbers lie, and the shape that an input has for n elements.
enum class Domain { any, positive };
enum class Form { vector, matrix, row, column };

struct Input {
    Domain domain = Domain::any;
    Form form = Form::vector;
};

/// What the operations on n elements work on; made once, for all sides and operations.
struct Data {
    explicit Data(std::size_t n);

    /// Two inputs of one kind have different numbers.
    const autograd::Parameter<float>& input(Input input, std::size_t position);
    /// The adjoint of the result.
    const autograd::Array<float>& seed(const autograd::Shape& shape);

    std::size_t n, rows;
    autograd::Array<float> mask;           ///< (n,), of 0 and 1
    autograd::Indices row_indices;         ///< (rows,), repeated ones among them
    autograd::Indices column_indices;      ///< (rows, columns)
    Buffer<float> z;                       ///< the loops' result,
    std::vector<Buffer<float>> gradients;  ///< their gradients,
    Buffer<float> kept;                    ///< and a number per row that forward keeps for backward
    autograd::Tape<float> tape;

  private:
    autograd::Shape shape_of(Form form) const;

    std::map<std::tuple<Domain, Form, std::size_t>, autograd::Parameter<float>> inputs_;
    std::map<std::vector<std::size_t>, autograd::Array<float>> seeds_;
};

/// What plain loops read and write.
struct Memory {
    const Data& data;
    std::size_t n = data.n, rows = data.rows;
    std::vector<const float*> x = {};
    const float* zbar = nullptr;
    float* z = nullptr;
    std::vector<float*> xbar = {};
    float* kept = nullptr;
};
using Loop = std::function<void(const Memory&)>;

struct Operation {
    using Variables = std::vector<autograd::Variable<float>>;

    std::string name;
    std::vector<Input> inputs;
    std::function<autograd::Variable<float>(const Variables& x, const Data& data)> record;
    Loop forward, backward;  ///< backward reads what forward wrote
};

/// All of them, a row each.
const std::vector<Operation>& operations();

/// One way to do an operation.
struct OperationSide {
    virtual ~OperationSide() = default;
    virtual void forward() = 0;
    virtual void forward_and_backward() = 0;
    /// The last run's result, and behind it the gradients where there was a backward pass.
    virtual std::vector<std::span<const float>> results() const = 0;
};

/// Where libtorch was found. Inputs need not outlive it, but data must.
std::unique_ptr<OperationSide> operation_by_torch(const std::string& name,
                                                  std::span<const autograd::Parameter<float>> inputs, Data& data);
