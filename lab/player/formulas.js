// @ts-check
// Formulas of single numbers: read from the library's text, computed, and written with numbers for their names.

/** @import { Piece } from "./types.js" */

export const functions = /** @type {Record<string, (...a: number[]) => number>} */ ({
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
export function plain(text) {
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
export function tokens(text) {
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
export function withNumbers(list, put) {
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
