// @ts-check
// A formula for an entry, as the learner types it: w[k,j] * delta[k], summed by sum(k, ...).
import { count, near } from "./numbers.js";
import { formula, plain, tokens } from "./formulas.js";
import { cellAt, lettersAt, nodes, numbered } from "./recording.js";
import { adjointPart, backwardSum, barred, each, entry, forwardSum, inputPart } from "./sums.js";

/** @import { Numbers, Cursor, Part, Step } from "./types.js" */

/** What may be typed for a number: its letters, and the part that it is an entry of. @typedef {{word: string, shown: string, part: Part}} Word */

const isWord = (/** @type {string} */ text) => /^\p{L}[\p{L}\d_]*$/u.test(text);

/** The names that a step's formula may use. @param {Step} step @returns {Word[]} */
export function wordsOf(step) {
  const node = nodes[step.node],
    letters = lettersAt(node),
    sum = step.edge ? backwardSum(step.edge) : forwardSum(node);
  /** @type {Part[]} */
  const parts = node.inputs.map((_, k) => inputPart(node, k, letters.inputs[k]));
  if (step.edge && node.adjoint) {
    parts.unshift({ name: "z", of: node.name, array: node.value, letters: letters.z, adjoint: false, node: node.id });
    parts.unshift(adjointPart(node, node.adjoint, letters.z));
  }
  for (const part of sum?.parts ?? []) if (part.node < 0) parts.push(part);
  /** @type {Word[]} */
  const words = [];
  for (const part of parts) {
    if (
      part.array.sampled ||
      words.some((w) => w.part.node === part.node && part.node >= 0 && w.part.adjoint === part.adjoint)
    )
      continue;
    // tanh#1 is typed tanh1.
    const own = part.node >= 0 ? nodes[part.node].name.replace(/#/g, "") : part.name,
      base = isWord(own) ? own : part.name.replace("\u0304", "");
    let name = base;
    const taken = (/** @type {string} */ n) => words.some((w) => w.word === (part.adjoint ? `${n}bar` : n));
    for (let k = 2; taken(name); k++) name = `${base}${k}`;
    const word = part.adjoint ? `${name}bar` : name;
    words.push({ word, shown: part.adjoint && /\p{L}$/u.test(name) ? barred(name) : word, part });
  }
  return words;
}

/** @typedef {(at: Cursor) => number} AtCursor */

/**
 * The numbers of a typed formula at all entries, or a sentence why there are none.
 * @param {string} text @param {Step} step @param {Numbers} right @param {string[]} letters @returns {Float64Array | string}
 */
export function typedEntries(text, step, right, letters) {
  const list = tokens(plain(text.replace(/^[^=]*[^=<>]=(?!=)/, "").replace(/Σ|∑/g, "sum")));
  if (!list || list.length === 0) return text.trim() === "" ? "A formula is missing." : "This is no formula.";
  const words = wordsOf(step),
    sum = step.edge ? backwardSum(step.edge) : forwardSum(nodes[step.node]);
  /** @type {Map<string, number>} */
  const sizes = new Map(sum?.sizes ?? []);
  letters.forEach((l, k) => l && sizes.set(l, right.shape[k]));
  for (const { part } of words)
    part.letters.forEach((l, k) => l && sizes.set(l, Math.max(sizes.get(l) ?? 1, part.array.shape[k])));
  /** @type {Map<string, AtCursor>} */
  const meant = new Map();
  let problem = "",
    names = 0;
  /** How long the axis is where a letter stands; 0 where it stands nowhere. @param {string[]} part @param {string} letter */
  const axisOf = (part, letter) => {
    for (let i = 0; i + 1 < part.length; i++) {
      const word = part[i + 1] === "[" ? words.find((w) => w.word === part[i]) : undefined,
        place = part
          .slice(i + 2, part.indexOf("]", i))
          .filter((one) => one !== ",")
          .indexOf(letter);
      if (word && place >= 0) return word.part.array.shape.filter((_, k) => word.part.letters[k] !== "")[place] ?? 0;
    }
    return 0;
  };
  /** The letters that a name runs over, where it is not within a sum over them. @type {Set<string>} */
  const used = new Set();
  /** @param {string[]} part @param {Set<string>} bound @returns {AtCursor | null} */
  const read = (part, bound) => {
    /** @type {string[]} */
    const out = [];
    for (let i = 0; i < part.length && !problem; i++) {
      const t = part[i];
      if (t === "sum" && part[i + 1] === "(" && isWord(part[i + 2] ?? "") && part[i + 3] === ",") {
        let depth = 1,
          end = i + 4;
        for (; end < part.length && depth > 0; end++) depth += part[end] === "(" ? 1 : part[end] === ")" ? -1 : 0;
        const letter = part[i + 2];
        if (!sizes.has(letter)) {
          // A letter of the learner's own runs over the axis where it stands.
          const place = axisOf(part.slice(i + 4, end), letter);
          if (place > 0) sizes.set(letter, place);
        }
        const size = sizes.get(letter),
          inner = depth === 0 ? read(part.slice(i + 4, end - 1), new Set([...bound, letter])) : null;
        if (size === undefined) problem ||= `There is no letter ${letter} here.`;
        if (!inner || size === undefined) return null;
        const name = `sum${meant.size}`;
        meant.set(name, (at) => {
          let total = 0;
          for (let k = 0; k < size; k++) total += inner({ ...at, [letter]: k });
          return total;
        });
        out.push(name);
        i = end - 1;
        continue;
      }
      const word = words.find((w) => w.word === t);
      if (!word) {
        out.push(t);
        continue;
      }
      names++;
      const own = word.part.letters;
      let at = own;
      if (part[i + 1] === "[") {
        const end = part.indexOf("]", i);
        at = part.slice(i + 2, end < 0 ? undefined : end).filter((one) => one !== ",");
        const depth = own.filter((l) => l !== "").length;
        if (end < 0 || at.length !== depth) {
          problem ||= `${word.shown} has ${depth} ${depth === 1 ? "index" : "indices"}.`;
          return null;
        }
        const unknown = at.find((l) => !/^\d+$/.test(l) && !sizes.has(l));
        if (unknown) problem ||= `There is no letter ${unknown} here.`;
        const full = [...at];
        at = own.map((l) => (l === "" ? "" : (full.shift() ?? "")));
        i = end;
        const outside = own.findIndex((l, k) => {
          const cell = /^\d+$/.test(at[k]) ? cellAt(l, Number(at[k])) : 0;
          return l !== "" && (cell < 0 || cell >= word.part.array.shape[k]);
        });
        if (outside >= 0) {
          const last = numbered(own[outside], word.part.array.shape[outside] - 1);
          problem ||= `${word.shown} has no ${at[outside]} there: ${own[outside]} goes from ${numbered(own[outside], 0)} to ${last}.`;
        }
      }
      for (const l of at) if (l !== "" && !/^\d+$/.test(l) && !bound.has(l)) used.add(l);
      const shape = word.part.array.shape,
        places = at;
      const name = `name${meant.size}`;
      meant.set(name, (cursor) => {
        /** @type {Cursor} */
        const there = {};
        own.forEach((l, k) => {
          if (l === "") return;
          const place = /^\d+$/.test(places[k]) ? cellAt(l, Number(places[k])) : (cursor[places[k]] ?? 0);
          there[l] = Math.min(place, shape[k] - 1);
        });
        return entry(word.part, there);
      });
      out.push(name);
    }
    const f = problem ? null : formula(out, new Set(meant.keys()));
    if (!f) return null;
    const mine = out.filter((t) => meant.has(t));
    return (at) => f(Object.fromEntries(mine.map((n) => [n, /** @type {AtCursor} */ (meant.get(n))(at)])));
  };
  const f = read(list, new Set());
  if (problem) return problem;
  if (!f) return "This is no formula of the names below.";
  if (names === 0) return "This is a number: write it with the names below.";
  const fixed = step.term !== undefined && sum ? sum.over : [],
    free = [...used].find((l) => !letters.includes(l) && !fixed.includes(l));
  if (free) return `${free} is left: sum over it, by sum(${free}, ...).`;
  const result = new Float64Array(count(right.shape));
  let k = 0;
  each(letters, sizes, fixed.length ? { [fixed[0]]: step.term ?? 0 } : {}, (at) => {
    result[k++] = f(at);
  });
  return result;
}
/** Whether all numbers are the same, but for rounding. @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function agree(a, b) {
  const scale = Math.max(0, ...Array.from(b, Math.abs).filter(Number.isFinite));
  return a.length === b.length && Array.from(a).every((v, k) => near(v, b[k], scale));
}
