// @ts-check
// Training, seen: steps of gradient descent, or ascent, in an engine of its own, and a slider over them.
import { brief, drawCurves, nameAt, steepest } from "../../player/curves.js";
import { $, fill, h, svg } from "../../player/dom.js";
import { tip } from "../../player/tip.js";
import { Engine, Stopped } from "./engine.js";
import { heldOut, mostPoints, pointsOf, withPoints, withRows } from "./points.js";
/** @import { Point } from "./points.js" */

/** @import { Curves } from "../../player/curves.js" */

/**
 * @typedef {Curves & {rate: number, candidates: string[], shapes: number[][], ascends: boolean[], given: Record<string, number[]>}} Training
 * @typedef {{input: string, output: string, targets: string, points: number[], classes: number[], low: number[], high: number[],
 *   across: number, outputs: number, values: number[], units: {name: string, values: number[]}[]}} Regions
 */

/** @param {number | string} v as the engine's JSON has it: "inf", "-inf", "nan" */
const readNumber = (v) => Number(String(v).replace("inf", "Infinity"));
/** @param {(number | string)[]} list */
const readNumbers = (list) => list.map(readNumber);
/** @param {Regions} regions @returns {Point[]} */
const pointsIn = ({ points, classes }) =>
  Array.from({ length: points.length / 2 }, (_, n) => ({
    x: points[2 * n],
    y: points[2 * n + 1],
    cls: classes[n] ?? 0,
  }));

/** What each class is drawn in; all are told apart in both schemes, and the later ones' points are squares besides. */
const classColours = [
  ...["#2f7fd6", "#e0702a", "#3a9a57", "#a04bc0", "#b8860b", "#c03a5b"],
  ...["#17a3a3", "#e88fc6", "#8a6a50", "#8a8f98", "#9fc131", "#5a45e0"],
];
const roundClasses = 6;
/** What the engine says, without who says it. @param {unknown} error */
const sentence = (error) =>
  String(error)
    .split("\n")[0]
    .replace(/^\[\w+\]\s*/, "");
export class Trainer {
  /** @type {Training | null} */
  #training = null;
  /** @type {Regions | null} */
  #regions = null;
  /** The points that are held out, and the text of the others. @type {{points: Set<number>, kept: string, held: string, names: string[]} | null} */
  #held = null;
  #engine = new Engine();
  #want = 0;
  #shown = -1;
  #working = false;
  /** A newer training makes what is asked of the older one worthless. */
  #round = 0;

  /**
   * @param {(ask: string, more: Record<string, unknown>) => Record<string, unknown>} question about the text as it stands
   * @param {(recording: string) => void} onstep the recording at a step, as JSON
   * @param {(change: (text: string) => string | null) => boolean} rewrite changes the text, where it can be
   */
  constructor(question, onstep, rewrite) {
    this.question = question;
    this.onstep = onstep;
    this.rewrite = rewrite;
    $("train-file").addEventListener("change", async () => {
      const input = /** @type {HTMLInputElement} */ ($("train-file")),
        file = input.files?.[0];
      if (!file) return;
      try {
        if (file.size > 1e6) throw new Error("It is too long.");
        this.#put(pointsOf(await file.text()));
      } catch (e) {
        this.#say(`${file.name} is not taken. ${e instanceof Error ? e.message : e}`);
      }
      input.value = "";
    });
    $("train-form").addEventListener("submit", (e) => {
      e.preventDefault();
      this.train();
    });
    $("train-held").addEventListener("change", () => this.train());
    $("train-step").addEventListener("input", () =>
      this.show(Number(/** @type {HTMLInputElement} */ ($("train-step")).value)),
    );
  }
  /** Whether the tape is at a step of this training. */
  get showing() {
    return this.open && this.#training !== null && this.#training.steps.length > 0;
  }
  get open() {
    return !$("training").hidden;
  }
  /** @param {boolean} on */
  toggle(on) {
    $("training").hidden = !on;
    if (on && !this.#training) this.train(true);
  }
  /** The text is another one: what was trained is no longer its network. @param {boolean} [whole] another file */
  forget(whole = false) {
    this.#round++;
    this.#engine.cancel();
    this.#training = null;
    this.#regions = null;
    this.#held = null;
    this.#shown = -1;
    this.#working = false;
    $("train-result").hidden = true;
    if (whole) {
      fill($("train-learned"));
      /** @type {HTMLSelectElement} */ ($("train-held")).value = "0";
    }
    if (this.open) this.#say(whole ? "" : "The text has changed: train again.");
  }
  /** @param {string} sentence */
  #say(sentence) {
    $("train-note").textContent = sentence;
  }
  /** @param {boolean} [anew] by the text's own rate, of what it updates @returns {Promise<void>} */
  async train(anew = false) {
    const round = ++this.#round,
      entered = (/** @type {string} */ id) => Number(/** @type {HTMLInputElement} */ ($(id)).value);
    const boxes = /** @type {HTMLInputElement[]} */ ([...$("train-learned").querySelectorAll("input")]);
    this.#engine.cancel();
    this.#working = true; // a step that is wanted meanwhile waits for the end
    this.#say("Training …");
    try {
      const own =
        anew || boxes.length === 0
          ? {}
          : { rate: entered("train-rate"), learned: boxes.filter((b) => b.checked).map((b) => b.value) };
      const parted = await this.#part(
        entered("train-held"),
        boxes.filter((b) => b.checked).map((b) => b.value),
      );
      if (round !== this.#round) return;
      const answer = await this.#engine.ask(
        this.question("train", {
          steps: Math.max(1, Math.min(1000, Math.round(entered("train-steps")))),
          ...own,
          ...(parted ? { kept: parted.kept, held: parted.held } : {}),
        }),
      );
      if (round !== this.#round) return;
      // The text may be about other arrays by now.
      if (/is nothing that/.test(answer.error) && "learned" in own) return this.train(true);
      if (!answer.training) throw new Error(sentence(answer.error ?? "The engine gave no answer."));
      this.#training = /** @type {Training} */ (answer.training);
      this.#held = parted;
      for (const one of this.#training.steps) {
        [one.values, one.gradients] = [one.values.map(readNumbers), one.gradients.map(readNumbers)];
        if (one.held !== undefined) one.held = readNumber(one.held);
      }
      this.#working = false;
      this.#begin(own);
    } catch (e) {
      if (e instanceof Stopped || round !== this.#round) return;
      this.#working = false;
      $("train-result").hidden = true;
      this.#say(`This cannot be trained: ${e instanceof Error ? e.message : e}`);
    }
  }
  /** The points in two parts; null where none is held out. @param {number} share @param {string[]} learned */
  async #part(share, learned) {
    if (!(share > 0)) return null;
    const question = this.question("regions", { learned }),
      regions = /** @type {Regions | null} */ ((await this.#engine.ask(question)).regions ?? null),
      text = String(question.text);
    if (regions && regions.points.length >= 4) {
      const all = pointsIn(regions),
        points = heldOut(all, share),
        part = (/** @type {boolean} */ out) =>
          withRows(
            text,
            regions.input,
            all.map((_, n) => n).filter((n) => points.has(n) === out),
          );
      const [kept, held] = [part(false), part(true)];
      if (kept && held) return { points, kept: kept.text, held: held.text, names: kept.names };
    }
    throw new Error("the text has no points of two numbers, as numbers, of which some can be held out.");
  }
  /** @param {{rate?: number}} own */
  #begin(own) {
    const training = /** @type {Training} */ (this.#training);
    if (own.rate === undefined) /** @type {HTMLInputElement} */ ($("train-rate")).value = String(training.rate);
    fill(
      $("train-learned"),
      ...training.candidates.map((name) =>
        h(
          "label",
          {},
          h("input", { type: "checkbox", value: name, checked: training.learned.includes(name) }),
          ` ${name}`,
        ),
      ),
    );
    const last = training.steps.length - 1;
    $("train-result").hidden = last < 0;
    const asked = Number(/** @type {HTMLInputElement} */ ($("train-steps")).value);
    this.#say(
      last < 0
        ? `${training.loss} is no finite number here.`
        : training.learned.length === 0
          ? "Nothing is learned: tick what may change."
          : last < asked
            ? `After step ${last} ${training.loss} is no finite number: a smaller rate takes smaller steps.`
            : "",
    );
    if (last < 0) return;
    this.#shown = -1;
    this.show(last);
  }
  /** @param {number} step */
  show(step) {
    if (!this.#training) return;
    this.#want = step;
    this.#draw();
    this.#work();
  }
  /** The numbers of everything that is given, at a step. @param {number} step */
  #given(step) {
    const training = /** @type {Training} */ (this.#training);
    return {
      ...training.given,
      ...Object.fromEntries(training.learned.map((name, k) => [name, training.steps[step].values[k]])),
    };
  }
  /** Asks for the step that is wanted, until it is the one that is shown. */
  async #work() {
    if (this.#working) return;
    this.#working = true;
    const round = this.#round;
    try {
      while (this.#training && this.#shown !== this.#want) {
        const step = this.#want,
          given = this.#given(step);
        const held = this.#held,
          fewer = Object.entries(given).filter(([name]) => !held?.names.includes(name));
        const { recording } = await this.#engine.ask(
          this.question("explain", held ? { text: held.kept, given: Object.fromEntries(fewer) } : { given }),
        );
        if (round !== this.#round) return;
        if (recording) this.onstep(JSON.stringify(recording));
        if (this.#want !== step && this.#regions === null && this.#shown >= 0) continue;
        const { regions, error } = await this.#engine.ask(
          this.question("regions", { given, learned: this.#training.learned }),
        );
        if (round !== this.#round) return;
        this.#regions = regions ?? null;
        if (error) this.#say(`There is no plane: ${sentence(error)}.`);
        for (const one of regions ? [regions, ...regions.units] : []) one.values = readNumbers(one.values);
        this.#shown = step;
        this.#draw();
      }
    } catch (e) {
      if (!(e instanceof Stopped) && round === this.#round) this.#say(e instanceof Error ? e.message : String(e));
    } finally {
      if (round === this.#round) this.#working = false;
    }
  }
  /** Other points, in the text, which is trained with them. @param {Point[]} points @param {boolean} [more] than there were */
  #put(points, more = false) {
    const regions = this.#regions,
      training = this.#training,
      held = this.#held;
    if (!regions) return;
    if (points.length > mostPoints) return this.#say(`There is no room for more than ${mostPoints} points.`);
    if (!this.rewrite((text) => withPoints(text, regions.input, regions.targets, points)))
      return this.#say(`The points of ${regions.input} and the classes do not stand in the text as numbers.`);
    if (more) {
      // The plane stays for the next click until it is drawn anew.
      this.#regions = { ...regions, points: points.flatMap(({ x, y }) => [x, y]), classes: points.map((p) => p.cls) };
      this.#training = training;
      this.#held = held;
      $("train-result").hidden = false;
      this.#draw();
    }
    this.train();
  }
  /** A click on the plane is a point of the class that is chosen. @param {MouseEvent} e */
  #add(e) {
    const regions = this.#regions;
    if (!regions) return;
    const box = /** @type {Element} */ (e.currentTarget).getBoundingClientRect(),
      at = [(e.clientX - box.left) / box.width, 1 - (e.clientY - box.top) / box.height];
    const [x, y] = at.map((share, axis) =>
      Number((regions.low[axis] + share * (regions.high[axis] - regions.low[axis])).toPrecision(3)),
    );
    this.#put(
      [...pointsIn(regions), { x, y, cls: Number(/** @type {HTMLSelectElement} */ ($("train-class")).value) }],
      true,
    );
  }
  #draw() {
    const training = /** @type {Training} */ (this.#training),
      { learned, loss, rate } = training,
      at = this.#want,
      most = steepest(training, at);
    let rule = "",
      sign = "−";
    if (most) {
      const { which, place, value, slope } = most,
        name = nameAt(learned[which], training.shapes[which], place),
        way = training.ascends[which] ? 1 : -1;
      sign = way > 0 ? "+" : "−";
      rule = `${name}: ${brief(value)} ${sign} ${brief(rate)} · ${slope < 0 ? `(${brief(slope)})` : brief(slope)} = ${brief(value + way * rate * slope)}`;
    }
    drawCurves(training, at, {
      said: `w ${sign} ${brief(rate)} · d${loss}/dw, as ${rule}`,
      rule: rule ? `The next step takes ${rule}` : "",
      before: this.#map(),
    });
    $("train-points").hidden = !this.#regions?.classes.length;
    const classes = Math.max(2, this.#regions?.outputs ?? 0),
      choice = $("train-class");
    if (choice.children.length !== classes)
      fill(choice, ...Array.from({ length: classes }, (_, k) => h("option", { value: k }, String(k))));
  }
  /** What the network takes each point of the plane for. */
  #map() {
    const regions = this.#regions;
    if (!regions) return null;
    const { across, outputs, values, low, high, points, classes } = regions;
    const between = values.some((v) => v < 0) ? 0 : 0.5;
    /** @param {number} k a cell @returns {[number, number]} its class, and how surely */
    const classOf = (k) => {
      const own = values.slice(k * outputs, (k + 1) * outputs);
      if (outputs === 1) return [own[0] > between ? 1 : 0, Math.min(1, Math.abs(own[0] - between) / (between || 1))];
      const best = own.indexOf(Math.max(...own)),
        rest = Math.max(...own.filter((_, c) => c !== best));
      return [best, Math.min(1, own[best] - rest)];
    };
    const place = (/** @type {number} */ v, /** @type {number} */ axis) => (v - low[axis]) / (high[axis] - low[axis]);
    const missed = [0, 0]; // of those that are learned from, and of those that are held out
    const drawn = svg("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" });
    for (let n = 0; 2 * n < points.length; n++) {
      const [x, y] = [place(points[2 * n], 0), place(points[2 * n + 1], 1)],
        cls = classes[n];
      const cell = Math.min(across - 1, Math.floor(y * across)) * across + Math.min(across - 1, Math.floor(x * across));
      const held = this.#held?.points.has(n) === true,
        half = held ? 2.2 : 2.6,
        colour = cls === undefined ? "none" : classColours[cls % classColours.length];
      if (cls !== undefined && classOf(cell)[0] !== cls) missed[Number(held)]++;
      drawn.append(
        svg(cls >= roundClasses ? "rect" : "circle", {
          ...(cls >= roundClasses
            ? { x: 100 * x - half, y: 100 - 100 * y - half, width: 2 * half, height: 2 * half }
            : { cx: 100 * x, cy: 100 - 100 * y, r: half }),
          ...(held ? { class: "held", style: `stroke: ${colour}` } : { fill: colour }),
        }),
      );
    }
    const out = this.#held?.points.size ?? 0,
      told = classes.length
        ? `, ${missed[0]} of ${points.length / 2 - out} points in another class's region${out ? `, and ${missed[1]} of ${out} that are held out` : ""}`
        : "";
    return h(
      "figure",
      { class: "map" },
      h("figcaption", {}, h("b", {}, regions.output), ` by ${regions.input}${told}`),
      h(
        "div",
        {
          class: "plane",
          role: "img",
          "aria-label": `${regions.output} over the plane of ${regions.input}${told}`,
          click: (/** @type {MouseEvent} */ e) => this.#add(e),
        },
        painted(across, classOf),
        drawn,
      ),
      regions.units.length > 0 && h("div", { class: "units" }, ...regions.units.map((unit) => unitMap(across, unit))),
    );
  }
}
/** The plane in cells. @param {number} across @param {(k: number) => [number, number]} classOf a cell's class, and how surely */
function painted(across, classOf) {
  const size = 6,
    canvas = /** @type {HTMLCanvasElement} */ (
      h("canvas", { width: across * size, height: across * size, "aria-hidden": "true" })
    ),
    paint = canvas.getContext("2d");
  for (let k = 0; paint && k < across * across; k++) {
    const [cls, sure] = classOf(k);
    if (Number.isNaN(sure)) continue;
    paint.globalAlpha = 0.15 + 0.6 * sure;
    paint.fillStyle = classColours[cls % classColours.length];
    paint.fillRect((k % across) * size, (across - 1 - Math.floor(k / across)) * size, size, size);
  }
  return canvas;
}
/** A number on the way, above 0 in the colour of class 1. @param {number} across @param {{name: string, values: number[]}} unit */
function unitMap(across, { name, values }) {
  const low = Math.min(...values),
    high = Math.max(...values),
    finite = Math.max(...values.map(Math.abs).filter(Number.isFinite)),
    most = finite > 0 ? finite : 1,
    said = `${name}: ${brief(low)} to ${brief(high)}`;
  return tip(
    h(
      "div",
      { class: "unit", role: "img", "aria-label": said },
      painted(across, (k) => [values[k] > 0 ? 1 : 0, Math.min(1, Math.abs(values[k]) / most)]),
      h("span", { "aria-hidden": "true" }, name),
    ),
    () => [said],
  );
}
