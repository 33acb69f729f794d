// @ts-check
// What is said beside a node, an edge and a claim: the formula with the numbers of the cell that is looked at.
import { short, shown } from "./numbers.js";
import { lettersAt, lettersOfClaim, namesOf, nodes, numbered, recording } from "./recording.js";
import { backwardSum, barred, each, forwardSum, from, indexed } from "./sums.js";
import { adjointAt, complete, seed, steps, when } from "./steps.js";
import { bounded, here, hiding, placeIn, state } from "./state.js";
import { h } from "./dom.js";
import { shownFormula } from "./elements.js";
import { asksFormula } from "./predict.js";

/** @import { Claim, Contribution, Node2, Numbers, Piece, Sum } from "./types.js" */

const mostTerms = 8;
/** @param {Piece[]} pieces */
const textOf = (pieces) => pieces.map((p) => p.text).join("");
/** @param {Sum} sum at the cell that is looked at */
function numbersIn(sum) {
  const at = bounded(sum),
    terms = /** @type {string[]} */ ([]);
  let left = 0;
  each(sum.over, sum.sizes, at, (place) => {
    if (terms.length < mostTerms) terms.push(textOf(sum.pieces(place)));
    else left++;
  });
  return `${terms.join(" + ")}${left > 0 ? ` + … ${left} more` : ""}${textOf(sum.more?.(at) ?? [])}`;
}
/** The cell that is looked at: z[0,2]. @param {string} name @param {Numbers} array @param {string[]} letters */
function cellOf(name, array, letters) {
  const at = placeIn(letters, shown(array))
    .map((k, axis) => numbered(letters[axis], array.sampled ? array.sampled[axis][k] : k))
    .filter((_, axis) => letters[axis] !== "");
  return at.length ? `${name}[${at}]` : name;
}
/** The step whose numbers may be seen. */
const seenUpTo = () => (hiding() ? state.step - 1 : state.step);

/** @param {number} id @returns {(Node2 | null)[]} */
export function saidOfNode(id) {
  const node = nodes[id],
    at = seenUpTo(),
    letters = lettersAt(node).z,
    cell = cellOf(node.name, node.value, letters),
    step = steps[state.step],
    ruled = !(hiding() && asksFormula() && step.kind === "value" && step.node === id),
    sum = ruled && node.operation ? forwardSum(node) : null,
    adjoint = at >= seed ? adjointAt(id, at) : null;
  return [
    h(
      "p",
      {},
      h("strong", {}, node.name),
      ` ${node.operation || node.kind} of shape (${node.shape.join(", ")})${node.group === "backward" ? ", recorded by the way back" : ""}`,
    ),
    ruled && node.formula ? h("p", {}, shownFormula(node.formula)) : null,
    sum ? h("p", { class: "soft" }, textOf([...indexed(node.name, letters), { text: " = " }, ...sum.rule])) : null,
    node.value.values.length === 0
      ? null
      : h(
          "p",
          {},
          at < id
            ? `${cell} is not computed yet.`
            : `${cell} = ${sum && sum.parts.length > 0 ? `${numbersIn(sum)} = ` : ""}${short(here(node.value, letters))}`,
        ),
    adjoint && node.value.values.length > 0
      ? h(
          "p",
          { class: "from-adjoint" },
          `d${nodes[recording?.result ?? 0].name}/d${cell} = ${short(here(adjoint, letters))}${complete(id, at) ? "" : ", so far"}`,
        )
      : null,
  ];
}
/** What a node adds to an adjoint. @param {Contribution} edge @returns {(Node2 | null)[] | null} */
export function saidOfEdge(edge) {
  const node = nodes[/** @type {number} */ (from.get(edge))],
    letters = lettersAt(node).inputs[edge.input];
  if (!letters || edge.value.values.length === 0 || /** @type {number[]} */ (when.get(edge))[1] > seenUpTo())
    return null;
  const sum = backwardSum(edge),
    name = barred(namesOf(node)[edge.input]);
  return [
    h("p", {}, h("strong", {}, `${node.name} to ${nodes[edge.to].name}`)),
    node.derivatives[edge.input] ? h("p", {}, shownFormula(node.derivatives[edge.input])) : null,
    sum ? h("p", { class: "soft" }, textOf([...indexed(name, letters), { text: " += " }, ...sum.rule])) : null,
    h(
      "p",
      { class: "from-adjoint" },
      `${cellOf(name, edge.value, letters)} += ${sum ? `${numbersIn(sum)} = ` : ""}${short(here(edge.value, letters))}`,
    ),
  ];
}
/** @param {Claim} claim @returns {(Node2 | null)[] | null} */
export function saidOfClaim(claim) {
  const { value, tape } = claim;
  if (!value || !tape || value.values.length === 0 || tape.values.length === 0) return null;
  const own = lettersOfClaim(claim),
    letters = own.length > 0 ? own : tape.shape.map(() => "-"),
    of = (/** @type {Numbers} */ a) => short(here(a, letters.slice(0, a.shape.length))),
    at = cellOf("", tape, letters);
  return [h("p", {}, `${at ? `At ${at} the` : "The"} tape says ${of(tape)}, this line ${of(value)}.`)];
}
