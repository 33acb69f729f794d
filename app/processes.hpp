// The processes of a training, where mpirun started several.
#pragma once

#include <nn/communicator.hpp>
#include <string>

/// Those that mpirun started, or this one alone. The first call makes one training of them, in which the first speaks:
/// the standard output of the others goes nowhere from then on. Throws where that cannot be, as in a program without
/// MPI.
nn::Communicator& processes();

/// Says the error and returns the exit code. Several processes are all ended by it, and the first one's is said alone.
int end_in_error(const std::string& text, int exit_code);

/// At the end of a program without errors.
void leave_processes();
