#!/usr/bin/env python3
"""Writes the golden files beside it with PyTorch, whose numbers tests/golden/golden_test.cpp holds against the engine.

    pip install torch==2.13.0
    python make_golden.py

An operation is called by the name of its row in tests/autograd/, or by the text of one of that row's variants.
Each case draws from a seed made of its name, shapes, type and options: one more changes no other.

A case has inputs x_i, a seed v of the result's shape, and directions u_i. Beside the value y it holds the gradients
g_i = d sum(v * y) / d x_i and the products of the Hessian of sum(v * y) with the directions, d sum_j(g_j * u_j) / d x_i.

The cases of layers hold results alone: their parameters and inputs are waves that both sides make (`wave`), and every
gradient is that of sum(v * y), by the inputs first, then by the parameters in the order of `state_dict`.

Left out, since docs/numerics.md chooses otherwise than PyTorch:
- softplus beyond 20, where PyTorch is linear, and off by up to 2e-9 in double;
- logsumexp of -inf only, and logaddexp of two -inf: PyTorch's gradient is NaN;
- softmax with a mask, which PyTorch does not have;
- losses over rows that are all ignored: PyTorch's mean is NaN, ours is an error;
- ties, which both split evenly in `maximum` and `amax`, are kept among the edges, but not at second order.
"""

import itertools
import json
import math
import zlib
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F

FOLDER = Path(__file__).parent


class Uniform(NamedTuple):
    """An input that is still to be drawn."""

    shape: tuple
    low: float = -2.0
    high: float = 2.0

    def draw(self, generator):
        return torch.rand(self.shape, generator=generator, dtype=torch.float64) * (self.high - self.low) + self.low


def positive(shape):
    return Uniform(shape, 0.25, 2)


def generator_of(*what):
    return torch.Generator().manual_seed(zlib.crc32(" ".join(map(str, what)).encode()))


def number(value, dtype):
    if math.isfinite(value):
        return float(f"{value:.9g}") if dtype == torch.float32 else value
    return str(value)


def stored(tensor):
    # Derivatives that are 0 throughout have no memory of their own until something is added.
    values = tensor.detach().double() + torch.zeros(tensor.shape, dtype=torch.float64)
    return {"shape": list(tensor.shape), "data": [number(v, tensor.dtype) for v in values.flatten().tolist()]}


def case(operation, f, inputs, dtype, second=True, **options):
    """The record of f at the inputs, with a random seed and random directions."""
    generator = generator_of(operation, [tuple(x.shape) for x in inputs], dtype, options)
    drawn = [x.draw(generator) if isinstance(x, Uniform) else x for x in inputs]
    xs = [x.to(dtype).clone().requires_grad_() for x in drawn]
    y = f(*xs)
    v = Uniform(y.shape).draw(generator).to(dtype)
    us = [Uniform(x.shape).draw(generator).to(dtype) for x in xs]
    gradients = torch.autograd.grad(y, xs, v, create_graph=second, materialize_grads=True)
    record = {
        "operation": operation,
        "options": options,
        "type": "float" if dtype == torch.float32 else "double",
        "inputs": [stored(x) for x in xs],
        "seed": stored(v),
        "value": stored(y),
        "gradients": [stored(g) for g in gradients],
    }
    if second:
        along = sum((g * u).sum() for g, u in zip(gradients, us))
        hvp = (
            torch.autograd.grad(along, xs, materialize_grads=True)
            if along.requires_grad
            else [torch.zeros_like(x) for x in xs]
        )
        record["directions"] = [stored(u) for u in us]
        record["hvp"] = [stored(h) for h in hvp]
    return record


def in_both_precisions(*arguments, **options):
    return [case(*arguments, dtype=dtype, **options) for dtype in (torch.float64, torch.float32)]


def write(name, cases):
    rows = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    (FOLDER / f"{name}.json").write_text(f"[\n{rows}\n]\n")
    print(f"{name}: {len(cases)} cases")


UNARY = {
    "neg": torch.neg,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "abs": torch.abs,
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "erf": torch.erf,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "softplus": F.softplus,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "pow(x, 2)": lambda x: x**2,
    "pow(x, 3.0)": lambda x: x**3,
    "clip": lambda x: torch.clamp(x, -0.5, 0.75),
    "1 / x": lambda x: 1 / x,
}
UNARY_POSITIVE = {
    "log": torch.log,
    "log1p": torch.log1p,
    "sqrt": torch.sqrt,
    "pow(x, 2.5)": lambda x: x**2.5,
    "pow(x, -1.5)": lambda x: x**-1.5,
}
BINARY = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "logaddexp": torch.logaddexp,
}
BINARY_POSITIVE = {"div": torch.div, "pow": torch.pow}
SHAPES = [((2, 3), (2, 3)), ((2, 1), (3,)), ((), (2, 2)), ((3,), ()), ((2, 1, 2), (3, 1)), ((1, 3), (2, 1, 1)), ((0, 2), (1,))]


def elementwise():
    for functions, sample in ((UNARY, Uniform), (UNARY_POSITIVE, positive)):
        for name, f in functions.items():
            yield from in_both_precisions(name, f, [sample((2, 5))])
    for functions, sample in ((BINARY, Uniform), (BINARY_POSITIVE, positive)):
        for (name, f), (left, right) in itertools.product(functions.items(), SHAPES):
            yield from in_both_precisions(name, f, [sample(left), sample(right)])
    for left, right in SHAPES:
        mask = Uniform(torch.broadcast_shapes(left, right)).draw(generator_of("mask", left, right)) > 0
        yield from in_both_precisions(
            "where",
            lambda x, y: torch.where(mask, x, y),
            [Uniform(left), Uniform(right)],
            mask=stored(mask),
        )


def prod(x, axes, keep):
    for axis in axes:
        x = x.prod(axis, keepdim=True)
    return x if keep else x.squeeze(axes)


REDUCTIONS = {
    "sum": lambda x, axes, keep: x.sum(axes, keepdim=keep),
    "mean": lambda x, axes, keep: x.mean(axes, keepdim=keep),
    "prod": prod,
    "amax": lambda x, axes, keep: x.amax(axes, keepdim=keep),
    "amin": lambda x, axes, keep: x.amin(axes, keepdim=keep),
    "norm": lambda x, axes, keep: torch.linalg.vector_norm(x, dim=axes, keepdim=keep),
    "logsumexp": lambda x, axes, keep: x.logsumexp(axes, keepdim=keep),
}


def reductions():
    # No axis at all means every axis to PyTorch.
    axis_sets = [axes for n in (1, 2, 3) for axes in itertools.combinations(range(3), n)]
    for (name, f), axes, keep in itertools.product(REDUCTIONS.items(), axis_sets, (False, True)):
        yield from in_both_precisions(
            name, lambda x: f(x, axes, keep), [Uniform((2, 3, 2))], axes=list(axes), keepdims=keep
        )
    for ddof, axes, keep in itertools.product((0, 1), axis_sets, (False, True)):
        yield from in_both_precisions(
            "variance",
            lambda x: torch.var(x, axes, correction=ddof, keepdim=keep),
            [Uniform((2, 3, 2))],
            axes=list(axes),
            ddof=ddof,
            keepdims=keep,
        )
    for axis in range(3):
        x = Uniform((2, 3, 2))
        yield from in_both_precisions("softmax", lambda x: F.softmax(x, axis), [x], axis=axis)
        yield from in_both_precisions("log_softmax", lambda x: F.log_softmax(x, axis), [x], axis=axis)


def shapes():
    products = [((2, 3), (3, 4)), ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 1, 2, 3), (3, 3, 2)), ((2, 2, 3), (3, 1))]
    for left, right in products:
        yield from in_both_precisions("matmul", torch.matmul, [Uniform(left), Uniform(right)])
    yield from in_both_precisions("linear", F.linear, [Uniform((2, 2, 3)), Uniform((4, 3)), Uniform((4,))])
    indices = torch.tensor([2, 0, 2])
    yield from in_both_precisions(
        "take", lambda x: x.index_select(1, indices) ** 2, [Uniform((2, 3))], indices=indices.tolist(), axis=1
    )
    rows = torch.tensor([[0, 0], [2, 1]])
    yield from in_both_precisions(
        "take_along_axis", lambda x: torch.take_along_dim(x, rows, 1) ** 2, [Uniform((2, 3))], indices=rows.tolist(), axis=1
    )
    for axis in (0, 1, -1):
        yield from in_both_precisions(
            "concatenate", lambda x, y: torch.cat([x, y, x], axis) ** 2, [Uniform((2, 3)), Uniform((2, 3))], axis=axis
        )
        yield from in_both_precisions(
            "stack", lambda x, y: torch.stack([x, y, x], axis) ** 2, [Uniform((2, 3)), Uniform((2, 3))], axis=axis
        )


def matrices():
    def regular(n):
        return Uniform((n, n)).draw(generator_of("regular", n)) + 3 * torch.eye(n, dtype=torch.float64)

    for n in (1, 2, 3, 5):
        x = regular(n)
        yield from in_both_precisions("trace", torch.trace, [x])
        yield from in_both_precisions("det", torch.linalg.det, [x])
        yield from in_both_precisions("logdet", torch.logdet, [x])
        yield from in_both_precisions("inverse", torch.linalg.inv, [x])
        yield from in_both_precisions("cholesky", torch.linalg.cholesky, [x @ x.T])
        for right in ((n, 2), (n,)):
            yield from in_both_precisions("solve", torch.linalg.solve, [x, Uniform(right)])


def losses():
    labels = torch.tensor([2, 0, 1, 2])
    weights = [0.5, 2.0, 1.25]
    probabilities = torch.softmax(Uniform((4, 3)).draw(generator_of("probabilities")), -1)
    probabilities[1] = torch.tensor([0.0, 1.0, 0.0])
    for smoothing, weighted, reduction in itertools.product((0.0, 0.1), (False, True), ("none", "mean", "sum")):
        options = {"label_smoothing": smoothing, "class_weights": weights if weighted else [], "reduction": reduction}
        for dtype in (torch.float64, torch.float32):
            shared = {
                "label_smoothing": smoothing,
                "weight": torch.tensor(weights, dtype=dtype) if weighted else None,
                "reduction": reduction,
            }
            logits = [Uniform((4, 3), -4, 4)]
            for ignored in (None, 2, -100):
                rows = torch.tensor([2, 0, -100, 1]) if ignored == -100 else labels
                index = -100 if ignored is None else ignored
                yield case(
                    "softmax_cross_entropy",
                    lambda x: F.cross_entropy(x, rows, ignore_index=index, **shared),
                    logits,
                    dtype,
                    labels=rows.tolist(),
                    ignored_label=ignored,
                    **options,
                )
            t = probabilities.to(dtype)
            yield case(
                "softmax_cross_entropy",
                lambda x: F.cross_entropy(x, t, **shared),
                logits,
                dtype,
                probabilities=stored(t),
                **options,
            )
    for reduction in ("none", "mean", "sum"):
        pair = [Uniform((2, 3), -4, 4), Uniform((2, 3), 0, 1)]
        yield from in_both_precisions(
            "binary_cross_entropy_with_logits",
            lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction=reduction),
            pair,
            reduction=reduction,
        )
        yield from in_both_precisions(
            "mean_squared_error", lambda x, t: F.mse_loss(x, t, reduction=reduction), pair, reduction=reduction
        )
        yield from in_both_precisions(
            "mean_absolute_error", lambda x, t: F.l1_loss(x, t, reduction=reduction), pair, reduction=reduction
        )
        yield from in_both_precisions(
            "huber_loss", lambda x, t: F.huber_loss(x, t, reduction=reduction), pair, reduction=reduction
        )
        yield from in_both_precisions(
            "hinge_loss",
            lambda x: F.multi_margin_loss(x, labels, reduction=reduction),
            [Uniform((4, 3))],
            second=False,
            labels=labels.tolist(),
            reduction=reduction,
        )
        for weighted, ignored in itertools.product((False, True), (None, 2)):
            for dtype in (torch.float64, torch.float32):
                weight = torch.tensor(weights, dtype=dtype) if weighted else None
                index = -100 if ignored is None else ignored
                yield case(
                    "negative_log_likelihood",
                    lambda x: F.nll_loss(x, labels, weight=weight, ignore_index=index, reduction=reduction),
                    [Uniform((4, 3), -4, 0)],
                    dtype,
                    labels=labels.tolist(),
                    ignored_label=ignored,
                    class_weights=weights if weighted else [],
                    reduction=reduction,
                )
    for reduction, theirs in (("mean", "batchmean"), ("sum", "sum")):
        yield from in_both_precisions(
            "kl_divergence",
            lambda x, t: F.kl_div(x, t, reduction=theirs),
            [Uniform((2, 3), -4, 0), Uniform((2, 3), 0.1, 1)],
            reduction=reduction,
        )


def edges():
    inf = math.inf

    def at(name, f, *inputs, **options):
        tensors = [torch.tensor(x, dtype=torch.float64) for x in inputs]
        return in_both_precisions(name, f, tensors, second=False, **options)

    yield from at("relu", torch.relu, [-1.0, 0.0, -0.0, 1.0, inf, -inf])
    yield from at("abs", torch.abs, [-1.0, 0.0, -0.0, 1.0, inf, -inf])
    yield from at("clip", UNARY["clip"], [-1.0, -0.5, 0.0, 0.75, 1.0, inf, -inf])
    yield from at("sqrt", torch.sqrt, [0.0, 4.0, inf])
    yield from at("exp", torch.exp, [0.0, -inf, inf, -1e4, 1e4])
    yield from at("expm1", torch.expm1, [0.0, 1e-20, -inf, inf])
    yield from at("log", torch.log, [0.0, 1.0, inf])
    yield from at("log1p", torch.log1p, [0.0, -1.0, 1e-20, inf])
    yield from at("tanh", torch.tanh, [0.0, 1e4, -1e4, inf, -inf])
    yield from at("sigmoid", torch.sigmoid, [0.0, 1e4, -1e4, inf, -inf])
    yield from at("erf", torch.erf, [0.0, 1e4, -1e4, inf, -inf])
    yield from at("softplus", F.softplus, [0.0, -30.0, -1e4, -inf])
    yield from at("gelu", F.gelu, [0.0, 1e4, -1e4])
    yield from at("silu", F.silu, [0.0, 1e4, -1e4])
    yield from at("pow(x, 2)", UNARY["pow(x, 2)"], [0.0, -3.0, inf, -inf])
    yield from at("pow(x, 3.0)", UNARY["pow(x, 3.0)"], [0.0, -3.0, inf, -inf])
    yield from at("pow(x, 2.5)", UNARY_POSITIVE["pow(x, 2.5)"], [0.0, 1.0, inf])
    yield from at("pow", torch.pow, [0.0, 0.0, 0.0, 3.0, 1.0], [0.0, 1.0, 2.0, 0.0, -3.0])
    yield from at("1 / x", UNARY["1 / x"], [0.0, inf, -inf])
    yield from at("div", torch.div, [1.0, 0.0, 1.0, 1e30], [0.0, 2.0, inf, 1e30])
    yield from at("logaddexp", torch.logaddexp, [1e4, -1e4, -inf, 3.0], [1e4, 1e4, 1.0, 3.0])
    yield from at("maximum", torch.maximum, [1.0, 2.0, inf, -inf], [1.0, 3.0, 1.0, -inf])
    yield from at("minimum", torch.minimum, [1.0, 2.0, inf, -inf], [1.0, 3.0, 1.0, -inf])
    ties = [[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]
    yield from at("amax", lambda x: x.amax(1), ties, axes=[1], keepdims=False)
    yield from at("amin", lambda x: x.amin(1), ties, axes=[1], keepdims=False)
    zeros = [[0.0, 2.0, 3.0], [0.0, 2.0, 0.0], [1.0, 2.0, 3.0]]
    yield from at("prod", lambda x: x.prod(1), zeros, axes=[1], keepdims=False)
    yield from at("norm", lambda x: torch.linalg.vector_norm(x, dim=1), [[0.0, 0.0], [3.0, 4.0]], axes=[1], keepdims=False)
    rows = [[1e4, -1e4, 0.0], [-inf, 0.0, 1.0], [5.0, 5.0, 5.0]]
    yield from at("logsumexp", lambda x: x.logsumexp(1), rows, axes=[1], keepdims=False)
    yield from at("softmax", lambda x: F.softmax(x, 1), rows, axis=1)
    yield from at("log_softmax", lambda x: F.log_softmax(x, 1), rows, axis=1)
    for label in (0, 1):
        yield from at(
            "softmax_cross_entropy",
            lambda x: F.cross_entropy(x, torch.tensor([label, label])),
            [[1e4, -1e4], [0.0, 0.0]],
            labels=[label, label],
            reduction="mean",
            label_smoothing=0.0,
            class_weights=[],
        )
    yield from at(
        "binary_cross_entropy_with_logits",
        lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"),
        [0.0, 1e4, 1e4, -1e4, -1e4],
        [1.0, 1.0, 0.0, 0.0, 1.0],
        reduction="none",
    )


def optimizers():
    """Every tenth point of 100 steps on mean((tanh(x @ w^T + b) - t)^2)."""
    generator = generator_of("optimizers")
    x, t = Uniform((5, 3)).draw(generator), Uniform((5, 2), -1, 1).draw(generator)
    start = [Uniform((2, 3)).draw(generator), Uniform((2,)).draw(generator)]
    configurations = [
        ("sgd", torch.optim.SGD, {"lr": 0.1}),
        ("sgd", torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.02}),
        ("sgd", torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
        ("sgd", torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
        ("sgd", torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        ("adam", torch.optim.Adam, {"lr": 0.01}),
        ("adam", torch.optim.Adam, {"lr": 0.02, "betas": [0.8, 0.95], "eps": 1e-6, "weight_decay": 0.1}),
        ("adamw", torch.optim.AdamW, {"lr": 0.01}),
        ("adamw", torch.optim.AdamW, {"lr": 0.02, "betas": [0.8, 0.95], "eps": 1e-6, "weight_decay": 0.3}),
        ("rmsprop", torch.optim.RMSprop, {"lr": 0.01}),
        ("rmsprop", torch.optim.RMSprop, {"lr": 0.005, "alpha": 0.9, "eps": 1e-6, "weight_decay": 0.02, "momentum": 0.8}),
        ("rmsprop", torch.optim.RMSprop, {"lr": 0.005, "centered": True}),
        ("rmsprop", torch.optim.RMSprop, {"lr": 0.005, "alpha": 0.9, "momentum": 0.8, "centered": True}),
        ("adagrad", torch.optim.Adagrad, {"lr": 0.1}),
        (
            "adagrad",
            torch.optim.Adagrad,
            {"lr": 0.2, "lr_decay": 0.01, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-6},
        ),
    ]
    for name, optimizer_class, options in configurations:
        w, b = (p.clone().requires_grad_() for p in start)
        optimizer = optimizer_class([w, b], **options)
        points = []
        for step in range(1, 101):
            optimizer.zero_grad()
            loss = ((torch.tanh(F.linear(x, w, b)) - t) ** 2).mean()
            loss.backward()
            optimizer.step()
            if step % 10 == 0:
                points.append([stored(w), stored(b)])
        yield {
            "optimizer": name,
            "options": options,
            "x": stored(x),
            "t": stored(t),
            "start": [stored(p) for p in start],
            "points": points,
        }


def training():
    """What is done between `backward` and the step, around it, and instead of it; the loss is that of `optimizers`."""
    generator = generator_of("training")
    x, t = Uniform((5, 3)).draw(generator), Uniform((5, 2), -1, 1).draw(generator)
    start = [Uniform((2, 3)).draw(generator), Uniform((2,)).draw(generator)]
    problem = {"x": stored(x), "t": stored(t), "start": [stored(p) for p in start]}
    loss_of = lambda w, b: ((torch.tanh(F.linear(x, w, b)) - t) ** 2).mean()

    def run(kind, optimizer_of, change=lambda parameters: None, after=lambda parameters: None, **options):
        w, b = (p.clone().requires_grad_() for p in start)
        optimizer = optimizer_of(w, b)
        for _ in range(50):
            optimizer.zero_grad()
            loss_of(w, b).backward()
            change([w, b])
            optimizer.step()
            after([w, b])
        return {"kind": kind, "options": options, **problem, "end": [stored(w), stored(b)]}

    sgd = lambda w, b: torch.optim.SGD([w, b], lr=0.5)
    norms = []
    yield run(
        "clip by norm",
        sgd,
        lambda ps: norms.append(float(torch.nn.utils.clip_grad_norm_(ps, 0.05))),
        rate=0.5,
        most=0.05,
        norms=norms,
    )
    yield run("clip by value", sgd, lambda ps: torch.nn.utils.clip_grad_value_(ps, 0.02), rate=0.5, most=0.02)
    yield run(
        "groups of sgd",
        lambda w, b: torch.optim.SGD([{"params": [w]}, {"params": [b], "lr": 0.2, "momentum": 0.9}], lr=0.1),
    )
    yield run(
        "groups of adam",
        lambda w, b: torch.optim.Adam([{"params": [w]}, {"params": [b], "lr": 0.02, "weight_decay": 0.1}], lr=0.05),
    )
    average = {}

    def update(parameters):
        if not average:
            average["model"] = torch.optim.swa_utils.AveragedModel(
                torch.nn.ParameterList(parameters), multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9)
            )
        average["model"].update_parameters(torch.nn.ParameterList(parameters))

    averaged = run("average", sgd, after=update, rate=0.5, decay=0.9)
    yield {**averaged, "averages": [stored(p) for p in average["model"].module]}

    for options in (
        {"line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 2},
        {"lr": 0.3, "max_iter": 5},
    ):
        w, b = (p.clone().requires_grad_() for p in start)
        optimizer = torch.optim.LBFGS([w, b], **options)

        def closure():
            optimizer.zero_grad()
            loss = loss_of(w, b)
            loss.backward()
            return loss

        points = []
        for _ in range(5):
            loss = optimizer.step(closure).item()
            points.append({"loss": loss, "w": stored(w), "b": stored(b)})
        state = optimizer.state[w]
        yield {
            "kind": "lbfgs",
            "options": options,
            **problem,
            "points": points,
            "evaluations": state["func_evals"],
            "iterations": state["n_iter"],
        }

    schedulers = torch.optim.lr_scheduler
    sequence = lambda optimizer: schedulers.SequentialLR(
        optimizer,
        [schedulers.LinearLR(optimizer, 0.25, total_iters=6), schedulers.CosineAnnealingLR(optimizer, 30, 0.001)],
        milestones=[6],
    )
    for name, make in (
        ("step_decay", lambda optimizer: schedulers.StepLR(optimizer, 7, 0.5)),
        ("cosine", lambda optimizer: schedulers.CosineAnnealingLR(optimizer, 25, 0.01)),
        ("warm_up", lambda optimizer: schedulers.LinearLR(optimizer, 1 / 3, total_iters=8)),
        ("warm_up, cosine", sequence),
        ("one_cycle", lambda optimizer: schedulers.OneCycleLR(optimizer, 0.3, 40, cycle_momentum=False)),
        (
            "one_cycle, short",
            lambda optimizer: schedulers.OneCycleLR(
                optimizer, 0.3, 40, pct_start=0.1, div_factor=10, final_div_factor=50, cycle_momentum=False
            ),
        ),
    ):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
        scheduler, rates = make(optimizer), []
        for _ in range(40):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        yield {"kind": "schedule", "schedule": name, "rates": rates}
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    scheduler = schedulers.ReduceLROnPlateau(optimizer, factor=0.4, patience=2, cooldown=3, min_lr=0.02)
    measured, rates = [math.sin(0.7 * i) / (i + 1) + 1 / (i + 2) for i in range(40)], []
    for value in measured:
        scheduler.step(value)
        rates.append(optimizer.param_groups[0]["lr"])
    yield {"kind": "plateau", "measured": measured, "rates": rates}


def wave(shape, k):
    """Numbers between -1 and 1 that C++ makes as well."""
    numbers = [math.sin(0.9 * i + 1.7 * k) for i in range(math.prod(shape))]
    return torch.tensor(numbers, dtype=torch.float64).reshape(shape)


def layer_case(name, module, shapes, call=None, training=False, inputs=None):
    """What a module gives whose parameters and inputs are waves."""
    module.double().train(training)
    names = [n for n in module.state_dict() if n != "num_batches_tracked"]
    for k, n in enumerate(names):
        values = wave(module.state_dict()[n].shape, k + 1) / 2
        module.state_dict()[n].copy_(values.abs() + 0.5 if n.endswith("var") else values)
    xs = inputs or [wave(shape, 50 + k).requires_grad_() for k, shape in enumerate(shapes)]
    results = call(module, *xs) if call else module(*xs)
    results = results if isinstance(results, tuple) else (results,)
    y = torch.cat([r.flatten() for r in results])
    parameters = dict(module.named_parameters())
    wanted = [x for x in xs if x.requires_grad] + [parameters[n] for n in names if n in parameters]
    gradients = torch.autograd.grad((wave(y.shape, 99) * y).sum(), wanted) if wanted else []
    return {
        "layer": name,
        "names": names,
        "shapes": [list(module.state_dict()[n].shape) for n in names],
        "value": stored(y),
        "gradients": [stored(g) for g in gradients],
        "buffers": [stored(module.state_dict()[n]) for n in names if n not in parameters],
    }


def layers():
    nn = torch.nn
    yield layer_case("conv2d", nn.Conv2d(2, 3, (3, 2)), [(2, 2, 5, 4)])
    yield layer_case(
        "conv2d in groups",
        nn.Conv2d(4, 4, 3, stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2, bias=False),
        [(1, 4, 5, 5)],
    )
    yield layer_case("conv2d of a pixel", nn.Conv2d(3, 2, 1), [(2, 3, 2, 3)])
    yield layer_case("max_pool2d", nn.MaxPool2d(3, 2, 1), [(1, 2, 5, 5)])
    yield layer_case("max_pool2d dilated", nn.MaxPool2d((2, 3), 1, (1, 0), (1, 2)), [(1, 1, 4, 6)])
    ties = wave((1, 1, 6, 6), 50).round().requires_grad_()
    yield layer_case("max_pool2d of ties", nn.MaxPool2d(2), [], inputs=[ties])
    yield layer_case("avg_pool2d", nn.AvgPool2d(2, (2, 1), 1), [(1, 2, 4, 3)])
    yield layer_case(
        "global_avg_pool2d", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), [(2, 3, 2, 3)]
    )
    yield layer_case("flatten", nn.Flatten(), [(2, 3, 2)])
    yield layer_case("gelu", nn.GELU(), [(2, 5)])
    yield layer_case("silu", nn.SiLU(), [(2, 5)])
    yield layer_case("leaky_relu", nn.LeakyReLU(0.1), [(2, 5)])
    yield layer_case("elu", nn.ELU(0.7), [(2, 5)])
    yield layer_case("softmax", nn.Softmax(1), [(2, 5, 2)])
    for training in (True, False):
        mode = "training" if training else "evaluation"
        yield layer_case(f"batch_norm of rows in {mode}", nn.BatchNorm1d(3), [(5, 3)], training=training)
        yield layer_case(f"batch_norm of lengths in {mode}", nn.BatchNorm1d(3, momentum=0.3), [(2, 3, 4)], training=training)
        yield layer_case(f"batch_norm of images in {mode}", nn.BatchNorm2d(2, eps=1e-3), [(3, 2, 2, 3)], training=training)
        yield layer_case(
            f"batch_norm without weights in {mode}", nn.BatchNorm2d(2, affine=False), [(2, 2, 2, 2)], training=training
        )
    yield layer_case("layer_norm", nn.LayerNorm(3), [(2, 4, 3)])
    yield layer_case("layer_norm of two axes", nn.LayerNorm((2, 3), eps=1e-3, bias=False), [(4, 2, 3)])
    yield layer_case("rms_norm", nn.RMSNorm(4), [(3, 4)])
    yield layer_case("embedding", nn.Embedding(5, 3), [], inputs=[torch.tensor([[4, 0, 4], [1, 2, 0]])])

    def packed(module, x):
        sequences = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([2, 4, 1]), batch_first=True, enforce_sorted=False)
        output, state = module(sequences)
        padded, _ = nn.utils.rnn.pad_packed_sequence(output, batch_first=True, total_length=4)
        return (padded, *(state if isinstance(state, tuple) else (state,)))

    def from_a_state(module, x, *state):
        output, state = module(x, state if len(state) > 1 else state[0])
        return (output, *(state if isinstance(state, tuple) else (state,)))

    for name, kind in (("rnn", nn.RNN), ("gru", nn.GRU), ("lstm", nn.LSTM)):
        states = [(1, 2, 3)] * (2 if name == "lstm" else 1)
        yield layer_case(name, kind(2, 3, batch_first=True), [(2, 4, 2), *states], from_a_state)
        yield layer_case(
            f"{name} of different lengths",
            kind(2, 2, num_layers=2, bidirectional=True, batch_first=True),
            [(3, 4, 2)],
            packed,
        )

    def attends(**options):
        return lambda module, query, key=None: module(
            query, query if key is None else key, query if key is None else key, need_weights=False, **options
        )[0]

    attention = lambda **options: nn.MultiheadAttention(4, 2, batch_first=True, **options)
    yield layer_case("attention", attention(), [(2, 3, 4)], attends())
    causal = torch.ones(3, 3, dtype=torch.bool).triu(1)
    yield layer_case("attention, causal", attention(bias=False), [(2, 3, 4)], attends(attn_mask=causal))
    behind = torch.arange(5) >= torch.tensor([[2], [5]])
    yield layer_case("attention to others", attention(), [(2, 3, 4), (2, 5, 4)], attends(key_padding_mask=behind))


for topic in (elementwise, reductions, shapes, matrices, losses, edges, optimizers, training, layers):
    write(topic.__name__, list(topic()))
