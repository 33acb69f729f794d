// @ts-check
// The live page: a text that is judged as it is typed, beside the tape of it. It asks no other host for anything.
import { $, fill, h } from "../../player/dom.js";
import { isMarkdown, stepsIn } from "./text.js";
import { drafts, flag, forget, keepDraft, longest, newDraft, ownDraft, packed, takeDraft, unpacked } from "./drafts.js";
import { Engine, Stopped } from "./engine.js";
import { Editor } from "./editor.js";
import { Handle } from "./handle.js";
import { Cards, verdictWord } from "./cards.js";
import { playerPage, Tape } from "./tape.js";
import { Trainer } from "./train.js";

/** @import { Report } from "./text.js" */
/** @typedef {{name: string, file: string, kind: string, title?: string, text: string}} Example */

const wait = 120; // milliseconds after the last key
const seed = 1;
const longestAddress = 60000;
document.documentElement.dataset.started = "";
const examples = /** @type {Example[]} */ (JSON.parse($("examples").textContent ?? "[]"));
const editor = new Editor($("editor")),
  cards = new Cards($("cards"), editor),
  tape = new Tape($("tape")),
  engine = new Engine();
const nameInput = /** @type {HTMLInputElement} */ ($("name"));

let name = "derivation.deriv",
  loaded = "", // the text as it was opened
  kept = true,
  warned = false;
/** @type {Report | null} */
let report = null;
/** Lines of claims that the tape has numbers of. @type {Set<number>} */
let compared = new Set();
cards.comparable = (line) => compared.has(line.line);

/** A sentence for the reader; none hides it. @param {string} sentence @param {Node} [more] */
function say(sentence, more) {
  const problem = $("problem");
  problem.hidden = sentence === "";
  fill(problem, sentence, more);
}
/** @param {unknown} e */
const sentenceOf = (e) => (e instanceof Error ? e.message : String(e));
/** An engine's error may show the line below its sentence. @param {string} text */
const firstLine = (text) => text.split("\n")[0];
const manners = /** @type {Record<string, string>} */ ({
  arrays: ", as arrays",
  index: ", by index",
  latex: ", in LaTeX",
});
/** What a file is called in the list. @param {string} file */
const titleOf = (file) =>
  file
    .replace(/\.\w+$/, "")
    .replace(/_mistakes$/, "")
    .replace(/_(arrays|latex|index)$/, (_, how) => manners[how])
    .replace(/_/g, " ")
    .replace(/hessian|jacobian|gaussian|kalman|^./g, (w) => w.charAt(0).toUpperCase() + w.slice(1));

/* What the engine says */

let timer = 0,
  ticket = 0,
  quick = 0, // the line of the one claim that was changed; -1: more than that
  stopped = false, // the engine has failed, which is said until it answers
  again = false;
const handle = new Handle(editor, (moved) => {
  if (moved && engine.busy) again = true;
});
/** @param {number} [after] milliseconds */
function soon(after = wait) {
  clearTimeout(timer);
  // What is being computed may end while the next key is waited for; if it does not, it is stopped then.
  if (!handle.dragging) ticket++;
  $("counts").classList.add("pending");
  timer = window.setTimeout(run, after);
}
/** @param {string} ask @param {Record<string, unknown>} [more] */
const question = (ask, more = {}) => ({ ask, text: editor.text, file: name, seed, ...more });
async function run() {
  if (engine.busy) {
    if (handle.dragging) {
      again = true;
      return;
    }
    engine.cancel();
  }
  const mine = ++ticket,
    line = quick;
  quick = 0;
  try {
    if (line > 0) {
      const answer = await engine.ask(question("check", { line }));
      if (mine !== ticket) return;
      if (answer.report && !answer.report.error) {
        cards.show(answer.report, line);
        shown();
      }
    }
    const answer = await engine.ask(question("check", { line: 0 }));
    if (mine !== ticket) return;
    if (!answer.report) throw new Error(firstLine(String(answer.error ?? "The engine gave no report.")));
    if (stopped) say("");
    stopped = false;
    report = /** @type {Report} */ (answer.report);
    cards.show(report);
    shown();
    count();
    if (lookFor) toFirstProblem();
    lookFor = false;
    if (report.error) {
      note(
        tape.json
          ? "This text cannot be read yet: the tape is of the text before."
          : "There is no tape yet: the text cannot be read.",
      );
      return;
    }
    const explained = await engine.ask(question("explain"));
    if (mine !== ticket) return;
    if (explained.recording) {
      /** @type {{line: number, value: unknown, tape: unknown}[]} */
      const claims = explained.recording.claims ?? [];
      compared = new Set(claims.filter((c) => c.value && c.tape).map((c) => c.line));
      base = JSON.stringify(explained.recording);
      if (!trainer.showing) showTape(base, begin);
      begin = undefined;
      note("");
    } else {
      compared = new Set();
      const why = firstLine(String(explained.error ?? "")).replace(/^\[\w+\]\s*/, "");
      note(`There is no tape of this text: ${why}${tape.json ? " What is shown is of the text before." : ""}`);
    }
    cards.show(report);
    shown();
  } catch (e) {
    if (e instanceof Stopped || mine !== ticket) return;
    stopped = true;
    say(sentenceOf(e));
    $("counts").classList.remove("pending");
  } finally {
    if (again && mine === ticket) {
      again = false;
      run();
    }
  }
}
/** @param {string} sentence */
function note(sentence) {
  $("tape-note").hidden = sentence === "";
  $("tape-note").textContent = sentence;
  const empty = $("tape").querySelector(".empty");
  if (empty && sentence) empty.textContent = "";
}
const signs = /** @type {Record<string, [string, string, string]>} */ ({
  holds: ["✓", "holds", "hold"],
  wrong: ["✗", "is wrong", "are wrong"],
  "ill-formed": ["!", "is ill-formed", "are ill-formed"],
  conditional: ["◐", "is conditional", "are conditional"],
  follows: ["↳", "follows from a wrong one", "follow from a wrong one"],
  undecided: ["?", "is undecided", "are undecided"],
});
function count() {
  const counts = $("counts");
  counts.classList.remove("pending");
  if (report?.error) return fill(counts, h("span", { class: "wrong" }, h("b", {}, "!"), " cannot be read"));
  const waiting = cards.said.filter((one) => cards.waits(one)).length,
    words = cards.said.filter((one) => !cards.waits(one)).map((one) => verdictWord(one.line.verdict));
  const parts = Object.entries(signs).flatMap(([word, [sign, one, many]]) => {
    const n = words.filter((w) => w === word).length;
    return n > 0
      ? [
          h(
            "span",
            { class: word },
            h("b", {}, `${sign} ${n}`),
            h("span", { class: "words" }, ` ${n === 1 ? one : many}`),
          ),
        ]
      : [];
  });
  if (waiting > 0)
    parts.unshift(h("span", {}, h("b", {}, `? ${waiting}`), h("span", { class: "words" }, " to decide")));
  fill(counts, ...(parts.length ? parts : ["There is nothing to judge: write a claim."]));
}
/** After something was said: the marks in the text, and room for the cards. */
function shown() {
  editor.refresh();
  cards.place();
}

/** The recording of the text's own numbers. */
let base = "";
/** What the player shows, with all of its claims. */
let recorded = "";
/** The player tells of a claim that the reader has not decided on no more than its text. @param {string} json @param {string} [state] */
function showTape(json, state) {
  recorded = json;
  const waiting = new Set(cards.said.filter((one) => cards.waits(one)).map((one) => one.line.line));
  if (waiting.size === 0) return tape.show(json, state);
  const recording = JSON.parse(json);
  for (const claim of recording.claims ?? [])
    if (waiting.has(claim.line))
      Object.assign(claim, { verdict: "to decide", reason: "", repair: "", value: null, tape: null });
  tape.show(JSON.stringify(recording), state);
}
const trainer = new Trainer(
  question,
  (recording) => showTape(recording),
  (change) => {
    const before = editor.text,
      after = change(before);
    if (after === null || after === before) return after !== null;
    let begin = 0,
      end = 0;
    while (before[begin] === after[begin]) begin++;
    while (end < Math.min(before.length, after.length) - begin && before.at(-1 - end) === after.at(-1 - end)) end++;
    editor.replace(begin, before.length - end, after.slice(begin, after.length - end));
    return true;
  },
);
/** @param {boolean} on */
function train(on) {
  $("train-button").setAttribute("aria-expanded", String(on));
  if (on) showPane("tape");
  else if (base && trainer.open) showTape(base);
  trainer.toggle(on);
}
$("train-button").addEventListener("click", () => train(!trainer.open));

/* The text */

editor.onchange = (change) => {
  trainer.forget();
  cards.moved(change);
  editor.refresh();
  cards.place();
  const head = editor.rows[change.row]?.head ?? -1,
    is = head >= 0 ? editor.rows[head].keyword : "";
  const one = change.rows === 1 && change.made === 1 && (is === "claim" || is === "update") ? head + 1 : -1;
  quick = quick === 0 || quick === one ? one : -1;
  handle.hide();
  stepLine(null);
  if (!stopped) say("");
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  keepSoon();
  if (handle.dragging) {
    if (!engine.busy) run();
    else again = true;
  } else soon();
};
let keeping = 0;
function keepSoon() {
  clearTimeout(keeping);
  keeping = window.setTimeout(keepNow, 250);
}
function keepNow() {
  clearTimeout(keeping);
  kept = editor.text === loaded || keepDraft(name, editor.text);
  if (!kept && !warned) {
    warned = true;
    say("This browser keeps no drafts: save the file before you leave.");
  }
}
addEventListener("pagehide", keepNow);
addEventListener("beforeunload", (e) => {
  keepNow();
  if (!kept) e.preventDefault();
});
/** Where the player of the next text begins; none: where the last one was. @type {string | undefined} */
let begin = "";
/** @param {string} file @param {string} text @param {string} [state] the player's */
function load(file, text, state = "") {
  name = file;
  nameInput.value = file;
  document.title = `${file} · deltarule lab`;
  cards.said.forEach((one) => one.card.remove());
  cards.said = [];
  cards.error?.card.remove();
  cards.error = null;
  report = null;
  compared = new Set();
  decideFirst(false);
  tape.forget();
  base = recorded = "";
  trainer.forget(true);
  train(false);
  begin = state;
  quick = 0;
  say("");
  lookFor = false;
  editor.load(text);
  loaded = editor.text;
  kept = true;
  cards.place();
  $("text-pane").scrollTop = 0;
  soon(0);
}
/** Whether the first line that does not hold is to be seen once it is known: an example is about its mistakes. */
let lookFor = false;
function toFirstProblem() {
  const one = cards.said.find((s) => s.line.verdict !== "holds"),
    line = one ? editor.element(one.head) : undefined,
    pane = $("text-pane");
  if (line) pane.scrollTop = Math.max(0, line.offsetTop - pane.clientHeight * 0.4);
}
/** @param {Example} example */
function openExample(example) {
  newDraft();
  // What a test of this project expects of a line would tell the answer.
  load(example.file, example.text.replace(/[ \t]*[#%]\s*expect:.*$/gm, ""));
  lookFor = !isMarkdown(example.text);
  decideFirst(example.kind === "lesson");
}
/** @param {File} file */
async function openFile(file) {
  try {
    if (file.size > longest) throw new Error(`${file.name} is too long: a text may have ${longest} bytes.`);
    let text;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    } catch {
      throw new Error(`${file.name} is not valid UTF-8 text.`);
    }
    keepNow();
    newDraft();
    load(file.name, text);
  } catch (e) {
    say(sentenceOf(e));
  }
}
/** @param {string} file @param {string} type @param {BlobPart} content */
function download(file, type, content) {
  const url = URL.createObjectURL(new Blob([content], { type })),
    link = /** @type {HTMLAnchorElement} */ (h("a", { href: url, download: file }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
const stem = () => name.replace(/\.(deriv|md|txt)$/, "") || "derivation";
function save() {
  const ending = /\.\w+$/.test(name) ? "" : isMarkdown(editor.text) ? ".md" : ".deriv";
  download(name + ending, "text/plain", editor.text);
}
/** @param {string} what */
async function exported(what) {
  const own = new Engine(); // the next key does not stop it
  try {
    /** @param {string} ask @param {Record<string, unknown>} [more] */
    const answer = async (ask, more) => {
      const a = await own.ask(question(ask, more));
      if (a.error) throw new Error(firstLine(String(a.error)));
      return a;
    };
    say("");
    if (what === "cpp") download(`${stem()}.cpp`, "text/x-c++src", (await answer("cpp")).text);
    else if (what === "report") download(`${stem()}_report.html`, "text/html", (await answer("report")).html);
    else if (what === "latex" || what === "text")
      download(
        `${stem()}_${what}${isMarkdown(editor.text) ? ".md" : ".deriv"}`,
        "text/plain",
        (await answer("rewrite", { notation: what })).text,
      );
    else {
      const json = JSON.stringify((await answer("explain")).recording);
      if (what === "recording") download(`${stem()}.json`, "application/json", json);
      else download(`${stem()}.html`, "text/html", playerPage(json));
    }
  } catch (e) {
    say(`This cannot be exported: ${sentenceOf(e)}`);
  } finally {
    own.end();
  }
}

/** @param {boolean} on */
function decideFirst(on) {
  /** @type {HTMLInputElement} */ ($("decide")).checked = on;
  cards.decide(on);
}
$("decide").addEventListener("change", () => {
  decideFirst(/** @type {HTMLInputElement} */ ($("decide")).checked);
  shown();
  count();
  if (recorded) showTape(recorded);
  tape.ask({ claim: 0 });
});
cards.ondecided = () => {
  shown();
  count();
  if (recorded) showTape(recorded);
};

/* What stands in the address */

async function share() {
  const text = await packed(editor.text),
    at = tape.at.state.replace(/^#/, "");
  const hash = `#file=${encodeURIComponent(name)}&text=${text}${at ? `&at=${encodeURIComponent(at)}` : ""}`;
  const link = /** @type {HTMLInputElement} */ ($("share-link")),
    fits = hash.length <= longestAddress;
  if (fits) history.replaceState(null, "", hash);
  link.hidden = !fits;
  $("share-copy").hidden = !fits;
  link.value = fits ? location.href : "";
  $("share-note").textContent = fits
    ? "The text is in this address, compressed, and the step that the tape is at. Nothing was sent: who has the address has the text."
    : "This text is too long for an address: save it as a file, and send that.";
  dialog("share").showModal();
  if (fits) link.select();
}
/** @returns {Promise<boolean>} whether the address holds a text */
async function fromAddress() {
  const of = new Map(
    location.hash
      .slice(1)
      .split("&")
      .map((p) => /** @type {[string, string]} */ ([p.split("=")[0], p.slice(p.indexOf("=") + 1)])),
  );
  const letters = of.get("text");
  if (letters === undefined) return false;
  try {
    if (!/^[\w-]*$/.test(letters)) throw new Error("no base64");
    const text = await unpacked(letters),
      file = decodeURIComponent(of.get("file") ?? "")
        .replace(/[\p{Cc}/\\]/gu, "")
        .slice(0, 120);
    const at = decodeURIComponent(of.get("at") ?? "").slice(0, 500);
    newDraft();
    load(file || "shared.deriv", text, at ? `#${at}` : "");
    return true;
  } catch (e) {
    addressProblem =
      e instanceof RangeError
        ? `The address holds too much: a text may have ${longest} bytes.`
        : "The address holds no text that can be read: it is damaged, or was cut off.";
    return false;
  }
}
let addressProblem = "";
addEventListener("hashchange", async () => {
  keepNow();
  addressProblem = "";
  if (!(await fromAddress()) && addressProblem) say(addressProblem);
});

/* Panels and dialogs */

/** @param {string} id */
const dialog = (id) => /** @type {HTMLDialogElement} */ ($(id));
const panels = /** @type {[string, string][]} */ ([
  ["open-button", "open-panel"],
  ["export-button", "export-panel"],
]);
/** @param {string} [but] this one stays open */
function closePanels(but) {
  for (const [button, panel] of panels) {
    if (panel === but) continue;
    $(panel).hidden = true;
    $(button).setAttribute("aria-expanded", "false");
  }
}
for (const [button, panel] of panels)
  $(button).addEventListener("click", () => {
    closePanels(panel);
    const opens = $(panel).hidden;
    if (opens && panel === "open-panel") fillOpenPanel();
    $(panel).hidden = !opens;
    $(button).setAttribute("aria-expanded", String(opens));
    if (opens) {
      $(panel).style.top = `${$(button).getBoundingClientRect().bottom + 6}px`;
      $(panel).querySelector("button")?.focus();
    }
  });
document.addEventListener("keydown", (e) => {
  if (e.key !== "Escape") return;
  const open = panels.find(([, panel]) => !$(panel).hidden);
  if (!open) return;
  closePanels();
  $(open[0]).focus();
});
document.addEventListener("pointerdown", (e) => {
  const at = /** @type {Element} */ (e.target);
  if (!at.closest(".panel, .drop")) closePanels();
});
document.addEventListener("focusin", (e) => {
  const at = /** @type {Element} */ (e.target);
  if (!at.closest(".panel, .drop")) closePanels();
});
/** @param {string} title @param {Node[]} items */
const section = (title, items) => (items.length ? [h("h2", {}, title), h("ul", { class: "list" }, ...items)] : []);
function fillOpenPanel() {
  /** @param {string} text @param {string} more @param {() => void} act @param {string} [file] */
  const entry = (text, more, act, file) =>
    h(
      "button",
      {
        type: "button",
        "data-file": file,
        click: () => {
          keepNow();
          closePanels();
          act();
          showPane("text");
          editor.host.focus({ preventScroll: true });
        },
      },
      text,
      more ? h("span", {}, ` ${more}`) : null,
    );
  /** @param {string} kind */
  const of = (kind) =>
    examples
      .filter((e) => e.kind === kind)
      .map((e) =>
        h(
          "li",
          {},
          entry(e.title ?? titleOf(e.file), "", () => openExample(e), e.file),
        ),
      );
  keepNow();
  const own = drafts().map((draft) =>
    h(
      "li",
      {},
      entry(draft.name, when(draft.time), () => {
        const taken = takeDraft(draft.key);
        if (taken) load(taken.name, taken.text);
      }),
      h(
        "button",
        {
          type: "button",
          class: "remove",
          "aria-label": `Delete the draft ${draft.name} of ${when(draft.time)}`,
          click: (/** @type {Event} */ e) => {
            forget(draft.key);
            /** @type {Element} */ (e.target).closest("li")?.remove();
          },
        },
        "×",
      ),
    ),
  );
  fill(
    $("open-panel"),
    h(
      "div",
      { class: "own" },
      h("button", { type: "button", click: () => $("file").click() }, "A file of yours …"),
      entry("An empty text", "", () => {
        newDraft();
        load("derivation.deriv", "");
      }),
    ),
    ...section("Drafts in this browser", own),
    ...section("Lessons, ten minutes each", of("lesson")),
    ...section("Derivations", of("example")),
    ...section("The same, with mistakes", of("mistakes")),
  );
}
/** @param {number} time */
function when(time) {
  const date = new Date(time),
    today = new Date().toDateString() === date.toDateString();
  return today ? date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : date.toLocaleDateString();
}
$("file").addEventListener("change", () => {
  const input = /** @type {HTMLInputElement} */ ($("file")),
    file = input.files?.[0];
  closePanels();
  if (file) openFile(file);
  input.value = "";
});
for (const button of document.querySelectorAll("[data-export]"))
  button.addEventListener("click", () => {
    closePanels();
    exported(/** @type {HTMLElement} */ (button).dataset.export ?? "");
  });
for (const button of document.querySelectorAll("[data-close]"))
  button.addEventListener("click", () => button.closest("dialog")?.close());
$("save-button").addEventListener("click", save);
$("share-button").addEventListener("click", () => {
  share().catch((e) => say(sentenceOf(e)));
});
$("share-copy").addEventListener("click", async () => {
  const link = /** @type {HTMLInputElement} */ ($("share-link"));
  link.select();
  try {
    await navigator.clipboard.writeText(link.value);
    $("share-copy").textContent = "Copied";
  } catch {
    $("share-note").textContent = "The browser does not let this page copy: the address is selected, copy it by hand.";
  }
});
$("about-button").addEventListener("click", () => {
  $("version").textContent = engine.version ? `The engine is deltarule ${engine.version}.` : "";
  const licences = /** @type {{name: string, text: string}[]} */ (JSON.parse($("licences-text").textContent ?? "[]"));
  fill($("licences"), ...licences.map((one) => h("details", {}, h("summary", {}, one.name), h("pre", {}, one.text))));
  dialog("about").showModal();
});
nameInput.addEventListener("change", () => {
  name = nameInput.value.replace(/[\p{Cc}/\\]/gu, "").trim() || "derivation.deriv";
  nameInput.value = name;
  document.title = `${name} · deltarule lab`;
  keepSoon();
});
$("hello-button").addEventListener("click", () => {
  $("hello").hidden = true;
  flag("hello", true);
  editor.host.focus();
});

/* The two panes, of which a phone shows one */

/** @param {"text" | "tape"} pane */
function showPane(pane) {
  $("panes").className = pane;
  $("show-text").setAttribute("aria-pressed", String(pane === "text"));
  $("show-tape").setAttribute("aria-pressed", String(pane === "tape"));
  cards.place();
}
$("show-text").addEventListener("click", () => showPane("text"));
$("show-tape").addEventListener("click", () => showPane("tape"));
/** The line of the tape's step. @param {number | null} line */
function stepLine(line) {
  for (const old of editor.host.querySelectorAll(".step")) old.classList.remove("step");
  if (line !== null) editor.element(line - 1)?.classList.add("step");
}
tape.onmove = ({ line }) => stepLine(line);
editor.linksOf = (line) => stepsIn(line, name);
editor.host.addEventListener("click", (e) => {
  const link = /** @type {HTMLElement | null} */ (/** @type {Element} */ (e.target).closest(".link"));
  if (!link) return;
  showPane("tape");
  tape.ask({ state: link.dataset.state });
});
cards.onover = (one) => {
  showPane("tape");
  tape.ask({ claim: one.head + 1 });
};
cards.onrepair = (one) => {
  if (!cards.repair(one)) return;
  editor.host.focus({ preventScroll: true });
  $("line-status").textContent = `Line ${one.head + 1} was mended; Control Z takes it back.`;
};
new ResizeObserver(() => cards.place()).observe($("cards"));

/* Where the cursor is */

let here = -1,
  telling = 0;
document.addEventListener("selectionchange", () => {
  if (document.activeElement !== editor.host) return;
  const [, at] = editor.ends(),
    row = editor.rowOf(at);
  const number = handle.numberAt(row, at - editor.startOf(row));
  if (number && !handle.dragging) handle.show(number);
  if (row === here && editor.element(row)?.classList.contains("here")) return;
  for (const old of editor.host.querySelectorAll(".here")) old.classList.remove("here");
  editor.element(row)?.classList.add("here");
  if (row === here) return;
  here = row;
  clearTimeout(telling);
  telling = window.setTimeout(() => tell(row), 500);
});
/** What is said of a line, for those who don't see the card below it. @param {number} row */
function tell(row) {
  const one = cards.said.find((s) => row >= s.head && row <= s.last);
  $("line-status").textContent =
    cards.error?.row === row
      ? (cards.error.card.textContent ?? "")
      : one && !one.stale
        ? `${one.line.verdict}. ${one.line.reason ?? ""}`
        : "";
}
/** @param {number} way */
function nextProblem(way) {
  const rows = cards.said.filter((one) => cards.waits(one) || one.line.verdict !== "holds").map((one) => one.head);
  if (cards.error) rows.push(cards.error.row);
  rows.sort((a, b) => a - b);
  const row = way > 0 ? (rows.find((r) => r > here) ?? rows[0]) : (rows.findLast((r) => r < here) ?? rows.at(-1));
  if (row === undefined) {
    $("line-status").textContent = "Every line holds.";
    return;
  }
  editor.host.focus({ preventScroll: true });
  const at = editor.startOf(row) + (editor.marks.get(row)?.[0]?.begin ?? 0);
  editor.select(at, at);
  editor.element(row)?.scrollIntoView({ block: "center" });
}
document.addEventListener("keydown", (e) => {
  const ctrl = e.ctrlKey || e.metaKey;
  /** @type {(() => void) | undefined} */
  const act =
    e.key === "F8"
      ? () => nextProblem(e.shiftKey ? -1 : 1)
      : ctrl && !e.altKey && e.key.toLowerCase() === "s"
        ? save
        : ctrl && !e.altKey && e.key.toLowerCase() === "o"
          ? () => $("file").click()
          : ctrl && e.key === "Enter" && document.activeElement === editor.host
            ? () => {
                showPane("tape");
                const [link] = editor.linksOf(editor.lines[here] ?? "");
                tape.ask(link ? { state: link.state } : { line: here + 1 });
              }
            : undefined;
  if (!act) return;
  e.preventDefault();
  act();
});

/* A file that is dropped */

/** @param {DragEvent} e */
const bringsFiles = (e) => e.dataTransfer?.types.includes("Files") ?? false;
addEventListener("dragover", (e) => {
  if (!bringsFiles(e)) return;
  e.preventDefault();
  $("dropping").hidden = false;
});
addEventListener("dragleave", (e) => {
  if (e.relatedTarget === null) $("dropping").hidden = true;
});
addEventListener("drop", (e) => {
  $("dropping").hidden = true;
  if (!bringsFiles(e)) return;
  e.preventDefault();
  const file = e.dataTransfer?.files[0];
  if (file) openFile(file);
});

async function start() {
  const missing = Object.entries({
    WebAssembly: typeof WebAssembly === "object",
    DecompressionStream: typeof DecompressionStream === "function",
    CompressionStream: typeof CompressionStream === "function",
  }).find(([, there]) => !there);
  if (missing) {
    $("panes").hidden = true;
    say(`This page needs a browser of the last three years: yours has no ${missing[0]}.`);
    return;
  }
  try {
    engine.warm();
  } catch (e) {
    say(sentenceOf(e));
  }
  $("hello").hidden = flag("hello");
  showPane("text");
  if (await fromAddress()) return;
  const draft = ownDraft();
  const first = examples.find((e) => e.file === "coursework.deriv") ?? examples[0];
  if (draft) load(draft.name, draft.text);
  else if (first) openExample(first);
  else load("derivation.deriv", "");
  if (addressProblem) say(addressProblem);
}
start();
