// @ts-check
// The recording, and a letter for each axis of its arrays.
import { count, near, values } from "./numbers.js";
import { plain } from "./formulas.js";

/** @import { Changed, Claim, Numbers, Node, Contribution, Later, Recording } from "./types.js" */

export const recording = /** @type {Recording | null} */ (
  JSON.parse(document.getElementById("recording")?.textContent ?? "null")
);
export const nodes = recording?.nodes ?? [];

/** The numbers of each step of a training that have other ones at some step: whose, which, and a list over the steps. */
const changing = /** @type {{of: any, key: string, over: any[]}[]} */ ([]);
const later = recording?.training ?? [];
export const lastTrained = later.length;
/** @param {object} of the first step's @param {(step: Later) => Changed | undefined} at */
function numbersOver(of, at) {
  for (const key of ["value", "adjoint", "digits", "tape"]) {
    const over = [/** @type {any} */ (of)[key]];
    for (const step of later) over.push(/** @type {any} */ (at(step))?.[key] ?? over[over.length - 1]);
    if (over.some((v) => v !== over[0])) changing.push({ of, key, over });
  }
}
if (recording && later.length > 0) {
  nodes.forEach((node, k) => numbersOver(node, (step) => step.nodes[k]));
  recording.backward.forEach(({ contributions }, k) =>
    contributions.forEach((one, l) => numbersOver(one, (step) => step.backward[k]?.contributions[l])),
  );
  recording.claims?.forEach((claim, k) => numbersOver(claim, (step) => step.claims?.[k]));
}
/** The recording has the numbers of this step of the training from now on. @param {number} step */
export function takeNumbers(step) {
  for (const { of, key, over } of changing) of[key] = over[step];
}
/** What an array has been at each step. @param {object} whose @param {string} which @returns {Numbers[]} */
export function overSteps(whose, which) {
  const found = changing.find(({ of, key }) => of === whose && key === which);
  return found?.over ?? Array(lastTrained + 1).fill(/** @type {any} */ (whose)[which]);
}
// Where axes are told by numbers, those of the end tell more: weights may begin as 0.
takeNumbers(lastTrained);

export const small = nodes.length <= 200; // then sums are taken term by term
/** @type {Map<number, Contribution[]>} */
export const contributions = new Map((recording?.backward ?? []).map((b) => [b.node, b.contributions]));
/** Who takes a node's value, in the order of the tape. @type {number[][]} */
const uses = nodes.map(() => []);
for (const node of nodes) for (const input of node.inputs) uses[input]?.push(node.id);

/** The names of a node's inputs in its formula. @param {Node} node */
export function namesOf(node) {
  const usual = ["linear", "layer_norm"].includes(node.operation) ? ["x", "w", "b"] : ["x", "y", "t", "u", "v"];
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
  if (op === "matmul" && inputs.length === 2) {
    const found = matricesOf(node, z, fresh);
    return found ? are("product", found) : are("unknown", rest());
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
/**
 * The axes of a product's factors, x @ y, x @ y^T or x^T @ y, of matrices or vectors: what fits, and says the numbers.
 * @param {Node} node @param {number[]} z @param {number} inner the axis that is summed over
 */
function matricesOf(node, z, inner) {
  const X = nodes[node.inputs[0]].value,
    Y = nodes[node.inputs[1]].value,
    vectors = [X, Y].filter((a) => a.shape.length === 1).length,
    matrices = [X, Y].filter((a) => a.shape.length === 2).length;
  if (vectors + matrices < 2 || z.length !== 2 - vectors) return null;
  const left =
      X.shape.length === 1
        ? [[inner]]
        : [
            [z[0], inner],
            [inner, z[0]],
          ],
    own = z[z.length - 1],
    right =
      Y.shape.length === 1
        ? [[inner]]
        : [
            [inner, own],
            [own, inner],
          ];
  for (const a of left) {
    for (const b of right) {
      const size = new Map(z.map((l, k) => [l, node.shape[k]]));
      const n = X.shape[a.indexOf(inner)];
      size.set(inner, n);
      if (!a.every((l, k) => size.get(l) === X.shape[k]) || !b.every((l, k) => size.get(l) === Y.shape[k])) continue;
      if (X.sampled || Y.sampled || node.value.sampled) return [a, b];
      const [u, v, w] = [values(X), values(Y), values(node.value)];
      /** @param {number[]} letters @param {Numbers} of @param {Map<number, number>} place */
      const flat = (letters, of, place) => letters.reduce((at, l, k) => at * of.shape[k] + (place.get(l) ?? 0), 0);
      let right = true;
      for (const at of w.length > 0 ? [0, w.length >> 1, w.length - 1] : []) {
        const place = new Map(
          z.map((l, k) => [l, z.length === 2 && k === 0 ? Math.floor(at / node.shape[1]) : at % node.shape[k]]),
        );
        let total = 0,
          scale = 0;
        for (let k = 0; k < n; k++) {
          place.set(inner, k);
          const t = u[flat(a, X, place)] * v[flat(b, Y, place)];
          total += t;
          scale = Math.max(scale, Math.abs(t));
        }
        right &&= near(total, w[at], scale);
      }
      if (right) return [a, b];
    }
  }
  return null;
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
export const axes = nodes.map((node) => (node.operation === "" ? null : axesOf(node)));
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
const alphabet = [..."ijklmopqrstuv"];
export const example = "n"; // the rows of a batch
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
  const given = new Set([...letterOf.values(), ...Object.keys(recording?.first ?? {})]);
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
export function ownLetters(node) {
  /** @type {string[]} */
  const taken = [];
  for (let axis = 0; axis < node.shape.length; axis++)
    taken.push(another(letterOf.get(root(begin[node.id] + axis)) ?? "i", taken));
  return taken;
}
/** Of a claim's axes: the node's, or those of its line; none where it names none. @param {Claim} claim */
export function lettersOfClaim({ node, letters }) {
  if (typeof node === "number") return ownLetters(nodes[node]);
  return letters.every((l) => l !== "") ? letters : [];
}
/** What a letter counts from. @param {string} letter */
const firstOf = (letter) => recording?.first?.[letter.replace(/′$/, "")] ?? 0;
/** The number of a letter at the k-th cell. @param {string} letter @param {number} k */
export const numbered = (letter, k) => firstOf(letter) + k;
/** The cell where a letter has this number. @param {string} letter @param {number} number */
export const cellAt = (letter, number) => number - firstOf(letter);
/** @param {string} letter @param {Iterable<string>} taken */
export function another(letter, taken) {
  const list = [...taken];
  if (!list.includes(letter)) return letter;
  return alphabet.find((l) => !list.includes(l) && firstOf(l) === firstOf(letter)) ?? `${letter}′`;
}
/**
 * Letters for a step's arrays: one for each role of its axes, "" for an axis of length 1 that is repeated.
 * @param {Node} node
 */
export function lettersAt(node) {
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
