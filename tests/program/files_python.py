"""Networks travel between the program, NumPy and PyTorch, by the lines of Python that docs/files.md prints.

    files_python.py PROGRAM SOURCES

Where NumPy is not there, says so and exits with 77, which ctest takes for skipped; without PyTorch its part is left out.
"""

import csv
import json
import os
import re
import subprocess
import sys
import tempfile

program, sources = (os.path.abspath(path) for path in sys.argv[1:3])
try:
    import numpy
except ImportError:
    print("SKIPPED: NumPy is not installed, so no file went to it and back.", file=sys.stderr)
    sys.exit(77)
try:
    import safetensors.torch
    import torch
except ImportError as error:
    torch = None
    print(f"SKIPPED: what PyTorch writes, as {error.name} is not installed.", file=sys.stderr)

with open(os.path.join(sources, "docs/files.md"), encoding="utf-8") as file:
    printed = re.findall(r"^```python\n(.*?)^```", file.read(), re.DOTALL | re.MULTILINE)
assert len(printed) == 4, f"docs/files.md has {len(printed)} parts in Python, not four"
reads, by_torch, by_numpy, _ = printed  # the last one is ONNX's

table = os.path.join(sources, "examples/data/iris.csv")
with open(table, encoding="utf-8") as file:
    rows = list(csv.reader(file))
names, rows = rows[0][:-1], rows[1:]
x = numpy.array([row[:-1] for row in rows], dtype="f8")
os.chdir(tempfile.mkdtemp())


def run(*arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def predict(path):
    return run("predict", path, "--csv", table, "--probabilities")


def numbers(text):
    return numpy.array([line.split(",")[1:] for line in text.splitlines()[1:]], dtype="f8")


def softmax(z):
    e = numpy.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# From the program to NumPy, which computes the same, and back, however NumPy writes it.
for path in ["network.npz", "network.safetensors"]:
    run("train", "--csv", table, "--hidden", "16", "--epochs", "50", "--missing", "mean", "--save", path)
answers = predict("network.npz")
assert answers == predict("network.safetensors")
here = {"numpy": numpy, "json": json}
exec(reads, here)
arrays, metadata = here["arrays"], here["metadata"]
columns = json.loads(metadata["features"])
assert [column["name"] for column in columns] == names and metadata["activation"] == "relu"
offset, factor = (numpy.array([column[key] for column in columns]) for key in ("offset", "factor"))
hidden = numpy.maximum((x - offset) * factor @ arrays["0.weight"].T + arrays["0.bias"], 0)
assert abs(softmax(hidden @ arrays["2.weight"].T + arrays["2.bias"]) - numbers(answers)).max() < 2e-6
with open("network.safetensors", "rb") as file:
    header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    data = file.read()
for name in arrays.files:
    if name != "__metadata__":
        begin, end = header[name]["data_offsets"]
        assert arrays[name].tobytes() == data[begin:end], name
        assert arrays[name].shape == tuple(header[name]["shape"])
for change in [
    lambda a: a,
    numpy.asfortranarray,
    lambda a: a.astype(a.dtype.newbyteorder(">")),
    lambda a: a if a.dtype.kind == "U" else a.astype("f8"),
]:
    for save in [numpy.savez, numpy.savez_compressed]:
        save("changed.npz", **{name: change(arrays[name]) for name in arrays.files})
        assert predict("changed.npz") == answers
numpy.savez("changed.npz", **{name: arrays[name] for name in arrays.files if name != "2.bias"})
assert subprocess.run([program, "predict", "changed.npz", "--csv", table], capture_output=True).returncode == 1

# A network that was trained elsewhere.
classes = sorted({row[-1] for row in rows})
labels = numpy.array([classes.index(row[-1]) for row in rows])
mean, deviation = x.mean(axis=0), x.std(axis=0)
scaled = ((x - mean) / deviation).astype("f4")


def tried(path, probabilities):
    predicted = predict(path)
    assert abs(probabilities - numbers(predicted)).max() < 2e-6
    right = sum(line.split(",")[0] == row[-1] for line, row in zip(predicted.splitlines()[1:], rows))
    print(f"{path}: {right} of {len(rows)} flowers are right")
    assert right > 140


engine = numpy.random.default_rng(1)
weights = {
    "0.weight": engine.normal(0, 0.5, (16, 4)),
    "0.bias": numpy.zeros(16),
    "2.weight": engine.normal(0, 0.5, (3, 16)),
    "2.bias": numpy.zeros(3),
}
for step in range(400):
    hidden = numpy.maximum(scaled @ weights["0.weight"].T + weights["0.bias"], 0)
    scores = hidden @ weights["2.weight"].T + weights["2.bias"]
    delta = (softmax(scores) - numpy.eye(3)[labels]) / len(rows)
    back = delta @ weights["2.weight"] * (hidden > 0)
    for name, gradient in [("0.weight", back.T @ scaled), ("0.bias", back.sum(axis=0)), ("2.weight", delta.T @ hidden), ("2.bias", delta.sum(axis=0))]:
        weights[name] = weights[name] - 0.5 * gradient
features, metadata = (line + "\n" for line in by_torch.splitlines()[:2])
here = {"json": json, "numpy": numpy, "names": names, "mean": mean, "deviation": deviation, "classes": classes, "weights": weights}
exec(features + metadata + by_numpy, here)
hidden = numpy.maximum(scaled @ weights["0.weight"].T + weights["0.bias"], 0)
tried("mine.npz", softmax(hidden @ weights["2.weight"].T + weights["2.bias"]))

if torch is not None:
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    inputs, targets = torch.tensor(scaled), torch.tensor(labels)
    for step in range(200):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
    exec(by_torch, {**here, "safetensors": safetensors, "model": model})
    tried("mine.safetensors", torch.softmax(model(inputs), dim=1).detach().numpy())

    # Layers that a line describes, trained here and loaded there.
    line = "dense 12, batchnorm, relu, unflatten 2 2 3, conv 4 2 padding 1, batchnorm, gelu, avgpool 2, flatten, dropout 0.1, dense"
    run("train", "--csv", table, "--layers", line, "--epochs", "60", "--rate", "0.01", "--save", "layers.safetensors")
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(4, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Unflatten(1, (2, 2, 3)), nn.Conv2d(2, 4, 2, padding=1),
        nn.BatchNorm2d(4), nn.GELU(), nn.AvgPool2d(2), nn.Flatten(), nn.Dropout(0.1), nn.Linear(8, 3),
    )  # fmt: skip
    model.load_state_dict(safetensors.torch.load_file("layers.safetensors"))
    with safetensors.safe_open("layers.safetensors", "pt") as file:
        columns = json.loads(file.metadata()["features"])
    offset, factor = (numpy.array([column[key] for column in columns]) for key in ("offset", "factor"))
    scores = model.eval()(torch.tensor(((x - offset) * factor).astype("f4"))).detach()
    tried("layers.safetensors", torch.softmax(scores, dim=1).numpy())
