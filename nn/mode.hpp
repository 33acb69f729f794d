// Training and evaluation: some layers compute one thing in training and another in evaluation.
#pragma once

#include <autograd/tape.hpp>
#include <memory>
#include <optional>
#include <random>
#include <vector>

namespace nn {

/// A scope in which every layer that is called on a tape trains, or evaluates, whatever its switch says; afterwards all
/// is as before. Scopes end in the opposite order.
class [[nodiscard]] ModeScope {
  public:
    ModeScope(const ModeScope&) = delete;
    ModeScope& operator=(const ModeScope&) = delete;

    /// Whether layers train in the innermost scope of this thread that is about the tape; nothing without one.
    static std::optional<bool> of(const void* tape);

    /// The engine that layers on the tape draw from, in that scope; none where it names none, and each has its own.
    static std::mt19937_64* engine_of(const void* tape);

  protected:
    ModeScope(const void* tape, bool trains, std::mt19937_64* engine = nullptr);
    ~ModeScope();

  private:
    static const ModeScope* innermost_of(const void* tape);

    const void* tape_;
    bool trains_;
    std::mt19937_64* engine_;
    const ModeScope* outer_;
};

/// Evaluation until the end of the scope: layers evaluate, and nothing is recorded.
///
///     {
///         const nn::Evaluation evaluation(tape);
///         accuracy = nn::accuracy(model(tape.constant(test.features)).value(), test.labels);
///     }
template <class T>
class [[nodiscard]] Evaluation : public ModeScope {
  public:
    explicit Evaluation(autograd::Tape<T>& tape) : ModeScope(&tape, false), pause_(tape) {}

  private:
    typename autograd::Tape<T>::Pause pause_;
};

/// Training until the end of the scope, even while nothing is recorded, as in a function that `gradcheck` calls.
template <class T>
class [[nodiscard]] Training : public ModeScope {
  public:
    explicit Training(autograd::Tape<T>& tape) : ModeScope(&tape, true) {}

    /// Layers that draw random numbers draw them from this engine: it holds all that a training has to remember.
    Training(autograd::Tape<T>& tape, std::mt19937_64& engine) : ModeScope(&tape, true, &engine) {}
};

/// The switch of a layer that computes something else in training, which copies of the layer share. Neither mode can be
/// forgotten: a layer that was never switched throws, and so does one in training mode while nothing is recorded.
class TrainingSwitch {
  public:
    /// `layer` is its name in messages, and outlives the switch.
    explicit TrainingSwitch(const char* layer) : layer_(layer), mode_(std::make_shared<Mode>(Mode::unset)) {}
    // A move is a copy, so that what was moved from is no empty handle.
    TrainingSwitch(const TrainingSwitch&) = default;
    TrainingSwitch& operator=(const TrainingSwitch&) = default;

    void train(bool on) { *mode_ = on ? Mode::training : Mode::evaluation; }
    bool training() const { return *mode_ == Mode::training; }

    /// Whether a call on this tape trains. Throws `std::invalid_argument` where nobody has said it.
    template <class T>
    bool trains(const autograd::Tape<T>& tape) const {
        const std::optional<bool> scope = ModeScope::of(&tape);
        return scope ? *scope : trains(tape.records());
    }

  private:
    enum class Mode { unset, training, evaluation };
    bool trains(bool records) const;

    const char* layer_;
    std::shared_ptr<Mode> mode_;
};

/// Switches the parts of a struct that have a switch, be they layers or vectors of them.
///
///     void train(bool on) { nn::train_parts(on, inner, norm, blocks); }
template <class... Part>
void train_parts(bool on, Part&... parts) {
    const auto one = [on](auto& part, const auto& self) -> void {
        if constexpr (requires { part.train(on); })
            part.train(on);
        else if constexpr (requires { part.begin(); })
            for (auto& each : part) self(each, self);
    };
    (one(parts, one), ...);
}

}  // namespace nn
