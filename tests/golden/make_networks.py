#!/usr/bin/env python3
"""Writes networks/ beside it with PyTorch: networks as `deltarule predict` reads them, rows, and PyTorch's answers for these.

    pip install torch==2.13.0 safetensors
    python make_networks.py
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = Path(__file__).parent / "networks"

PICTURES = {
    "conv 4 3 padding 1": nn.Conv2d(1, 4, 3, padding=1),
    "batchnorm": nn.BatchNorm2d(4),
    "relu": nn.ReLU(),
    "maxpool 3 stride 2 padding 1": nn.MaxPool2d(3, 2, 1),
    "conv 6 2x3 stride 1x2 padding 0x1 dilation 2x1 groups 2": nn.Conv2d(4, 6, (2, 3), (1, 2), (0, 1), (2, 1), 2),
    "gelu": nn.GELU(),
    "layernorm": nn.LayerNorm((6, 2, 2)),
    "avgpool 2 stride 1 padding 1": nn.AvgPool2d(2, 1, 1),
    "silu": nn.SiLU(),
    "conv 5 1": nn.Conv2d(6, 5, 1),
    "elu 0.5": nn.ELU(0.5),
    "dropout 0.5": nn.Dropout(0.5),
    "globalavgpool": nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    "rmsnorm": nn.RMSNorm(5),
    "dense 3": nn.Linear(5, 3),
}
ROWS = {
    "dense 12": nn.Linear(6, 12),
    "batchnorm": nn.BatchNorm1d(12),
    "leakyrelu 0.2": nn.LeakyReLU(0.2),
    "dropout 0.2": nn.Dropout(0.2),
    "unflatten 3 2 2": nn.Unflatten(1, (3, 2, 2)),
    "maxpool 2 stride 1 dilation 1": nn.MaxPool2d(2, 1),
    "flatten": nn.Flatten(),
    "tanh": nn.Tanh(),
    "dense 4": nn.Linear(3, 4),
    "sigmoid": nn.Sigmoid(),
    "identity": nn.Identity(),
    "softplus": nn.Softplus(),
    "dense 2": nn.Linear(4, 2),
}


def write(name, layers, shape, target, finish):
    torch.manual_seed(1)
    model = nn.Sequential(*layers.values())
    columns = torch.Size(shape).numel()
    for parameter in model.state_dict().values():
        if parameter.is_floating_point():
            parameter.copy_(torch.randn_like(parameter) if parameter.dim() > 1 else torch.rand_like(parameter) + 0.2)
    model.train()
    for _ in range(5):  # running statistics of one's own
        model(torch.rand(32, *shape) * 2)
    model.eval()
    x = torch.rand(12, columns) * 4 - 2
    with torch.no_grad():
        answers = finish(model(((x - 0.25) * 1.5).reshape(12, *shape)))
    metadata = {
        "format": "2",
        "input": json.dumps(shape),
        "layers": ", ".join(layers),
        "features": json.dumps([{"offset": 0.25, "factor": 1.5}] * columns),
        "target": json.dumps(target),
    }
    save_file(model.state_dict(), FOLDER / f"{name}.safetensors", metadata)
    for rows, kind in ((x, "rows"), (answers, "answers")):
        lines = (",".join(f"{number:.9g}" for number in row) for row in rows.tolist())
        (FOLDER / f"{name}_{kind}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


FOLDER.mkdir(exist_ok=True)
numbers = [{"name": name, "offset": offset, "factor": factor} for name, offset, factor in [("a", 2, 0.5), ("b", -1, 4)]]
write("pictures", PICTURES, [1, 8, 7], {"name": "kind", "classes": ["a", "b", "c"]}, lambda z: z.softmax(1))
write("rows", ROWS, [6], {"numbers": numbers}, lambda z: z / torch.tensor([0.5, 4]) + torch.tensor([2, -1]))
