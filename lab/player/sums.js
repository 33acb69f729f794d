// @ts-check
// What an entry of an array is the sum of. A sum is shown where its numbers are the tape's.
import { count, near, numbersOf, short, values } from "./numbers.js";
import { formula, functions, plain, tokens, withNumbers } from "./formulas.js";
import { another, axes, contributions, lettersAt, namesOf, nodes, recording } from "./recording.js";

/** @import { Numbers, Node, Contribution, Cursor, Piece, Sum, Part } from "./types.js" */

/** @param {Part} part @param {Cursor} at */
export function entry(part, at) {
  let flat = 0;
  const shape = part.array.shape;
  part.letters.forEach((l, k) => {
    flat = flat * shape[k] + (l === "" ? 0 : Math.min(at[l] ?? 0, shape[k] - 1));
  });
  return values(part.array)[flat];
}
/** @param {string} name @param {string[]} letters @param {Part} [part] whose name it is @returns {Piece[]} */
export function indexed(name, letters, part) {
  const own = letters.filter((l) => l !== "");
  if (own.length === 0) return [{ text: name, part }];
  return [
    { text: `${name}[`, part },
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
/** @param {string[]} over */
export const listed = (over) => over.join(", ");
/** @param {string} name */
export const barred = (name) => `${name}\u0304`;

const aNumber = "a number"; // what an operation was given beside its inputs is of
/** What the network calls a node: `w` of w[k,j]. @param {number} id */
const ownName = (id) => nodes[id].name.replace(/\[[^\]]*\]$/, "");
/** What the network calls an adjoint: dC/dw. @param {number} id */
const ownAdjoint = (id) => {
  const result = ownName(recording?.result ?? 0);
  return `d${result.includes("#") ? "loss" : result}/d${ownName(id)}`;
};
/** A rule in the network's own names. @param {Piece[]} rule @returns {Piece[]} */
export const inOwnNames = (rule) =>
  rule.map(({ part, ...piece }) => {
    const own = !part
      ? null
      : part.of === aNumber
        ? short(values(part.array)[0])
        : part.node < 0
          ? null
          : part.adjoint
            ? ownAdjoint(part.node)
            : ownName(part.node);
    return part && own !== null ? { ...piece, text: piece.text.replace(part.name, () => own) } : piece;
  });
/** An entry of a step's result in its own name. @param {Node} node @param {Contribution | undefined} edge @param {string[]} letters */
export const ownResult = (node, edge, letters) => indexed(edge ? ownAdjoint(edge.to) : ownName(node.id), letters);

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
        k > 0 ? [{ text: " · " }, ...indexed(p.name, p.letters, p)] : indexed(p.name, p.letters, p),
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
      return p ? indexed(p.name, p.letters, p) : [piece];
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
export function each(letters, sizes, at, then) {
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
export function totalAt(sum, at) {
  let total = sum.extra?.(at) ?? 0;
  each(sum.over, sum.sizes, at, (here) => {
    total += sum.term(here);
  });
  return total;
}
/** The terms up to one, or this one alone, as an array. @param {Sum} sum @param {Numbers} like @param {string[]} letters @param {number} from @param {number} to @returns {Numbers} */
export function termsOf(sum, like, letters, from, to) {
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
export const inputPart = (node, k, letters) => ({
  name: namesOf(node)[k],
  of: nodes[node.inputs[k]].name,
  array: nodes[node.inputs[k]].value,
  letters,
  adjoint: false,
  node: node.inputs[k],
});

/** What comes to a node on the way back. @param {Node} node @param {Numbers} array @param {string[]} letters @returns {Part} */
export const adjointPart = (node, array, letters) => ({
  name: barred("z"),
  of: `adjoint of ${node.name}`,
  array,
  letters,
  adjoint: true,
  node: node.id,
});

const caches = /** @type {Map<any, any>[]} */ ([]);
/** The numbers have changed: sums are told anew. */
export function forgetSums() {
  for (const made of caches) made.clear();
}
/** @template K, V @param {(key: K) => V} make @returns {(key: K) => V} */
export function once(make) {
  /** @type {Map<K, V>} */
  const made = new Map();
  caches.push(made);
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
          of: aNumber,
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
export const forwardSum = once((/** @type {Node} */ node) => {
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
      sum.rule = [...sum.rule, { text: " + " }, ...indexed(bias.name, bias.letters, bias)];
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
      ...indexed(x.name, x.letters, x),
      { text: ") / ∑" },
      { text: all },
      { text: " exp(" },
      ...indexed(x.name, [...x.letters.slice(0, -1), all], x).map((piece) =>
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
export const backwardSum = once((/** @type {Contribution} */ edge) => {
  const node = nodes[/** @type {number} */ (from.get(edge))],
    of = axes[node.id];
  if (!of || !node.adjoint) return null;
  const letters = lettersAt(node),
    out = letters.inputs[edge.input];
  if (!out) return null;
  const zbar = adjointPart(node, node.adjoint, letters.z);
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
export const from = new Map();
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
        ...indexed(zbar.name, zbar.letters, zbar),
        { text: " · (" },
        ...indexed("p", letters),
        { text: " − " },
        ...indexed("t", letters, Y),
        { text: ")" },
        ...divided,
      ],
    };
    if (believed(sum, edge.value, letters)) return sum;
  }
  return null;
}

/** A node that is given or learned, or that turned round. @param {number} id @returns {boolean} */
const isLeaf = (id) =>
  nodes[id].operation === "" || (nodes[id].operation === "transpose" && isLeaf(nodes[id].inputs[0]));
/**
 * Where the edge of a product leads: through weights to what came in, to the weights, or to what was repeated and added.
 * @param {Contribution} edge @param {Sum | null} sum @returns {"input" | "weights" | "copies" | ""}
 */
export function leadsTo(edge, sum) {
  const node = nodes[/** @type {number} */ (from.get(edge))],
    other = sum?.parts[1];
  if (axes[node.id]?.kind !== "product") return "";
  if (!other) return "copies";
  if (node.operation === "linear") return edge.input === 0 ? "input" : "weights";
  const through =
    other.letters.length === 2 && (nodes[edge.to].shape.length === 1 || (isLeaf(other.node) && !isLeaf(edge.to)));
  return through ? "input" : "weights";
}
/** A product's factors, the weights behind. @param {Sum} sum @returns {Part[]} */
export function factorsOf(sum) {
  const [a, b] = sum.parts;
  const turned =
    !a.adjoint && a.letters.length === 2 && (b.letters.length === 1 || (isLeaf(a.node) && !isLeaf(b.node)));
  return turned ? [b, a] : [a, b];
}
