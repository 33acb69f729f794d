#pragma once

#include <stdexcept>

namespace autograd {

/// What goes wrong in a recording: the parents of all errors that are neither a bad argument nor a bad index.
struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A variable from before `rewind`, from another tape, or from none.
struct VariableError : Error {
    using Error::Error;
};

/// A derivative that was asked for and cannot be given.
struct GradientError : Error {
    using Error::Error;
};

/// A number that is not finite, found where it was made (`Tape::trap_nonfinite`).
struct NonfiniteError : Error {
    using Error::Error;
};

/// A file that is not what it should be; the message names the file and the place in it.
struct FileError : Error {
    using Error::Error;
};

}  // namespace autograd
