"""Networks as ONNX: ONNX's own checker accepts them, and ONNX Runtime answers as `deltarule predict` does.

    onnx_python.py PROGRAM SOURCES

Where onnx or onnxruntime is not there, says so and exits with 77, which ctest takes for skipped.
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
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"SKIPPED: no network went to ONNX Runtime, as {error.name} is not installed.", file=sys.stderr)
    sys.exit(77)
onnxruntime.set_default_logger_severity(4)
data = os.path.join(sources, "examples/data/")
os.chdir(tempfile.mkdtemp())


def run(*arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def rows_of(text):
    return list(csv.reader(text.splitlines()))


def compare(name, table, x, *options):
    """Trains on a table, exports, and compares for the inputs x; gives what runs the file."""
    run("train", "--csv", table, "--epochs", "30", *options, "--save", "model.npz")
    return compare_saved(name, "model.npz", table, x)


def compare_saved(name, saved, table, x, *reading):
    run("export", saved, "--onnx", "model.onnx")
    model = onnx.load("model.onnx")
    onnx.checker.check_model(model, full_check=True)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    classes = "classes" in json.loads(metadata["target"])
    predicted = rows_of(run("predict", saved, "--csv", table, *reading, *(["--probabilities"] if classes else [])))[1:]
    expected = numpy.array([row[1:] if classes else row for row in predicted], dtype="f8")
    session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    answers = session.run(None, x)[0]
    difference = (abs(answers - expected) / numpy.maximum(abs(expected), 1)).max()
    print(f"{name}: {difference:.1e}")
    assert answers.shape == expected.shape and difference < 1e-5
    one = session.run(None, {key: value[3:4] for key, value in x.items()})[0]
    assert one.shape == (1, expected.shape[1]) and abs(one - answers[3]).max() < 1e-5
    return session


def numbers_of(rows):
    return numpy.array([[float(cell) if cell else numpy.nan for cell in row] for row in rows])


iris, diabetes = data + "iris.csv", data + "diabetes.csv"
with open(iris, encoding="utf-8") as file:
    x = {"numbers": numbers_of(row[:-1] for row in rows_of(file.read())[1:])}
for activation in ["relu", "tanh", "sigmoid", "gelu", "silu", "softplus", "identity"]:
    session = compare(activation, iris, x, "--hidden", "16,8", "--activation", activation)
for bad in [numpy.nan, numpy.inf, -numpy.inf, 1e300]:
    row = x["numbers"][:2].copy()
    row[1, 2] = bad
    answer = session.run(None, {"numbers": row})[0]
    assert numpy.isfinite(answer[0]).all() and numpy.isnan(answer[1]).all(), bad

with open(os.path.join(sources, "docs/files.md"), encoding="utf-8") as file:
    printed = re.findall(r"^```python\n(.*?)^```", file.read(), re.DOTALL | re.MULTILINE)[-1]
os.rename("model.onnx", "iris.onnx")
here = {"numpy": numpy, "onnxruntime": onnxruntime}
exec(printed, here)
assert here["probabilities"].argmax() == 0

with open(diabetes, encoding="utf-8") as file:
    numbers = numbers_of(rows_of(file.read())[1:])
compare("regression", diabetes, {"numbers": numbers[:, :-1]}, "--hidden", "16", "--scale", "standard")
compare("two targets", diabetes, {"numbers": numbers[:, :-2]}, "--hidden", "0", "--label", "glu,progression")

# Layers: those of the golden files, and words in front of what is no dense layer.
golden = os.path.join(sources, "tests/golden/networks/")
for name in ["pictures", "rows"]:
    with open(golden + name + "_rows.csv", encoding="utf-8") as file:
        x = {"numbers": numbers_of(rows_of(file.read()))}
    compare_saved(name, golden + name + ".safetensors", golden + name + "_rows.csv", x, "--header", "no")
line = "batchnorm, unflatten 1 1 7, conv 8 1x2, relu, flatten, dropout 0.1, dense"

# Words between numbers, and missing cells.
colours = ["red", "grün", 'dark, "blue"']
with open("words.csv", "w", encoding="utf-8", newline="") as file:
    table = [["colour", "size", "shape", "weight", "kind"]]
    for i in range(90):
        table.append([colours[i % 3], "" if i % 7 == 3 else i % 11, "" if i % 13 == 5 else "round" if i % 2 else "flat", i * i % 17 + 0.5, "ab"[i % 11 + i % 3 > 6]])
    csv.writer(file).writerows(table)
table = table[1:]
x = {
    "numbers": numbers_of([str(row[1]), str(row[3])] for row in table),
    "words_0": numpy.array([row[0] for row in table], dtype=object),
    "words_2": numpy.array([row[2] for row in table], dtype=object),
}
compare("words, pictures", "words.csv", x, "--layers", line, "--missing", "mean")
session = compare("words", "words.csv", x, "--hidden", "8", "--missing", "mean")
try:
    session.run(None, {**x, "words_0": numpy.array(["pink"] * 90, dtype=object)})
except Exception as error:
    print(f"an unknown word: {str(error)[:80]}")
else:
    raise AssertionError("a word that the training had not got an answer")
