#include <fmt/format.h>

#include <nn/mode.hpp>
#include <stdexcept>

namespace nn {

namespace {

thread_local const ModeScope* innermost = nullptr;

}  // namespace

ModeScope::ModeScope(const void* tape, bool trains) : tape_(tape), trains_(trains), outer_(innermost) {
    innermost = this;
}

ModeScope::~ModeScope() { innermost = outer_; }

std::optional<bool> ModeScope::of(const void* tape) {
    for (const ModeScope* scope = innermost; scope != nullptr; scope = scope->outer_)
        if (scope->tape_ == tape) return scope->trains_;
    return {};
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
