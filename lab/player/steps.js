// @ts-check
// The steps forward and backward, and what has come to an adjoint at each.
import { count, numbersOf, plus } from "./numbers.js";
import { axes, lettersAt, nodes, recording, small } from "./recording.js";
import { backwardSum, each, termsOf } from "./sums.js";

/** @import { Numbers, Contribution, Step } from "./types.js" */

/** @type {Step[]} */
export const steps = [];
/** When each contribution begins and has arrived. @type {Map<Contribution, [number, number]>} */
export const when = new Map();
/** @type {Contribution[][]} */
export const arriving = nodes.map(() => []);
export let seed = Infinity;
/** Sums of the first contributions, as far as they were asked for. @type {Map<number, Numbers[]>} */
const sums = new Map();
/** The steps of the numbers that the recording has now. */
export function makeSteps() {
  steps.length = 0;
  when.clear();
  sums.clear();
  for (const list of arriving) list.length = 0;
  if (!recording) return;
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
makeSteps();
/** @param {Step} step what its edge adds now: a term of it, what is not summed yet, or all */
export function addedAt(step) {
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
/** The sum that has come to a node's adjoint; null before the first. @param {number} id @param {number} at a step @returns {Numbers | null} */
export function adjointAt(id, at) {
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
export const complete = (id, at) =>
  arriving[id].length > 0 ? arrived(id, at, 1) === arriving[id].length : id === recording?.result && at >= seed;
