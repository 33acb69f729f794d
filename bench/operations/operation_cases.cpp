// Times each operation on 1e3 to 1e7 numbers: plain loops, the tape, and libtorch.
#include <fmt/format.h>

#include <bench/measurements.hpp>
#include <bench/operations/measured_operations.hpp>
#include <cmath>
#include <optional>
#include <random>

Data::Data(std::size_t count)
    : n(count),
      rows(count / columns),
      mask(autograd::Array<float>::from_shape({n})),
      row_indices(autograd::Indices::from_shape({rows})),
      column_indices(autograd::Indices::from_shape({rows, columns})) {
    std::mt19937 engine(1);
    for (float& value : mask) value = static_cast<float>(engine() & 1);
    for (auto& index : row_indices) index = static_cast<std::int64_t>(engine() % rows);
    for (auto& index : column_indices) index = static_cast<std::int64_t>(engine() % columns);
}

autograd::Shape Data::shape_of(Form form) const {
    switch (form) {
        case Form::vector:
            return {n};
        case Form::matrix:
            return {rows, columns};
        case Form::row:
            return {columns};
        case Form::column:
            break;
    }
    return {rows, 1};
}

const autograd::Parameter<float>& Data::input(Input input, std::size_t position) {
    autograd::Parameter<float>& found = inputs_[{input.domain, input.form, position}];
    if (found.value().dimension() > 0) return found;
    auto values = autograd::Array<float>::from_shape(shape_of(input.form));
    std::mt19937 engine(static_cast<std::uint32_t>(2 + position));
    const bool positive = input.domain == Domain::positive;
    std::uniform_real_distribution<float> numbers(positive ? 0.5f : -2.f, positive ? 1.5f : 2.f);
    for (float& value : values) value = numbers(engine);
    return found = autograd::Parameter<float>(fmt::format("x{}", position), std::move(values));
}

const autograd::Array<float>& Data::seed(const autograd::Shape& shape) {
    autograd::Array<float>& found = seeds_[std::vector(shape.begin(), shape.end())];
    if (found.size() == autograd::size_of(shape) && found.dimension() == shape.size()) return found;
    found.resize(shape);
    std::mt19937 engine(7);
    std::uniform_real_distribution<float> numbers(0.5f, 1.5f);
    for (float& value : found) value = numbers(engine);
    return found;
}

namespace {

std::vector<autograd::Parameter<float>> inputs_of(const Operation& operation, Data& data) {
    std::vector<autograd::Parameter<float>> inputs;
    for (const Input& input : operation.inputs) inputs.push_back(data.input(input, inputs.size()));
    return inputs;
}

autograd::Shape result_shape(const Operation& operation, Data& data) {
    data.tape.rewind();
    Operation::Variables x;
    for (const auto& input : inputs_of(operation, data)) x.push_back(data.tape.watch(input));
    return operation.record(x, data).shape();
}

class ByTape : public OperationSide {
  public:
    ByTape(const Operation& operation, Data& data)
        : operation_(operation),
          data_(data),
          inputs_(inputs_of(operation, data)),
          x_(inputs_.size()),
          seed_(data.seed(result_shape(operation, data))) {}
    void forward() override {
        data_.tape.rewind();
        for (std::size_t i = 0; i < x_.size(); ++i) x_[i] = data_.tape.watch(inputs_[i]);
        z_ = operation_.record(x_, data_);
    }
    void forward_and_backward() override {
        forward();
        gradients_.reset();  // its buffers are the next ones
        gradients_.emplace(data_.tape.backward(z_, seed_));
    }
    std::vector<std::span<const float>> results() const override {
        std::vector<std::span<const float>> all = {{z_.value().data(), z_.size()}};
        if (gradients_)
            for (const auto& x : inputs_) all.emplace_back((*gradients_)[x].data(), x.value().size());
        return all;
    }

  private:
    const Operation& operation_;
    Data& data_;
    std::vector<autograd::Parameter<float>> inputs_;
    Operation::Variables x_;
    autograd::Variable<float> z_;
    const autograd::Array<float>& seed_;
    std::optional<autograd::Gradients<float>> gradients_;
};

class ByLoops : public OperationSide {
  public:
    ByLoops(const Operation& operation, Data& data) : operation_(operation), memory_{data} {
        const auto reserve = [](Buffer<float>& buffer, std::size_t size) {
            if (buffer.size() < size) buffer.resize(size);
            return buffer.data();
        };
        const autograd::Shape shape = result_shape(operation, data);
        memory_.zbar = data.seed(shape).data();
        memory_.z = reserve(data.z, size_ = autograd::size_of(shape));
        memory_.kept = reserve(data.kept, data.rows);
        for (const auto& input : inputs_of(operation, data)) {
            const std::size_t i = memory_.x.size();
            if (data.gradients.size() <= i) data.gradients.resize(i + 1);
            memory_.x.push_back(input.value().data());
            memory_.xbar.push_back(reserve(data.gradients[i], input.value().size()));
            sizes_.push_back(input.value().size());
        }
    }
    void forward() override { operation_.forward(memory_); }
    void forward_and_backward() override {
        operation_.forward(memory_);
        operation_.backward(memory_);
    }
    std::vector<std::span<const float>> results() const override {
        std::vector<std::span<const float>> all = {{memory_.z, size_}};
        for (std::size_t i = 0; i < sizes_.size(); ++i) all.emplace_back(memory_.xbar[i], sizes_[i]);
        return all;
    }

  private:
    const Operation& operation_;
    Memory memory_;
    std::size_t size_;
    std::vector<std::size_t> sizes_;
};

enum Pass { forward, forward_and_backward };

void run(OperationSide& side, Pass pass) {
    if (pass == forward)
        side.forward();
    else
        side.forward_and_backward();
}

/// One operation on n numbers. Numbers and sides are made when they are needed: all of them at once would not fit.
class OperationCase {
  public:
    using MakeSide = std::unique_ptr<OperationSide> (*)(const Operation&, Data&);

    OperationCase(const Operation& operation, std::size_t n, std::span<const MakeSide> sides)
        : operation_(operation), n_(n), sides_(sides) {}

    void time(benchmark::State& state, MakeSide make, Pass pass) {
        use_threads(1);
        if (!complaint_) complaint_ = compare();
        if (!complaint_->empty()) return fail(state, *complaint_);
        const auto side = make(operation_, data());
        for (int i = 0; i < 2; ++i) run(*side, pass);  // memory is there, and numbers in the caches that hold them
        for (auto _ : state) run(*side, pass);
        state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n_));
    }

  private:
    Data& data() const {
        static std::map<std::size_t, std::unique_ptr<Data>> all;
        std::unique_ptr<Data>& found = all[n_];
        if (found == nullptr) found = std::make_unique<Data>(n_);
        return *found;
    }

    /// Nothing where the sides agree.
    std::string compare() const {
        const auto first = sides_.front()(operation_, data());
        first->forward_and_backward();
        const auto expected = first->results();
        for (MakeSide make : sides_.subspan(1)) {
            const auto other = make(operation_, data());
            other->forward_and_backward();
            const auto results = other->results();
            for (std::size_t k = 0; k < expected.size(); ++k) {
                if (results.at(k).size() != expected[k].size()) return "the sides' results differ in size";
                for (std::size_t i = 0; i < expected[k].size(); ++i) {
                    const float x = expected[k][i], y = results[k][i];
                    if (!(std::abs(x - y) <= 1e-4f * (1 + std::abs(x))))
                        return fmt::format("the sides give {} and {} for number {} of {}", x, y, i,
                                           k == 0 ? "the result" : fmt::format("gradient {}", k));
                }
            }
        }
        return {};
    }

    const Operation& operation_;
    std::size_t n_;
    std::span<const MakeSide> sides_;
    std::optional<std::string> complaint_;
};

template <class S>
std::unique_ptr<OperationSide> make_side(const Operation& operation, Data& data) {
    return std::make_unique<S>(operation, data);
}
#ifdef DELTARULE_BENCH_TORCH
std::unique_ptr<OperationSide> make_torch_side(const Operation& operation, Data& data) {
    return operation_by_torch(operation.name, inputs_of(operation, data), data);
}
#endif

}  // namespace

void register_operations() {
    static constexpr OperationCase::MakeSide sides[] = {
        make_side<ByLoops>,
        make_side<ByTape>,
#ifdef DELTARULE_BENCH_TORCH
        make_torch_side,
#endif
    };
    constexpr const char* names[] = {"plain loop", "deltarule", "libtorch"};
    for (const Operation& operation : operations())
        for (const auto& [n, size] : {std::pair(1'000, "1e3"), std::pair(10'000, "1e4"), std::pair(100'000, "1e5"),
                                      std::pair(1'000'000, "1e6"), std::pair(10'000'000, "1e7")}) {
            const auto c = std::make_shared<OperationCase>(operation, n, sides);
            for (Pass pass : {forward, forward_and_backward})
                for (std::size_t k = 0; k < std::size(sides); ++k)
                    benchmark::RegisterBenchmark(
                        fmt::format("operation: {}, {}, {}/{}", operation.name, size,
                                    pass == forward ? "forward" : "forward and backward", names[k])
                            .c_str(),
                        [c, pass, make = sides[k]](benchmark::State& state) { c->time(state, make, pass); });
        }
}
