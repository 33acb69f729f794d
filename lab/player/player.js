// @ts-check
// The page that steps through a recording. It reads the JSON of docs/lab.md from its own text and asks no other host for
// anything. Names and formulas are data: they become text, and MathML is taken apart and built anew.

/**
 * @typedef {{shape: number[], values: (number | string)[], sampled?: number[][], least?: number | string, largest?: number | string}} Numbers
 * @typedef {{text: string, mathml: string}} Formula
 * @typedef {{id: number, name: string, operation: string, kind: string, inputs: number[], shape: number[], group: string,
 *   letters: string[], line: number | null, formula: Formula | null, derivatives: (Formula | null)[], value: Numbers,
 *   adjoint: Numbers | null, digits: number | null}} Node
 * @typedef {{to: number, input: number, value: Numbers}} Contribution
 * @typedef {{line: number, text: string, verdict: string, reason: string, repair: string, node: number | null,
 *   value: Numbers | null, tape: Numbers | null}} Claim
 * @typedef {{format: number, title: string, precision: string, result: number, nodes: Node[],
 *   backward: {node: number, contributions: Contribution[]}[], memory?: {after: number, bytes: number}[],
 *   claims?: Claim[], source?: string}} Recording
 * @typedef {Record<string, number>} Cursor the cell that is looked at: a letter's place
 * @typedef {{text: string, from?: "value" | "adjoint", letter?: string}} Piece
 * @typedef {{out: string[], over: string[], sizes: Map<string, number>, term: (cursor: Cursor) => number,
 *   pieces: (cursor: Cursor) => Piece[], rule: Piece[], parts: Part[], entrywise: boolean, more?: (cursor: Cursor) => Piece[],
 *   extra?: (cursor: Cursor) => number, share?: number}} Sum what an array's entry is the sum of: its letters, those summed over, a term
 * @typedef {{name: string, of: string, array: Numbers, letters: string[], adjoint: boolean, node: number}} Part
 * @typedef {{kind: "leaf" | "value" | "seed" | "edge", node: number, edge?: Contribution, term?: number, terms?: number,
 *   part?: "unsummed" | "summed"}} Step
 */

// ---------------------------------------------------------------------------------------------- numbers

/** @param {number | string} v */
const number = (v) => (typeof v === "number" ? v : v === "inf" ? Infinity : v === "-inf" ? -Infinity : NaN);

/** @type {WeakMap<Numbers, Float64Array>} */
const read = new WeakMap();
/** @param {Numbers} a */
function values(a) {
  let v = read.get(a);
  if (!v) read.set(a, (v = Float64Array.from(a.values, number)));
  return v;
}
/** @param {Numbers} a the numbers that are there of each axis */
const shown = (a) => (a.sampled ? a.sampled.map((s) => s.length) : a.shape);
/** @param {number[]} shape */
const count = (shape) => shape.reduce((n, d) => n * d, 1);
/** @param {number[]} shape */
const times = (shape) =>
  shape.length === 0 ? "one number" : shape.length === 1 ? `${shape[0]} numbers` : `${shape.join(" × ")} numbers`;
/** @param {number[]} shape @param {ArrayLike<number>} v @returns {Numbers} */
function numbersOf(shape, v) {
  const a = { shape, values: Array.from(v) };
  read.set(a, Float64Array.from(a.values));
  return a;
}
/** @param {Numbers} a @param {Numbers} b @returns {Numbers} */
function plus(a, b) {
  const x = values(a),
    y = values(b),
    z = x.map((v, i) => v + y[i]);
  const sum = { ...a, values: Array.from(z) };
  if (a.sampled) [sum.least, sum.largest] = [Math.min(...z), Math.max(...z)];
  read.set(sum, z);
  return sum;
}
/** @param {Numbers} a */
function largest(a) {
  let most = 0;
  for (const v of values(a)) if (Number.isFinite(v)) most = Math.max(most, Math.abs(v));
  for (const v of [a.least, a.largest])
    if (v !== undefined && Number.isFinite(number(v))) most = Math.max(most, Math.abs(number(v)));
  return most;
}
/** Four digits, as a reader wants them. @param {number} v */
export function short(v) {
  if (Number.isNaN(v)) return "nan";
  if (!Number.isFinite(v)) return v > 0 ? "∞" : "−∞";
  if (v === 0) return "0";
  const size = Math.abs(v);
  let text;
  if (Number.isInteger(v) && size < 1e5) text = String(size);
  else if (size >= 1e5 || size < 1e-4) text = size.toExponential(2).replace("e+", "e").replace("e-", "e−");
  else
    text =
      size >= 1000
        ? size.toFixed(0)
        : size >= 100
          ? size.toFixed(1)
          : size >= 10
            ? size.toFixed(2)
            : size >= 0.1
              ? size.toFixed(4)
              : size.toPrecision(3);
  if (text.includes(".") && !text.includes("e")) text = text.replace(/\.?0+$/, "");
  return (v < 0 ? "−" : "") + text;
}
/** All digits. @param {number} v */
const full = (v) => (Number.isFinite(v) ? String(v).replace(/-/g, "−") : short(v));
/** @param {number} a @param {number} b @param {number} scale */
const near = (a, b, scale) =>
  a === b || (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= 1e-9 + 2e-4 * Math.max(scale, Math.abs(b));

// ---------------------------------------------------------------------------------------------- formulas

const functions = /** @type {Record<string, (...a: number[]) => number>} */ ({
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  abs: Math.abs,
  sign: Math.sign,
  log1p: Math.log1p,
  expm1: Math.expm1,
  max: Math.max,
  min: Math.min,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
});
/** To 1.5e-7, by Abramowitz and Stegun's formula 7.1.26. */
functions.erf = (x) => {
  const t = 1 / (1 + 0.3275911 * Math.abs(x)),
    tail = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592].reduce((sum, a) => (sum + a) * t, 0);
  return Math.sign(x) * (1 - tail * Math.exp(-x * x));
};
functions["σ"] = functions.sigmoid;
functions["ln"] = functions.log;

/** @param {string} text as the library prints it, in one spelling */
function plain(text) {
  return text
    .normalize("NFD")
    .replace(/(\p{L})\u0304/gu, "$1bar")
    .normalize("NFC")
    .replace(/[·⋅×⊙∘]/g, "*")
    .replace(/[−–]/g, "-")
    .replace(/²/g, "^2")
    .replace(/³/g, "^3")
    .replace(/ᵀ|⊤/g, "^T")
    .replace(/⁻¹/g, "^-1");
}
/** @param {string} text @returns {string[] | null} */
function tokens(text) {
  const found = text.match(/\d+\.?\d*(?:e[-+]?\d+)?|\.\d+|[\p{L}_][\p{L}\d_]*|<=|>=|[-+*/^()[\],<>=?:]|\S/gu) ?? [];
  return found.every((t) => /^(\d|\.\d|[\p{L}_]|<=|>=|[-+*/^()[\],<>=?:])/u.test(t)) ? found : null;
}
/**
 * A formula of numbers as a function of its names; null where it is none (a product of matrices, words). A blank multiplies.
 * @param {string[]} list @param {Set<string>} names
 * @returns {((at: Record<string, number>) => number) | null}
 */
export function formula(list, names) {
  let i = 0;
  /** @typedef {(at: Record<string, number>) => number} F */
  /** @param {string} t */
  const expect = (t) => {
    if (list[i++] !== t) throw new Error("no formula of numbers");
  };
  /** @returns {F} */
  const choice = () => {
    const condition = comparison();
    if (list[i] !== "?") return condition;
    i++;
    const yes = choice();
    expect(":");
    const no = choice();
    return (at) => (condition(at) ? yes(at) : no(at));
  };
  /** @returns {F} */
  const comparison = () => {
    const a = sum(),
      sign = list[i];
    if (![">", "<", ">=", "<=", "="].includes(sign)) return a;
    i++;
    const b = sum();
    return (at) => {
      const x = a(at),
        y = b(at);
      return Number(
        sign === ">" ? x > y : sign === "<" ? x < y : sign === ">=" ? x >= y : sign === "<=" ? x <= y : x === y,
      );
    };
  };
  /** @returns {F} */
  const sum = () => {
    let left = product();
    while (list[i] === "+" || list[i] === "-") {
      const a = left,
        minus = list[i++] === "-",
        b = product();
      left = minus ? (at) => a(at) - b(at) : (at) => a(at) + b(at);
    }
    return left;
  };
  /** @returns {F} */
  const product = () => {
    let left = signed();
    for (;;) {
      const t = list[i];
      if (t === "*" || t === "/") i++;
      else if (t === undefined || !/^[\p{L}\d.([]/u.test(t)) return left;
      const a = left,
        b = t === "*" || t === "/" ? signed() : power();
      left = t === "/" ? (at) => a(at) / b(at) : (at) => a(at) * b(at);
    }
  };
  /** @returns {F} */
  const signed = () => {
    if (list[i] !== "-") return power();
    i++;
    const a = signed();
    return (at) => -a(at);
  };
  /** @returns {F} */
  const power = () => {
    const a = atom();
    if (list[i] !== "^") return a;
    i++;
    const b = signed();
    return (at) => a(at) ** b(at);
  };
  /** @returns {F} */
  const atom = () => {
    const t = list[i++];
    if (t === undefined) throw new Error("no formula of numbers");
    if (/^[\d.]/.test(t)) {
      const v = Number(t);
      return () => v;
    }
    if (t === "(" || t === "[") {
      const a = choice();
      expect(t === "(" ? ")" : "]");
      return a;
    }
    if (names.has(t)) return (at) => at[t];
    if (t === "pi" || t === "π") return () => Math.PI;
    const f = Object.hasOwn(functions, t) ? functions[t] : undefined;
    if (!f || list[i] !== "(") throw new Error("no formula of numbers");
    i++;
    const inside = [choice()];
    while (list[i] === ",") {
      i++;
      inside.push(choice());
    }
    expect(")");
    return (at) => f(...inside.map((a) => a(at)));
  };
  try {
    const f = choice();
    return i === list.length ? f : null;
  } catch {
    return null;
  }
}
/** The formula with numbers for its names. @param {string[]} list @param {(name: string) => Piece | null} put @returns {Piece[]} */
function withNumbers(list, put) {
  /** @type {Piece[]} */
  const pieces = [];
  for (let i = 0; i < list.length; i++) {
    const t = list[i],
      found = put(t);
    if (i > 0 && /^[\p{L}\d.([]/u.test(t) && /[\p{L}\d)\]]$/u.test(list[i - 1]) && !(list[i - 1] in functions))
      pieces.push({ text: " · " });
    if (found)
      pieces.push(found.text.startsWith("−") && list.length > 1 ? { ...found, text: `(${found.text})` } : found);
    else if (t === "*") pieces.push({ text: " · " });
    else if (t === "-" && i > 0 && !/^[-+*/^([,<>=?:]$/.test(list[i - 1])) pieces.push({ text: " − " });
    else if (t === "-") pieces.push({ text: "−" });
    else if (t === "^" && /^[23]$/.test(list[i + 1] ?? "")) pieces.push({ text: list[++i] === "2" ? "²" : "³" });
    else pieces.push({ text: /^([+/<>=?:]|<=|>=)$/.test(t) ? ` ${t} ` : t });
  }
  return pieces;
}

// ---------------------------------------------------------------------------------------------- the recording

const recording = /** @type {Recording | null} */ (
  JSON.parse(document.getElementById("recording")?.textContent ?? "null")
);
const nodes = recording?.nodes ?? [];
const small = nodes.length <= 200; // then sums are taken term by term
/** @type {Map<number, Contribution[]>} */
const contributions = new Map((recording?.backward ?? []).map((b) => [b.node, b.contributions]));
/** Who takes a node's value, in the order of the tape. @type {number[][]} */
const uses = nodes.map(() => []);
for (const node of nodes) for (const input of node.inputs) uses[input]?.push(node.id);

/** The names of a node's inputs in its formula. @param {Node} node */
function namesOf(node) {
  const usual = node.operation === "linear" ? ["x", "w", "b"] : ["x", "y", "t", "u", "v"];
  return node.inputs.map(
    (_, k) => plain(node.derivatives[k]?.text ?? "").match(/^\s*(\p{L}+?)bar\s*[-+]?=/u)?.[1] ?? usual[k] ?? `x${k}`,
  );
}

/**
 * Which axes of a node and of its inputs run together: each gets a number, -1 where an axis of length 1 is repeated.
 * @param {Node} node
 * @returns {{z: number[], inputs: number[][], kind: "entries" | "product" | "whole" | "moved" | "unknown"}}
 */
function axesOf(node) {
  const shape = node.shape,
    inputs = node.inputs.map((i) => nodes[i].shape);
  let fresh = 0;
  const z = shape.map(() => fresh++),
    op = node.operation;
  /** @param {"entries" | "product" | "whole" | "moved" | "unknown"} kind @param {number[][]} of */
  const are = (kind, of) => ({ z, inputs: of, kind });
  /** @param {number[]} list */
  const whole = (list) =>
    are(
      "whole",
      inputs.map(() => list),
    );
  const rest = () => inputs.map((s) => s.map(() => fresh++));
  if (
    op === "linear" &&
    inputs.length >= 2 &&
    inputs[1].length === 2 &&
    inputs[0].length === shape.length &&
    shape.length > 0
  ) {
    const last = z[z.length - 1],
      inner = fresh++;
    return are("product", [
      [...z.slice(0, -1), inner],
      [last, inner],
      ...inputs.slice(2).map((s) => (s.length === 1 ? [last] : s.map(() => fresh++))),
    ]);
  }
  if (
    op === "matmul" &&
    inputs.length === 2 &&
    inputs[0].length === 2 &&
    inputs[1].length === 2 &&
    shape.length === 2
  ) {
    const inner = fresh++,
      [x, y] = inputs.map((i) => i),
      X = nodes[node.inputs[0]].value,
      Y = nodes[node.inputs[1]].value;
    // x @ y, x @ y^T or x^T @ y: what fits, and says the numbers.
    for (const [a, b] of [
      [
        [z[0], inner],
        [inner, z[1]],
      ],
      [
        [z[0], inner],
        [z[1], inner],
      ],
      [
        [inner, z[0]],
        [inner, z[1]],
      ],
    ]) {
      const size = new Map([
        [z[0], shape[0]],
        [z[1], shape[1]],
      ]);
      const n = x[a.indexOf(inner)];
      size.set(inner, n);
      if (!a.every((l, k) => size.get(l) === x[k]) || !b.every((l, k) => size.get(l) === y[k])) continue;
      if (X.sampled || Y.sampled || node.value.sampled) return are("product", [a, b]);
      const u = values(X),
        v = values(Y),
        w = values(node.value);
      let right = true;
      for (const at of [0, w.length - 1]) {
        const place = new Map([
          [z[0], Math.floor(at / shape[1])],
          [z[1], at % shape[1]],
        ]);
        let total = 0,
          scale = 0;
        for (let k = 0; k < n; k++) {
          place.set(inner, k);
          const t =
            u[(place.get(a[0]) ?? 0) * x[1] + (place.get(a[1]) ?? 0)] *
            v[(place.get(b[0]) ?? 0) * y[1] + (place.get(b[1]) ?? 0)];
          total += t;
          scale = Math.max(scale, Math.abs(t));
        }
        right &&= w.length === 0 || near(total, w[at], scale);
      }
      if (right) return are("product", [a, b]);
    }
    return are("unknown", rest());
  }
  if (
    op === "transpose" &&
    inputs.length === 1 &&
    inputs[0].length === 2 &&
    inputs[0][0] === shape[1] &&
    inputs[0][1] === shape[0]
  )
    return are("moved", [[z[1], z[0]]]);
  if (
    /^(reshape|transpose|matmul|slice|pad|take|concatenate|stack|scatter|conv|unfold|fold|solve|inverse|det|logdet|cholesky)/.test(
      op,
    )
  )
    return are("unknown", rest());
  if (
    inputs.length > 0 &&
    inputs.every(
      (s) => s.length <= shape.length && s.every((d, k) => d === shape[k + shape.length - s.length] || d === 1),
    )
  ) {
    return are(
      "entries",
      inputs.map((s) =>
        s.map((d, k) => (d === 1 && shape[k + shape.length - s.length] !== 1 ? -1 : z[k + shape.length - s.length])),
      ),
    );
  }
  if (inputs.length > 0 && inputs[0].length >= shape.length && inputs.every((i) => String(i) === String(inputs[0]))) {
    // A sum over some axes: all of them, those that are 1 now, or one that left.
    const s = inputs[0];
    if (shape.length === 0) return whole(s.map(() => fresh++));
    if (s.length === shape.length && s.every((d, k) => shape[k] === d || shape[k] === 1)) {
      const own = s.map((d, k) => (shape[k] === d ? z[k] : fresh++));
      s.forEach((d, k) => {
        if (shape[k] !== d) z[k] = -1;
      });
      return whole(own);
    }
    if (s.length === shape.length + 1) {
      const gone = s.map((_, k) => k).filter((k) => s.filter((_, l) => l !== k).every((d, l) => d === shape[l]));
      if (gone.length > 0) {
        const k =
          gone.length === 1
            ? gone[0]
            : (gone.find((g) => sumsOver(node, g)) ?? (op === "softmax_cross_entropy" ? s.length - 1 : -1));
        if (k >= 0) return whole(s.map((_, l) => (l === k ? fresh++ : z[l < k ? l : l - 1])));
      }
    }
  }
  return are("unknown", rest());
}
/** @param {Node} node @param {number} axis of a square array: whether the sum over it is the node */
function sumsOver(node, axis) {
  const x = nodes[node.inputs[0]].value;
  if (x.sampled || node.operation !== "sum") return false;
  const inner = count(x.shape.slice(axis + 1)),
    n = x.shape[axis],
    v = values(x),
    w = values(node.value);
  return w.every((right, at) => {
    let total = 0,
      scale = 0;
    for (let k = 0; k < n; k++) {
      const t = v[(Math.floor(at / inner) * n + k) * inner + (at % inner)];
      total += t;
      scale = Math.max(scale, Math.abs(t));
    }
    return near(total, right, scale);
  });
}

// Axes that run together have one letter: n for the rows of data, then i, j, k as they come.
const begin = new Int32Array(nodes.length + 1);
for (const node of nodes) begin[node.id + 1] = begin[node.id] + node.shape.length;
const parent = Int32Array.from({ length: begin[nodes.length] }, (_, k) => k);
/** @param {number} a */
function root(a) {
  while (parent[a] !== a) a = parent[a] = parent[parent[a]];
  return a;
}
const axes = nodes.map((node) => (node.operation === "" ? null : axesOf(node)));
for (const node of nodes) {
  const of = axes[node.id];
  if (!of) continue;
  /** @type {Map<number, number>} */
  const first = new Map();
  [of.z, ...of.inputs].forEach((list, k) =>
    list.forEach((role, axis) => {
      const me = begin[k === 0 ? node.id : node.inputs[k - 1]] + axis,
        other = first.get(role);
      if (role < 0) return;
      if (other === undefined) first.set(role, me);
      else parent[root(me)] = root(other);
    }),
  );
}
const alphabet = [..."ijklmopqrstuv"],
  example = "n"; // the rows of a batch
/** @type {Map<number, string>} */
const letterOf = new Map();
{
  const rows = new Set(),
    learned = new Set();
  for (const node of nodes) {
    node.letters.forEach((letter, axis) => {
      if (axis < node.shape.length && letter && !letterOf.has(root(begin[node.id] + axis)))
        letterOf.set(root(begin[node.id] + axis), letter);
    });
    const data = node.operation === "linear" ? node.inputs[0] : node.kind === "constant" ? node.id : -1;
    if (data >= 0 && nodes[data].shape.length >= 2) rows.add(root(begin[data]));
    if (node.kind === "parameter") node.shape.forEach((_, axis) => learned.add(root(begin[node.id] + axis)));
  }
  const given = new Set(letterOf.values());
  const free = alphabet.filter((l) => !given.has(l));
  let next = 0,
    batch = !given.has(example);
  // In the order of the computation: what comes in, then what is made of it.
  const order = nodes
    .filter((n) => n.operation !== "")
    .flatMap((n) => [...n.inputs, n.id])
    .concat(nodes.map((n) => n.id));
  for (const id of order) {
    for (let a = begin[id]; a < begin[id + 1]; a++) {
      const r = root(a);
      if (letterOf.has(r)) continue;
      if (batch && rows.has(r) && !learned.has(r)) {
        letterOf.set(r, example);
        batch = false;
      } else letterOf.set(r, free[next++ % free.length] ?? "i");
    }
  }
}
/** The letters of a node's own axes, each once. @param {Node} node */
function ownLetters(node) {
  /** @type {string[]} */
  const taken = [];
  for (let axis = 0; axis < node.shape.length; axis++)
    taken.push(another(letterOf.get(root(begin[node.id] + axis)) ?? "i", taken));
  return taken;
}
/** @param {string} letter @param {Iterable<string>} taken */
function another(letter, taken) {
  const list = [...taken];
  if (!list.includes(letter)) return letter;
  return alphabet.find((l) => !list.includes(l)) ?? `${letter}′`;
}
/**
 * Letters for a step's arrays: one for each role of its axes, "" for an axis of length 1 that is repeated.
 * @param {Node} node
 */
function lettersAt(node) {
  const of = axes[node.id];
  if (!of) return { z: ownLetters(node), inputs: /** @type {string[][]} */ ([]) };
  /** @type {Map<number, string>} */
  const of_role = new Map();
  /** @param {number[]} list @param {number} id */
  const letters = (list, id) =>
    list.map((role, axis) => {
      if (role < 0) return "";
      let letter = of_role.get(role);
      if (letter === undefined)
        of_role.set(role, (letter = another(letterOf.get(root(begin[id] + axis)) ?? "i", of_role.values())));
      return letter;
    });
  const z = letters(of.z, node.id);
  return { z, inputs: of.inputs.map((list, k) => letters(list, node.inputs[k])) };
}

// ---------------------------------------------------------------------------------------------- what an entry is a sum of

/** @param {Part} part @param {Cursor} at */
function entry(part, at) {
  let flat = 0;
  const shape = part.array.shape;
  part.letters.forEach((l, k) => {
    flat = flat * shape[k] + (l === "" ? 0 : Math.min(at[l] ?? 0, shape[k] - 1));
  });
  return values(part.array)[flat];
}
/** @param {string} name @param {string[]} letters @returns {Piece[]} */
function indexed(name, letters) {
  const own = letters.filter((l) => l !== "");
  if (own.length === 0) return [{ text: name }];
  return [
    { text: `${name}[` },
    ...own.flatMap((l, k) => (k > 0 ? [{ text: "," }, { text: l, letter: l }] : [{ text: l, letter: l }])),
    { text: "]" },
  ];
}
/** @param {string[]} over @returns {Piece[]} */
const sumSign = (over) =>
  over.length === 0
    ? []
    : [
        { text: "∑" },
        ...over.flatMap((l, k) => (k > 0 ? [{ text: "," }, { text: l, letter: l }] : [{ text: l, letter: l }])),
        { text: " " },
      ];
/** @param {string} name */
const barred = (name) => `${name}\u0304`;

/** @param {Part[]} parts */
function sizesOf(parts) {
  /** @type {Map<string, number>} */
  const sizes = new Map();
  for (const p of parts)
    p.letters.forEach((l, k) => {
      if (l) sizes.set(l, Math.max(sizes.get(l) ?? 1, p.array.shape[k]));
    });
  return sizes;
}
/** @param {Piece} p @param {boolean} first */
const inBrackets = (p, first) => (p.text.startsWith("−") && !first ? { ...p, text: `(${p.text})` } : p);
/** @param {Part} p @param {Cursor} at @returns {Piece} */
const put = (p, at) => ({ text: short(entry(p, at)), from: p.adjoint ? "adjoint" : "value" });

/** A product of parts, summed. @param {string[]} out @param {Part[]} parts @param {number} factor @param {string} [divisor] @returns {Sum} */
function productOf(out, parts, factor = 1, divisor) {
  const sizes = sizesOf(parts),
    over = [...sizes.keys()].filter((l) => !out.includes(l));
  const sign = factor < 0 ? "−" : "";
  return {
    out,
    over,
    sizes,
    parts,
    entrywise: false,
    term: (at) => parts.reduce((t, p) => t * entry(p, at), factor),
    pieces: (at) => [
      { text: sign },
      ...parts.flatMap((p, k) =>
        k > 0 ? [{ text: " · " }, inBrackets(put(p, at), false)] : [inBrackets(put(p, at), sign === "")],
      ),
      ...(divisor ? [{ text: ` / ${divisor}` }] : []),
    ],
    rule: [
      ...sumSign(over),
      { text: sign },
      ...parts.flatMap((p, k) =>
        k > 0 ? [{ text: " · " }, ...indexed(p.name, p.letters)] : indexed(p.name, p.letters),
      ),
      ...(divisor ? [{ text: ` / ${divisor}` }] : []),
    ],
  };
}
/** What an adjoint grows by; nothing where the text says it otherwise. @param {string} text */
function rightSide(text) {
  const found = plain(text)
    .split(";")[0]
    .match(/^\s*\p{L}+bar\s*([-+]?)=\s*(.*)$/u);
  return !found ? "" : found[1] === "-" ? `-(${found[2]})` : found[2];
}
/** A formula entry by entry; names that it defines stand behind it: `zbar * (1 - u^2), u = tanh(x)`. @param {string} text @param {string[]} out @param {Part[]} parts @returns {Sum | null} */
function entriesOf(text, out, parts) {
  const [list, ...lets] = text.split(/,\s*(?=[\p{L}_]+\s*=)/u).map(tokens);
  const byName = new Map(
    parts.map((p) => [
      p.name
        .normalize("NFD")
        .replace(/\u0304/g, "bar")
        .normalize("NFC"),
      p,
    ]),
  );
  const names = new Set(byName.keys()),
    words = new Set(list ?? []);
  /** @type {[string, (at: Record<string, number>) => number][]} */
  const defined = [];
  for (const one of lets.reverse()) {
    const value = one && formula(one.slice(2), names);
    if (!one || !value) return null;
    for (const word of one) words.add(word);
    names.add(one[0]);
    defined.push([one[0], value]);
  }
  const f = list && formula(list, names);
  if (!list || !f) return null;
  const used = [...byName].filter(([name]) => words.has(name)).map(([, p]) => p),
    sizes = sizesOf(used);
  /** @param {Cursor} at */
  const numbersAt = (at) => {
    /** @type {Record<string, number>} */
    const numbers = Object.fromEntries([...byName].map(([name, p]) => [name, entry(p, at)]));
    for (const [name, value] of defined) numbers[name] = value(numbers);
    return numbers;
  };
  const over = [...sizes.keys()].filter((l) => !out.includes(l));
  /** @param {string[]} formula @returns {Piece[]} */
  const withLetters = (formula) =>
    withNumbers(formula, () => null).flatMap((piece) => {
      const p = byName.get(piece.text);
      return p ? indexed(p.name, p.letters) : [piece];
    });
  return {
    out,
    over,
    sizes,
    parts: used,
    entrywise: true,
    term: (at) => f(numbersAt(at)),
    pieces: (at) => {
      const numbers = numbersAt(at);
      return withNumbers(list, (name) => {
        const p = byName.get(name);
        return p ? put(p, at) : names.has(name) ? { text: short(numbers[name]), from: "value" } : null;
      });
    },
    rule: [
      ...sumSign(over),
      ...withLetters(list),
      ...lets.reverse().flatMap((one) => [{ text: ", " }, ...withLetters(one ?? [])]),
    ],
  };
}
/** Calls back with each place of the letters. @param {string[]} letters @param {Map<string, number>} sizes @param {Cursor} at @param {(at: Cursor) => void} then */
function each(letters, sizes, at, then) {
  const own = letters.filter((l) => l !== ""),
    n = own.map((l) => sizes.get(l) ?? 1),
    place = own.map(() => 0);
  const all = count(n),
    here = { ...at };
  for (let k = 0; k < all; k++) {
    own.forEach((l, a) => {
      here[l] = place[a];
    });
    then(here);
    for (let a = own.length - 1; a >= 0 && ++place[a] === n[a]; a--) place[a] = 0;
  }
}
/** @param {Sum} sum @param {Cursor} at */
function totalAt(sum, at) {
  let total = sum.extra?.(at) ?? 0;
  each(sum.over, sum.sizes, at, (here) => {
    total += sum.term(here);
  });
  return total;
}
/** The terms up to one, or this one alone, as an array. @param {Sum} sum @param {Numbers} like @param {string[]} letters @param {number} from @param {number} to @returns {Numbers} */
function termsOf(sum, like, letters, from, to) {
  const v = /** @type {number[]} */ ([]),
    sizes = new Map(letters.map((l, k) => [l, like.shape[k]])),
    letter = sum.over[0];
  each(letters, sizes, {}, (at) => {
    let total = 0;
    for (let k = from; k <= to; k++) total += sum.term({ ...at, [letter]: k });
    v.push(total);
  });
  return numbersOf(like.shape, v);
}
/** A sum is believed where its numbers are the tape's. @param {Sum | null} sum @param {Numbers} right @param {string[]} letters */
function believed(sum, right, letters) {
  if (!sum || right.sampled || sum.parts.some((p) => p.array.sampled)) return null;
  const work = count(right.shape) * sum.over.reduce((n, l) => n * (sum.sizes.get(l) ?? 1), 1);
  if (work > 200000) return null;
  const sizes = new Map(letters.map((l, k) => [l, right.shape[k]])),
    v = values(right);
  let k = 0,
    good = true;
  each(letters, sizes, {}, (at) => {
    if (!good) return;
    let total = sum.extra?.(at) ?? 0,
      scale = Math.abs(total);
    each(sum.over, sum.sizes, at, (here) => {
      const t = sum.term(here);
      total += t;
      scale = Math.max(scale, Math.abs(t));
    });
    good = near(total, v[k++], scale);
  });
  return good ? sum : null;
}

/** @param {Node} node @param {number} k @param {string[]} letters @returns {Part} */
const inputPart = (node, k, letters) => ({
  name: namesOf(node)[k],
  of: nodes[node.inputs[k]].name,
  array: nodes[node.inputs[k]].value,
  letters,
  adjoint: false,
  node: node.inputs[k],
});

/** @template K, V @param {(key: K) => V} make @returns {(key: K) => V} */
function once(make) {
  /** @type {Map<K, V>} */
  const made = new Map();
  return (key) => {
    let v = made.get(key);
    if (v === undefined) made.set(key, (v = make(key)));
    return v;
  };
}
/**
 * The number that an operation was given beside its inputs, as c in x * c: it is not in the recording, and told by the value.
 * @param {Node} node @returns {Part[]}
 */
function constantOf(node) {
  const list = tokens(plain(node.formula?.text ?? "").replace(/^\s*z\s*=/, "")),
    names = namesOf(node),
    unknown = [
      ...new Set(
        (list ?? []).filter(
          (t) => /^\p{L}/u.test(t) && !names.includes(t) && !Object.hasOwn(functions, t) && t !== "pi",
        ),
      ),
    ],
    inputs = node.inputs.map((i) => nodes[i].value);
  const [name] = unknown,
    f = list && unknown.length === 1 ? formula(list, new Set([...names, name])) : null;
  if (!f || node.value.sampled || inputs.some((a) => String(a.shape) !== String(node.shape))) return [];
  const z = values(node.value);
  /** @param {number} c @param {number} k */
  const at = (c, k) => f({ ...Object.fromEntries(names.map((n, i) => [n, values(inputs[i])[k]])), [name]: c });
  // The formula is linear in c, in 1 / c, or is a power: solved where it is steepest.
  for (const [forth, back] of /** @type {((v: number) => number)[][]} */ ([
    [(v) => v, (v) => v],
    [(v) => v, (v) => 1 / v],
    [Math.log, (v) => v],
  ])) {
    let steepest = 0,
      c = NaN;
    for (let k = 0; k < Math.min(z.length, 64); k++) {
      const one = forth(at(back(1), k)),
        slope = forth(at(back(2), k)) - one;
      if (!(Math.abs(slope) > steepest)) continue;
      steepest = Math.abs(slope);
      c = back(1 + (forth(z[k]) - one) / slope);
    }
    if (Number.isFinite(c) && z.every((v, k) => k >= 64 || near(at(c, k), v, 0))) {
      const simple = Number(c.toPrecision(6));
      return [
        {
          name,
          of: "a number",
          array: numbersOf([], [near(simple, c, 0) ? simple : c]),
          letters: [],
          adjoint: false,
          node: -1,
        },
      ];
    }
  }
  return [];
}
/** How a node's value is made. */
const forwardSum = once((/** @type {Node} */ node) => {
  const of = axes[node.id];
  if (!of || of.kind === "unknown") return null;
  const letters = lettersAt(node),
    parts = node.inputs.map((_, k) => inputPart(node, k, letters.inputs[k]));
  /** @type {Sum | null} */
  let sum = null;
  if (of.kind === "product") {
    sum = productOf(letters.z, parts.slice(0, 2));
    if (parts[2]) {
      const bias = parts[2];
      sum.extra = (at) => entry(bias, at);
      sum.more = (at) => [{ text: " + " }, inBrackets(put(bias, at), false)];
      sum.parts = parts;
      sum.rule = [...sum.rule, { text: " + " }, ...indexed(bias.name, bias.letters)];
    }
  } else if (node.operation === "sum" && of.kind === "whole") sum = productOf(letters.z, parts);
  else if (node.operation === "mean" && of.kind === "whole") {
    const n = count(parts[0].array.shape) / Math.max(1, count(node.shape));
    sum = productOf(letters.z, parts, 1, String(n));
    const term = sum.term;
    sum.term = (at) => term(at) / n;
  } else if (of.kind === "moved" || node.operation === "broadcast_to") sum = productOf(letters.z, parts);
  else if (node.operation === "softmax") sum = shareOf(parts[0], letters.z);
  else if (node.operation === "softmax_cross_entropy") sum = surpriseOf(node, letters.z);
  else if (node.formula)
    sum = entriesOf(plain(node.formula.text).replace(/^\s*z\s*=/, ""), letters.z, [...parts, ...constantOf(node)]);
  if (sum && of.kind === "entries" && sum.over.length > 0) sum = null;
  return believed(sum, node.value, letters.z);
});
/** Softmax along the last axis: the share of exp(x) in the sum of its row. @param {Part} x @param {string[]} out @returns {Sum} */
function shareOf(x, out) {
  const n = x.array.shape[x.array.shape.length - 1] ?? 1,
    own = out[out.length - 1],
    all = another("m", out);
  /** @param {Cursor} at */
  const row = (at) => Array.from({ length: n }, (_, k) => ({ ...at, [own]: k }));
  return {
    out,
    over: [],
    sizes: sizesOf([x]),
    parts: [x],
    entrywise: true,
    term: (at) => 1 / row(at).reduce((total, k) => total + Math.exp(entry(x, k) - entry(x, at)), 0),
    pieces: (at) => [
      { text: "exp(" },
      put(x, at),
      { text: ") / (" },
      ...row(at)
        .slice(0, 8)
        .flatMap((k, i) => [{ text: i > 0 ? " + exp(" : "exp(" }, put(x, k), { text: ")" }]),
      { text: n > 8 ? ` + … ${n - 8} more)` : ")" },
    ],
    rule: [
      { text: "exp(" },
      ...indexed(x.name, x.letters),
      { text: ") / ∑" },
      { text: all },
      { text: " exp(" },
      ...indexed(x.name, [...x.letters.slice(0, -1), all]).map((piece) =>
        piece.letter === all ? { text: all } : piece,
      ),
      { text: ")" },
    ],
  };
}
/** The cross-entropy of one class in each row: -log of what the softmax gives to it, and their mean or each. @param {Node} node @param {string[]} out @returns {Sum | null} */
function surpriseOf(node, out) {
  const edge = contributions.get(node.id)?.find((c) => c.input === 0),
    sum = edge && backwardSum(edge);
  if (!edge || !sum || edge.value.shape.length !== 2) return null;
  const [, P, T] = sum.parts,
    [rows, classes] = edge.value.shape,
    [row, own] = P.letters,
    share = sum.share ?? 1;
  const label = Array.from({ length: rows }, (_, b) =>
    values(T.array)
      .subarray(b * classes, (b + 1) * classes)
      .indexOf(1),
  );
  if (label.includes(-1)) return null;
  /** @param {Cursor} at @returns {Cursor} */
  const there = (at) => ({ ...at, [own]: label[at[row] ?? 0] });
  const divided = share > 1 ? [{ text: ` / ${share}` }] : [];
  return {
    out,
    over: out.includes(row) ? [] : [row],
    sizes: new Map([[row, rows]]),
    parts: [P, T],
    entrywise: true,
    share,
    term: (at) => -Math.log(entry(P, there(at))) / share,
    pieces: (at) => [{ text: "−log(" }, put(P, there(at)), { text: ")" }, ...divided],
    rule: [
      ...sumSign(out.includes(row) ? [] : [row]),
      { text: "−log(" },
      ...indexed("p", P.letters),
      { text: ")" },
      ...divided,
      { text: `, where ${own} is the row's class` },
    ],
  };
}
/** What a node adds to an input's adjoint. */
const backwardSum = once((/** @type {Contribution} */ edge) => {
  const node = nodes[/** @type {number} */ (from.get(edge))],
    of = axes[node.id];
  if (!of || !node.adjoint) return null;
  const letters = lettersAt(node),
    out = letters.inputs[edge.input];
  if (!out) return null;
  /** @type {Part} */
  const zbar = {
    name: barred("z"),
    of: `adjoint of ${node.name}`,
    array: node.adjoint,
    letters: letters.z,
    adjoint: true,
    node: node.id,
  };
  const inputs = node.inputs.map((_, k) => inputPart(node, k, letters.inputs[k]));
  /** @type {Part} */
  const z = { name: "z", of: node.name, array: node.value, letters: letters.z, adjoint: false, node: node.id };
  /** @type {Sum | null} */
  let sum = null;
  if (of.kind === "product")
    sum = edge.input < 2 ? productOf(out, [zbar, inputs[1 - edge.input]]) : productOf(out, [zbar]);
  else if (
    of.kind === "moved" ||
    node.operation === "broadcast_to" ||
    (of.kind === "whole" && node.operation === "sum")
  )
    sum = productOf(out, [zbar]);
  else if (of.kind === "whole" && node.operation === "mean") {
    const n = count(inputs[0].array.shape) / Math.max(1, count(node.shape));
    sum = productOf(out, [zbar], 1, String(n));
    const term = sum.term;
    sum.term = (at) => term(at) / n;
  } else if (node.operation === "softmax_cross_entropy" && edge.input === 0) sum = scoresOf(node, edge, zbar, out);
  else if (of.kind === "entries") {
    // A node that is an input twice, as in x * x, gets all its parts at once.
    const rules = node.derivatives.filter((_, k) => node.inputs[k] === edge.to).map((f) => rightSide(f?.text ?? ""));
    const text = rules.length > 1 ? rules.map((r) => `(${r})`).join(" + ") : rules[0];
    if (rules.length > 0 && rules.every((r) => r !== ""))
      sum = entriesOf(text, out, [zbar, ...inputs, z, ...constantOf(node)]);
  }
  return believed(sum, edge.value, out);
});
/** @type {Map<Contribution, number>} */
const from = new Map();
for (const [node, list] of contributions) for (const edge of list) from.set(edge, node);

/**
 * The cross-entropy's gradient by the scores, (p - t) zbar, p = softmax(x). Targets that are no node are told by the gradient:
 * one class in each row, or the sum is not shown.
 * @param {Node} node @param {Contribution} edge @param {Part} zbar @param {string[]} letters @returns {Sum | null}
 */
function scoresOf(node, edge, zbar, letters) {
  const x = nodes[node.inputs[0]].value;
  if (x.sampled || edge.value.sampled || zbar.array.sampled || x.shape.length === 0 || count(x.shape) === 0)
    return null;
  const n = x.shape[x.shape.length - 1],
    v = values(x),
    p = new Float64Array(v.length),
    rows = v.length / n;
  for (let r = 0; r < v.length; r += n) {
    const row = v.subarray(r, r + n),
      most = Math.max(...row),
      e = row.map((s) => Math.exp(s - most)),
      total = e.reduce((a, b) => a + b, 0);
    e.forEach((s, k) => {
      p[r + k] = s / total;
    });
  }
  const given = nodes[node.inputs[1]]?.kind === "constant" ? nodes[node.inputs[1]].value : null,
    added = values(edge.value),
    arrives = values(zbar.array);
  for (const share of arrives.length === 1 ? [rows, 1] : [1]) {
    const t = given
      ? values(given)
      : p.map((q, k) => Math.round(q - (added[k] * share) / arrives[arrives.length === 1 ? 0 : Math.floor(k / n)]));
    if (t.length !== p.length || !t.every((c) => given || c === 0 || c === 1)) continue;
    /** @type {Part[]} */
    const [P, Y] = [
      {
        name: "p",
        of: "softmax of " + nodes[node.inputs[0]].name,
        array: numbersOf(x.shape, p),
        letters,
        adjoint: false,
        node: -1,
      },
      {
        name: "t",
        of: given ? nodes[node.inputs[1]].name : "the targets",
        array: numbersOf(x.shape, t),
        letters,
        adjoint: false,
        node: node.inputs[1] ?? -1,
      },
    ];
    /** @type {Piece[]} */
    const divided = share > 1 ? [{ text: ` / ${share}` }] : [];
    /** @type {Sum} */
    const sum = {
      out: letters,
      over: [],
      sizes: sizesOf([P]),
      parts: [zbar, P, Y],
      entrywise: true,
      share,
      term: (at) => (entry(zbar, at) * (entry(P, at) - entry(Y, at))) / share,
      pieces: (at) => [
        put(zbar, at),
        { text: " · (" },
        put(P, at),
        { text: " − " },
        inBrackets(put(Y, at), false),
        { text: ")" },
        ...divided,
      ],
      rule: [
        ...indexed(zbar.name, zbar.letters),
        { text: " · (" },
        ...indexed("p", letters),
        { text: " − " },
        ...indexed("t", letters),
        { text: ")" },
        ...divided,
      ],
    };
    if (believed(sum, edge.value, letters)) return sum;
  }
  return null;
}

// ---------------------------------------------------------------------------------------------- steps

/** @type {Step[]} */
const steps = [];
/** When each contribution begins and has arrived. @type {Map<Contribution, [number, number]>} */
const when = new Map();
/** @type {Contribution[][]} */
const arriving = nodes.map(() => []);
let seed = Infinity;
if (recording) {
  for (const node of nodes) steps.push({ kind: node.operation === "" ? "leaf" : "value", node: node.id });
  if (recording.backward.length > 0 || nodes[recording.result]?.adjoint) {
    seed = steps.length;
    steps.push({ kind: "seed", node: recording.result });
  }
  for (const { node, contributions: list } of recording.backward) {
    for (const edge of list) {
      const first = steps.length,
        sum = small ? backwardSum(edge) : null;
      const terms = sum?.over.length === 1 ? (sum.sizes.get(sum.over[0]) ?? 1) : 1;
      if (sum && terms > 1 && terms <= 8)
        for (let term = 0; term < terms; term++) steps.push({ kind: "edge", node, edge, term, terms });
      else if (sum && sum.over.length > 0 && count(nodes[node].shape) <= 4096 && axes[node]?.kind === "entries") {
        steps.push({ kind: "edge", node, edge, part: "unsummed" });
        steps.push({ kind: "edge", node, edge, part: "summed" });
      } else steps.push({ kind: "edge", node, edge });
      when.set(edge, [first, steps.length - 1]);
      arriving[edge.to].push(edge);
    }
  }
}
/** @param {Step} step what its edge adds now: a term of it, what is not summed yet, or all */
function addedAt(step) {
  const edge = step.edge;
  if (!edge) return null;
  const sum = backwardSum(edge),
    letters = lettersAt(nodes[step.node]);
  if (sum && step.term !== undefined)
    return {
      array: termsOf(sum, edge.value, letters.inputs[edge.input], step.term, step.term),
      letters: letters.inputs[edge.input],
    };
  if (sum && step.part === "unsummed") {
    const v = /** @type {number[]} */ ([]);
    each(letters.z, new Map(letters.z.map((l, k) => [l, nodes[step.node].shape[k]])), {}, (at) => v.push(sum.term(at)));
    return { array: numbersOf(nodes[step.node].shape, v), letters: letters.z };
  }
  return { array: edge.value, letters: letters.inputs[edge.input] };
}
/** How many contributions to a node have begun, or have arrived. @param {number} id @param {number} at @param {0 | 1} end */
function arrived(id, at, end) {
  let low = 0,
    high = arriving[id].length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {[number, number]} */ (when.get(arriving[id][middle]))[end] <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
/** Sums of the first contributions, as far as they were asked for. @type {Map<number, Numbers[]>} */
const sums = new Map();
/** The sum that has come to a node's adjoint; null before the first. @param {number} id @param {number} at a step @returns {Numbers | null} */
function adjointAt(id, at) {
  if (id === recording?.result && at >= seed && arriving[id].length === 0) return nodes[id].adjoint;
  const begun = arrived(id, at, 0),
    done = arrived(id, at, 1);
  if (begun === 0) return null;
  if (done === arriving[id].length && nodes[id].adjoint) return nodes[id].adjoint;
  const known = sums.get(id) ?? [];
  for (let k = known.length; k < done; k++)
    known.push(k === 0 ? arriving[id][0].value : plus(known[k - 1], arriving[id][k].value));
  sums.set(id, known);
  const total = done > 0 ? known[done - 1] : null;
  if (begun === done) return total;
  const edge = arriving[id][done],
    first = /** @type {[number, number]} */ (when.get(edge))[0],
    sum = backwardSum(edge);
  if (!sum || steps[first].term === undefined) return total;
  const array = termsOf(sum, edge.value, lettersAt(nodes[steps[first].node]).inputs[edge.input], 0, at - first);
  return total ? plus(total, array) : array;
}
/** @param {number} id @param {number} at */
const complete = (id, at) =>
  arriving[id].length > 0 ? arrived(id, at, 1) === arriving[id].length : id === recording?.result && at >= seed;

// ---------------------------------------------------------------------------------------------- elements

/** @param {string} id */
const $ = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/**
 * An element; what is a string becomes text.
 * @param {string} tag @param {Record<string, string | number | boolean | ((e: any) => void) | null | undefined>} [attributes]
 * @param {...(Node2 | null | undefined | false)} children @returns {HTMLElement}
 * @typedef {globalThis.Node | string} Node2
 */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  dress(element, attributes, children);
  return element;
}
/** @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node2 | null | undefined | false)} children @returns {SVGElement} */
function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  dress(element, attributes, children);
  return element;
}
/** @param {Element} element @param {Record<string, any>} attributes @param {(Node2 | null | undefined | false)[]} children */
function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "style") element.setAttribute("style", value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) element.append(child);
}
const mathElements = new Set(
  "math mrow mi mn mo ms mtext mspace mfrac msqrt mroot msup msub msubsup munder mover munderover mtable mtr mtd mstyle mpadded mphantom menclose".split(
    " ",
  ),
);
const mathAttributes = new Set(
  "displaystyle mathvariant stretchy accent accentunder fence separator form lspace rspace width height depth linethickness columnalign rowspacing columnspacing scriptlevel largeop movablelimits symmetric minsize maxsize".split(
    " ",
  ),
);
/** MathML is read as XML and built anew of what is known; null where it is anything else. @param {string} text */
export function mathml(text) {
  if (!text) return null;
  const read = new DOMParser().parseFromString(
    text.includes("xmlns=") ? text : text.replace(/^\s*<math/, '<math xmlns="http://www.w3.org/1998/Math/MathML"'),
    "application/xml",
  );
  const known = "http://www.w3.org/1998/Math/MathML";
  /** @param {Element} element @returns {Element | null} */
  const copy = (element) => {
    if (element.namespaceURI !== known || !mathElements.has(element.localName)) return null;
    const made = document.createElementNS(known, element.localName);
    for (const a of element.attributes) if (mathAttributes.has(a.name)) made.setAttribute(a.name, a.value);
    for (const child of element.childNodes) {
      if (child.nodeType === 3) made.append(child.textContent ?? "");
      else if (child.nodeType === 1) {
        const inside = copy(/** @type {Element} */ (child));
        if (!inside) return null;
        made.append(inside);
      } else if (child.nodeType !== 8) return null;
    }
    return made;
  };
  return read.documentElement.localName === "math" ? copy(read.documentElement) : null;
}
/** Each formula is built once. */
const built = once(mathml);
/** @param {Formula | null | undefined} f @returns {Node2 | null} */
const shownFormula = (f) => (f ? (built(f.mathml)?.cloneNode(true) ?? h("span", {}, f.text)) : null);
/** @param {Piece[]} pieces */
function written(pieces) {
  return pieces
    .filter((p) => p.text !== "")
    .map((p) => (p.letter ? letterButton(p.letter) : p.from ? h("span", { class: `from-${p.from}` }, p.text) : p.text));
}
/** @param {string} letter */
function letterButton(letter) {
  return h(
    "button",
    {
      type: "button",
      class: "letter",
      "data-letter": letter,
      "aria-label": `light the cells that ${letter} runs over`,
      pointerenter: () => light(letter),
      pointerleave: () => light(null),
      focus: () => light(letter),
      blur: () => light(null),
      click: () => light(letter),
    },
    letter,
  );
}
/** @param {Element} parent @param {...(Node2 | null | undefined | false)} children */
function fill(parent, ...children) {
  parent.replaceChildren(...children.filter((c) => c !== null && c !== undefined && c !== false));
}

// ---------------------------------------------------------------------------------------------- arrays as pictures

const state = {
  step: 0,
  tab: "nodes",
  predict: false,
  playing: 0,
  claim: -1,
  path: -1,
  zoom: 0,
  first: 0,
  filter: "",
  cursor: /** @type {Cursor} */ ({}),
  revealed: new Set(/** @type {number[]} */ ([])),
  verdict: /** @type {{right: boolean, text: string} | null} */ (null),
  whole: false,
  wide: new Set(/** @type {string[]} */ ([])),
};
/** What the step's pane shows now, so that letters can light it. @type {{cells: {td: HTMLElement, at: number[]}[], letters: string[], shape: number[]}[]} */
let pictures = [];

/** @param {string | null} letter */
function light(letter) {
  for (const picture of pictures) {
    const axis = letter === null ? -1 : picture.letters.indexOf(letter);
    for (const { td, at } of picture.cells) {
      td.classList.toggle(
        "lit",
        axis >= 0 &&
          at.every(
            (k, a) =>
              a === axis ||
              picture.letters[a] === "" ||
              k === Math.min(state.cursor[picture.letters[a]] ?? 0, picture.shape[a] - 1),
          ),
      );
    }
  }
  for (const b of document.querySelectorAll(".letter"))
    b.classList.toggle("lit", letter !== null && /** @type {HTMLElement} */ (b).dataset.letter === letter);
}
/** @param {number} v @param {number} most */
const tone = (v, most) =>
  Number.isFinite(v) && most > 0 ? Math.pow(Math.abs(v) / most, 0.75) : Number.isFinite(v) ? 0 : 1;

/**
 * An array with its numbers, or as a picture where it is large.
 * @param {{title: Node2, note?: string, array: Numbers, letters: string[], key: string, result?: boolean, over?: string[],
 *   term?: number, hidden?: boolean, quiet?: boolean, differs?: Numbers, id?: string}} of
 */
function picture(of) {
  const { array, letters } = of,
    shape = shown(array),
    v = values(array),
    most = largest(array),
    d = shape.length;
  const rows = d >= 2 ? shape[d - 2] : 1,
    columns = d >= 1 ? shape[d - 1] : 1;
  /** @param {number} axis */
  const place = (axis) => (letters[axis] === "" ? 0 : Math.min(state.cursor[letters[axis]] ?? 0, shape[axis] - 1));
  const lead = shape.slice(0, Math.max(0, d - 2)).map((_, axis) => place(axis));
  const offset = lead.reduce((flat, k, axis) => flat * shape[axis] + k, 0) * rows * columns;
  /** @param {number} axis @param {number} k */
  const real = (axis, k) => (array.sampled ? array.sampled[axis][k] : k);
  /** @param {number} r @param {number} c */
  const indexOf = (r, c) => [...lead, ...(d >= 2 ? [r] : []), ...(d >= 1 ? [c] : [])];
  const entries = { cells: /** @type {{td: HTMLElement, at: number[]}[]} */ ([]), letters, shape };
  const figure = h("figure", { class: `array${of.result ? " result" : ""}`, "data-array": of.id });
  figure.append(h("figcaption", {}, of.title, of.note ? h("span", { class: "soft" }, ` ${of.note}`) : null));
  const here = of.over ?? [];
  if (v.length === 0) figure.append(h("p", { class: "soft" }, `no numbers: the shape is (${array.shape.join(", ")})`));
  else if (of.hidden) figure.append(h("p", { class: "soft" }, `${times(array.shape)}: your turn`));
  else if ((rows * columns <= 64 && columns <= 12) || state.wide.has(of.key)) {
    const body = h("tbody");
    const header = h("tr", {}, h("td", { style: "all: unset" }));
    if (columns > 1) {
      for (let c = 0; c < columns; c++) header.append(h("th", { scope: "col" }, String(real(d - 1, c))));
      body.append(header);
    }
    for (let r = 0; r < rows; r++) {
      const row = h(
        "tr",
        {},
        d >= 2 || columns > 1 ? h("th", { scope: "row" }, d >= 2 ? String(real(d - 2, r)) : "") : null,
      );
      for (let c = 0; c < columns; c++) {
        const at = indexOf(r, c),
          value = v[offset + r * columns + c];
        const reached =
          !of.quiet &&
          letters.every((l, k) =>
            l === "" || here.includes(l)
              ? !(here.includes(l) && of.term !== undefined) || at[k] === of.term
              : at[k] === place(k),
          );
        const summed = letters.some((l) => here.includes(l));
        const td = h("td", {
          class: `${value > 0 ? "above" : "below"}${reached ? (summed ? " used" : " cursor") : ""}${of.differs && !near(value, values(of.differs)[offset + r * columns + c], largest(of.differs) / 1e3) ? " differs" : ""}`,
          style: `--t:${tone(value, most).toFixed(3)}`,
          "data-value": String(value),
          title: full(value),
        });
        td.append(
          h(
            "button",
            {
              type: "button",
              tabindex: reached && !summed ? 0 : -1,
              "data-cell": `${of.key}:${at.join(",")}`,
              "aria-label": `${letters.some((l) => l) ? at.map((k, a) => `${letters[a] || "axis"} ${real(a, k)}`).join(", ") + ": " : ""}${short(value)}`,
              click: () => choose(letters, at, `${of.key}:${at.join(",")}`),
              keydown: (/** @type {KeyboardEvent} */ e) => {
                if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
                e.preventDefault();
                const k = Math.max(0, Math.min(rows * columns - 1, r * columns + c + (e.key === "ArrowDown" ? 1 : -1)));
                const next = indexOf(Math.floor(k / columns), k % columns);
                choose(letters, next, `${of.key}:${next.join(",")}`);
              },
            },
            short(value),
          ),
        );
        row.append(td);
        entries.cells.push({ td, at });
      }
      body.append(row);
    }
    figure.append(
      h(
        "div",
        {
          class: "scroll",
          tabindex: columns > 5 || rows > 8 ? 0 : null,
          role: columns > 5 || rows > 8 ? "group" : null,
          "aria-label": columns > 5 || rows > 8 ? "numbers, which scroll" : null,
        },
        h("table", { class: "heat" }, body),
      ),
    );
  } else {
    const canvas = /** @type {HTMLCanvasElement} */ (
      h("canvas", {
        role: "img",
        "aria-label": `${array.shape.join(" by ")} numbers, from ${short(least(array))} to ${short(greatest(array))}`,
      })
    );
    const grain = Math.max(1, Math.min(12, Math.floor(Math.min(300 / columns, 260 / rows))));
    canvas.width = columns;
    canvas.height = rows;
    canvas.style.width = `${columns * grain}px`;
    canvas.style.height = `${Math.max(rows * grain, 10)}px`;
    paint(canvas, v.subarray(offset, offset + rows * columns), most);
    const read_out = h("span", {}, "point at a cell for its number");
    canvas.addEventListener("pointermove", (e) => {
      const box = canvas.getBoundingClientRect();
      const c = Math.min(columns - 1, Math.max(0, Math.floor(((e.clientX - box.left) / box.width) * columns))),
        r = Math.min(rows - 1, Math.max(0, Math.floor(((e.clientY - box.top) / box.height) * rows)));
      fill(
        read_out,
        `[${indexOf(r, c)
          .map((k, a) => real(a, k))
          .join(", ")}] = ${full(v[offset + r * columns + c])}`,
      );
    });
    canvas.addEventListener("click", (e) => {
      const box = canvas.getBoundingClientRect();
      choose(
        letters,
        indexOf(
          Math.min(rows - 1, Math.floor(((e.clientY - box.top) / box.height) * rows)),
          Math.min(columns - 1, Math.floor(((e.clientX - box.left) / box.width) * columns)),
        ),
        "",
      );
    });
    figure.append(canvas, h("div", { class: "axes" }, read_out));
  }
  const tools = h("div", { class: "axes" });
  letters.forEach((l, axis) => {
    if (l === "") return;
    tools.append(h("span", {}, letterButton(l), d === 1 ? "" : axis === d - 1 ? " →" : axis === d - 2 ? " ↓" : ""));
    if (axis < d - 2) {
      tools.append(
        h(
          "select",
          {
            "aria-label": `which ${l}`,
            change: (/** @type {Event} */ e) => {
              state.cursor[l] = Number(/** @type {HTMLSelectElement} */ (e.target).value);
              render();
            },
          },
          ...Array.from({ length: shape[axis] }, (_, k) =>
            h("option", { value: k, selected: k === lead[axis] }, String(real(axis, k))),
          ),
        ),
      );
    }
  });
  if (rows * columns > 64 || columns > 12) {
    if (!of.hidden)
      tools.append(
        h(
          "button",
          {
            type: "button",
            class: "more",
            click: () => {
              if (!state.wide.delete(of.key)) state.wide.add(of.key);
              render();
            },
          },
          state.wide.has(of.key) ? "picture" : "numbers",
        ),
      );
  }
  if (array.sampled && !of.hidden)
    tools.append(
      h(
        "span",
        {},
        `${shape.join(" × ")} of ${array.shape.join(" × ")} are shown; least ${short(least(array))}, largest ${short(greatest(array))}`,
      ),
    );
  if (tools.childNodes.length > 0) figure.append(tools);
  pictures.push(entries);
  return figure;
}
/** @param {Numbers} a */
const least = (a) => (a.least !== undefined ? number(a.least) : values(a).reduce((m, v) => Math.min(m, v), Infinity));
/** @param {Numbers} a */
const greatest = (a) =>
  a.largest !== undefined ? number(a.largest) : values(a).reduce((m, v) => Math.max(m, v), -Infinity);
/** @param {string} name a colour of the style */
function colour(name) {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
}
/** @param {HTMLCanvasElement} canvas @param {Float64Array} v @param {number} most */
function paint(canvas, v, most) {
  const context = canvas.getContext("2d");
  if (!context || v.length === 0) return;
  const image = context.createImageData(canvas.width, canvas.height),
    zero = colour("--zero"),
    above = colour("--above"),
    below = colour("--below");
  for (let k = 0; k < v.length; k++) {
    const t = tone(v[k], most),
      side = v[k] > 0 ? above : below;
    for (let c = 0; c < 3; c++) image.data[4 * k + c] = zero[c] + (side[c] - zero[c]) * t;
    image.data[4 * k + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
/** A small picture, or the number itself. @param {Numbers} a @param {number} width @param {number} height @param {string} kind */
function thumb(a, width, height, kind) {
  const v = values(a),
    shape = shown(a),
    d = shape.length,
    most = largest(a);
  if (count(a.shape) === 1) return svg("text", { x: 0, y: height / 2 + 4, class: kind }, short(v[0]));
  const rows = d >= 2 ? shape[d - 2] : 1,
    columns = shape[d - 1],
    r = Math.min(rows, 5),
    c = Math.min(columns, 8);
  const size = Math.min(width / Math.max(c, 3), height / Math.max(r, 2)),
    g = svg("g", { class: "thumb" });
  for (let y = 0; y < r; y++) {
    for (let x = 0; x < c; x++) {
      const value = v[Math.floor((y * rows) / r) * columns + Math.floor((x * columns) / c)];
      g.append(
        svg("rect", {
          x: (x * size).toFixed(1),
          y: ((height - r * size) / 2 + y * size).toFixed(1),
          width: size.toFixed(1),
          height: size.toFixed(1),
          class: value > 0 ? "above" : "below",
          style: `--t:${tone(value, most).toFixed(2)}`,
        }),
      );
    }
  }
  return g;
}
/** @param {string[]} letters @param {number[]} at @param {string} key */
function choose(letters, at, key) {
  letters.forEach((l, k) => {
    if (l) state.cursor[l] = at[k];
  });
  render();
  if (key)
    /** @type {HTMLElement | null} */ (document.querySelector(`[data-cell="${CSS.escape(key)}"]`))?.focus({
      preventScroll: true,
    });
}

// ---------------------------------------------------------------------------------------------- the graph

const reduced = matchMedia("(prefers-reduced-motion: reduce)");
/** Folds that the reader opened. @type {Set<string>} */
const opened = new Set();
/** @typedef {{key: string, from: number, to: number, node: number | null}} Item a node, or nodes from..to - 1 folded */
/** @param {number} from @param {number} to @param {Set<number>} wanted @returns {Item[]} */
function itemsOf(from, to, wanted) {
  /** @param {number} id @returns {Item} */
  const single = (id) => ({ key: String(id), from: id, to: id + 1, node: id });
  const n = to - from,
    most = from === 0 && to === nodes.length ? 120 : 60;
  if (n <= most) return Array.from({ length: n }, (_, k) => single(from + k));
  /** @type {[number, number][]} */
  let runs = [];
  for (let id = from; id < to; id++) {
    const last = runs[runs.length - 1];
    if (last && nodes[id].group === nodes[last[0]].group) last[1] = id + 1;
    else runs.push([id, id + 1]);
  }
  if (runs.length < 2 || runs.length > 60) {
    const size = Math.ceil(n / 40);
    runs = Array.from({ length: Math.ceil(n / size) }, (_, k) => [
      from + k * size,
      Math.min(to, from + (k + 1) * size),
    ]);
  }
  return runs.flatMap(([a, b]) => {
    const key = `${a}-${b}`;
    if (b - a <= 2) return Array.from({ length: b - a }, (_, k) => single(a + k));
    if (opened.has(key) || [...wanted].some((id) => id >= a && id < b)) return itemsOf(a, b, wanted);
    return [{ key, from: a, to: b, node: null }];
  });
}

const box = { width: 136, height: 76 };
/** @typedef {{item: Item, x: number, y: number, g: SVGElement, state: string}} Drawn */
let graph = {
  key: "",
  drawn: /** @type {Drawn[]} */ ([]),
  width: 0,
  height: 0,
  root: /** @type {SVGElement | null} */ (null),
  edges:
    /** @type {{a: number, b: number, pairs: [number, number][], g: SVGElement, middle: [number, number], card: string}[]} */ ([]),
};

/** Layers from the longest way, leaves beside who takes them; within a layer the order that crosses least. @param {Item[]} items @param {boolean} down */
function layout(items, down) {
  const at = new Map();
  items.forEach((item, k) => {
    for (let id = item.from; id < item.to; id++) at.set(id, k);
  });
  /** @type {Map<string, {a: number, b: number, pairs: [number, number][]}>} */
  const edges = new Map();
  items.forEach((item, b) => {
    for (let id = item.from; id < item.to; id++) {
      nodes[id].inputs.forEach((input, k) => {
        const a = at.get(input);
        if (a === undefined || a === b) return;
        const key = `${a}>${b}`,
          edge = edges.get(key) ?? { a, b, pairs: /** @type {[number, number][]} */ ([]) };
        edge.pairs.push([id, k]);
        edges.set(key, edge);
      });
    }
  });
  const list = [...edges.values()],
    depth = /** @type {number[]} */ (items.map(() => 0)),
    after = items.map(() => Infinity),
    has = new Set(list.map((e) => e.b));
  list.sort((e, f) => e.b - f.b);
  for (const e of list) depth[e.b] = Math.max(depth[e.b], depth[e.a] + 1);
  for (const e of list) after[e.a] = Math.min(after[e.a], depth[e.b]);
  items.forEach((_, k) => {
    if (!has.has(k) && Number.isFinite(after[k])) depth[k] = Math.max(0, after[k] - 1);
  });
  // A place in each layer that an edge passes, so that it runs around the boxes.
  /** @typedef {{real: number, layer: number, pos: number, near: number[]}} Spot */
  /** @type {Spot[]} */
  const spots = items.map((_, k) => ({ real: k, layer: depth[k], pos: 0, near: [] }));
  /** @type {number[][]} */
  const ways = list.map((e) => {
    const way = [e.a];
    if (depth[e.b] - depth[e.a] < 12)
      for (let l = depth[e.a] + 1; l < depth[e.b]; l++) {
        way.push(spots.length);
        spots.push({ real: -1, layer: l, pos: 0, near: [] });
      }
    way.push(e.b);
    for (let k = 1; k < way.length; k++) {
      spots[way[k]].near.push(way[k - 1]);
      spots[way[k - 1]].near.push(way[k]);
    }
    return way;
  });
  /** @type {number[][]} */
  const layers = Array.from({ length: Math.max(0, ...spots.map((s) => s.layer)) + 1 }, () => []);
  spots.forEach((s, k) => layers[s.layer].push(k));
  const pitch = down ? box.width + 18 : box.height + 20;
  /** @param {number} k */
  const room = (k) => (spots[k].real >= 0 ? pitch : 26);
  const settle = (/** @type {number[]} */ layer) => {
    // In order, as near to where each wants to be as the others let it.
    const want = layer.map((k) => spots[k].pos);
    const left = [...want],
      right = [...want];
    for (let k = 1; k < layer.length; k++)
      left[k] = Math.max(left[k], left[k - 1] + (room(layer[k - 1]) + room(layer[k])) / 2);
    for (let k = layer.length - 2; k >= 0; k--)
      right[k] = Math.min(right[k], right[k + 1] - (room(layer[k + 1]) + room(layer[k])) / 2);
    layer.forEach((s, k) => {
      spots[s].pos = (left[k] + right[k]) / 2;
    });
  };
  for (const layer of layers) {
    layer.forEach((k, i) => {
      spots[k].pos = i * pitch;
    });
    const mid = ((layer.length - 1) * pitch) / 2;
    layer.forEach((k) => {
      spots[k].pos -= mid;
    });
  }
  for (let sweep = 0; sweep < 10; sweep++) {
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      for (const k of layer)
        if (spots[k].near.length > 0)
          spots[k].pos = spots[k].near.reduce((t, o) => t + spots[o].pos, 0) / spots[k].near.length;
      if (sweep < 8) layer.sort((a, b) => spots[a].pos - spots[b].pos || a - b);
      settle(layer);
    }
  }
  const low = Math.min(...spots.map((s) => s.pos)),
    step = down ? box.height + 54 : box.width + 76,
    pad = 28;
  const places = spots.map((s) => {
    const main = pad + s.layer * step,
      cross = pad + s.pos - low;
    return down ? { x: cross, y: main } : { x: main, y: cross };
  });
  return {
    list,
    ways,
    places,
    spots,
    width: Math.max(...places.map((p) => p.x)) + box.width + pad,
    height: Math.max(...places.map((p) => p.y)) + box.height + pad,
  };
}
/** @param {string} text @param {number} most */
const clipped = (text, most) => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

/** @param {Set<number>} wanted */
function drawGraph(wanted) {
  const pane = $("graph"),
    down = pane.clientWidth < 560,
    items = itemsOf(0, nodes.length, wanted),
    key = `${down}:${items.map((i) => i.key).join(" ")}`;
  if (graph.key === key) return;
  const { list, ways, places, width, height } = layout(items, down);
  const under = svg("g"),
    over = svg("g"),
    groups = svg("g");
  const edges = list.map((e, n) => {
    const way = ways[n],
      half = [box.width / 2, box.height / 2];
    const points = way.map((k, i) => {
      const p = places[k],
        first = i === 0,
        last = i === way.length - 1;
      return down
        ? [p.x + half[0], first ? p.y + box.height : last ? p.y : p.y + half[1]]
        : [first ? p.x + box.width : last ? p.x : p.x + half[0], p.y + half[1]];
    });
    let d = `M${points[0]}`;
    for (let k = 1; k < points.length; k++) {
      const [p, q] = [points[k - 1], points[k]],
        m = down ? (p[1] + q[1]) / 2 : (p[0] + q[0]) / 2;
      d += down ? `C${p[0]},${m} ${q[0]},${m} ${q}` : `C${m},${p[1]} ${m},${q[1]} ${q}`;
    }
    const a = points[Math.floor((points.length - 1) / 2)],
      b = points[Math.floor((points.length - 1) / 2) + 1];
    const g = svg("g", { class: "edge" }, svg("path", { d }));
    under.append(g);
    return {
      a: e.a,
      b: e.b,
      pairs: e.pairs,
      g,
      middle: /** @type {[number, number]} */ ([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]),
      card: "",
    };
  });
  const drawn = items.map((item, k) => {
    const g = svg("g", {
      transform: `translate(${places[k].x},${places[k].y})`,
      click: () => pressed(item),
      "data-item": item.key,
    });
    g.append(svg("rect", { class: "frame", width: box.width, height: box.height, rx: 10 }));
    if (item.node === null) {
      g.append(
        svg("text", { x: 10, y: 22, class: "name" }, clipped(nodes[item.from].group || nodes[item.from].name, 19)),
        svg("text", { x: 10, y: 40, class: "soft" }, `to ${clipped(nodes[item.to - 1].name, 18)}`),
        svg("text", { x: 10, y: 60, class: "soft" }, `${item.to - item.from} nodes: open`),
        svg("title", {}, `${item.to - item.from} nodes, from ${nodes[item.from].name} to ${nodes[item.to - 1].name}`),
      );
    } else {
      const node = nodes[item.node];
      g.append(
        svg("text", { x: 10, y: 18, class: "name" }, clipped(node.name, 19)),
        svg(
          "text",
          { x: 10, y: 32, class: "soft" },
          clipped(
            [node.name.startsWith(node.operation || " ") ? "" : node.operation || node.kind, node.shape.join(" × ")]
              .filter(Boolean)
              .join("  "),
            23,
          ),
        ),
        svg(
          "title",
          {},
          `${node.name}: ${node.operation || node.kind} of shape (${node.shape.join(", ")})${node.group === "backward" ? ", recorded by the way back" : ""}`,
        ),
        svg("g", { class: "pictures" }),
      );
    }
    over.append(g);
    return { item, x: places[k].x, y: places[k].y, g, state: "" };
  });
  // A frame around a layer where no other node stands within it.
  const names = new Set(items.map((i) => (i.node !== null ? nodes[i.node].group : "")));
  for (const name of names) {
    if (name === "") continue;
    const own = drawn.filter((b) => b.item.node !== null && nodes[b.item.node].group === name);
    if (own.length < 2) continue;
    const x = Math.min(...own.map((b) => b.x)) - 9,
      y = Math.min(...own.map((b) => b.y)) - 9,
      X = Math.max(...own.map((b) => b.x)) + box.width + 9,
      Y = Math.max(...own.map((b) => b.y)) + box.height + 9;
    if (drawn.some((b) => !own.includes(b) && b.x < X && b.x + box.width > x && b.y < Y && b.y + box.height > y))
      continue;
    groups.append(
      svg(
        "g",
        { class: "group" },
        svg("rect", { x, y, width: X - x, height: Y - y, rx: 16 }),
        svg("text", { x: x + 14, y: Y + 4, class: "soft" }, clipped(/^\d+$/.test(name) ? `layer ${name}` : name, 40)),
      ),
    );
  }
  /** @param {string} way */
  const arrow = (way) =>
    svg(
      "marker",
      { id: `arrow-${way}`, class: way, viewBox: "0 0 10 10", refX: 9, refY: 5, orient: "auto-start-reverse" },
      svg("path", { d: "M0,0L10,5L0,10z" }),
    );
  const root = svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "img" },
    svg("defs", {}, arrow("forward"), arrow("backward")),
    groups,
    under,
    over,
  );
  graph = { key, drawn, edges, width, height, root };
  fill(pane, root);
  zoom();
}
function zoom() {
  const pane = $("graph");
  if (!graph.root) return;
  const high = innerHeight * 0.38,
    wide = (pane.clientWidth - 2) / graph.width;
  const fit = Math.max(0.55, Math.min(1.1, wide, Math.max(0.8, high / graph.height))),
    scale = fit * 1.25 ** state.zoom;
  graph.root.setAttribute("width", String(Math.floor(graph.width * scale)));
  graph.root.setAttribute("height", String(Math.floor(graph.height * scale)));
}
/** @param {Item} item */
function pressed(item) {
  if (item.node === null) {
    opened.add(item.key);
    render();
  } else if (nodes[item.node].kind === "parameter" || nodes[item.node].kind === "variable") {
    state.path = state.path === item.node ? -1 : item.node;
    render();
  } else go(stepOf(item.node, state.step >= seed));
}
/** Where a node is seen: its value, or the last that comes to its adjoint. @param {number} id @param {boolean} backward */
function stepOf(id, backward) {
  const last = backward ? Math.max(...arriving[id].map((edge) => /** @type {number[]} */ (when.get(edge))[1])) : -1;
  return last > 0 ? last : id === recording?.result && backward && seed < Infinity ? seed : id;
}
/** The nodes through which a gradient comes. @param {number} id @returns {Set<number>} */
function wayOf(id) {
  const way = new Set([id]);
  for (let k = id + 1; k <= (recording?.result ?? 0); k++)
    if (contributions.get(k)?.some((edge) => way.has(edge.to))) way.add(k);
  return way;
}

/** @param {number} at the step whose numbers may be seen */
function updateGraph(at) {
  const step = steps[state.step],
    target = step.edge?.to ?? -1,
    way = state.path >= 0 ? wayOf(state.path) : new Set();
  const claimed = state.claim >= 0 && state.tab === "claims" ? (recording?.claims?.[state.claim]?.node ?? -1) : -1;
  /** @type {Drawn | null} */
  let current = null;
  for (const one of graph.drawn) {
    const { item, g } = one,
      id = item.node;
    const holds = (/** @type {number} */ k) => k >= item.from && k < item.to;
    const node = id === null ? null : nodes[id],
      seen = at >= item.from;
    if (holds(step.node)) current = one;
    g.setAttribute(
      "class",
      [
        "box",
        node ? (node.operation ? "" : "leaf") : "fold",
        node?.kind === "parameter" ? "parameter" : "",
        node?.group === "backward" ? "again" : "",
        seen ? "" : "unseen",
        holds(step.node) ? "now" : "",
        holds(target) ? "target" : "",
        claimed >= 0 && holds(claimed) ? "claimed" : "",
        [...way].some(holds) ? "onpath" : "",
      ]
        .filter(Boolean)
        .join(" "),
    );
    if (!node || id === null) continue;
    const adjoint = at >= seed ? adjointAt(id, at) : null,
      key = `${seen}${adjoint ? (complete(id, at) ? "done" : at) : ""}`;
    if (key === one.state) continue;
    one.state = key;
    const place = /** @type {SVGElement} */ (g.querySelector(".pictures"));
    fill(place);
    if (seen) place.append(svg("g", { transform: "translate(10,38)" }, thumb(node.value, 54, 32, "value")));
    if (adjoint)
      place.append(
        svg(
          "g",
          { transform: "translate(72,38)" },
          svg("path", { d: "M-5,0V32", stroke: "var(--backward)", "stroke-width": 2 }),
          thumb(adjoint, 54, 32, "adjoint"),
        ),
      );
  }
  const sharing =
    target >= 0
      ? new Set(arriving[target].filter((edge) => /** @type {number[]} */ (when.get(edge))[0] <= at))
      : new Set();
  for (const edge of graph.edges) {
    const now =
      step.kind === "edge" && edge.pairs.some(([id, k]) => id === step.node && nodes[id].inputs[k] === step.edge?.to);
    const flowed = edge.pairs.some(([id, k]) =>
      contributions
        .get(id)
        ?.some((c) => c.to === nodes[id].inputs[k] && /** @type {number[]} */ (when.get(c))[1] <= at),
    );
    const given = step.kind === "value" && edge.pairs.some(([id]) => id === step.node);
    edge.g.setAttribute(
      "class",
      [
        "edge",
        at >= Math.min(...edge.pairs.map((p) => p[0])) ? "seen" : "",
        flowed ? "flowed" : "",
        now ? "flowing" : "",
        given ? "given" : "",
        edge.pairs.some(
          ([id, k]) => way.has(id) && contributions.get(id)?.some((c) => c.to === nodes[id].inputs[k] && way.has(c.to)),
        )
          ? "onpath"
          : "",
      ]
        .filter(Boolean)
        .join(" "),
    );
    const cards =
      edge.pairs.length === 1
        ? (contributions.get(edge.pairs[0][0])?.filter((c) => c.input === edge.pairs[0][1] && sharing.has(c)) ?? [])
        : [];
    const key =
      cards.length > 0 ? `${when.get(cards[0])}:${Math.min(at, /** @type {number[]} */ (when.get(cards[0]))[1])}` : "";
    if (key === edge.card) continue;
    edge.card = key;
    edge.g.querySelector(".card")?.remove();
    if (cards.length === 0) continue;
    const [first, last] = /** @type {[number, number]} */ (when.get(cards[0])),
      sum = at < last ? backwardSum(cards[0]) : null;
    const array =
      sum && steps[first].term !== undefined
        ? termsOf(sum, cards[0].value, lettersAt(nodes[edge.pairs[0][0]]).inputs[cards[0].input], 0, at - first)
        : cards[0].value;
    const picture = thumb(array, 46, 26, "adjoint"),
      single = count(array.shape) === 1;
    edge.g.append(
      svg(
        "g",
        { class: "card", transform: `translate(${edge.middle[0] - 28},${edge.middle[1] - 17})` },
        svg("rect", { class: "back", width: 56, height: 34, rx: 8 }),
        svg("g", { transform: single ? "translate(28,4)" : "translate(5,4)" }, picture),
      ),
    );
  }
  graph.root?.setAttribute(
    "aria-label",
    `${nodes.length} nodes; now ${nodes[step.node].name}${target >= 0 ? `, whose adjoint flows to ${nodes[target].name}` : ""}. The list of nodes says the same in words.`,
  );
  if (current) follow(current);
}
/** @param {Drawn} one */
function follow(one) {
  const pane = $("graph"),
    scale = Number(graph.root?.getAttribute("width")) / graph.width;
  const x = (one.x + box.width / 2) * scale,
    y = (one.y + box.height / 2) * scale,
    mx = pane.clientWidth * 0.3,
    my = pane.clientHeight * 0.3;
  const left = Math.abs(x - pane.scrollLeft - pane.clientWidth / 2) > mx ? x - pane.clientWidth / 2 : pane.scrollLeft;
  const top = Math.abs(y - pane.scrollTop - pane.clientHeight / 2) > my ? y - pane.clientHeight / 2 : pane.scrollTop;
  pane.scrollTo({ left, top, behavior: reduced.matches ? "auto" : "smooth" });
}

// ---------------------------------------------------------------------------------------------- a step in words

/** @param {string[]} over */
const listed = (over) => over.join(", ");
/** @param {Node} node @param {Sum | null} sum */
function madeOf(node, sum) {
  const input = node.inputs.map((i) => nodes[i].name),
    of = axes[node.id];
  if (of?.kind === "product" && sum) {
    return `${node.name}: for each entry, numbers of ${input[0]} times numbers of ${input[1]} are summed over ${listed(sum.over)}${input[2] ? `, and ${input[2]} is added${nodes[node.inputs[2]].shape.length < node.shape.length ? " to every row" : ""}` : ""}.`;
  }
  if (node.operation === "mean" && sum) return `${node.name} is the mean of ${input[0]}.`;
  if (node.operation === "sum" && sum) return `${node.name} is the sum of ${input[0]} over ${listed(sum.over)}.`;
  if (node.operation === "softmax" && sum)
    return `${node.name}: each row of ${input[0]} becomes positive shares that sum to 1, larger ones for larger scores.`;
  if (node.operation === "softmax_cross_entropy" && sum)
    return `${node.name}: how little the softmax gives to the right class, −log p${count(node.shape) > 1 ? ", for each row" : (sum.share ?? 1) > 1 ? ", the mean over the rows" : sum.sizes.get(sum.over[0]) === 1 ? "" : ", summed over the rows"}.`;
  if (node.operation === "broadcast_to") return `${node.name} repeats ${input[0]}: a broadcast.`;
  if (of?.kind === "entries" && sum && input.length === 1)
    return `${node.name}: ${node.operation} is taken of each number of ${input[0]} by itself.`;
  const repeated = node.inputs.filter(
    (i, k) => of?.kind === "entries" && count(nodes[i].shape) < count(node.shape) && of.inputs[k],
  );
  return `${node.name}: ${node.operation} of ${input.join(" and ")}${of?.kind === "entries" && sum ? ", entry by entry" : ""}.${repeated.length ? ` ${repeated.map((i) => nodes[i].name).join(" and ")} is repeated to fit: a broadcast.` : ""}`;
}
/** @param {Step} step @param {boolean} hidden */
function sentenceOf(step, hidden) {
  const node = nodes[step.node],
    again =
      node.group === "backward" ? " The way back of an earlier derivative recorded this node: a tape on the tape." : "";
  if (step.kind === "leaf") {
    const what =
      node.kind === "constant"
        ? "is given and does not change"
        : node.kind === "parameter"
          ? "is learned"
          : "is a variable: its gradient is wanted";
    return `${node.name} ${what}: ${times(node.shape)}.${again}`;
  }
  if (step.kind === "value") return madeOf(node, forwardSum(node)) + again;
  if (step.kind === "seed")
    return `Now back. When ${node.name} grows by 1, ${node.name} grows by 1: its adjoint begins as 1.`;
  const edge = /** @type {Contribution} */ (step.edge),
    target = nodes[edge.to],
    sum = backwardSum(edge),
    of = axes[node.id],
    all = arriving[edge.to],
    nth = all.indexOf(edge) + 1;
  let text;
  const letter = sum?.over[0] ?? "";
  if (step.term !== undefined && sum) {
    const ordinal = `${letter} = ${step.term}`,
      part = of?.kind === "product" && edge.input === 0;
    if (step.term > 0)
      text = `${ordinal} ${of?.kind === "product" && edge.input === 0 ? "sends its adjoint back along its own edges, times their weights" : of?.kind === "product" && edge.input === 1 ? "adds its adjoint times what came in with it" : "adds the adjoint of its copy"}: ${step.term + 1} of ${step.terms} terms are in the sum now.`;
    else if (part)
      text = `${target.name} reaches every ${letter} of ${node.name}, so what comes back is summed over ${letter}, edge by edge. First ${ordinal}.`;
    else if (of?.kind === "product" && edge.input === 1)
      text = `${target.name} was used for every ${letter}, so its gradient is a sum over ${letter}: ${letter === example ? "over the batch" : "over the rows"}. First ${ordinal}.`;
    else
      text = `${target.name} was repeated for every ${letter}, a broadcast. Back, what comes to its copies is summed over ${letter}. First ${ordinal}.`;
    if (step.term + 1 === step.terms) text += " That was the last: the sum is complete.";
  } else if (step.part === "unsummed")
    text = `${target.name} was repeated to fit ${node.name}, a broadcast. Each of its copies gets an adjoint of its own.`;
  else if (step.part === "summed" && sum)
    text = `The copies were one number: their adjoints are summed over ${listed(sum.over)} to ${target.name}.`;
  else if (sum && sum.over.length > 0 && sum.over.every((l) => sum.sizes.get(l) === 1))
    text =
      of?.kind === "product" && edge.input === 1
        ? `Each weight of ${target.name} gets the adjoint behind it times the number that it multiplied; there is one row, so nothing is summed.`
        : of?.kind === "product" && edge.input === 0
          ? `${node.name} has one ${letter}: what comes back is its adjoint times the weight.`
          : `${node.name} passes its adjoint on to ${target.name}; there is one of each copy, so nothing is summed.`;
  else if (sum && sum.over.length > 0)
    text = `${target.name} reaches ${node.name} at every ${listed(sum.over)}: what comes back is summed over ${listed(sum.over)}.`;
  else if (node.operation === "sum" && sum)
    text = `${node.name} was a sum. Back, each number that was summed gets the sum's adjoint, a copy.`;
  else if (node.operation === "mean" && sum)
    text = `${node.name} was a mean of n numbers. Back, each gets one n-th of the mean's adjoint.`;
  else if (node.operation === "softmax_cross_entropy" && sum)
    text = "The exponentials and the logarithm cancel: what is left is the softmax less the target, p − t.";
  else if (sum?.entrywise && sum.parts.length === 1 && sum.parts[0].adjoint)
    text = `${node.name} passes its adjoint on to ${target.name}.`;
  else if (of?.kind === "entries" && sum)
    text = `${node.name} hands its adjoint to ${target.name}, each number times the slope at its own place.`;
  else text = `${node.name} hands its adjoint to ${target.name} by its rule.`;
  const last = step.term === undefined ? step.part !== "unsummed" : step.term + 1 === step.terms;
  if (all.length > 1)
    text += ` ${target.name} is used ${all.length} times: this is contribution ${nth} of ${all.length}.`;
  if (last && !hidden && nth === all.length && (all.length > 1 || step.terms))
    text += ` The adjoint of ${target.name} is complete.`;
  return text + again;
}

/** The place of the cursor in these letters. @param {string[]} letters @param {number[]} shape */
const placeIn = (letters, shape) =>
  letters.map((l, k) => (l === "" ? 0 : Math.min(state.cursor[l] ?? 0, shape[k] - 1)));
/** @param {Numbers} array @param {string[]} letters */
const here = (array, letters) =>
  values(array)[placeIn(letters, shown(array)).reduce((flat, k, axis) => flat * shown(array)[axis] + k, 0)];

/** The sum at the cursor with its numbers, a term for each place. @param {Sum} sum @param {number} now @param {boolean} hidden @returns {Node2[]} */
function numbersOfSum(sum, now, hidden) {
  const all = sum.over.reduce((n, l) => n * (sum.sizes.get(l) ?? 1), 1),
    most = 8;
  /** @type {Node2[]} */
  const out = [];
  let k = 0;
  const at = bounded(sum);
  each(sum.over, sum.sizes, at, (place) => {
    if (k < most)
      out.push(
        ...(k > 0 ? [" + "] : []),
        all > 1
          ? h(
              "span",
              { class: `term${k === now ? " now" : now >= 0 && k > now ? " later" : ""}` },
              ...written(sum.pieces(place)),
            )
          : h("span", {}, ...written(sum.pieces(place))),
      );
    k++;
  });
  if (all > most) out.push(` + … ${all - most} more`);
  out.push(...written(sum.more?.(at) ?? []));
  if (hidden) out.push(" = ?");
  return out;
}
/** The cursor within the sum's sizes. @param {Sum} sum @returns {Cursor} */
const bounded = (sum) => Object.fromEntries([...sum.sizes].map(([l, n]) => [l, Math.min(state.cursor[l] ?? 0, n - 1)]));

/** The layer as units with its edges: what a sum over k runs over. @param {Sum} sum @param {boolean} back @param {number} now @param {boolean} hidden */
function units(sum, back, now, hidden) {
  const weight = sum.parts[1],
    over = sum.over[0],
    other = weight.letters.find((l) => l !== over && sum.out.includes(l));
  if (!other || sum.over.length !== 1) return null;
  const n = sum.sizes.get(over) ?? 0,
    m = sum.sizes.get(other) ?? 0;
  if (n > 8 || m > 8 || n < 2) return null;
  const at = bounded(sum),
    rows = Math.max(n, m),
    height = Math.max(3, rows) * 46 + 26,
    width = 310,
    x = [42, width - 42];
  // Backward the sum stands at the left and its terms come from the right; forward the other way.
  const sumX = back ? x[0] : x[1],
    termX = back ? x[1] : x[0];
  /** @param {number} k @param {number} of */
  const y = (k, of) => 26 + (height - 26) * ((k + 0.5) / of);
  const lines = svg("g"),
    labels = svg("g"),
    circles = svg("g");
  let running = sum.extra?.(at) ?? 0;
  for (let j = 0; j < m; j++) {
    for (let k = 0; k < n; k++) {
      const own = j === at[other],
        term = sum.term({ ...at, [other]: j, [over]: k }),
        done = now < 0 || k <= now;
      if (own && done) running += term;
      const d = `M${termX},${y(k, n)}L${sumX},${y(j, m)}`;
      if (!own) {
        lines.prepend(svg("path", { d }));
        continue;
      }
      lines.append(svg("path", { d, class: `own${k === now ? " now" : ""}` }));
      const share = n > 1 ? 0.3 + 0.12 * (k % 3) : 0.4;
      if (done && !(hidden && (k === now || now < 0)))
        labels.append(
          svg(
            "text",
            {
              x: termX + (sumX - termX) * share,
              y: y(k, n) + (y(j, m) - y(k, n)) * share + 4,
              class: `on${k === now ? " now" : ""}`,
            },
            short(term),
          ),
        );
    }
    const own = j === at[other];
    circles.append(
      svg("circle", {
        cx: sumX,
        cy: y(j, m),
        r: own ? 25 : 13,
        class: own ? "own" : "",
        click: () => {
          state.cursor[other] = j;
          render();
        },
      }),
    );
    if (!own) circles.append(svg("text", { x: sumX, y: y(j, m) + 4, class: "soft" }, String(j)));
    else circles.append(svg("text", { x: sumX, y: y(j, m) + 4, class: "sum" }, hidden ? "?" : short(running)));
  }
  for (let k = 0; k < n; k++)
    circles.append(
      svg("circle", { cx: termX, cy: y(k, n), r: 24, class: k === now ? "own" : "" }),
      svg("text", { x: termX, y: y(k, n) + 4 }, short(entry(sum.parts[0], { ...at, [over]: k }))),
    );
  circles.append(
    svg(
      "text",
      { x: back ? 4 : width - 4, y: 14, class: back ? "first" : "last" },
      `${back ? "the sum" : "z"} at ${other} = ${at[other]}`,
    ),
    svg(
      "text",
      { x: back ? width - 4 : 4, y: 14, class: back ? "last" : "first" },
      `${sum.parts[0].name}, each ${over}`,
    ),
  );
  return svg(
    "svg",
    {
      class: `units${back ? "" : " ahead"}`,
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": `The edges of the sum over ${over} for ${other} = ${at[other]}: ${Array.from({ length: n }, (_, k) => (hidden ? "" : short(sum.term({ ...at, [over]: k })))).join(", ")}`,
    },
    lines,
    circles,
    labels,
  );
}

/** The delta rule, where an activation's adjoint was a sum: slope times sum. @param {Step} step @param {boolean} hidden */
function together(step, hidden) {
  const edge = step.edge,
    node = nodes[step.node],
    sum = edge && backwardSum(edge);
  if (
    !edge ||
    hidden ||
    !sum?.entrywise ||
    node.inputs.length !== 1 ||
    sum.over.length > 0 ||
    !sum.parts[0]?.adjoint ||
    sum.parts.length < 2
  )
    return null;
  const terms = /** @type {Piece[]} */ ([]),
    rule = /** @type {Piece[]} */ ([]);
  const place = placeIn(sum.out, edge.value.shape),
    zbar = entry(sum.parts[0], bounded(sum)),
    value = here(edge.value, sum.out);
  if (!(Math.abs(zbar) > 0) || !Number.isFinite(value / zbar)) return null;
  let known = 0;
  for (const before of arriving[step.node]) {
    const inner = backwardSum(before),
      letters = lettersAt(nodes[/** @type {number} */ (from.get(before))]).inputs[before.input];
    if (!inner) {
      terms.push(
        { text: terms.length ? " + " : "" },
        {
          text: short(values(before.value)[place.reduce((f, k, a) => f * before.value.shape[a] + k, 0)]),
          from: "adjoint",
        },
      );
      continue;
    }
    const at = /** @type {Cursor} */ (Object.fromEntries(letters.map((l, k) => [l, place[k]])));
    known += inner.over.length;
    each(inner.over, inner.sizes, at, (spot) => {
      if (terms.length < 60) terms.push({ text: terms.length ? " + " : "" }, ...inner.pieces(spot));
    });
    rule.push({ text: rule.length ? " + " : "" }, ...inner.rule);
  }
  if (known === 0 && arriving[step.node].length < 2) return null;
  return h(
    "div",
    { class: "together rule" },
    h("div", { class: "line soft" }, "Together, the delta rule: the slope times the sum of what came back."),
    h(
      "div",
      { class: "line index" },
      ...written([...indexed("δ", sum.out), { text: " = f′ · (" }, ...rule, { text: ")" }]),
    ),
    h(
      "div",
      { class: "line" },
      ...written([
        { text: short(value / zbar), from: "value" },
        { text: " · (" },
        ...terms,
        { text: ") = " },
        { text: short(value), from: "adjoint" },
      ]),
    ),
  );
}

/** @param {boolean} hidden */
function renderStep(hidden) {
  const step = steps[state.step],
    node = nodes[step.node],
    pane = $("step"),
    back = state.step >= seed,
    letters = lettersAt(node);
  pictures = [];
  const parts = /** @type {Node2[]} */ ([]),
    top = /** @type {Node2[]} */ ([]),
    arrays = /** @type {Node2[]} */ ([]),
    notes = /** @type {Node2[]} */ ([]);
  const sum = step.kind === "value" ? forwardSum(node) : step.edge ? backwardSum(step.edge) : null;
  const target = step.edge ? nodes[step.edge.to] : null,
    out = step.edge ? letters.inputs[step.edge.input] : letters.z;
  const f = step.kind === "value" ? node.formula : step.edge ? node.derivatives[step.edge.input] : null;
  const names = namesOf(node),
    result = step.edge ? barred(names[step.edge.input]) : "z",
    shape = step.edge ? step.edge.value.shape : node.shape;
  const term = step.term ?? -1,
    added = addedAt(step);
  if (f || sum) {
    const rule = h("div", { class: "rule", tabindex: 0, role: "group", "aria-label": "the rule" }),
      math = shownFormula(f);
    if (math) rule.append(math);
    if (sum) {
      rule.append(
        h(
          "div",
          { class: "line index" },
          ...written([...indexed(result, out), { text: step.edge ? " += " : " = " }, ...sum.rule]),
        ),
      );
      const at = bounded(sum),
        place = out.filter((l) => l).map((l) => ({ text: String(at[l] ?? 0) }));
      const whole =
        term >= 0 ? values(termsOf(sum, shapeLike(shape), out, 0, term))[flatOf(out, shape)] : totalAt(sum, at);
      rule.append(
        h(
          "div",
          { class: "line numbers" },
          `${result}${place.length ? `[${place.map((p) => p.text).join(",")}]` : ""}${step.edge ? " += " : " = "}`,
          ...numbersOfSum(sum, term, hidden),
          ...(hidden
            ? []
            : [
                term >= 0 && step.terms && term + 1 < step.terms ? ", so far " : " = ",
                h(
                  "strong",
                  { class: step.edge ? "from-adjoint" : "from-value" },
                  short(term >= 0 || step.part ? whole : here(step.edge ? step.edge.value : node.value, out)),
                ),
              ]),
        ),
      );
    }
    top.push(rule);
  }
  if (sum && (step.kind === "value" || step.edge?.input === 0) && axes[node.id]?.kind === "product") {
    const drawing = units(sum, back, term, hidden);
    if (drawing) top.push(drawing);
  }
  const both = together(step, hidden);
  if (both) parts.push(both);
  const over = sum?.over ?? [];
  /** @param {Part} p */
  const given = (p) =>
    picture({
      title: h("strong", {}, p.name),
      note: p.of === p.name ? "" : p.of,
      array: p.array,
      letters: p.letters,
      key: p.name,
      over,
      term: step.term,
      quiet: step.kind === "value" && node.operation === "softmax_cross_entropy",
    });
  if (step.kind === "value" || step.edge) {
    if (sum) {
      for (const p of sum.parts) if (p.node >= 0 || p.letters.length > 0) arrays.push(given(p));
    } else if (step.kind === "value")
      node.inputs.forEach((i, k) => arrays.push(given({ ...inputPart(node, k, letters.inputs[k]) })));
    else {
      if (node.adjoint)
        arrays.push(
          given({
            name: barred("z"),
            of: `adjoint of ${node.name}`,
            array: node.adjoint,
            letters: letters.z,
            adjoint: true,
            node: node.id,
          }),
        );
      node.inputs.forEach((_, k) => {
        if (k !== step.edge?.input || node.inputs.length === 1)
          arrays.push(given(inputPart(node, k, letters.inputs[k])));
      });
    }
  }
  if (step.kind === "leaf" || step.kind === "value") {
    arrays.push(
      picture({
        title: h("strong", {}, step.kind === "leaf" ? node.name : "z"),
        note: step.kind === "leaf" ? node.kind : node.name,
        array: node.value,
        letters: letters.z,
        key: "result",
        id: "value",
        result: true,
        hidden,
      }),
    );
  } else if (step.kind === "seed") {
    const adjoint = adjointAt(step.node, state.step);
    if (adjoint)
      arrays.push(
        picture({
          title: h("strong", {}, "adjoint"),
          note: node.name,
          array: adjoint,
          letters: letters.z,
          key: "result",
          id: "adjoint",
          result: true,
        }),
      );
  } else if (step.edge && target && added) {
    const split = step.term !== undefined,
      many = arriving[step.edge.to].length > 1,
      so_far = adjointAt(step.edge.to, state.step);
    if (split || many || step.part === "unsummed") {
      arrays.push(
        picture({
          title: h(
            "strong",
            {},
            split ? `${over[0]} = ${step.term} adds` : step.part === "unsummed" ? "of each copy" : "this adds",
          ),
          note: split || step.part === "unsummed" ? "" : `to ${target.name}`,
          array: added.array,
          letters: added.letters,
          key: "added",
          id: "contribution",
          result: true,
          hidden,
        }),
      );
    }
    if (so_far && step.part !== "unsummed") {
      const done = complete(step.edge.to, state.step);
      arrays.push(
        picture({
          title: h("strong", {}, result),
          note: done ? `adjoint of ${target.name}` : `adjoint of ${target.name}, the sum so far`,
          array: so_far,
          letters: out,
          key: "result",
          id: "adjoint",
          result: true,
          hidden,
        }),
      );
    }
  }
  if (hidden && added) parts.push(question(step, added.array, added.letters, result));
  else if (hidden) parts.push(question(step, node.value, letters.z, node.name));
  if (!hidden && state.verdict)
    parts.push(
      h("p", { class: `verdict ${state.verdict.right ? "right" : "wrong"}`, role: "status" }, state.verdict.text),
    );
  if ((node.kind === "parameter" || node.kind === "variable") && step.kind === "leaf" && seed < Infinity)
    notes.push(wayButton(node.id));
  if (
    step.edge &&
    target &&
    complete(step.edge.to, state.step) &&
    (target.kind === "parameter" || target.kind === "variable")
  )
    notes.push(
      h(
        "p",
        {},
        `${target.name} is a leaf: this adjoint is its gradient, the slope of ${nodes[recording?.result ?? 0].name} by each of its numbers.`,
        wayButton(target.id),
      ),
    );
  if (sum && out.some((l) => l) && arrays.length > 0)
    notes.push(h("p", {}, "Click a cell to put its own numbers into the rule."));
  if (state.step === 0)
    notes.push(
      h("p", {}, "The arrow keys step forward, to see the result computed, and then back, to see each gradient."),
    );
  if (node.line !== null && node.line !== undefined) notes.push(h("p", {}, `Line ${node.line} of the derivation.`));
  // Tests find the step's node, and where its edge leads, here.
  for (const [name, value] of /** @type {[string, number | undefined][]} */ ([
    ["node", step.node],
    ["to", step.edge?.to],
    ["input", step.edge?.input],
    ["term", step.term],
  ])) {
    if (value === undefined) delete pane.dataset[name];
    else pane.dataset[name] = String(value);
  }
  fill(
    pane,
    top.length ? h("div", { class: "step-top" }, ...top) : null,
    ...parts,
    arrays.length ? h("div", { class: "arrays" }, ...arrays) : null,
    notes.length ? h("div", { class: "notes" }, ...notes) : null,
  );
}
/** @param {number[]} shape @returns {Numbers} */
const shapeLike = (shape) => ({ shape, values: [] });
/** @param {string[]} letters @param {number[]} shape */
const flatOf = (letters, shape) => placeIn(letters, shape).reduce((flat, k, axis) => flat * shape[axis] + k, 0);
/** @param {number} id */
const wayButton = (id) =>
  h(
    "button",
    {
      type: "button",
      click: () => {
        state.path = state.path === id ? -1 : id;
        render();
      },
    },
    state.path === id ? "hide the way" : "the way of its gradient",
  );

// ---------------------------------------------------------------------------------------------- predict first

const hiding = () =>
  state.predict &&
  !state.revealed.has(state.step) &&
  (steps[state.step]?.kind === "value" || steps[state.step]?.kind === "edge");

/** @typedef {{text: string, array: Float64Array}} Mistake */
/** What usual mistakes would have written, as arrays of the right one's shape. @param {Step} step @param {Numbers} right @param {string[]} letters @returns {Mistake[]} */
export function mistakes(step, right, letters) {
  const node = nodes[step.node],
    v = values(right),
    shape = right.shape,
    list = /** @type {Mistake[]} */ ([]);
  if (right.sampled) return list;
  const sizes = new Map(letters.map((l, k) => [l, shape[k]])),
    sum = step.edge ? backwardSum(step.edge) : forwardSum(node);
  /** @param {string} text @param {(at: Cursor, k: number) => number} of */
  const add = (text, of) => {
    const array = new Float64Array(v.length);
    let k = 0;
    each(letters, sizes, {}, (at) => {
      array[k] = of(at, k);
      k++;
    });
    list.push({ text, array });
  };
  const split = step.term !== undefined || step.part === "unsummed",
    zbar = sum?.parts[0]?.adjoint ? sum.parts[0] : null;
  if (
    sum?.entrywise &&
    zbar &&
    node.inputs.length === 1 &&
    String(zbar.array.shape) === String(shape) &&
    sum.parts.length > 1
  ) {
    add("It is the adjoint that arrives: the slope f′ is missing.", (at) => entry(zbar, at));
    add("It is the slope f′ alone: the adjoint that arrives is missing.", (at, k) => v[k] / entry(zbar, at));
    add("It has f where its slope f′ belongs.", (at, k) => entry(zbar, at) * values(node.value)[k]);
    const rule = tokens(
        plain(node.derivatives[0]?.text ?? "")
          .split(";")[0]
          .replace(/^.*?=/, ""),
      ),
      made = tokens(plain(node.formula?.text ?? "").replace(/^\s*z\s*=/, ""));
    const slope = rule && formula(rule, new Set(["zbar", "x", "z"])),
      value = made && formula(made, new Set(["x"]));
    if (slope && value)
      add("It has the slope f′ taken at f(x) instead of at x.", (at, k) =>
        slope({ zbar: entry(zbar, at), x: values(node.value)[k], z: value({ x: values(node.value)[k] }) }),
      );
  }
  if (sum && node.inputs.length === 1 && sum.entrywise && !step.edge) {
    const x = sum.parts.find((p) => !p.adjoint && String(p.array.shape) === String(shape));
    if (x) add(`It is ${node.operation}'s input: ${node.operation} was not applied.`, (at) => entry(x, at));
  }
  if (sum && sum.over.length > 0 && !split) {
    const letter = sum.over[0],
      n = sum.over.reduce((all, l) => all * (sum.sizes.get(l) ?? 1), 1);
    for (let t = 0; t < Math.min(8, sum.sizes.get(letter) ?? 1) && sum.over.length === 1 && n > 1; t++) {
      add(
        letter === example
          ? `It is the row ${letter} = ${t} alone: it is not summed over the batch.`
          : `It is the term ${letter} = ${t} alone: it is not summed over ${letter}.`,
        (at) => sum.term({ ...at, [letter]: t }),
      );
    }
    if (n > 1 && node.operation !== "mean")
      add(`It is the mean over ${listed(sum.over)} where the sum belongs.`, (at, k) => v[k] / n);
    if (n > 1 && node.operation === "mean") add("It is the sum where the mean belongs.", (at, k) => v[k] * n);
  }
  if (sum?.extra)
    add("It is right but for what is added at the end: the bias is missing.", (at, k) => v[k] - (sum.extra?.(at) ?? 0));
  if (node.operation === "mean" && step.edge)
    add(
      "It is the sum's share: the mean divides by n.",
      (at, k) => v[k] * (count(nodes[node.inputs[0]].shape) / Math.max(1, count(node.shape))),
    );
  if (step.term !== undefined && sum && step.edge) {
    const up_to = values(termsOf(sum, right, letters, 0, step.term));
    if (step.term > 0) add("It is the sum so far: asked is what this term adds.", (at, k) => up_to[k]);
    const whole = values(step.edge.value);
    if (letters.length === step.edge.value.shape.length)
      add(`It is the whole sum over ${listed(sum.over)}: asked is this term.`, (at, k) => whole[k]);
  }
  if (sum && axes[node.id]?.kind === "product") {
    sum.parts.slice(0, 2).forEach((p, which) => {
      if (p.array.shape.length !== 2 || p.array.shape[0] !== p.array.shape[1]) return;
      const turned = { ...p, letters: [p.letters[1], p.letters[0]] },
        other = sum.parts[1 - which];
      add(`It has ${p.of} transposed.`, (at) => {
        let total = sum.extra?.(at) ?? 0;
        each(
          step.term === undefined ? sum.over : [],
          sum.sizes,
          step.term === undefined ? at : { ...at, [sum.over[0]]: step.term },
          (spot) => {
            total += entry(turned, spot) * entry(other, spot);
          },
        );
        return total;
      });
    });
  }
  if (shape.length === 2 && shape[0] === shape[1] && shape[0] > 1)
    add(
      "It is transposed: row and column are swapped.",
      (at, k) => v[(k % shape[1]) * shape[1] + Math.floor(k / shape[1])],
    );
  add("It has the wrong sign.", (at, k) => -v[k]);
  add("It is twice what it should be.", (at, k) => 2 * v[k]);
  add("It is half of what it should be.", (at, k) => v[k] / 2);
  const rows = recording?.nodes.find((n) => n.kind === "constant" && n.shape.length >= 2)?.shape[0] ?? 1;
  if (rows > 2 && step.edge) {
    add(
      `It is ${rows} times what it should be, which is the number of rows: the sum stands where the mean belongs.`,
      (at, k) => v[k] * rows,
    );
    add(
      `It is 1/${rows} of what it should be: the mean over the rows stands where the sum belongs.`,
      (at, k) => v[k] / rows,
    );
  }
  return list;
}
/** Whether what was typed is this number, to the digits that were typed. @param {string} text @param {number} v */
function says(text, v) {
  const typed = arithmetic(text);
  if (typed === null) return false;
  if (Number.isNaN(v) || !Number.isFinite(v)) return Object.is(typed, v) || (Number.isNaN(typed) && Number.isNaN(v));
  const digits = text.trim().match(/^[-−+]?\d*\.(\d+)$/),
    error = Math.abs(typed - v);
  return (
    error <= 0.005 * Math.abs(v) ||
    (digits !== null && error <= Math.min(0.50001 * 10 ** -digits[1].length, 0.05 * Math.abs(v))) ||
    (Math.abs(v) < 1e-9 && error < 1e-9)
  );
}
/** A number, or a sum that makes one. @param {string} text */
function arithmetic(text) {
  const word = text.trim().toLowerCase().replace(/−/g, "-");
  if (word === "nan") return NaN;
  if (/^[-+]?(inf|infinity|∞)$/.test(word)) return word.startsWith("-") ? -Infinity : Infinity;
  const list = tokens(plain(text.replace(/^\s*\+/, "")));
  const f = list && list.length > 0 ? formula(list, new Set()) : null;
  return f ? f({}) : null;
}
/** What is said of an answer. @param {Step} step @param {Numbers} right @param {string[]} letters @param {string[]} typed @param {number[]} places */
export function judged(step, right, letters, typed, places) {
  const v = values(right),
    unreadable = typed.findIndex((t) => arithmetic(t) === null);
  if (unreadable >= 0)
    return { right: false, text: typed[unreadable].trim() === "" ? "A number is missing." : "This is no number." };
  if (places.every((k, n) => says(typed[n], v[k]))) return { right: true, text: "Right." };
  const equal = mistakes(step, right, letters).find(
    (m) => places.every((k, n) => says(typed[n], m.array[k])) && places.some((k) => m.array[k] !== v[k]),
  );
  if (equal) return { right: false, text: `Not quite. ${equal.text}` };
  const wrong = places
    .map((k, n) => ({ k, off: /** @type {number} */ (arithmetic(typed[n])) - v[k], good: says(typed[n], v[k]) }))
    .filter((w) => !w.good);
  const off = wrong[0],
    share =
      v[off.k] !== 0 && Number.isFinite(v[off.k])
        ? ` (${short((100 * Math.abs(off.off)) / Math.abs(v[off.k]))} %)`
        : "";
  const which =
    places.length > 1 ? `${places.length - wrong.length} of ${places.length} are right. The first that is not` : "It";
  return {
    right: false,
    text: `Not yet. ${which} is ${short(Math.abs(off.off))}${share} too ${off.off > 0 ? "large" : "small"}, and no usual mistake.`,
  };
}
/** @param {Step} step @param {Numbers} array @param {string[]} letters @param {string} name */
function question(step, array, letters, name) {
  const n = array.sampled ? 0 : count(array.shape),
    whole = state.whole && n > 1 && n <= 30,
    own = flatOf(letters, shown(array));
  const places = whole ? Array.from({ length: n }, (_, k) => k) : [own],
    columns = array.shape.length ? array.shape[array.shape.length - 1] : 1;
  const place = placeIn(letters, shown(array)),
    where = place.length
      ? `[${place.map((k, axis) => (letters[axis] ? `${letters[axis]} = ${k}` : k)).join(", ")}]`
      : "";
  const asked =
    step.term !== undefined && step.edge
      ? `What does this term add to ${name}`
      : step.part === "unsummed"
        ? "What comes to the copy"
        : step.edge
          ? `What does this add to ${name}`
          : `What is ${name}`;
  const fields = places.map(
    (k, n) =>
      /** @type {HTMLInputElement} */ (
        h("input", {
          type: "text",
          inputmode: "text",
          autocomplete: "off",
          spellcheck: "false",
          class: whole ? "" : "single",
          "aria-label": whole ? `entry ${k + 1} of ${places.length}` : `${asked}${where}?`,
          "data-answer": n,
        })
      ),
  );
  const verdict = h(
    "p",
    { class: `verdict ${state.verdict?.right ? "right" : "wrong"}`, role: "status" },
    state.verdict?.text ?? "",
  );
  const reveal = () => {
    state.revealed.add(state.step);
    render();
    $("next").focus({ preventScroll: true });
  };
  const form = h(
    "form",
    {
      class: "predict",
      submit: (/** @type {Event} */ e) => {
        e.preventDefault();
        state.verdict = judged(
          step,
          array,
          letters,
          fields.map((f) => f.value),
          places,
        );
        if (state.verdict.right) reveal();
        else {
          verdict.textContent = state.verdict.text;
          fields[0].focus();
        }
      },
    },
    h("p", {}, h("strong", {}, "Predict first. "), `${asked}${whole ? "" : where}?`),
  );
  if (whole)
    form.append(
      h("div", { class: "grid", style: `grid-template-columns: repeat(${columns}, minmax(4.2rem, 1fr))` }, ...fields),
    );
  else form.append(fields[0]);
  form.append(
    h(
      "div",
      { class: "actions" },
      h("button", { type: "submit", class: "main" }, "Check"),
      h(
        "button",
        {
          type: "button",
          click: () => {
            state.verdict = null;
            reveal();
          },
        },
        "Show me",
      ),
      n > 1 && n <= 30
        ? h(
            "button",
            {
              type: "button",
              click: () => {
                state.whole = !state.whole;
                render();
              },
            },
            whole ? "one number" : "the whole array",
          )
        : null,
    ),
    verdict,
  );
  return form;
}

// ---------------------------------------------------------------------------------------------- the views below

const views = /** @type {[string, string, boolean][]} */ ([
  ["nodes", "Nodes", true],
  ["memory", "Memory", (recording?.memory?.length ?? 0) > 0],
  ["digits", "Digits", nodes.some((n) => n.digits !== null && n.digits !== undefined)],
  ["claims", "Derivation", (recording?.claims?.length ?? 0) > 0 || Boolean(recording?.source)],
]).filter((v) => v[2]);
let tableKey = "",
  scrolledTo = /** @type {HTMLElement | null} */ (null);
/** @type {Map<number, {row: HTMLElement, value: HTMLElement, adjoint: HTMLElement, state: string}>} */
const rows = new Map();

/** @param {Numbers} a @param {string} kind */
function inCell(a, kind) {
  if (count(a.shape) === 1) return h("span", {}, short(values(a)[0]));
  return svg(
    "svg",
    {
      width: 70,
      height: 30,
      role: "img",
      "aria-label": `${times(a.shape)}, from ${short(least(a))} to ${short(greatest(a))}`,
    },
    thumb(a, 68, 28, kind),
  );
}
/** @param {number} at */
function renderNodes(at) {
  const view = $("view"),
    step = steps[state.step],
    current = step.node,
    many = nodes.length > 120;
  const word = state.filter.toLowerCase(),
    found = word ? nodes.filter((n) => `${n.name} ${n.operation} ${n.group}`.toLowerCase().includes(word)) : nodes;
  let first = 0,
    last = Math.min(found.length, 120);
  if (many && !word) {
    first = Math.max(0, Math.floor(current / 20) * 20 - 20);
    last = Math.min(found.length, first + 60);
  }
  const key = `nodes ${first} ${last} ${word}`;
  if (tableKey !== key) {
    tableKey = key;
    rows.clear();
    const body = h("tbody");
    for (const node of found.slice(first, last)) {
      const value = h("td", { class: "number value-cell" }),
        adjoint = h("td", { class: "number adjoint-cell" });
      const row = h(
        "tr",
        {},
        h("td", { class: "number soft" }, String(node.id)),
        h("td", {}, h("button", { type: "button", click: () => go(stepOf(node.id, state.step >= seed)) }, node.name)),
        value,
        adjoint,
        h("td", { class: "number soft" }, node.shape.length ? node.shape.join(" × ") : "1"),
        h("td", {}, shownFormula(node.formula) ?? h("span", { class: "soft" }, node.kind)),
      );
      rows.set(node.id, { row, value, adjoint, state: "" });
      body.append(row);
    }
    const search = many
      ? h(
          "p",
          {},
          h(
            "label",
            {},
            "Find ",
            h("input", {
              type: "search",
              value: state.filter,
              input: (/** @type {Event} */ e) => {
                state.filter = /** @type {HTMLInputElement} */ (e.target).value;
                renderNodes(at);
              },
            }),
          ),
        )
      : null;
    const table = h(
      "table",
      { class: "nodes" },
      h(
        "thead",
        {},
        h("tr", {}, ...["#", "name", "value", "adjoint", "shape", "rule"].map((t) => h("th", { scope: "col" }, t))),
      ),
      body,
    );
    const rest =
      last - first < found.length ? h("p", { class: "soft" }, `${last - first} of ${found.length} nodes`) : null;
    const old = view.querySelector("input[type=search]");
    if (old && search && document.activeElement === old) {
      view.querySelector("table")?.replaceWith(table);
      view.querySelector("p.soft")?.remove();
      if (rest) view.append(rest);
    } else fill(view, search, table, rest);
  }
  for (const [id, cells] of rows) {
    const seen = at >= id,
      adjoint = at >= seed ? adjointAt(id, at) : null,
      now = id === step.node || id === step.edge?.to,
      key = `${seen}${adjoint ? (complete(id, at) ? "done" : at) : ""}`;
    cells.row.classList.toggle("now", now);
    if (now) cells.row.setAttribute("aria-current", "step");
    else cells.row.removeAttribute("aria-current");
    if (cells.state === key) continue;
    cells.state = key;
    fill(cells.value, seen ? inCell(nodes[id].value, "value") : "·");
    fill(cells.adjoint, adjoint ? inCell(adjoint, "adjoint") : "·");
  }
  const row = rows.get(current)?.row;
  if (!row || row === scrolledTo) return;
  scrolledTo = row;
  const top = row.offsetTop - 40,
    bottom = row.offsetTop + row.offsetHeight + 40 - view.clientHeight;
  view.scrollTop = Math.max(0, Math.min(top, Math.max(view.scrollTop, bottom)));
}
/** @param {number} bytes */
const inBytes = (bytes) =>
  bytes < 1000 ? `${bytes} bytes` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
function renderMemory() {
  const memory = recording?.memory ?? [],
    step = steps[state.step],
    most = Math.max(1, ...memory.map((m) => m.bytes)),
    at = Math.min(step.node, memory.length - 1);
  const x = (/** @type {number} */ k) => ((k + 1) / memory.length) * 1000;
  let d = "M0,200";
  memory.forEach((m, k) => {
    d += `L${x(k - 1)},${200 - (190 * m.bytes) / most}L${x(k)},${200 - (190 * m.bytes) / most}`;
  });
  const now = memory[at],
    before = memory[at - 1]?.bytes ?? 0,
    name = nodes[now.after]?.name ?? "";
  fill(
    $("view"),
    h(
      "p",
      {},
      `After ${name} was recorded, the tape's values take ${inBytes(now.bytes)}${now.bytes > before ? `, ${inBytes(now.bytes - before)} more than before it` : now.bytes < before ? `, ${inBytes(before - now.bytes)} less than before it` : ""}. At most they take ${inBytes(Math.max(...memory.map((m) => m.bytes)))}.`,
    ),
    svg(
      "svg",
      {
        class: "chart",
        viewBox: "0 0 1000 200",
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": "bytes after each node",
      },
      svg("path", { class: "area", d: `${d}L1000,200Z` }),
      svg("line", { x1: x(at) - 500 / memory.length, x2: x(at) - 500 / memory.length, y1: 0, y2: 200 }),
    ),
    h(
      "p",
      { class: "soft" },
      "A value is kept until the way back has used it: that is why training takes more memory than predicting.",
    ),
  );
}
function renderDigits() {
  const all = nodes.filter((n) => typeof n.digits === "number"),
    most = recording?.precision === "float" ? 7.2 : 15.9,
    now = steps[state.step].node;
  const sorted = [...all]
    .sort((a, b) => /** @type {number} */ (a.digits) - /** @type {number} */ (b.digits))
    .slice(0, 40);
  const top = Math.max(7.2, ...sorted.map((n) => /** @type {number} */ (n.digits)), sorted.length ? 0 : most);
  fill(
    $("view"),
    h(
      "p",
      {},
      `Decimal digits that are right in each value, fewest first; float has 7 at best. ${all.length > 40 ? `40 of ${all.length} nodes.` : ""}`,
    ),
    ...sorted.map((n) =>
      h(
        "div",
        { class: `bar${/** @type {number} */ (n.digits) < 3 ? " few" : ""}${n.id === now ? " now" : ""}` },
        h("span", {}, n.name),
        h(
          "span",
          { class: "rail", "aria-hidden": "true" },
          h("span", {
            class: "fill",
            style: `display:block;width:${(100 * Math.max(0, /** @type {number} */ (n.digits))) / top}%`,
          }),
        ),
        h("span", {}, `${/** @type {number} */ (n.digits).toFixed(1)} digits`),
      ),
    ),
  );
}
function renderClaims() {
  const claims = recording?.claims ?? [];
  const own = pictures;
  pictures = own.slice();
  const list = claims.map((claim, k) => {
    const open = state.claim === k,
      node = typeof claim.node === "number" ? nodes[claim.node] : null,
      letters = node ? ownLetters(node) : [];
    const comparable = node && claim.value && claim.tape;
    const word = ["holds", "wrong", "conditional", "follows", "undecided", "ill-formed"].includes(claim.verdict)
      ? claim.verdict
      : "other";
    const item = h(
      "div",
      { class: `claim ${word}` },
      h(
        "div",
        {},
        h("span", { class: "word" }, claim.verdict),
        ` line ${claim.line} `,
        comparable
          ? h(
              "button",
              {
                type: "button",
                "aria-expanded": String(open),
                click: () => {
                  state.claim = open ? -1 : k;
                  render();
                },
              },
              open ? "hide the numbers" : "its numbers beside the tape's",
            )
          : null,
      ),
      h("code", {}, claim.text),
    );
    if (claim.reason) item.append(h("p", {}, claim.reason));
    if (claim.repair) item.append(h("p", {}, "It would hold as ", h("code", {}, claim.repair)));
    if (open && node && claim.value && claim.tape) {
      const same =
        String(claim.value.shape) === String(claim.tape.shape) &&
        String(claim.value.sampled) === String(claim.tape.sampled);
      const tape = values(claim.tape),
        difference = same
          ? {
              ...claim.value,
              values: Array.from(values(claim.value), (v, i) => v - tape[i]),
              least: undefined,
              largest: undefined,
            }
          : null;
      const figures = [
        picture({
          title: h("strong", {}, "the tape"),
          note: `∂${nodes[recording?.result ?? 0].name}/∂${node.name}`,
          array: claim.tape,
          letters,
          key: "tape",
          id: "claim-tape",
        }),
        picture({
          title: h("strong", {}, "this line"),
          array: claim.value,
          letters: letters.slice(0, claim.value.shape.length),
          key: "line",
          id: "claim-line",
          differs: same ? claim.tape : undefined,
        }),
      ];
      if (difference)
        figures.push(
          picture({
            title: h("strong", {}, "the difference"),
            note: "line − tape",
            array: difference,
            letters,
            key: "difference",
            id: "claim-difference",
          }),
        );
      item.append(h("div", { class: "arrays" }, ...figures));
    }
    return item;
  });
  const line = nodes[steps[state.step].node].line;
  const source = recording?.source
    ? h(
        "div",
        { class: "source", tabindex: 0, role: "group", "aria-label": "the derivation" },
        ...recording.source
          .split("\n")
          .map((text, k) =>
            h(
              "div",
              { class: line === k + 1 ? "now" : "" },
              h("span", { class: "n", "aria-hidden": "true" }, String(k + 1)),
              text,
            ),
          ),
      )
    : null;
  fill($("view"), ...list, source);
}

// ---------------------------------------------------------------------------------------------- all together

let said = "";
function render() {
  const step = steps[state.step],
    hidden = hiding(),
    at = hidden ? state.step - 1 : state.step,
    back = state.step >= seed;
  if (document.body.className !== (back ? "backwards" : "forwards"))
    document.body.className = back ? "backwards" : "forwards";
  const wanted = new Set([step.node, ...(step.edge ? [step.edge.to] : []), ...(state.path >= 0 ? [state.path] : [])]);
  drawGraph(wanted);
  updateGraph(at);
  fill(
    $("kicker"),
    `Step ${state.step + 1} of ${steps.length} · `,
    h("span", { class: back ? "backward" : "forward" }, back ? "backward" : "forward"),
  );
  const sentence = sentenceOf(step, hidden);
  if (sentence !== said) $("sentence").textContent = said = sentence;
  renderStep(hidden);
  if (state.tab === "nodes") renderNodes(at);
  else {
    tableKey = "";
    if (state.tab === "memory") renderMemory();
    else if (state.tab === "digits") renderDigits();
    else renderClaims();
  }
  for (const [name] of views) {
    const tab = $(`tab-${name}`),
      on = state.tab === name;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    if (on) $("view").setAttribute("aria-labelledby", tab.id);
  }
  const slider = /** @type {HTMLInputElement} */ ($("slider"));
  slider.value = String(state.step);
  slider.setAttribute(
    "aria-valuetext",
    `step ${state.step + 1} of ${steps.length}, ${back ? "backward" : "forward"}, ${nodes[step.node].name}`,
  );
  $("counter").textContent = `${state.step + 1} / ${steps.length}`;
  for (const [id, end] of /** @type {[string, number][]} */ ([
    ["first", 0],
    ["previous", 0],
    ["next", steps.length - 1],
    ["last", steps.length - 1],
  ]))
    /** @type {HTMLButtonElement} */ ($(id)).disabled = state.step === end;
  $("play").textContent = state.playing ? "Pause" : "Play";
  $("play").setAttribute("aria-label", state.playing ? "Pause" : "Play");
  /** @type {HTMLInputElement} */ ($("predict")).checked = state.predict;
  const path = $("path");
  path.hidden = state.path < 0;
  if (state.path >= 0) {
    const way = [...wayOf(state.path)].sort((a, b) => b - a),
      names = way.map((id) => nodes[id].name),
      shownNames =
        names.length > 14 ? [...names.slice(0, 7), `… ${names.length - 13} more …`, ...names.slice(-6)] : names;
    const reached = way.length > 1 && nodes[state.path].adjoint;
    fill(
      path,
      reached
        ? `The gradient of ${nodes[state.path].name} comes this way: ${shownNames.join(" → ")}.`
        : `No gradient of ${nodes[recording?.result ?? 0].name} comes to ${nodes[state.path].name}.`,
      h(
        "button",
        {
          type: "button",
          click: () => {
            state.path = -1;
            render();
          },
        },
        "hide",
      ),
    );
  }
  address();
}
function address() {
  const parts = [`step=${state.step + 1}`];
  const own = Object.entries(state.cursor)
    .filter(([l, k]) => k > 0 && /^[\p{L}′]+$/u.test(l))
    .map(([l, k]) => `${l}${k}`);
  if (own.length) parts.push(`at=${own.join(".")}`);
  if (state.tab !== "nodes") parts.push(`view=${state.tab}`);
  if (state.claim >= 0) parts.push(`claim=${state.claim + 1}`);
  if (state.path >= 0) parts.push(`path=${state.path}`);
  if (state.predict) parts.push("predict");
  const hash = `#${parts.join("&")}`;
  if (location.hash !== hash) history.replaceState(null, "", encodeURI(hash));
}
function fromAddress() {
  let text = location.hash.slice(1);
  try {
    text = decodeURIComponent(text);
  } catch {
    text = "";
  }
  const of = new Map(
    text.split("&").map((p) => /** @type {[string, string]} */ ([p.split("=")[0], p.slice(p.indexOf("=") + 1)])),
  );
  /** @param {string} name @param {number} most @param {number} otherwise */
  const whole = (name, most, otherwise) => {
    const n = Number(of.get(name));
    return Number.isInteger(n) && n >= 0 && n <= most ? n : otherwise;
  };
  state.step = Math.max(1, Math.min(steps.length, whole("step", 1e9, state.step + 1))) - 1;
  const view = of.get("view") ?? "nodes";
  state.tab = views.some((v) => v[0] === view) ? view : "nodes";
  state.claim = of.has("claim") ? whole("claim", recording?.claims?.length ?? 0, 0) - 1 : -1;
  state.path = of.has("path") ? whole("path", nodes.length - 1, -1) : -1;
  state.predict = of.has("predict");
  state.cursor = {};
  for (const place of (of.get("at") ?? "").split(".")) {
    const m = place.match(/^([\p{L}′]+)(\d+)$/u);
    if (m) state.cursor[m[1]] = Number(m[2]);
  }
}
/** @param {number} step */
function go(step) {
  const to = Math.max(0, Math.min(steps.length - 1, step));
  if (to !== state.step) {
    state.step = to;
    state.verdict = null;
  }
  render();
}
/** The next step at another node, or the one before. @param {number} way */
function otherNode(way) {
  /** @param {Step} s */
  const key = (s) => `${s.node}:${s.edge?.to}:${s.kind}`;
  let k = state.step;
  while (k + way >= 0 && k + way < steps.length && key(steps[k + way]) === key(steps[state.step])) k += way;
  k += way;
  if (way < 0 && k > 0) {
    const there = key(steps[k]);
    while (k > 0 && key(steps[k - 1]) === there) k--;
  }
  go(k);
}
function play() {
  if (state.playing) {
    clearTimeout(state.playing);
    state.playing = 0;
  } else {
    if (state.step === steps.length - 1) state.step = -1;
    const on = () => {
      go(state.step + 1);
      state.playing =
        state.step < steps.length - 1 && !hiding()
          ? window.setTimeout(on, Number(/** @type {HTMLSelectElement} */ ($("speed")).value))
          : 0;
      render();
    };
    on();
    return;
  }
  render();
}
function pause() {
  if (state.playing) clearTimeout(state.playing);
  state.playing = 0;
}

function start() {
  if (!recording) return `There is no recording in this page.`;
  if (recording.format !== 1)
    return `This recording has the format ${Number(recording.format)}; this page reads the format 1.`;
  if (nodes.length === 0) return "The recording is empty: nothing was recorded.";
  document.title = recording.title || "A recording";
  $("title").textContent = recording.title || "A recording, step by step";
  const result = nodes[recording.result];
  $("summary").textContent =
    `${nodes.length} nodes in ${recording.precision}; ${result.name}${count(result.shape) === 1 ? ` = ${short(values(result.value)[0])}` : ""}`;
  const slider = /** @type {HTMLInputElement} */ ($("slider"));
  slider.max = String(steps.length - 1);
  const ahead = Math.min(seed, steps.length),
    phases = $("phases").children;
  /** @type {HTMLElement} */ (phases[0]).style.flex = `${ahead} 1 0`;
  /** @type {HTMLElement} */ (phases[1]).style.flex = `${steps.length - ahead} 1 0`;
  fill(
    $("tabs"),
    ...views.map(([name, title], n) =>
      h(
        "button",
        {
          type: "button",
          role: "tab",
          id: `tab-${name}`,
          "aria-controls": "view",
          click: () => {
            state.tab = name;
            render();
          },
          keydown: (/** @type {KeyboardEvent} */ e) => {
            if (e.key !== "ArrowLeft" && e.key !== "ArrowRight") return;
            e.preventDefault();
            e.stopPropagation();
            const next = views[(n + (e.key === "ArrowRight" ? 1 : views.length - 1)) % views.length][0];
            state.tab = next;
            render();
            $(`tab-${next}`).focus();
          },
        },
        title,
      ),
    ),
  );
  /** @type {Record<string, () => void>} */
  const buttons = {
    first: () => go(0),
    previous: () => go(state.step - 1),
    next: () => go(state.step + 1),
    last: () => go(steps.length - 1),
  };
  for (const [id, act] of Object.entries(buttons))
    $(id).addEventListener("click", () => {
      pause();
      act();
    });
  $("play").addEventListener("click", play);
  slider.addEventListener("input", () => {
    pause();
    go(Number(slider.value));
  });
  $("predict").addEventListener("change", (e) => {
    state.predict = /** @type {HTMLInputElement} */ (e.target).checked;
    state.verdict = null;
    render();
  });
  $("help-button").addEventListener("click", () => {
    const help = $("help");
    help.hidden = !help.hidden;
    $("help-button").setAttribute("aria-expanded", String(!help.hidden));
  });
  $("smaller").addEventListener("click", () => {
    state.zoom--;
    zoom();
  });
  $("larger").addEventListener("click", () => {
    state.zoom++;
    zoom();
  });
  $("fit").addEventListener("click", () => {
    state.zoom = 0;
    zoom();
  });
  document.addEventListener("keydown", (e) => {
    const at = /** @type {HTMLElement} */ (e.target);
    if (e.ctrlKey || e.metaKey || e.altKey || at.matches("select, textarea, input[type=text], input[type=search]"))
      return;
    const native = at.matches("button, input[type=checkbox]") && e.key === " ";
    if (native || (at.matches("input[type=range]") && /^(Arrow|Page|Home|End)/.test(e.key))) return;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowRight: buttons.next,
      ArrowLeft: buttons.previous,
      Home: buttons.first,
      End: buttons.last,
      PageDown: () => otherNode(1),
      PageUp: () => otherNode(-1),
      " ": play,
      b: () => go(Math.min(seed, steps.length - 1)),
      p: () => {
        state.predict = !state.predict;
        state.verdict = null;
        render();
      },
    };
    const act = keys[e.key.length === 1 ? e.key.toLowerCase() : e.key];
    if (!act) return;
    e.preventDefault();
    if (e.key !== " ") pause();
    act();
  });
  addEventListener("hashchange", () => {
    fromAddress();
    render();
  });
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) {
      width = innerWidth;
      zoom();
      render();
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
  fromAddress();
  render();
  return "";
}
const problem = start();
if (problem) {
  fill(document.querySelector("main") ?? document.body, h("p", { role: "alert" }, problem));
  $("transport").hidden = true;
}
