// @ts-check
// Arrays as they stand in the JSON, and how a number is read.

/** @import { Numbers } from "./types.js" */

/** @param {number | string} v */
export const number = (v) => (typeof v === "number" ? v : v === "inf" ? Infinity : v === "-inf" ? -Infinity : NaN);

/** @type {WeakMap<Numbers, Float64Array>} */
const read = new WeakMap();
/** @param {Numbers} a */
export function values(a) {
  let v = read.get(a);
  if (!v) read.set(a, (v = Float64Array.from(a.values, number)));
  return v;
}
/** @param {Numbers} a the numbers that are there of each axis */
export const shown = (a) => (a.sampled ? a.sampled.map((s) => s.length) : a.shape);
/** @param {number[]} shape */
export const count = (shape) => shape.reduce((n, d) => n * d, 1);
/** @param {number[]} shape */
export const times = (shape) =>
  shape.length === 0 ? "one number" : shape.length === 1 ? `${shape[0]} numbers` : `${shape.join(" × ")} numbers`;
/** @param {number[]} shape @param {ArrayLike<number>} v @returns {Numbers} */
export function numbersOf(shape, v) {
  const a = { shape, values: Array.from(v) };
  read.set(a, Float64Array.from(a.values));
  return a;
}
/** @param {Numbers} a @param {Numbers} b @returns {Numbers} */
export function plus(a, b) {
  const x = values(a),
    y = values(b),
    z = x.map((v, i) => v + y[i]);
  const sum = { ...a, values: Array.from(z) };
  if (a.sampled) [sum.least, sum.largest] = [Math.min(...z), Math.max(...z)];
  read.set(sum, z);
  return sum;
}
/** @param {Numbers} a */
export function largest(a) {
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
export const full = (v) => (Number.isFinite(v) ? String(v).replace(/-/g, "−") : short(v));
/** @param {number} a @param {number} b @param {number} scale */
export const near = (a, b, scale) =>
  a === b || (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= 1e-9 + 2e-4 * Math.max(scale, Math.abs(b));
