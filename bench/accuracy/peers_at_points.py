#!/usr/bin/env python3
"""What PyTorch and JAX give at the points of print_accuracy: the worst case of each formula, in units in the last place.

print_accuracy --points=FOLDER && python3 bench/accuracy/peers_at_points.py FOLDER > bench/accuracy/peers.json
"""

import json
import sys
from pathlib import Path

import numpy as np

ORDINARY = 8  # as in print_accuracy.cpp

# A formula of the table as the peer writes it; `f` is its module. What only one has stands below.
FORMULAS = {
    "x / y": lambda f, x, y: x / y,
    "1 / x": lambda f, x, y: 1 / x,
    "2.0 / x": lambda f, x, y: 2 / x,
    "x / 3.0": lambda f, x, y: x / 3,
    "x * y": lambda f, x, y: x * y,
    "pow(x, y)": lambda f, x, y: x**y,
    **{f"pow(x, {c})": (lambda c: lambda f, x, y: x**c)(float(c)) for c in ("2", "3.0", "1.5", "2.5", "-1", "-1.5", "5")},
    "(x - y) * (x - y)": lambda f, x, y: (x - y) * (x - y),
    **{f"{name}(x)": (lambda name: lambda f, x, y: getattr(f, name)(x))(name)
       for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tanh")},
    "logaddexp(x, y)": lambda f, x, y: f.logaddexp(x, y),
    "mean_squared_error(x, y, Reduction::none)": lambda f, x, y: (x - y) ** 2,
}


def torch_formulas(torch):
    from torch.nn import functional as F

    return FORMULAS | {
        "erf(x)": lambda f, x, y: torch.erf(x),
        "sigmoid(x)": lambda f, x, y: torch.sigmoid(x),
        "softplus(x)": lambda f, x, y: F.softplus(x),
        "gelu(x)": lambda f, x, y: F.gelu(x),
        "gelu_tanh(x)": lambda f, x, y: F.gelu(x, approximate="tanh"),
        "silu(x)": lambda f, x, y: F.silu(x),
        "binary_cross_entropy_with_logits(x, y, Reduction::none)":
            lambda f, x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none"),
    }


def jax_formulas(jax):
    return FORMULAS | {
        "erf(x)": lambda f, x, y: jax.scipy.special.erf(x),
        "sigmoid(x)": lambda f, x, y: jax.nn.sigmoid(x),
        "softplus(x)": lambda f, x, y: jax.nn.softplus(x),
        "gelu(x)": lambda f, x, y: jax.nn.gelu(x, approximate=False),
        "gelu_tanh(x)": lambda f, x, y: jax.nn.gelu(x, approximate=True),
        "silu(x)": lambda f, x, y: jax.nn.silu(x),
    }


def by_torch(torch, formula, x, y):
    x, y = torch.tensor(x, requires_grad=True), torch.tensor(y, requires_grad=True)
    z = formula(torch, x, y)
    by_x, by_y = torch.autograd.grad(z, (x, y), torch.ones_like(z), allow_unused=True)
    return [None if part is None else part.detach().numpy() for part in (z, by_x, by_y)]


def by_jax(jax, formula, x, y):
    z, pull_back = jax.vjp(lambda x, y: formula(jax.numpy, x, y), x, y)
    return [np.asarray(part) for part in (z, *pull_back(jax.numpy.ones_like(z)))]


def units(got, nearest, rest):
    """How many units in the last place of the right number, `nearest + rest`, each is off."""
    with np.errstate(all="ignore"):
        rounded = nearest.astype(got.dtype)
        tiny = np.finfo(got.dtype).smallest_subnormal
        unit = np.maximum(np.nextafter(np.abs(rounded), np.asarray(np.inf, got.dtype)) - np.abs(rounded), tiny)
        off = np.abs((got.astype(np.longdouble) - nearest) - rest) / unit
        off = np.where(np.isfinite(got) & np.isfinite(rounded), off, np.inf)
        off = np.where((got == rounded) | np.isnan(nearest), 0, off)
    return off


def main(folder):
    import jax
    import torch

    jax.config.update("jax_enable_x64", True)
    peers = {"PyTorch": (by_torch, torch, torch_formulas(torch)), "JAX": (by_jax, jax, jax_formulas(jax))}
    result = {"versions": {"PyTorch": torch.__version__, "JAX": jax.__version__}}
    for precision, kind in (("float", np.float32), ("double", np.float64)):
        table = result.setdefault(precision, {})
        for entry in json.loads((folder / f"{precision}.json").read_text()):
            numbers = np.fromfile(folder / entry["file"])
            x, y, *exact = np.split(numbers, [len(numbers) // 8, len(numbers) // 4])
            exact = exact[0].reshape(3, len(x), 2)
            for peer, (run, module, formulas) in peers.items():
                if entry["formula"] not in formulas:
                    continue
                given = run(module, formulas[entry["formula"]], x.astype(kind), y.astype(kind))
                for k, quantity in enumerate(("value", "by x", "by y")[: 3 if entry["of_two"] else 2]):
                    off = units(given[k], exact[k, :, 0], exact[k, :, 1])
                    figures = {"near": off[(abs(x) <= ORDINARY) & (abs(y) <= ORDINARY)].max(), "all": off.max()}
                    table.setdefault(entry["formula"], {}).setdefault(quantity, {})[peer] = {
                        where: "inf" if figure > 1e300 else float(f"{figure:.3g}") for where, figure in figures.items()}
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
