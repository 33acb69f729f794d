// @ts-check
// The page that steps through a recording. It reads the JSON of docs/lab.md from its own text, and asks no other host for
// anything.
import { count, short, values } from "./numbers.js";
import { lastTrained, nodes, recording } from "./recording.js";
import { seed, steps } from "./steps.js";
import { drawing, embedded, go, hiding, pause, render, state } from "./state.js";
import { $, fill, h } from "./dom.js";
import { drawGraph, stepOf, updateGraph, wayOf, zoom } from "./graph.js";
import { renderStep, sentenceOf } from "./step.js";
import { renewTip } from "./tip.js";
import { renderOver, renderView, views } from "./views.js";
import { renderTraining, takeStep } from "./training.js";

/** @import { Step } from "./types.js" */

let said = "";
function renderAll() {
  const step = steps[state.step],
    hidden = hiding(),
    at = hidden ? state.step - 1 : state.step,
    back = state.step >= seed;
  if (document.body.className !== (back ? "backwards" : "forwards"))
    document.body.className = back ? "backwards" : "forwards";
  const result = nodes[recording?.result ?? 0];
  $("summary").textContent =
    `${nodes.length} nodes in ${recording?.precision}; ${result.name}${count(result.shape) === 1 ? ` = ${short(values(result.value)[0])}` : ""}`;
  renderTraining();
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
  renderView(at);
  renderOver();
  for (const [name] of views) {
    const tab = $(`tab-${name}`),
      on = state.tab === name;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    if (on) $("view").setAttribute("aria-labelledby", tab.id);
  }
  const slider = /** @type {HTMLInputElement} */ ($("slider"));
  slider.max = String(steps.length - 1);
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
  renewTip();
  address();
}
function address() {
  const parts = [`step=${state.step + 1}`];
  const own = Object.entries(state.cursor)
    .filter(([l, k]) => k > 0 && /^[\p{L}′]+$/u.test(l))
    .map(([l, k]) => `${l}${k}`);
  if (own.length) parts.push(`at=${own.join(".")}`);
  if (state.training !== lastTrained) parts.push(`training=${state.training}`);
  if (state.tab !== "nodes") parts.push(`view=${state.tab}`);
  if (state.claim >= 0) parts.push(`claim=${state.claim + 1}`);
  if (state.path >= 0) parts.push(`path=${state.path}`);
  if (state.predict) parts.push(state.asks === "number" ? "predict" : `predict=${state.asks}`);
  const hash = `#${parts.join("&")}`;
  if (embedded) tell(hash);
  else if (location.hash !== hash) history.replaceState(null, "", encodeURI(hash));
}
/** What a step is about, for a recording of a text that was changed. @param {Step} s */
const placeOf = (s) =>
  [
    s.kind,
    nodes[s.node].name,
    s.edge ? `${nodes[s.edge.to].name}:${s.edge.input}` : "",
    s.term ?? "",
    s.part ?? "",
  ].join(" ");
let told = "";
/** The page that holds this one is told where it is. @param {string} hash */
function tell(hash) {
  const { node } = steps[state.step];
  const place = {
    step: placeOf(steps[state.step]),
    path: nodes[state.path]?.name ?? null,
    claim: recording?.claims?.[state.claim]?.text ?? null,
  };
  const message = { player: "at", state: hash, place: JSON.stringify(place), line: nodes[node].line };
  if (told === JSON.stringify(message)) return;
  told = JSON.stringify(message);
  window.parent.postMessage(message, "*");
}
/** To the step that is about the same, as far as it is there. @param {string} place */
function toSame(place) {
  const same = steps.findIndex((s) => placeOf(s) === place);
  state.step = same >= 0 ? same : Math.min(state.step, steps.length - 1);
}
/** The numbers of another step of the training, where the reader is. @param {number} step */
function train(step) {
  if (step === state.training) return;
  const place = placeOf(steps[state.step]);
  takeStep(step);
  toSame(place);
}
/** The same place in another recording, as far as it is there. @param {string} text */
function toPlace(text) {
  const place = JSON.parse(text || "{}");
  if (place.step) toSame(place.step);
  state.path = nodes.findIndex((n) => n.name === place.path);
  state.claim = recording?.claims?.findIndex((c) => c.text === place.claim) ?? -1;
}
/** What the page that holds this one asks for: a claim over the graph, the node of a line, or a state as in the address. */
function listen() {
  addEventListener("message", (e) => {
    if (e.source !== window.parent || typeof e.data !== "object" || e.data === null) return;
    const { claim, line, state: wanted } = e.data;
    if (typeof wanted === "string") {
      pause();
      fromAddress(wanted.replace(/^#/, ""));
      render();
    }
    if (typeof claim === "number") {
      state.claim = recording?.claims?.findIndex((c) => c.line === claim) ?? -1;
      render();
      if (state.claim >= 0) $("graph-pane").scrollIntoView({ block: "start" });
    }
    const node = typeof line === "number" ? nodes.findLast((n) => n.line === line) : undefined;
    if (node) go(stepOf(node.id, state.step >= seed));
  });
}
/** @param {string} text */
function fromAddress(text) {
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
  train(whole("training", lastTrained, lastTrained));
  state.step = Math.max(1, Math.min(steps.length, whole("step", 1e9, state.step + 1))) - 1;
  const view = of.get("view") ?? "nodes";
  state.tab = views.some((v) => v[0] === view) ? view : "nodes";
  state.claim = of.has("claim") ? whole("claim", recording?.claims?.length ?? 0, 0) - 1 : -1;
  state.path = of.has("path") ? whole("path", nodes.length - 1, -1) : -1;
  state.predict = of.has("predict");
  const asks = of.get("predict");
  if (state.predict) state.asks = asks === "array" || asks === "formula" ? asks : "number";
  state.cursor = {};
  for (const place of (of.get("at") ?? "").split(".")) {
    const m = place.match(/^([\p{L}′]+)(\d+)$/u);
    if (m) state.cursor[m[1]] = Number(m[2]);
  }
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

function start() {
  if (!recording) return `There is no recording in this page.`;
  if (recording.format !== 1)
    return `This recording has the format ${Number(recording.format)}; this page reads the format 1.`;
  if (nodes.length === 0) return "The recording is empty: nothing was recorded.";
  document.title = recording.title || "A recording";
  $("title").textContent = recording.title || "A recording, step by step";
  const slider = /** @type {HTMLInputElement} */ ($("slider"));
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
  const trained = /** @type {HTMLInputElement} */ ($("train-step"));
  trained.addEventListener("input", () => {
    pause();
    train(Number(trained.value));
    render();
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
    fromAddress(location.hash.slice(1));
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
  const { state: begin, place } = document.documentElement.dataset;
  fromAddress((embedded ? (begin ?? "") : location.hash).replace(/^#/, ""));
  if (embedded) {
    if (place) toPlace(place);
    listen();
  }
  render();
  return "";
}
drawing.render = renderAll;
const problem = start();
if (problem) {
  fill(document.querySelector("main") ?? document.body, h("p", { role: "alert" }, problem));
  $("transport").hidden = true;
}
document.documentElement.dataset.started = "";
