"""The two pictures that matter: the time of a training step, and the throughput of a few operations."""

import math
from xml.sax.saxutils import escape

COLOURS = {
    "by hand": "#8b949e",
    "plain loop": "#8b949e",
    "deltarule": "#2f7de1",
    "libtorch": "#e8743b",
    "jax jit": "#2aa876",
}
STEPS = [
    "2-3-2, batch 4",
    "64-32-10, batch 32",
    "784-128-10, batch 64",
    "784-512-512-10, batch 128",
]
OPERATIONS = ["mul", "tanh", "softmax", "sum"]
SIZES = ["1e3", "1e4", "1e5", "1e6", "1e7"]
STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.small { font-size: 11px; fill: #59636e; }
.grid { stroke: #d1d9e0; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .small { fill: #9198a1; } .grid { stroke: #3d444d; }
}
"""


def text(x, y, content, anchor="start", kind=""):
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}>{escape(content)}</text>'


def line(x1, y1, x2, y2, kind="grid"):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def dot(x, y, colour, radius=4):
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>'


def legend(x, y, sides):
    parts = []
    for side in sides:
        parts += [dot(x, y - 4, COLOURS[side]), text(x + 9, y, side)]
        x += 40 + 7.2 * len(side)
    return parts


class LogAxis:
    """Powers of ten over what is to be shown, from `start` to `end` in pixels."""

    def __init__(self, values, start, end):
        self.low, self.high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        self.high = max(self.high, self.low + 1)
        self.start, self.end = start, end

    def __call__(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def powers(self):
        return [10.0**k for k in range(self.low, self.high + 1)]


def in_units(seconds, digits=3):
    seconds *= 1 + 1e-9  # powers of ten are to reach their unit
    factor, unit = (1e9, "ns") if seconds < 1e-6 else (1e6, "µs") if seconds < 1e-3 else (1e3, "ms")
    return f"{seconds * factor:.{digits}g} {unit}"


def draw_steps(results, top):
    sides = [
        s
        for s in ("by hand", "deltarule", "libtorch", "jax jit")
        if any(k[0] == "step" and k[2] == s for k in results.median)
    ]
    times = {
        (step, side): seconds
        for step in STEPS
        for side in sides
        if (seconds := results.time("step", f"{step}, sgd, relu, float, 1 thread", side))
    }
    if not times:
        return [], top
    left, right, row, gap = 210, 790, 17, 15
    bottom = top + 50 + len(STEPS) * (len(sides) * row + gap)
    axis = LogAxis(times.values(), left, right)
    parts = [
        text(16, top + 14, "A training step, one thread (SGD, ReLU, float)", kind="title"),
        *legend(430, top + 14, sides),
    ]
    for power in axis.powers():
        parts += [line(axis(power), top + 32, axis(power), bottom - 8)]
        parts += [text(axis(power), bottom + 8, in_units(power), "middle", "small")]
    y = top + 50
    for step in STEPS:
        parts.append(text(left - 14, y + (len(sides) - 1) * row / 2 + 4, step, "end"))
        for side in sides:
            if seconds := times.get((step, side)):
                x, colour = axis(seconds), COLOURS[side]
                parts.append(
                    f'<line x1="{left}" y1="{y}" x2="{x:.1f}" y2="{y}" stroke="{colour}" stroke-width="2" opacity="0.55"/>'
                )
                parts += [dot(x, y, colour, 5), text(x + 10, y + 4, in_units(seconds), kind="small")]
            y += row
        y += gap
    return parts, bottom + 24


def draw_operations(results, top):
    sides = [
        s
        for s in ("plain loop", "deltarule", "libtorch")
        if any(k[0] == "operation" and k[2] == s for k in results.median)
    ]

    def throughput(name, side):
        times = [(size, results.time("operation", f"{name}, {size}, forward and backward", side)) for size in SIZES]
        return [(float(size), float(size) / seconds / 1e9) for size, seconds in times if seconds]

    curves = {(name, side): throughput(name, side) for name in OPERATIONS for side in sides}
    values = [y for curve in curves.values() for _, y in curve]
    if not values:
        return [], top
    height, left, width, gap = 190, 62, 180, 20
    upper, lower = top + 50, top + 50 + height
    vertical = LogAxis(values, lower, upper)
    parts = [
        text(16, top + 14, "Forward and backward, 10⁹ elements a second", kind="title"),
        *legend(430, top + 14, sides),
    ]
    for k, name in enumerate(OPERATIONS):
        start = left + k * (width + gap)
        horizontal = LogAxis([1e3, 1e7], start + 6, start + width - 6)
        parts.append(text(start + width / 2, upper - 10, name, "middle"))
        for power in vertical.powers():
            parts.append(line(start, vertical(power), start + width, vertical(power)))
            if k == 0:
                parts.append(text(start - 8, vertical(power) + 4, f"{power:g}", "end", "small"))
        for size in SIZES:
            parts.append(text(horizontal(float(size)), lower + 17, size, "middle", "small"))
        for side in sides:
            points = [(horizontal(x), vertical(y)) for x, y in curves[name, side]]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[side]}" stroke-width="2"/>')
            parts += [dot(x, y, COLOURS[side], 3) for x, y in points]
    parts.append(text(left + 2 * width + 1.5 * gap, lower + 36, "elements", "middle", "small"))
    return parts, lower + 48


def draw(results):
    steps, bottom = draw_steps(results, 12)
    operations, bottom = draw_operations(results, bottom + 14)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 {bottom:.0f}" width="880" height="{bottom:.0f}">',
            "<title>deltarule beside others: time of a training step, throughput of operations</title>",
            f"<style>{STYLE}</style>",
            *steps,
            *operations,
            "</svg>\n",
        ]
    )
