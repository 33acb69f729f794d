#include <fmt/format.h>

#include <nn/mode.hpp>
#include <stdexcept>

namespace nn {

namespace {

thread_local const ModeScope* innermost = nullptr;

}  // namespace

ModeScope::ModeScope(const void* tape, bool trains, std::mt19937_64* engine)
    : tape_(tape), trains_(trains), engine_(engine), outer_(innermost) {
    innermost = this;
}

ModeScope::~ModeScope() { innermost = outer_; }

const ModeScope* ModeScope::innermost_of(const void* tape) {
    const ModeScope* scope = innermost;
    while (scope != nullptr && scope->tape_ != tape) scope = scope->outer_;
    return scope;
}

std::optional<bool> ModeScope::of(const void* tape) {
    const ModeScope* scope = innermost_of(tape);
    return scope == nullptr ? std::optional<bool>() : scope->trains_;
}

std::mt19937_64* ModeScope::engine_of(const void* tape) {
    const ModeScope* scope = innermost_of(tape);
    return scope == nullptr ? nullptr : scope->engine_;
}

bool TrainingSwitch::trains(bool records) const {
    if (*mode_ == Mode::unset)
        throw std::invalid_argument(
            fmt::format("[{}] it was never switched: call train(true) before training and train(false) before "
                        "evaluation, or evaluate under nn::Evaluation",
                        layer_));
    if (*mode_ == Mode::training && !records)
        throw std::invalid_argument(
            fmt::format("[{}] it is in training mode, but nothing is recorded: call train(false) before evaluation, or "
                        "evaluate under nn::Evaluation",
                        layer_));
    return *mode_ == Mode::training;
}

}  // namespace nn
