#!/usr/bin/env python3
"""Measures the training steps and the inference of bench's cases in PyTorch (eager and compiled) and JAX.

    python3 bench/steps/peers.py --out=peers.json [--threads=2] [--network=64-32-10,32]... [--repetitions=15]
                           [--min-time=0.01]

Measures those that can be imported, each in a process of its own with its threads bound to as many cores. The file has
the form of Google Benchmark's --benchmark_out, with the same names of cases. What does not give the same losses as the
others from the same weights is an error.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import math
import os
import random
import subprocess
import sys
import time
import types
from dataclasses import dataclass

LEARNING_RATE, MOMENTUM, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.9, 0.999, 1e-8
WARM_UP = 5  # steps whose results are compared


@dataclass(frozen=True)
class Case:
    widths: tuple
    batch: int
    optimizer: str = "sgd"  # sgd, momentum, adam; none: inference
    activation: str = "relu"
    dtype: str = "float"

    def name(self, threads):
        return (
            f"step: {'-'.join(map(str, self.widths))}, batch {self.batch}, "
            f"{'inference' if self.optimizer == 'none' else self.optimizer}, {self.activation}, {self.dtype}, "
            f"{threads} thread{'s' if threads > 1 else ''}"
        )


NETWORKS = ["2-3-2,4", "64-32-10,32", "784-128-10,64", "784-512-512-10,128"]


def cases(networks, threads):
    """Those of steps.cpp; on several threads those of the last network."""
    for network in networks if threads == 1 else networks[-1:]:
        widths, batch = network.split(",")
        widths, batch = tuple(map(int, widths.split("-"))), int(batch)
        for optimizer in ("sgd", "momentum", "adam"):
            yield Case(widths, batch, optimizer)
        yield Case(widths, batch, "sgd", "tanh")
        yield Case(widths, batch, "sgd", "relu", "double")
        for n in (1, 256):
            yield Case(widths, n, "none")


def problem(case):
    """Weights, biases, rows and labels, the same for each peer."""
    import numpy

    engine = numpy.random.default_rng(1)
    dtype = numpy.float32 if case.dtype == "float" else numpy.float64
    layers = []
    for inputs, outputs in zip(case.widths, case.widths[1:]):
        bound = 1 / math.sqrt(inputs)
        layers.append(
            (
                engine.uniform(-bound, bound, (outputs, inputs)).astype(dtype),
                engine.uniform(-bound, bound, outputs).astype(dtype),
            )
        )
    x = engine.random((case.batch, case.widths[0])).astype(dtype)
    labels = engine.integers(0, case.widths[-1], case.batch)
    return layers, x, labels


# A peer gives for a case `step`, which starts a step and returns what it computes, and `number`, which waits for that
# and makes a number of it: the loss, or the first logit of inference.


def pytorch(case, compiled):
    import torch

    layers, x, labels = problem(case)
    modules = []
    for i, (weight, bias) in enumerate(layers):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.from_numpy(weight).dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight))
            linear.bias.copy_(torch.from_numpy(bias))
        modules.append(linear)
        if i + 1 < len(layers):
            modules.append(torch.nn.ReLU() if case.activation == "relu" else torch.nn.Tanh())
    network = torch.nn.Sequential(*modules)
    x, labels = torch.from_numpy(x), torch.from_numpy(labels)

    def compile(f):
        if not compiled:
            return f
        # Code of its own for each case: compiled forms are kept by code, and would be tried one after the other.
        own = types.FunctionType(f.__code__.replace(), f.__globals__, closure=f.__closure__)
        return torch.compile(own, dynamic=False)

    if case.optimizer == "none":
        infer = compile(lambda: network(x))

        def step():
            with torch.inference_mode():
                return infer()

        return step, lambda result: result[0, 0].item()

    if case.optimizer == "adam":
        optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    else:
        momentum = MOMENTUM if case.optimizer == "momentum" else 0
        optimizer = torch.optim.SGD(network.parameters(), LEARNING_RATE, momentum)
    forward = compile(lambda: torch.nn.functional.cross_entropy(network(x), labels))
    update = compile(lambda: optimizer.step())

    def step():
        optimizer.zero_grad()
        loss = forward()
        loss.backward()
        update()
        return loss

    return step, lambda loss: loss.item()


def jax_jit(case):
    import jax
    import jax.numpy as jnp

    layers, x, labels = problem(case)
    parameters = [(jnp.asarray(weight), jnp.asarray(bias)) for weight, bias in layers]
    x, labels = jnp.asarray(x), jnp.asarray(labels)
    activation = jax.nn.relu if case.activation == "relu" else jnp.tanh
    map_tree = jax.tree_util.tree_map

    def network(parameters, x):
        for weight, bias in parameters[:-1]:
            x = activation(x @ weight.T + bias)
        weight, bias = parameters[-1]
        return x @ weight.T + bias

    if case.optimizer == "none":
        infer = jax.jit(network)
        return lambda: infer(parameters, x), lambda result: float(result[0, 0])

    def loss_of(parameters, x, labels):
        logits = network(parameters, x)
        chosen = jnp.take_along_axis(logits, labels[:, None], 1)[:, 0]
        return jnp.mean(jax.nn.logsumexp(logits, axis=1) - chosen)

    def train(state, x, labels):
        parameters, first, second, t = state
        loss, gradients = jax.value_and_grad(loss_of)(parameters, x, labels)
        t = t + 1
        if case.optimizer == "sgd":
            change = gradients
        elif case.optimizer == "momentum":
            change = first = map_tree(lambda m, g: MOMENTUM * m + g, first, gradients)
        else:
            first = map_tree(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradients)
            second = map_tree(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradients)
            size, root = 1 / (1 - BETA1**t), jnp.sqrt(1 - BETA2**t)
            change = map_tree(lambda m, v: size * m / (jnp.sqrt(v) / root + EPSILON), first, second)
        parameters = map_tree(lambda p, c: p - LEARNING_RATE * c.astype(p.dtype), parameters, change)
        return (parameters, first, second, t), loss

    # The old state is given away, so that the new one takes its memory.
    train = jax.jit(train, donate_argnums=0)
    zeros = lambda used: map_tree(jnp.zeros_like, parameters) if used else ()
    state = (
        parameters,
        zeros(case.optimizer in ("momentum", "adam")),
        zeros(case.optimizer == "adam"),
        jnp.zeros((), x.dtype),
    )

    def step():
        nonlocal state
        state, loss = train(state, x, labels)
        return loss

    return step, float


PEERS = {
    "pytorch eager": ("torch", lambda case: pytorch(case, compiled=False)),
    "torch.compile": ("torch", lambda case: pytorch(case, compiled=True)),
    "jax jit": ("jax", jax_jit),
}


def worker(peer, networks, threads, repetitions, min_time):
    """Times one peer on all cases; returns the benchmarks and what the first steps gave."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    module, make = PEERS[peer]
    if module == "torch":
        import torch

        torch.set_num_threads(threads)
        torch._dynamo.config.recompile_limit = 64  # the optimizers' step has one code for all cases
    else:
        import jax

        jax.config.update("jax_enable_x64", True)

    sides, results = {}, {}
    for case in cases(networks, threads):
        name = case.name(threads)
        step, number = make(case)
        results[name] = [number(step()) for _ in range(WARM_UP)]
        count, seconds = 1, 0.0
        while seconds < min_time:
            count = count if seconds == 0 else math.ceil(count * min(10, 1.4 * min_time / seconds))
            seconds = timed(step, number, count)
        sides[name] = (step, number, count)

    benchmarks = []
    for repetition in range(repetitions):
        for name in random.sample(list(sides), len(sides)):
            step, number, count = sides[name]
            number(step())
            benchmarks.append(
                {
                    "name": f"{name}/{peer}",
                    "run_name": f"{name}/{peer}",
                    "run_type": "iteration",
                    "repetitions": repetitions,
                    "repetition_index": repetition,
                    "iterations": count,
                    "real_time": timed(step, number, count) / count * 1e9,
                    "time_unit": "ns",
                }
            )
    return {"benchmarks": benchmarks, "results": results}


def timed(step, number, count):
    start = time.perf_counter()
    for _ in range(count):
        last = step()
    number(last)
    return time.perf_counter() - start


def start(peer, threads, options):
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads), JAX_PLATFORMS="cpu")
    eigen = "true" if threads > 1 else "false"
    environment["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={eigen} intra_op_parallelism_threads={threads}"
    command = [sys.executable, __file__, f"--worker={peer}", f"--threads={threads}"]
    command += [f"--repetitions={options.repetitions}", f"--min-time={options.min_time}"]
    command += [f"--network={network}" for network in options.network or NETWORKS]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def check(found):
    """Sides that disagree measure nothing."""
    for name in {name for results in found.values() for name in results}:
        tolerance = 1e-10 if "double" in name else 1e-4
        sides = {peer: results[name] for peer, results in found.items() if name in results}
        (first, expected), *others = sides.items()
        for peer, results in others:
            if any(abs(x - y) > tolerance * (1 + abs(x)) for x, y in zip(expected, results)):
                sys.exit(f"{name}: {first} gives {expected}, {peer} gives {results}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", help="the file to write")
    parser.add_argument("--threads", type=int, default=1, help="more than 1: the last network on so many too")
    parser.add_argument("--network", action="append", help="widths and batch, in place of the usual four; repeatable")
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--min-time", type=float, default=0.01, help="seconds of a repetition, at least")
    parser.add_argument("--worker", choices=PEERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        measured = worker(options.worker, options.network, options.threads, options.repetitions, options.min_time)
        json.dump(measured, sys.stdout)
        return

    context, benchmarks, found = {}, [], {}
    for peer, (module, _) in PEERS.items():
        if importlib.util.find_spec(module) is None:
            print(f"{peer}: not installed", file=sys.stderr)
            continue
        context[module] = importlib.metadata.version(module)
        for threads in sorted({1, options.threads}):
            print(f"{peer}, {threads} thread{'s' if threads > 1 else ''} ...", file=sys.stderr)
            measured = start(peer, threads, options)
            benchmarks += measured["benchmarks"]
            found.setdefault(peer, {}).update(measured["results"])
    check(found)
    with open(options.out, "w") if options.out else sys.stdout as file:
        json.dump({"context": context, "benchmarks": benchmarks}, file, indent=1)


if __name__ == "__main__":
    main()
