// @ts-check
// The text and its editor. The text is a string; the page's lines are made of it, so that a verdict can stand below its
// own line. What the browser wants to change comes as an event and is done to the string; only while a word is composed
// (an accent, a phone's keyboard) the browser writes itself, and the string is read back.
import { h } from "../../player/dom.js";
import { isMarkdown, numbersIn, rowsOf } from "./text.js";

/** @import { Part, Row } from "./text.js" */
/**
 * @typedef {{begin: number, removed: string, inserted: string, before: [number, number], time: number}} Edit
 * @typedef {{row: number, rows: number, made: number}} Change lines from `row` on: so many were there, so many are there now
 */

export class Editor {
  text = "";
  /** @type {string[]} */
  lines = [""];
  /** @type {Row[]} */
  rows = [];
  /** Marked parts, by their line. @type {Map<number, Part[]>} */
  marks = new Map();
  /** @type {(change: Change) => void} */
  onchange = () => {};
  /** The verdict's word of each line, which its gutter shows. @type {(row: number) => string} */
  verdictOf = () => "";
  /** What leads to a step of the tape, in a line of prose. @type {(line: string) => {begin: number, end: number, state: string}[]} */
  linksOf = () => [];
  #composing = false;
  /** What a line was built of. @type {WeakMap<Element, string>} */
  #built = new WeakMap();
  /** @type {Edit[]} */
  #done = [];
  /** @type {Edit[]} */
  #undone = [];

  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    host.addEventListener("beforeinput", (e) => this.#before(e));
    host.addEventListener("input", () => this.#readBack());
    host.addEventListener("compositionstart", () => (this.#composing = true));
    host.addEventListener("compositionend", () => {
      this.#composing = false;
      this.#readBack();
    });
    host.addEventListener("dragstart", (e) => e.preventDefault());
    for (const kind of ["copy", "cut"])
      host.addEventListener(kind, (e) => {
        const [begin, end] = this.selection(),
          event = /** @type {ClipboardEvent} */ (e);
        if (begin === end || !event.clipboardData) return;
        event.preventDefault();
        event.clipboardData.setData("text/plain", this.text.slice(begin, end));
        if (kind === "cut") this.replace(begin, end, "");
      });
    host.addEventListener("keydown", (e) => {
      if (!(e.ctrlKey || e.metaKey) || e.altKey) return;
      const key = e.key.toLowerCase();
      if (key !== "z" && key !== "y") return;
      e.preventDefault();
      if (key === "y" || e.shiftKey) this.redo();
      else this.undo();
    });
  }

  /** Another text: nothing of the old one can be taken back. @param {string} text */
  load(text) {
    this.text = text.replace(/\r\n?/g, "\n");
    this.#done = [];
    this.#undone = [];
    this.marks.clear();
    this.#render(0, this.lines.length, this.text.split("\n"));
    this.#describe();
  }
  /**
   * The one way in which the text changes. @param {number} begin @param {number} end @param {string} inserted
   * @param {{quiet?: boolean, select?: [number, number]}} [options] quiet: it is one with the edit before
   */
  replace(begin, end, inserted, options = {}) {
    const text = inserted.replace(/\r\n?/g, "\n"),
      removed = this.text.slice(begin, end);
    if (removed === text) return;
    const last = this.#done.at(-1),
      time = Date.now();
    const goesOn =
      last &&
      (options.quiet
        ? last.begin === begin && last.inserted === removed
        : removed === "" &&
          text !== "\n" &&
          last.begin + last.inserted.length === begin &&
          time - last.time < 900 &&
          last.removed === "");
    if (goesOn && options.quiet) Object.assign(last, { inserted: text, time });
    else if (goesOn) Object.assign(last, { inserted: last.inserted + text, time });
    else this.#done.push({ begin, removed, inserted: text, before: this.selection(), time });
    this.#undone = [];
    const select = options.select ?? [begin + text.length, begin + text.length];
    this.#put(begin, end, text, select);
  }
  undo() {
    const edit = this.#done.pop();
    if (!edit) return;
    this.#undone.push(edit);
    this.#put(edit.begin, edit.begin + edit.inserted.length, edit.removed, edit.before);
  }
  redo() {
    const edit = this.#undone.pop();
    if (!edit) return;
    this.#done.push(edit);
    const end = edit.begin + edit.inserted.length;
    this.#put(edit.begin, edit.begin + edit.removed.length, edit.inserted, [end, end]);
  }
  /** @param {number} begin @param {number} end @param {string} text @param {[number, number]} select */
  #put(begin, end, text, select) {
    const had = document.activeElement === this.host;
    const first = this.rowOf(begin),
      last = this.rowOf(end);
    this.text = this.text.slice(0, begin) + text + this.text.slice(end);
    const from = this.startOf(first),
      length = this.lines.slice(first, last + 1).join("\n").length + text.length - (end - begin),
      made = this.text.slice(from, from + length).split("\n");
    this.#render(first, last - first + 1, made);
    const change = { row: first, rows: last - first + 1, made: made.length };
    this.#moveMarks(change);
    this.#describe();
    if (had) this.select(...select);
    this.onchange(change);
  }
  /** @param {Change} change */
  #moveMarks(change) {
    if (change.rows !== change.made) {
      const moved = new Map();
      for (const [row, parts] of this.marks)
        if (row < change.row) moved.set(row, parts);
        else if (row >= change.row + change.rows) moved.set(row + change.made - change.rows, parts);
      this.marks = moved;
    } else for (let k = 0; k < change.rows; k++) this.marks.delete(change.row + k);
  }

  /** @param {number} at the place of a character @returns {number} its line */
  rowOf(at) {
    let row = 0;
    for (let left = at; row < this.lines.length - 1 && left > this.lines[row].length; row++)
      left -= this.lines[row].length + 1;
    return row;
  }
  /** @param {number} row the place of a line's first character */
  startOf(row) {
    let at = 0;
    for (let k = 0; k < row; k++) at += this.lines[k].length + 1;
    return at;
  }
  /** @param {number} row */
  element(row) {
    return /** @type {HTMLElement | undefined} */ (this.host.children[row]);
  }

  /** Lines are made anew, as few as there must be. @param {number} row @param {number} rows @param {string[]} made */
  #render(row, rows, made) {
    this.lines.splice(row, rows, ...made);
    const { host } = this;
    for (let k = 0; k < Math.min(rows, made.length); k++) this.#dress(row + k, true);
    for (let k = made.length; k < rows; k++) host.children[row + made.length]?.remove();
    if (made.length > rows) {
      const fresh = made.slice(rows).map(() => h("div", { class: "line" }));
      const next = host.children[row + rows] ?? null;
      for (const line of fresh) host.insertBefore(line, next);
      for (let k = rows; k < made.length; k++) this.#dress(row + k, true);
    }
    while (host.children.length > this.lines.length) host.lastElementChild?.remove();
  }
  /** What each line is changes with the lines above it. */
  #describe() {
    this.rows = rowsOf(this.lines);
    this.host.classList.toggle("markdown", isMarkdown(this.text));
    for (let k = 0; k < this.lines.length; k++) this.#dress(k, false);
  }
  /** Marks and verdicts have changed. The selection stays. */
  refresh() {
    if (this.#composing) return;
    const had = document.activeElement === this.host,
      selection = this.ends();
    let touched = false;
    for (let k = 0; k < this.lines.length; k++) touched = this.#dress(k, false) || touched;
    if (had && touched) this.select(...selection);
  }
  /** Builds a line, where it is not built already. @param {number} row @param {boolean} anew */
  #dress(row, anew) {
    let line = this.element(row);
    if (!line) this.host.append((line = h("div", { class: "line" })));
    const text = this.lines[row],
      is = this.rows[row],
      verdict = this.verdictOf(row),
      kind = is?.kind ?? "code";
    const heading = kind === "prose" && /^#{1,6}\s/.test(text) ? " heading" : "";
    const name = `line ${kind}${heading}`;
    if (line.className.replace(/ here| step/g, "") !== name)
      line.className =
        name + (line.classList.contains("here") ? " here" : "") + (line.classList.contains("step") ? " step" : "");
    if ((line.dataset.verdict ?? "") !== verdict) {
      if (verdict) line.dataset.verdict = verdict;
      else delete line.dataset.verdict;
    }
    const head = is && is.head >= 0 ? this.lines[is.head] : "";
    const numbers = kind === "code" ? numbersIn(text, head) : [],
      links = kind === "prose" ? this.linksOf(text) : [],
      marks = this.marks.get(row) ?? [];
    const key = `${kind}|${is?.keyword}|${JSON.stringify([marks, numbers, links])}|${text}`;
    if (!anew && this.#built.get(line) === key) return false;
    this.#built.set(line, key);
    line.replaceChildren(
      ...(kind === "code" ? this.#pieces(text, is?.keyword ?? "", marks, numbers) : this.#prose(text, links)),
    );
    return true;
  }
  /** @param {string} text @param {{begin: number, end: number, state: string}[]} links */
  #prose(text, links) {
    if (text === "") return [h("br")];
    const pieces = [];
    let from = 0;
    for (const { begin, end, state } of links) {
      pieces.push(text.slice(from, begin), h("span", { class: "link", "data-state": state }, text.slice(begin, end)));
      from = end;
    }
    return [...pieces, text.slice(from)].filter((piece) => piece !== "");
  }
  /** @param {string} text @param {string} keyword @param {Part[]} marks @param {Part[]} numbers */
  #pieces(text, keyword, marks, numbers) {
    if (text === "") return [h("br")];
    /** @type {string[]} */
    const classes = new Array(text.length).fill("");
    /** @param {number} begin @param {number} end @param {string} name */
    const paint = (begin, end, name) => {
      for (let k = begin; k < Math.min(end, text.length); k++) classes[k] += ` ${name}`;
    };
    const comment = text.search(/(?<!\\)[#%]|\/\//);
    if (comment >= 0) paint(comment, text.length, "comment");
    if (keyword) {
      const begin = text.indexOf(keyword);
      paint(begin, begin + keyword.length, "keyword");
      const label = text.slice(begin + keyword.length).match(/^\s*(\([^()\s]*\))(?=\s)/);
      if (label && /^(claim|update)$/.test(keyword)) {
        const at = begin + keyword.length + label[0].length - label[1].length;
        paint(at, at + label[1].length, "label");
      }
    }
    numbers.forEach((n) => paint(n.begin, n.end, "number"));
    marks.forEach((m) => paint(m.begin, m.end, "mark"));
    const pieces = [];
    for (let k = 0, from = 0; k <= text.length; k++) {
      if (k < text.length && classes[k] === classes[from]) continue;
      const part = text.slice(from, k);
      pieces.push(classes[from] ? h("span", { class: classes[from].trim() }, part) : part);
      from = k;
    }
    return pieces;
  }

  /** The place in the text of a point of the page. @param {Node | null} node @param {number} offset */
  #placeOf(node, offset) {
    if (!node || !this.host.contains(node)) return -1;
    if (node === this.host) {
      if (offset >= this.host.children.length) return this.text.length;
      return this.startOf(offset);
    }
    let line = /** @type {Node} */ (node);
    while (line.parentNode !== this.host) line = /** @type {Node} */ (line.parentNode);
    const row = Array.prototype.indexOf.call(this.host.children, line);
    if (row < 0) return -1;
    const range = document.createRange();
    range.setStart(line, 0);
    range.setEnd(node, offset);
    return this.startOf(row) + Math.min(range.toString().length, this.lines[row]?.length ?? 0);
  }
  /** Where a selection began and where it ends. @returns {[number, number]} */
  ends() {
    const s = document.getSelection();
    if (!s) return [0, 0];
    const anchor = this.#placeOf(s.anchorNode, s.anchorOffset),
      focus = this.#placeOf(s.focusNode, s.focusOffset);
    return anchor < 0 || focus < 0 ? [0, 0] : [anchor, focus];
  }
  /** @returns {[number, number]} */
  selection() {
    const [a, b] = this.ends();
    return [Math.min(a, b), Math.max(a, b)];
  }
  /** @param {number} at @returns {[Node, number]} */
  #point(at) {
    const row = this.rowOf(at),
      line = /** @type {HTMLElement} */ (this.element(row));
    let left = at - this.startOf(row);
    const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    let node = walker.nextNode();
    if (!node) return [line, 0];
    for (;;) {
      const length = /** @type {Text} */ (node).data.length;
      if (left <= length) return [node, left];
      left -= length;
      const next = walker.nextNode();
      if (!next) return [node, length];
      node = next;
    }
  }
  /** @param {number} anchor @param {number} focus */
  select(anchor, focus) {
    const [a, b] = [anchor, focus].map((k) => this.#point(Math.max(0, Math.min(this.text.length, k))));
    document.getSelection()?.setBaseAndExtent(a[0], a[1], b[0], b[1]);
  }

  /** @param {InputEvent} e */
  #before(e) {
    const kind = e.inputType;
    if (
      kind === "insertCompositionText" ||
      kind === "deleteCompositionText" ||
      kind === "insertFromComposition" ||
      this.#composing
    )
      return;
    e.preventDefault();
    if (kind === "historyUndo") return this.undo();
    if (kind === "historyRedo") return this.redo();
    let [begin, end] = this.selection();
    const range = e.getTargetRanges()[0];
    if (range) {
      const from = this.#placeOf(range.startContainer, range.startOffset),
        to = this.#placeOf(range.endContainer, range.endOffset);
      if (from >= 0 && to >= from && (begin === end || kind === "insertReplacementText")) [begin, end] = [from, to];
    }
    if (kind.startsWith("insert")) {
      const text =
        kind === "insertLineBreak" || kind === "insertParagraph"
          ? "\n"
          : (e.data ?? e.dataTransfer?.getData("text/plain") ?? "");
      if (text === "" && begin === end) return;
      this.replace(begin, end, text);
    } else if (kind.startsWith("delete")) {
      const [from, to] = this.selection();
      if (from === to && kind === "deleteContentBackward") [begin, end] = [from - before(this.text, from), from];
      if (from === to && kind === "deleteContentForward") [begin, end] = [from, from + behind(this.text, from)];
      if (begin < end) this.replace(begin, end, "");
    } else return;
    this.element(this.rowOf(this.ends()[1]))?.scrollIntoView({ block: "nearest" });
  }
  /** The browser has written: the string is read from the page. */
  #readBack() {
    const text = [...this.host.childNodes].map((node) => (node.textContent ?? "").replace(/\n$/, "")).join("\n");
    const selection = this.ends();
    if (text !== this.text) {
      let begin = 0,
        same = 0;
      const most = Math.min(text.length, this.text.length);
      while (begin < most && text[begin] === this.text[begin]) begin++;
      while (same < most - begin && text[text.length - 1 - same] === this.text[this.text.length - 1 - same]) same++;
      const end = this.text.length - same,
        inserted = text.slice(begin, text.length - same),
        row = this.rowOf(begin),
        rows = this.rowOf(end) - row + 1;
      const last = this.#done.at(-1);
      const removed = this.text.slice(begin, end);
      if (
        this.#composing &&
        last &&
        last.begin <= begin &&
        last.begin + last.inserted.length >= end &&
        Date.now() - last.time < 2000
      )
        Object.assign(last, {
          inserted: last.inserted.slice(0, begin - last.begin) + inserted + last.inserted.slice(end - last.begin),
          time: Date.now(),
        });
      else this.#done.push({ begin, removed, inserted, before: [begin, end], time: Date.now() });
      this.#undone = [];
      this.text = text;
      if (this.#composing && this.host.children.length === text.split("\n").length) {
        this.lines = text.split("\n");
        this.rows = rowsOf(this.lines);
      } else {
        this.host.replaceChildren();
        this.#render(0, this.lines.length, text.split("\n"));
      }
      if (!this.#composing) {
        this.#describe();
        this.select(...selection);
      }
      const change = { row, rows, made: inserted.split("\n").length };
      this.#moveMarks(change);
      this.onchange(change);
    } else if (!this.#composing) {
      for (let k = 0; k < this.lines.length; k++) this.#dress(k, true);
      this.select(...selection);
    }
  }
}
/** The length of the character before a place: a letter with its accents. @param {string} text @param {number} at */
function before(text, at) {
  const own = [...text.slice(Math.max(0, at - 2), at)].at(-1);
  return own?.length ?? 0;
}
/** @param {string} text @param {number} at */
function behind(text, at) {
  return [...text.slice(at, at + 2)][0]?.length ?? 0;
}
