// Layers that go through sequences step by step: x is (n, steps, features), one sequence a row.
#pragma once

#include <autograd/array.hpp>
#include <autograd/parameter.hpp>
#include <autograd/variable.hpp>
#include <optional>
#include <random>
#include <vector>

namespace nn {

struct RecurrentOptions {
    std::size_t layers = 1;      ///< each goes through the outputs of the one before
    bool bidirectional = false;  ///< a second one goes from the end to the beginning; the outputs stand side by side
    bool bias = true;
};

/// What is known after a step, or before the first: h, and c of an `Lstm`, each (layers * directions, n, hidden), the
/// directions of a layer side by side. `cell` of others is none.
template <class T>
struct RecurrentState {
    autograd::Variable<T> hidden, cell;
};

/// The outputs of the last layer, (n, steps, directions * hidden), and what is known at the end of each sequence.
template <class T>
struct Recurrence {
    autograd::Variable<T> output;
    RecurrentState<T> state;
};

/// What `Rnn`, `Gru` and `Lstm` have in common. Each layer and direction has `weight_ih_l0` (gates * hidden, in),
/// `weight_hh_l0` (gates * hidden, hidden), `bias_ih_l0` and `bias_hh_l0`, with the layer's number and `_reverse` for
/// the second direction; all start uniformly in ±1 / sqrt(hidden). Copies share them.
///
/// Sequences of different lengths are filled up to the longest, with any numbers or NaN: what stands behind a
/// sequence's length changes no result, and there its outputs are 0.
template <class T>
class Recurrent {
  public:
    virtual ~Recurrent() = default;

    /// The outputs, (n, steps, directions * hidden).
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const { return run(x).output; }

    /// The outputs and the states at the end, from a state on: `lengths` (n,) are the sequences'. Throws
    /// `std::invalid_argument` where shapes do not fit, and `std::out_of_range` for a length that is not from 0 to the
    /// number of steps.
    Recurrence<T> run(const autograd::Variable<T>& x, const std::optional<autograd::Indices>& lengths = {},
                      const std::optional<RecurrentState<T>>& start = {}) const;

    /// By layer and direction: weight_ih, weight_hh, and the biases where there are any.
    std::vector<autograd::Parameter<T>> parameters() const;

    std::size_t hidden() const { return hidden_; }
    const RecurrentOptions& options() const { return options_; }

  protected:
    using Variable = autograd::Variable<T>;

    /// h and c of one layer and direction, (n, hidden) each.
    struct Memory {
        Variable h, c;
    };

    Recurrent(const char* name, std::size_t gates, bool has_cell, std::size_t in, std::size_t hidden,
              std::mt19937_64& engine, RecurrentOptions options);

    /// One step: `a` is what the input gives to the gates, `w` and `b` lead from h to them. `b` is none without a bias.
    virtual Memory step(const Variable& a, const Memory& before, const Variable& w, const Variable& b) const = 0;

    /// h @ transpose(w) + b.
    Variable from(const Variable& h, const Variable& w, const Variable& b) const;
    /// Part number k of the gates, (n, hidden).
    Variable gate(const Variable& gates, std::size_t k) const;

  private:
    struct Weights {
        autograd::Parameter<T> ih, hh, bias_ih, bias_hh;
    };
    struct Masks;
    Variable go_through(const Variable& x, const Weights& weights, bool reverse, const Masks* masks,
                        Memory& memory) const;

    const char* name_;
    std::size_t in_, hidden_;
    bool has_cell_;
    RecurrentOptions options_;
    std::vector<Weights> weights_;
};

/// h' = tanh(w_ih x + b_ih + w_hh h + b_hh).
template <class T>
class Rnn final : public Recurrent<T> {
  public:
    Rnn(std::size_t in, std::size_t hidden, std::mt19937_64& engine, RecurrentOptions options = {})
        : Recurrent<T>("rnn", 1, false, in, hidden, engine, options) {}

  private:
    using typename Recurrent<T>::Memory;
    Memory step(const autograd::Variable<T>& a, const Memory& before, const autograd::Variable<T>& w,
                const autograd::Variable<T>& b) const override;
};

/// r = sigmoid(w_ir x + b_ir + w_hr h + b_hr), z likewise, n = tanh(w_in x + b_in + r * (w_hn h + b_hn)),
/// h' = (1 - z) * n + z * h (Cho et al., 2014); the gates' order is r, z, n.
template <class T>
class Gru final : public Recurrent<T> {
  public:
    Gru(std::size_t in, std::size_t hidden, std::mt19937_64& engine, RecurrentOptions options = {})
        : Recurrent<T>("gru", 3, false, in, hidden, engine, options) {}

  private:
    using typename Recurrent<T>::Memory;
    Memory step(const autograd::Variable<T>& a, const Memory& before, const autograd::Variable<T>& w,
                const autograd::Variable<T>& b) const override;
};

/// i = sigmoid(w_ii x + b_ii + w_hi h + b_hi), f and o likewise, g the same with tanh, c' = f * c + i * g,
/// h' = o * tanh(c') (Hochreiter and Schmidhuber, 1997); the gates' order is i, f, g, o.
template <class T>
class Lstm final : public Recurrent<T> {
  public:
    Lstm(std::size_t in, std::size_t hidden, std::mt19937_64& engine, RecurrentOptions options = {})
        : Recurrent<T>("lstm", 4, true, in, hidden, engine, options) {}

  private:
    using typename Recurrent<T>::Memory;
    Memory step(const autograd::Variable<T>& a, const Memory& before, const autograd::Variable<T>& w,
                const autograd::Variable<T>& b) const override;
};

extern template class Recurrent<float>;
extern template class Recurrent<double>;
extern template class Rnn<float>;
extern template class Rnn<double>;
extern template class Gru<float>;
extern template class Gru<double>;
extern template class Lstm<float>;
extern template class Lstm<double>;

}  // namespace nn
