#pragma once

#include <autograd/array.hpp>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

namespace autograd {

/// An array that is learned: it lives outside the tape and outlives every recording.
///
/// A parameter is a handle: copies name the same array, so that a layer may be moved or its weight tied by assignment.
/// `clone` makes an independent one. The name is the handle's own, as one array may be listed under several: `weight`
/// by its layer, and `0.weight` by the network around it.
template <class T>
class Parameter {
  public:
    Parameter() : Parameter("", Array<T>()) {}
    Parameter(std::string name, std::initializer_list<std::initializer_list<T>> rows)
        : Parameter(std::move(name), matrix<T>(rows)) {}
    Parameter(std::string name, std::initializer_list<std::initializer_list<std::initializer_list<T>>> values)
        : Parameter(std::move(name), matrices<T>(values)) {}
    Parameter(std::string name, Array<T> value)
        : name_(name), state_(std::make_shared<State>(State{std::move(name), std::move(value), 0})) {}
    Parameter(const Parameter&) = default;  // a move is a copy: what was moved from still names its array
    Parameter& operator=(const Parameter&) = default;

    /// An array that belongs to a layer without being learned, as running statistics do: it is listed and saved with
    /// the parameters, and no optimizer changes it.
    static Parameter buffer(std::string name, Array<T> value) {
        Parameter made(std::move(name), std::move(value));
        made.state_->is_buffer = true;
        return made;
    }
    bool is_buffer() const { return state_->is_buffer; }

    const std::string& name() const { return name_; }
    void rename(std::string name) { state_->shown_name = name_ = std::move(name); }

    /// The same array under another name.
    Parameter named(std::string name) const {
        Parameter other = *this;
        other.name_ = std::move(name);
        return other;
    }

    /// The name that recordings show: the last that was given to it.
    const std::string& shown_name() const { return state_->shown_name; }

    const Array<T>& value() const { return state_->value; }
    const Shape& shape() const { return state_->value.shape(); }

    /// Changes the array: `w.edit([&](Array<double>& value) { value -= 0.1 * gradients[w]; })`. A recording that still
    /// needs the old values, or that watched the parameter meanwhile, reports it in `backward` instead of giving a
    /// wrong gradient.
    template <class Change>
    void edit(Change&& change) {
        const Edit counted{++state_->version};
        std::forward<Change>(change)(state_->value);
    }

    std::uint64_t version() const { return state_->version; }
    Parameter clone() const { return is_buffer() ? buffer(name(), value()) : Parameter(name(), value()); }

    friend bool operator==(const Parameter& left, const Parameter& right) { return left.state_ == right.state_; }

    /// Identifies the parameter that copies share.
    const void* identity() const { return state_.get(); }

  private:
    struct State {
        std::string shown_name;
        Array<T> value;
        std::uint64_t version;
        bool is_buffer = false;
    };
    struct Edit {
        std::uint64_t& version;
        ~Edit() { ++version; }
    };
    std::string name_;
    std::shared_ptr<State> state_;
};

}  // namespace autograd
