"""Writes the files that tests/nn/numpy_test.cpp reads: numpy/*.npy and *.npz, and what stands in them, numpy/expected.json.

    pip install numpy==2.4.6
    python tests/golden/make_numpy.py
"""

import json
import os
import zipfile

import numpy as np

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "numpy"))
expected = {}


def numbers(array):
    return {"shape": list(array.shape), "numbers": array.astype("f8").ravel().tolist()}


def save(name, array, **options):
    with open(name + ".npy", "wb") as file:
        np.lib.format.write_array(file, array, **options)
    expected[name + ".npy"] = {"array": numbers(array)}


rows = np.array([[0, 1, 2], [-1, 100, 65]])
for kind in ["f2", "f4", "f8", "i1", "i2", "i4", "i8"]:
    for order in "<" if kind == "i1" else "<>":
        save(f"{'little' if order == '<' else 'big'}_{kind}", rows.astype(order + kind))
for kind in ["u1", "u2", "u4", "u8"]:
    for order in "<" if kind == "u1" else "<>":
        save(f"{'little' if order == '<' else 'big'}_{kind}", abs(rows).astype(order + kind))
save("bool", rows > 0)
save("fractions", np.array([0.1, -2.5e-8, 3e38, 6.02e23, 0.0]).astype("<f4"))
save("halves", np.array([0.5, -65504, 6e-8, 0, 1 / 3]).astype("<f2"))

block = np.arange(24.0).reshape(2, 3, 4) / 8
save("block", block)
save("fortran", np.asfortranarray(block))
save("fortran_big", np.asfortranarray(block).astype(">f4"))
save("fortran_vector", np.asfortranarray(np.arange(3.0)))
save("number", np.float64(2.5).reshape(()))
save("vector", np.arange(5.0))
save("long_vector", np.arange(1000.0).astype("<f4"))
save("empty", np.zeros((0, 64), "<f4"))
save("empty_behind", np.zeros((3, 0)))
save("many_axes", np.arange(2.0).reshape((1,) * 30 + (2,)))
save("version_2", block, version=(2, 0))
save("version_3", block, version=(3, 0))

network = {
    "0.weight": np.arange(12.0, dtype="f4").reshape(4, 3) / 16,
    "0.bias": np.ones(4, "f4"),
    "2.weight": -np.arange(8.0, dtype="f4").reshape(2, 4),
    "2.bias": np.zeros(2, "f4"),
}
np.savez("stored.npz", **network)
np.savez_compressed("deflated.npz", **network)
mixed = dict(zip(network, ["<f4", ">f8", "<i2", "<f2"]))
np.savez("mixed.npz", **{key: np.asfortranarray(array.astype(mixed[key])) for key, array in network.items()})
for name in ["stored.npz", "deflated.npz", "mixed.npz"]:
    expected[name] = {key: numbers(array) for key, array in network.items()}
np.savez("metadata.npz", w=np.ones(2), __metadata__=json.dumps({"trained in": "Zürich", "steps": "3"}))
text = json.dumps({"π": "3"}, ensure_ascii=False)
np.savez("metadata_big.npz", w=np.ones(2), __metadata__=np.array(text).astype(">U20"))
np.savez("no_array.npz")
np.savez("names.npz", **{"größe": np.ones(1), "a/b": np.zeros(1)})
expected["names.npz"] = {"größe": numbers(np.ones(1)), "a/b": numbers(np.zeros(1))}


class Stream:
    """A file that is written from its beginning to its end, so that sizes stand behind the members."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.write, self.flush = self.file.write, self.file.flush


with zipfile.ZipFile(Stream("streamed.npz"), "w", zipfile.ZIP_DEFLATED) as members:
    for key, array in network.items():
        with members.open(zipfile.ZipInfo(key + ".npy"), "w", force_zip64=True) as member:
            np.lib.format.write_array(member, array)
zipfile.ZIP64_LIMIT = 100  # what is larger, or stands behind that, has its numbers where 8 bytes are
np.savez("zip64.npz", **network)
expected["streamed.npz"] = expected["zip64.npz"] = expected["stored.npz"]

# What is refused.
np.save("objects.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
np.save("complex.npy", np.ones(2, "c8"))
np.save("records.npy", np.zeros(2, [("a", "<f4"), ("b", "<i4", (2,))]))
np.save("words.npy", np.array(["one", "two"]))
np.savez("some_unread.npz", w=np.ones(2), c=np.ones(2, "c8"), o=np.array([None]), r=np.zeros(1, [("a", "<f4")]))
for path, name, compression in [
    ("bzip2.npz", "w.npy", zipfile.ZIP_BZIP2),
    ("pickle.npz", "network/data.pkl", zipfile.ZIP_STORED),
    ("other.npz", "README", zipfile.ZIP_STORED),
]:
    with zipfile.ZipFile(path, "w") as members:
        members.writestr(zipfile.ZipInfo(name), b"words", compress_type=compression)

with open("expected.json", "w", encoding="utf-8") as file:
    json.dump(expected, file, ensure_ascii=False)
    file.write("\n")
