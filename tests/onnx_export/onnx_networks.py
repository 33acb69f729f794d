"""Networks of every layer as ONNX: ONNX's own checker accepts them, and ONNX Runtime answers as they do.

    onnx_networks.py PROGRAM

PROGRAM FOLDER writes them and their answers there. Where onnx or onnxruntime is not there, says so and exits with 77, which
ctest takes for skipped.
"""

import glob
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"SKIPPED: no layer went to ONNX Runtime, as {error.name} is not installed.", file=sys.stderr)
    sys.exit(77)
onnxruntime.set_default_logger_severity(4)
folder = tempfile.mkdtemp()
subprocess.run([sys.argv[1], folder], check=True)


def taken(session, arrays):
    return {i.name: arrays[i.name].astype("i8" if i.type == "tensor(int64)" else "f4") for i in session.get_inputs()}


failures = 0
paths = sorted(glob.glob(folder + "/*.onnx"))
assert len(paths) > 30
for path in paths:
    name = os.path.basename(path)[:-5]
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    differences = []
    for rows in [1, 3, 8]:
        arrays = numpy.load(f"{path[:-5]}.{rows}.npz")
        outputs = [output.name for output in session.get_outputs()]
        for output, answer in zip(outputs, session.run(outputs, taken(session, arrays))):
            expected = arrays[output]
            assert answer.shape == expected.shape and answer.dtype == expected.dtype, (name, output, answer.shape)
            differences.append((abs(answer - expected) / numpy.maximum(abs(expected), 1)).max())
    print(f"{name}: {max(differences):.1e}")
    failures += not max(differences) < 2e-6

# Words and lengths that are none: no others stand for them.
def refuses(name, inputs, bad):
    session = onnxruntime.InferenceSession(f"{folder}/{name}.onnx", providers=["CPUExecutionProvider"])
    for number in bad:
        try:
            session.run(None, inputs(number))
        except Exception as error:
            print(f"{name}, {number}: {str(error)[-80:]}")
        else:
            global failures
            failures += 1
            print(f"{name}, {number}: it got an answer")


def with_length(name):
    arrays = dict(numpy.load(f"{folder}/{name}.1.npz"))
    given = {key: array for key, array in arrays.items() if key not in ["y", "hidden", "cell"]}
    return name, lambda length: {**given, "lengths": numpy.array([length])}


refuses("embedding", lambda word: {"x": numpy.array([[0, word]])}, [-1, 7])
refuses(*with_length("attention to others"), [-1, 6])
for layer in ["rnn", "gru", "lstm"]:
    refuses(*with_length(layer + " of different lengths"), [-1, 7])

# Numbers whose squares overflow, which the layer refuses.
session = onnxruntime.InferenceSession(folder + "/norms.onnx", providers=["CPUExecutionProvider"])
large = numpy.array([1e30, -1e30, 1, 2], "f4") * numpy.ones((1, 2, 3, 1), "f4")
failures += not numpy.isnan(session.run(None, {"x": large})[0]).all()
sys.exit(failures > 0)
