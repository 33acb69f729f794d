// @ts-check
// The steps of a training: curves over them, and the numbers of the one that is looked at.
import { brief, drawCurves, nameAt, steepest } from "./curves.js";
import { $ } from "./dom.js";
import { number, values } from "./numbers.js";
import { lastTrained, nodes, overSteps, recording, takeNumbers } from "./recording.js";
import { state } from "./state.js";
import { makeSteps } from "./steps.js";
import { forgetSums } from "./sums.js";

/** @import { Curves, TrainedStep } from "./curves.js" */
/** @import { Node, Numbers } from "./types.js" */

/** What is learned: parameters, and variables that change. */
const learned = nodes.filter(
  (n) =>
    n.adjoint &&
    (n.kind === "parameter" || (n.kind === "variable" && overSteps(n, "value").some((v, _, all) => v !== all[0]))),
);
/** @returns {Curves | null} */
function curvesOf() {
  const result = recording && nodes[recording.result];
  if (!result || lastTrained === 0) return null;
  const losses = overSteps(result, "value"),
    of = learned.map((n) => ({ values: overSteps(n, "value"), adjoints: overSteps(n, "adjoint") }));
  /** @param {Numbers} a */
  const length = (a) =>
    a.length === undefined ? values(a).reduce((sum, v) => Math.hypot(sum, v), 0) : number(a.length);
  /** @returns {TrainedStep} */
  const step = (/** @type {number} */ k) => ({
    loss: values(losses[k])[0],
    values: of.map((one) => [...values(one.values[k])]),
    gradients: of.map((one) => [...values(one.adjoints[k])]),
    length: of.reduce((sum, one) => Math.hypot(sum, length(one.adjoints[k])), 0),
  });
  return {
    loss: result.name,
    learned: learned.map((n) => n.name),
    steps: Array.from({ length: lastTrained + 1 }, (_, k) => step(k)),
    count: learned.reduce((sum, n) => sum + n.shape.reduce((a, b) => a * b, 1), 0),
  };
}
const curves = curvesOf();
/** The recording at another step of the training: the player's steps are made anew. @param {number} to */
export function takeStep(to) {
  state.training = Math.max(0, Math.min(lastTrained, to));
  takeNumbers(state.training);
  forgetSums();
  makeSteps();
  state.revealed.clear();
  state.verdict = null;
}
let drawn = -1;
export function renderTraining() {
  $("training").hidden = !curves;
  if (!curves || drawn === state.training) return;
  drawn = state.training;
  const most = steepest(curves, drawn),
    after = most && drawn < lastTrained ? curves.steps[drawn + 1].values[most.which][most.place] : null;
  const nameOf = (/** @type {{which: number, place: number}} */ { which, place }) => {
    const { name, value } = learned[which];
    return nameAt(name, value.shape, place, value.sampled);
  };
  const said = most
    ? `The slope of ${curves.loss} by ${nameOf(most)} = ${brief(most.value)} is ${brief(most.slope)}, the steepest${learned.some((n) => n.value.sampled) ? " of those that are here" : ""}`
    : "";
  drawCurves(curves, drawn, {
    said: `${said}.`,
    rule: said && (after === null ? `${said}.` : `${said}: the next step takes it to ${brief(after)}.`),
  });
}
