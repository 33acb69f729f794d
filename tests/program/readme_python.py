"""README's lines in Python, as they are printed: PyTorch answers with a saved network as `deltarule predict` does.

    readme_python.py PROGRAM SOURCES

Where PyTorch or safetensors is not there, says so and exits with 77, which ctest takes for skipped.
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
    import torch
    from safetensors.torch import load_file
except ImportError as error:
    print(f"SKIPPED: README's lines in Python were not run, as {error.name} is not installed.", file=sys.stderr)
    sys.exit(77)

with open(os.path.join(sources, "README.md"), encoding="utf-8") as file:
    printed = re.findall(r"^```python\n(.*?)^```", file.read(), re.DOTALL | re.MULTILINE)
assert len(printed) == 1, f"README has {len(printed)} parts in Python, not one"

table = os.path.join(sources, "examples/data/iris.csv")
with open(table, encoding="utf-8") as file:
    rows = list(csv.reader(file))[1:]
os.chdir(tempfile.mkdtemp())
subprocess.run([program, "train", "--csv", table, "--hidden", "16", "--epochs", "200", "--save", "iris.safetensors"],
               check=True, stdout=subprocess.DEVNULL)

names = {"x": torch.tensor([[float(number) for number in row[:-1]] for row in rows], dtype=torch.float64)}
exec(printed[0], names)
columns, x = names["columns"], names["x"]
assert len(columns) == x.shape[1] == 4 and x.dtype == torch.float32
assert x.min() > -0.5 and x.max() < 1.5, "scaled columns lie between 0 and 1, but for rows that were held out"

with names["safetensors"].safe_open("iris.safetensors", "pt") as file:
    metadata = file.metadata()
widths = json.loads(metadata["widths"])
assert metadata["activation"] == "relu"
layers = []
for i in range(len(widths) - 1):
    layers += [torch.nn.Linear(widths[i], widths[i + 1]), torch.nn.ReLU()]
model = torch.nn.Sequential(*layers[:-1])
model.load_state_dict(load_file("iris.safetensors"))
classes = json.loads(metadata["target"])["classes"]
by_torch = [classes[k] for k in model(x).argmax(dim=1)]

predicted = subprocess.run([program, "predict", "iris.safetensors", "--csv", table], check=True, capture_output=True, text=True)
by_program = [row[0] for row in csv.reader(predicted.stdout.splitlines())][-len(rows):]
assert by_torch == by_program, "PyTorch's answers are not the program's"
right = sum(answer == row[-1] for answer, row in zip(by_torch, rows))
print(f"{right} of {len(rows)} flowers are right")
assert right > 130
