// What the sources of this program share: each registers its benchmarks, named "kind: case/side".
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

struct Network;

/// Training steps and inference of these networks, or of the usual four, on one thread, and of the larger ones on
/// `threads` too.
void register_steps(std::vector<Network> networks, int threads);
/// Each operation, forward, and forward and backward, on 1e3 to 1e7 elements.
void register_operations();
/// Layers, forward and backward, and training steps and inference of networks that are made of them.
void register_layers();
/// Time and memory by the length of the tape.
void register_growth();
/// A Hessian times a vector beside a gradient.
void register_second_order();

/// Sets the threads of every side's libraries; where the last benchmark had more, lets them fall asleep first.
void use_threads(int threads);

/// What the program has allocated, whoever asked.
std::size_t allocations_so_far();
/// Bytes that the program holds, whoever allocated them.
double bytes_in_use();

/// Marks the benchmark as failed, and the program with it: sides that disagree measure nothing.
void fail(benchmark::State& state, const std::string& message);
