#!/usr/bin/env python3
"""Makes RESULTS.md, results.json and results.svg of what bench and peers.py measured.

python3 bench/report/results.py --out=FOLDER FILE.json...
"""

import argparse
import json
import os
import platform
import re
import statistics
from collections import defaultdict
from datetime import date
from pathlib import Path

from picture import draw

SIZES = ["1e3", "1e4", "1e5", "1e6", "1e7"]
PASSES = ["forward", "forward and backward"]
PEERS = ["libtorch", "pytorch eager", "torch.compile", "jax jit"]
STEP_SIDES = ["deltarule", "by hand", "products alone", *PEERS]
LOOP_TARGET, TORCH_TARGET = 1.15, 1.0

# The case, the ratio deltarule / by hand that is to be reached, and deltarule / libtorch.
TARGETS = [
    ("2-3-2, batch 4, sgd, relu, float, 1 thread", 1.5, 1 / 80),
    ("64-32-10, batch 32, sgd, relu, float, 1 thread", 1.10, 1 / 10),
    ("784-128-10, batch 64, sgd, relu, float, 1 thread", 1.05, 0.75),
    ("784-512-512-10, batch 128, sgd, relu, float, 1 thread", 1.03, 0.9),
    ("784-128-10, batch 1, inference, relu, float, 1 thread", 1.1, 0.5),
    ("784-512-512-10, batch 128, adam, relu, float, 1 thread", 1.05, 0.6),
]
LARGEST = "784-512-512-10, batch 128, sgd, relu, float"

# Why a case is slower than another side or than its target: the side, how the case begins, the reason. The first that fits.
REASONS = [
    (
        "by hand|libtorch",
        "step: 2-3-2",
        "ten nodes, forward and backward, are 8,000 instructions in some seventy functions, of which only the softmax and taking an array "
        "for an adjoint need more than a twentieth",
    ),
    ("jax jit", "step: .*batch 256, inference", "JAX's products alone are faster than OpenBLAS'"),
    (
        "libtorch",
        "layer: conv2d 16x14x14",
        "of a register's 16 places a row of 14 pixels fills 14; libtorch lays channels side by side",
    ),
    ("libtorch", "layer: layer_norm", "mean and variance are made anew on the way back, so as to keep no array"),
    (
        "libtorch",
        "layer: lstm",
        "some two thirds are products, for which the weight is transposed in every step; the rest are the gates, in twenty operations",
    ),
    (
        "plain loop",
        "operation: (sin|cos),",
        "computed in double: within a unit up to 2^20, where the loop's angle is rounded",
    ),
    ("plain loop", "operation: pow( 2.5)?,", "logarithm and exponential in double; the loop is 13 to 155 units off"),
    ("libtorch", "operation: pow( 2.5)?,", "logarithm and exponential in double"),
    ("", "operation: (exp|sigmoid|silu|softplus),", "denormal results are looked for, and computed one by one"),
    ("libtorch", "operation: gelu,", "libtorch's is off by 1.1e-6, this one by 2.9e-7 (float, from -4 to 4)"),
    ("", "operation: prod,", "it watches for steps that lose digits"),
    ("", "operation: take_along_axis,", "it copies and checks what it is given, at every recording"),
    ("plain loop", "operation: where,", "it copies what it is given, at every recording"),
    (
        "plain loop",
        "operation: (div|maximum|minimum|mul|mul column|sub),",
        "both gradients are two passes, and one by hand",
    ),
    ("", "operation: sum axis 1,", "each row of 100 pays for its last, short register"),
    (
        "plain loop",
        "operation: (sum|mean),",
        "added in halves, so that the error grows with the logarithm of the count; the loop's grows with the count",
    ),
    (
        "plain loop",
        "operation: log,",
        "denormal numbers are looked for; the derivative reads z, too, as it is NaN outside of the domain",
    ),
    ("plain loop", "operation: log1p,", "the derivative reads z, too, as it is NaN outside of the domain"),
    (
        "plain loop",
        "operation: (erf|gelu),",
        "exp(-x^2) on the way back makes up for the rounding of x^2; its denormal results are computed one by one",
    ),
    (
        "plain loop",
        "operation: logsumexp,",
        "softmax is made anew on the way back: exp(x - z) would have the rounding of z",
    ),
    ("", "operation: variance,", "the mean is made anew on the way back, so as to keep no array"),
    ("plain loop", "operation: slice,", "by hand the compiler knows how long a row is, 50 numbers"),
    ("", "operation: take rows,", "gradients of more than 4096 rows are added in double"),
    ("plain loop", "operation: pow scalar,", "each register asks which power it is"),
    ("libtorch", "operation: (add|add scalar|sub),", "libtorch hands the gradient on without a copy"),
    ("libtorch", "layer: leaky_relu", "two choices for each number, and one in libtorch"),
]
# Of an operation that is slower on few numbers only.
RECORDING = "recording it: 13 to 33 ns beside its numbers, 60 to 130 with its gradients"
UNKNOWN = "not looked into"


def reason(side, kind, case):
    """Why deltarule is slower than this side, as far as it is known."""
    for sides, start, text in REASONS:
        if re.match(sides, side) and re.match(start, f"{kind}: {case}"):
            return text
    return ""


class Results:
    """Seconds of every repetition, and the counters of every benchmark, by case and side."""

    def __init__(self, files):
        self.context, self.failed = {}, []
        seconds, self.counters = defaultdict(list), {}
        units = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
        known = {"name", "run_name", "run_type", "iterations", "real_time", "cpu_time", "time_unit", "threads"}
        for file in files:
            content = json.loads(Path(file).read_text())
            self.context |= content["context"]
            for run in content["benchmarks"]:
                if run["run_type"] != "iteration":
                    continue
                if run.get("error_occurred"):
                    self.failed.append(f"{run['name']}: {run['error_message']}")
                    continue
                kind, rest = run["name"].split(": ", 1)
                case, side = rest.rsplit("/", 1)
                key = kind, case, side
                seconds[key].append(run["real_time"] * units[run["time_unit"]])
                self.counters[key] = {k: v for k, v in run.items() if k not in known and isinstance(v, float)}
        self.median = {key: statistics.median(values) for key, values in seconds.items()}
        self.fastest = {key: min(values) for key, values in seconds.items()}
        self.spread = {key: half_interquartile(values) for key, values in seconds.items()}

    def cases(self, kind):
        return sorted({case for k, case, _ in self.median if k == kind}, key=lambda case: rank(kind, case))

    def time(self, kind, case, side):
        return self.median.get((kind, case, side))

    def ratio(self, kind, case, side):
        """The time of deltarule over another's."""
        ours, theirs = self.time(kind, case, "deltarule"), self.time(kind, case, side)
        return ours / theirs if ours and theirs else None


def half_interquartile(values):
    if len(values) < 2:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / 2


def size_of(widths):
    return sum(map(int, widths.split("-")))


def rank(kind, case):
    """Where a case stands among its kind: repetitions are reported in a shuffled order."""
    parts = case.split(", ")
    if kind == "step":
        widths, batch, optimizer, activation, dtype, threads = parts
        optimizers = ["sgd", "momentum", "adam", "inference"]
        return (
            size_of(widths),
            threads,
            optimizers.index(optimizer),
            dtype == "double",
            activation == "tanh",
            int(batch.removeprefix("batch ")),
        )
    if kind == "hvp":
        return size_of(parts[0])
    if kind == "growth":
        chain = re.match(r"(\S+) nodes of (\d+)", case)
        return (False, parts[-1], int(chain[2]), float(chain[1])) if chain else (True,)
    if kind == "layer":  # in order of sizes: "conv2d 16x14x14, kernel 3, batch 32, forward"
        *rest, pass_ = parts
        name, *_ = rest[0].split()
        return name, [int(number) for number in re.findall(r"\d+", ", ".join(rest)[len(name) :])], pass_
    return case  # operations and networks by name


# ---- text ------------------------------------------------------------------------------------------------------------


def in_units(seconds):
    factor, unit = (1e9, "ns") if seconds < 1e-6 else (1e6, "µs") if seconds < 1e-3 else (1e3, "ms")
    return f"{seconds * factor:.3g} {unit}"


def as_ratio(ratio):
    return "" if ratio is None else f"1/{1 / ratio:.0f}" if ratio < 0.095 else f"{ratio:.2f}"


def table(head, rows, align=None):
    align = align or ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, align, *rows])


def machine(context):
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = re.findall(r"model name\s*: (.*)", cpuinfo.read_text())
        name = names[0] if names else name
    caches = ", ".join(
        f"L{c['level']} {c['type'].lower()} {c['size'] // 1024} KiB"
        for c in context.get("caches", [])
        if c["type"] != "Instruction"
    )
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": date.today().isoformat(),
        "processor": f"{name}, {context.get('num_cpus', os.cpu_count())} cores, {caches}",
        "memory": f"{memory:.0f} GiB",
        "system": f"{system}, {platform.machine()}",
        "compiler": context.get("compiler", ""),
        "SIMD": context.get("simd", ""),
        "BLAS": context.get("blas", ""),
        "libtorch": context.get("libtorch", "not measured"),
        "PyTorch": context.get("torch", "not measured"),
        "JAX": context.get("jax", "not measured"),
        "Python": platform.python_version(),
    }


def verdict(value, target, why=""):
    """Whether it is reached, and why not."""
    return ["", ""] if value is None else ["yes", ""] if value <= target else ["**no**", why or UNKNOWN]


def targets(results):
    """The figures to reach, each with its target beside it."""
    rows = []
    for case, by_hand, by_torch in TARGETS:
        for side, target in (("by hand", by_hand), ("libtorch", by_torch)):
            value = results.ratio("step", case, side)
            if value is not None:
                why = reason(side, "step", case)
                rows.append(
                    [case, f"deltarule / {side}", as_ratio(value), as_ratio(target), *verdict(value, target, why)]
                )
    for side, target in (("plain loop", LOOP_TARGET), ("libtorch", TORCH_TARGET)):
        ratios = [(r, case) for case in results.cases("operation") if (r := results.ratio("operation", case, side))]
        if ratios:
            worst, where = max(ratios)
            within = sum(r <= target for r, _ in ratios)
            text = f"{within} of {len(ratios)} within it; worst {worst:.2f} ({where})"
            why = reason(side, "operation", where)
            rows.append(
                ["operations, 1e3 to 1e7", f"deltarule / {side}", text, f"{target}", *verdict(worst, target, why)]
            )
    for kind, what in (("layer", "layers"), ("network", "networks")):
        ratios = [(r, case) for case in results.cases(kind) if (r := results.ratio(kind, case, "libtorch"))]
        if ratios:
            worst, where = max(ratios)
            within = sum(r <= TORCH_TARGET for r, _ in ratios)
            text = f"{within} of {len(ratios)} within it; worst {worst:.2f} ({where})"
            why = reason("libtorch", kind, where)
            rows.append(
                [what, "deltarule / libtorch", text, f"{TORCH_TARGET}", *verdict(worst, TORCH_TARGET, why)]
            )
    for side in ("torch.compile", "jax jit"):
        ratios = [(r, case) for case in results.cases("step") if (r := results.ratio("step", case, side))]
        if ratios:
            worst, where = max(ratios)
            within = sum(r <= 1 for r, _ in ratios)
            text = f"{within} of {len(ratios)} within it; worst {worst:.2f} ({where})"
            why = reason(side, "step", where)
            rows.append(["every step and inference", f"deltarule / {side}", text, "1", *verdict(worst, 1, why)])
    # The second core of a virtual machine is not always there: the fastest repetitions tell what two threads gain.
    keys = [("step", f"{LARGEST}, {n}", "deltarule") for n in ("1 thread", "2 threads")]
    one, two = (results.fastest.get(key) for key in keys)
    if one and two:
        medians = results.median[keys[0]] / results.median[keys[1]]
        text = f"{one / two:.2f} in the fastest repetitions, {medians:.2f} in the medians"
        rows.append([LARGEST, "1 thread / 2 threads", text, "1.5", *verdict(two / one, 1 / 1.5)])
    for case in results.cases("growth"):
        counters = results.counters["growth", case, "deltarule"]
        if "bytes by hand" in counters:
            value = counters["bytes"] / counters["bytes by hand"]
            rows.append([case, "bytes, deltarule / by hand", f"{value:.2f}", "1.25", *verdict(value, 1.25)])
    for case in results.cases("hvp"):
        value = results.ratio("hvp", case, "gradient")
        rows.append([case, "hvp / a gradient", f"{value:.2f}", "5", *verdict(value, 5)])
        held, alone = (results.counters["hvp", case, side]["bytes"] for side in ("deltarule", "gradient"))
        rows.append([case, "bytes, hvp / a gradient", f"{held / alone:.2f}", "3", *verdict(held / alone, 3)])
    chains = [
        (counters["bytes per node"], case)
        for (kind, case, _), counters in results.counters.items()
        if kind == "growth" and "bytes per node" in counters
    ]
    if chains:
        longest = max(value for value, case in chains if case.startswith("1e6"))
        worst, where = max(chains)
        text = f"{longest:.0f} for 1e6 nodes; worst {worst:.0f} ({where})"
        rows.append(
            ["tapes of 1e2 to 1e6 nodes", "bytes per node beside its numbers", text, "512", *verdict(worst, 512)]
        )
    allocations = [
        counters["allocations"]
        for (kind, case, side), counters in results.counters.items()
        if side == "deltarule" and (kind in ("layer", "network") or (kind == "step" and case.endswith("1 thread")))
    ]
    if allocations:
        most = max(allocations)
        rows.append(["steps and layers on one thread", "allocations of a step", f"{most:g}", "0", *verdict(most, 0)])
    head = ["case", "figure", "measured", "target", "reached", "why not"]
    return table(head, rows, ["---", "---", "---:", "---:", "---", "---"])


def steps(results, kind="step"):
    sides = [side for side in STEP_SIDES if any(key[0] == kind and key[2] == side for key in results.median)]
    rows = []
    for case in results.cases(kind):
        row = [case]
        for side in sides:
            key = kind, case, side
            if key not in results.median:
                row.append("")
                continue
            median, spread = results.median[key], results.spread[key]
            text = f"{in_units(median)} ± {100 * spread / median:.0f} %"
            row.append(text if side == "deltarule" else f"{text} ({as_ratio(results.ratio(*key))})")
        slower = [side for side in PEERS if (results.ratio(kind, case, side) or 0) > 1]
        rows.append([*row, "; ".join(why_slower(results, kind, case, side) for side in slower)])
    return with_reasons(["case", *sides], rows)


def why_slower(results, kind, case, side):
    known = reason(side, kind, case)
    ours, theirs = (kind, case, "deltarule"), (kind, case, side)
    if not known and results.median[ours] - results.median[theirs] <= results.spread[ours] + results.spread[theirs]:
        return "within the spread"
    return known or UNKNOWN


def with_reasons(head, rows):
    """A table whose last column is why a row is slower, where one is."""
    if not any(row[-1] for row in rows):
        return table(head, [row[:-1] for row in rows])
    align = ["---"] + ["---:"] * (len(head) - 1) + ["---"]
    return table([*head, "why it is slower"], rows, align)


def operation_table(results, side, target):
    names = dict.fromkeys(case.split(", ")[0] for case in results.cases("operation"))
    rows = []
    for name in names:
        ratios = [results.ratio("operation", f"{name}, {size}, {p}", side) for p in PASSES for size in SIZES]
        cells = ["" if r is None else f"**{r:.2f}**" if r > target else f"{r:.2f}" for r in ratios]
        rows.append([name, *cells, why_operation_is_slower(results, side, name, target)])
    return with_reasons(["", *[f"{size}{' both' if p != 'forward' else ''}" for p in PASSES for size in SIZES]], rows)


def why_operation_is_slower(results, side, name, target):
    """By the sizes at which it is, forward, and forward and backward."""
    slow = set()
    for size in SIZES:
        for case in (f"{name}, {size}, {p}" for p in PASSES):
            ours, theirs = ("operation", case, "deltarule"), ("operation", case, side)
            if (results.ratio("operation", case, side) or 0) > target:
                by_chance = results.spread[ours] + target * results.spread[theirs]
                is_clear = results.median[ours] - target * results.median[theirs] > by_chance
                slow.add("few" if size in ("1e3", "1e4") else "many" if is_clear else "by chance")
    if not slow:
        return ""
    known = reason(side, "operation", f"{name},")
    return known or (UNKNOWN if "many" in slow else RECORDING if "few" in slow else "within the spread")


def growth(results):
    rows, memory = [], ""
    for case in results.cases("growth"):
        key = "growth", case, "deltarule"
        counters = results.counters[key]
        if "bytes per node" in counters:
            seconds = results.median[key]
            per_node = in_units(seconds / float(case.split()[0]))
            rows.append([case, in_units(seconds), per_node, f"{counters['bytes per node']:.0f}"])
        else:
            held, by_hand = (counters[k] / 1e6 for k in ("bytes", "bytes by hand"))
            memory = (
                f"\n\nPeak memory, {case}: {held:.2f} MB; parameters, gradients, results of layers and two deltas, "
                f"as the hand-written step must keep them: {by_hand:.2f} MB."
            )
    return table(["tape", "time", "time per node", "bytes per node beside its numbers"], rows) + memory


def report(results, about):
    lines = "\n".join(f"- {key}: {value}" for key, value in about.items())
    parts = [
        "# Results\n\nWritten by `bench/report/results.py`; `bench/run.sh` measures anew. How to read it: [README.md](README.md). Training in several processes: [processes](processes/README.md).",
        lines,
        "![Time of a training step and throughput of operations](results.svg)",
        "## Figures to reach\n\n" + targets(results),
        "## Training steps and inference\n\nMedians ± half the range between the quartiles; in brackets the time of "
        "deltarule over this one.\n\n" + steps(results),
        "## Operations\n\nThe time of deltarule over that of a plain loop with SIMD registers, forward, and forward and "
        f"backward (both), by the number of elements; above {LOOP_TARGET} is bold.\n\n"
        + operation_table(results, "plain loop", LOOP_TARGET),
    ]
    if "libtorch" in results.context:
        parts.append(
            "The same over libtorch; above 1 is bold.\n\n" + operation_table(results, "libtorch", TORCH_TARGET)
        )
    parts += [
        "## Networks\n\nAs above.\n\n" + steps(results, "network"),
        "## Layers\n\nAs above.\n\n" + steps(results, "layer"),
    ]
    parts.append("## Growth\n\n" + growth(results))
    return "\n\n".join(parts) + "\n"


# ---- numbers ---------------------------------------------------------------------------------------------------------


def rounded(x):
    return float(f"{x:.4g}")


def compact(results, about):
    """Medians in seconds, a line for each case."""
    blocks = [f'"about": {json.dumps(about, indent=1, ensure_ascii=False)}']
    for kind in ("step", "operation", "layer", "network", "growth", "hvp"):
        lines = []
        for case in results.cases(kind):
            sides = {side: rounded(t) for (k, c, side), t in results.median.items() if (k, c) == (kind, case)}
            if kind in ("growth", "hvp"):
                counters = results.counters[kind, case, "deltarule"]
                sides |= {k: rounded(v) for k, v in counters.items() if k.startswith("bytes")}
            lines.append(f" {json.dumps(case)}: {json.dumps(dict(sorted(sides.items())))}")
        blocks.append(f'"{kind}": {{\n' + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help="what bench --benchmark_out and peers.py --out wrote")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="the folder to write to")
    options = parser.parse_args()
    results = Results(options.files)
    if results.failed:
        raise SystemExit("\n".join(sorted(set(results.failed))))
    about = machine(results.context)
    (options.out / "RESULTS.md").write_text(report(results, about))
    (options.out / "results.json").write_text(compact(results, about))
    (options.out / "results.svg").write_text(draw(results))


if __name__ == "__main__":
    main()
