#!/usr/bin/env python3
"""Measures the networks of layers_by_torch.cpp in JAX, jitted.

    python3 bench/layers/networks_by_jax.py --out=networks_by_jax.json [--repetitions=15] [--min-time=0.01]

Nothing is written where JAX cannot be imported. What does not give PyTorch's losses from the same weights is an error,
where PyTorch can be imported. The file has the form of Google Benchmark's --benchmark_out.
"""

import argparse
import importlib.util
import json
import math
import os
import random
import sys
import time

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

RATE = 1e-2
COMPARED = 3  # steps


def dense(out, into):
    return [(out, into), (out,)]


def conv(out, into, kernel):
    return [(out, into, kernel, kernel), (out,)]


def block(width):
    norm = [(width,), (width,)]
    return norm + dense(3 * width, width) + dense(width, width) + norm + dense(4 * width, width) + dense(width, 4 * width)


def gru(hidden, into):
    return [(3 * hidden, into), (3 * hidden, hidden), (3 * hidden,), (3 * hidden,)]


# The input's shape behind the batch, how many classes there are, and the parameters' shapes, in the order of use. One
# without classes is its loss.
NETWORKS = {
    "lenet-5": (
        (1, 28, 28), 10, conv(6, 1, 5) + conv(16, 6, 5) + dense(120, 400) + dense(84, 120) + dense(10, 84)
    ),
    "six convolutions": (
        (3, 32, 32),
        10,
        conv(32, 3, 3) + conv(32, 32, 3) + conv(64, 32, 3) + conv(64, 64, 3) + conv(128, 64, 3) + conv(128, 128, 3)
        + dense(10, 2048),
    ),
    "two-layer gru": ((50, 128), 10, gru(128, 128) * 2 + dense(10, 128)),
    "two-block transformer": (
        (64,), 64, [(64, 128), (64, 128)] + block(128) * 2 + [(128,), (128,)] + dense(64, 128)
    ),
    "equation of heat": ((2,), 0, dense(24, 2) + dense(24, 24) + dense(1, 24)),
}  # fmt: skip


def problem(name, batch):
    """Parameters, inputs and labels."""
    import numpy

    shape, classes, shapes = NETWORKS[name]
    engine = numpy.random.default_rng(1)
    parameters = [
        engine.uniform(-1, 1, s).astype(numpy.float32) / math.sqrt(math.prod(s[1:]) if len(s) > 1 else s[0])
        for s in shapes
    ]
    if name == "two-block transformer":
        x = engine.integers(0, classes, (batch, *shape))
        return parameters, x, engine.integers(0, classes, batch * shape[0])
    x = engine.normal(size=(batch, *shape)).astype(numpy.float32)
    return parameters, x, engine.integers(0, max(classes, 1), batch)


# ---- the networks, for a library of functions ------------------------------------------------------------------------


def network(name, f, parameters, x):
    p = iter(parameters)
    linear = lambda x: x @ next(p).T + next(p)
    convolution = lambda x, padding: f.conv(x, next(p), padding) + next(p)[None, :, None, None]
    norm = lambda x: f.normalised(x) * next(p) + next(p)
    if name == "equation of heat":

        def u(z):
            nonlocal p
            p = iter(parameters)
            return linear(f.tanh(linear(f.tanh(linear(z)))))

        first = lambda x: f.derivative(u, x)
        second = f.derivative(lambda x: first(x)[:, 1:], x)
        some, only_t, only_x = x[:64], f.array([1.0, 0.0]), f.array([0.0, 1.0])
        start = ((u(some * only_x) - f.sin(math.pi * some[:, 1:])) ** 2).mean()
        ends = (u(some * only_t) ** 2).mean() + (u(some * only_t + only_x) ** 2).mean()
        return ((first(x)[:, :1] - second[:, 1:] / 10) ** 2).mean() + start + ends
    if name == "lenet-5":
        z = f.avg_pool(f.tanh(convolution(x, 2)))
        z = f.avg_pool(f.tanh(convolution(z, 0))).reshape(len(x), -1)
        return linear(f.tanh(linear(f.tanh(linear(z)))))
    if name == "six convolutions":
        z = x
        for i in range(6):
            z = f.relu(convolution(z, 1))
            z = f.max_pool(z) if i % 2 else z
        return linear(z.reshape(len(x), -1))
    if name == "two-layer gru":
        for _ in range(2):
            x = f.gru(x, next(p), next(p), next(p), next(p))
        return linear(x[:, -1])

    z = next(p)[x] + next(p)
    n, places, width = z.shape
    for _ in range(2):
        q, k, v = (part.reshape(n, places, 4, width // 4).swapaxes(1, 2) for part in f.split(linear(norm(z)), 3))
        seen = f.softmax(f.causal(q @ k.swapaxes(2, 3) / math.sqrt(width // 4))) @ v
        z = z + linear(seen.swapaxes(1, 2).reshape(n, places, width))
        z = z + linear(f.gelu(linear(norm(z))))
    return linear(norm(z)).reshape(n * places, -1)


def jax_functions():
    import jax
    import jax.numpy as jnp
    from jax import lax

    class Functions:
        tanh, relu, softmax = staticmethod(jnp.tanh), staticmethod(jax.nn.relu), staticmethod(jax.nn.softmax)
        sin, array = staticmethod(jnp.sin), staticmethod(jnp.array)
        derivative = staticmethod(lambda f, x: jax.grad(lambda x: f(x).sum())(x))
        gelu = staticmethod(lambda x: jax.nn.gelu(x, approximate=False))
        split = staticmethod(lambda x, parts: jnp.split(x, parts, axis=-1))
        causal = staticmethod(lambda x: jnp.where(jnp.tril(jnp.ones(x.shape[-2:], bool)), x, -jnp.inf))

        @staticmethod
        def conv(x, w, padding):
            return lax.conv_general_dilated(x, w, (1, 1), [(padding, padding)] * 2)

        @staticmethod
        def avg_pool(x):
            return lax.reduce_window(x, 0.0, lax.add, (1, 1, 2, 2), (1, 1, 2, 2), "VALID") / 4

        @staticmethod
        def max_pool(x):
            return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

        @staticmethod
        def normalised(x):
            d = x - x.mean(-1, keepdims=True)
            return d / jnp.sqrt((d * d).mean(-1, keepdims=True) + 1e-5)

        @staticmethod
        def gru(x, w, u, b, c):
            def step(h, a):
                r, z, n = jnp.split(a, 3, axis=-1)
                ur, uz, un = jnp.split(h @ u.T + c, 3, axis=-1)
                r, z = jax.nn.sigmoid(r + ur), jax.nn.sigmoid(z + uz)
                h = (1 - z) * jnp.tanh(n + r * un) + z * h
                return h, h

            given = (x @ w.T + b).swapaxes(0, 1)
            return lax.scan(step, jnp.zeros((len(x), u.shape[1])), given)[1].swapaxes(0, 1)

    return Functions


def by_jax(name, batch):
    """Starts a step, or the inference of one example; and waits for it and makes a number of it."""
    import jax
    import jax.numpy as jnp

    functions = jax_functions()
    parameters, x, labels = problem(name, batch)
    parameters, x, labels = [jnp.asarray(p) for p in parameters], jnp.asarray(x), jnp.asarray(labels)
    if batch == 1:
        infer = jax.jit(lambda parameters, x: network(name, functions, parameters, x))
        return lambda: infer(parameters, x), lambda logits: float(logits[0, 0])

    def loss_of(parameters, x, labels):
        logits = network(name, functions, parameters, x)
        if logits.ndim == 0:
            return logits
        return jnp.mean(jax.nn.logsumexp(logits, axis=1) - jnp.take_along_axis(logits, labels[:, None], 1)[:, 0])

    def train(parameters, x, labels):
        loss, gradients = jax.value_and_grad(loss_of)(parameters, x, labels)
        return [p - RATE * g for p, g in zip(parameters, gradients)], loss

    train = jax.jit(train, donate_argnums=0)

    def step():
        nonlocal parameters
        parameters, loss = train(parameters, x, labels)
        return loss

    return step, float


def first_by_torch(name, batch):
    """What the first steps give in PyTorch."""
    import torch
    from torch.nn import functional

    class Functions:
        tanh, relu, gelu = torch.tanh, torch.relu, functional.gelu
        sin, array = torch.sin, torch.tensor
        softmax = staticmethod(lambda x: torch.softmax(x, -1))
        split = staticmethod(lambda x, parts: torch.chunk(x, parts, -1))
        causal = staticmethod(lambda x: x + torch.full(x.shape[-2:], -math.inf).triu(1))
        conv = staticmethod(lambda x, w, padding: functional.conv2d(x, w, padding=padding))
        avg_pool = staticmethod(lambda x: functional.avg_pool2d(x, 2))
        max_pool = staticmethod(lambda x: functional.max_pool2d(x, 2))
        normalised = staticmethod(lambda x: functional.layer_norm(x, x.shape[-1:]))

        @staticmethod
        def derivative(f, x):
            x = x if x.requires_grad else x.clone().requires_grad_()
            return torch.autograd.grad(f(x).sum(), x, create_graph=True)[0]

        @staticmethod
        def gru(x, *weights):
            start = torch.zeros(1, len(x), weights[1].shape[1])
            return torch.gru(x, start, list(weights), True, 1, 0.0, True, False, True)[0]

    parameters, x, labels = problem(name, batch)
    parameters = [torch.from_numpy(p).requires_grad_() for p in parameters]
    x, labels = torch.from_numpy(x), torch.from_numpy(labels)
    results = []
    for _ in range(COMPARED):
        logits = network(name, Functions, parameters, x)
        if batch == 1:
            results.append(logits[0, 0].item())
            continue
        loss = functional.cross_entropy(logits, labels) if logits.dim() else logits
        results.append(loss.item())
        with torch.no_grad():
            for p, g in zip(parameters, torch.autograd.grad(loss, parameters)):
                p -= RATE * g
    return results


def timed(step, number, count):
    start = time.perf_counter()
    for _ in range(count):
        last = step()
    number(last)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="the file to write")
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--min-time", type=float, default=0.01, help="seconds of a repetition, at least")
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    sides = {}
    for name in NETWORKS if importlib.util.find_spec("jax") else ():
        for batch in (32, 1) if NETWORKS[name][1] else (256,):
            step, number = by_jax(name, batch)
            size = f"batch {batch}" if NETWORKS[name][1] else f"{batch} points"
            case = f"network: {name} {size}, {'step' if batch > 1 else 'inference'}"
            results = [number(step()) for _ in range(COMPARED)]
            if importlib.util.find_spec("torch"):
                for x, y in zip(first_by_torch(name, batch), results):
                    if not abs(x - y) <= 1e-4 * (1 + abs(x)):
                        sys.exit(f"{case}: PyTorch gives {x}, JAX {y}")
            sides[case] = step, number, math.ceil(options.min_time / timed(step, number, 1))
    benchmarks = []
    for _ in range(options.repetitions):
        for case in random.sample(list(sides), len(sides)):
            step, number, count = sides[case]
            number(step())
            seconds = timed(step, number, count) / count
            benchmarks.append(
                {"name": f"{case}/jax jit", "run_type": "iteration", "real_time": seconds * 1e9, "time_unit": "ns"}
            )
    with open(options.out, "w") as file:
        json.dump({"context": {}, "benchmarks": benchmarks}, file, indent=1)


if __name__ == "__main__":
    main()
