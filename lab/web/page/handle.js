// @ts-check
// The numbers of the text that can be dragged: by a handle above them, by Alt and the pointer, by Alt and the arrows.
import { $ } from "../../player/dom.js";
import { numbersIn, stepped } from "./text.js";

/** @import { Editor } from "./editor.js" */
/** @typedef {{row: number, begin: number, end: number}} Place of a number in the text */

export class Handle {
  dragging = false;
  /** @type {Place | null} */
  #held = null;

  /** @param {Editor} editor @param {(moved: boolean) => void} onend a number was let go */
  constructor(editor, onend) {
    this.editor = editor;
    this.onend = onend;
    const { host } = editor;
    host.addEventListener("pointerover", (e) => {
      const span = /** @type {Element} */ (e.target);
      if (this.dragging || !span.matches(".number")) return;
      const found = this.#spot(span);
      if (found) this.show(found);
    });
    $("sheet").addEventListener("pointerleave", () => {
      if (document.activeElement !== host) this.hide();
    });
    $("handle").addEventListener("pointerdown", (e) => {
      if (this.#held) this.#drag(e, this.#held);
    });
    host.addEventListener("pointerdown", (e) => {
      const span = /** @type {Element} */ (e.target),
        found = e.altKey && span.matches(".number") ? this.#spot(span) : null;
      if (found) this.#drag(e, found);
    });
    host.addEventListener("keydown", (e) => {
      const way = e.key === "ArrowUp" ? 1 : e.key === "ArrowDown" ? -1 : 0;
      if (!e.altKey || e.ctrlKey || e.metaKey || way === 0) return;
      const [, at] = editor.ends(),
        row = editor.rowOf(at),
        start = editor.startOf(row),
        number = this.numberAt(row, at - start);
      if (!number) return;
      e.preventDefault();
      const next = stepped(editor.lines[row].slice(number.begin, number.end), way * (e.shiftKey ? 10 : 1)),
        end = start + number.begin + next.length;
      editor.replace(start + number.begin, start + number.end, next, { select: [end, end] });
    });
  }
  /** @param {number} row @param {number} column @returns {Place | undefined} */
  numberAt(row, column) {
    const { rows, lines } = this.editor,
      is = rows[row];
    if (!is || is.kind !== "code" || is.head < 0) return undefined;
    const found = numbersIn(lines[row], lines[is.head]).find((n) => column >= n.begin && column <= n.end);
    return found && { row, begin: found.begin, end: found.end };
  }
  /** @param {Place} number */
  show(number) {
    const { row, begin } = number;
    this.#held = number;
    const span = [...(this.editor.element(row)?.querySelectorAll(".number") ?? [])].find(
      (s) => this.#spot(s)?.begin === begin,
    );
    if (!span) return;
    const handle = $("handle"),
      sheet = $("sheet").getBoundingClientRect(),
      box = span.getBoundingClientRect();
    handle.hidden = false;
    handle.style.left = `${box.left - sheet.left + box.width / 2 - handle.offsetWidth / 2}px`;
    // Above the number, or below it where that is out of the pane.
    const above = box.top - handle.offsetHeight,
      top = above < $("text-pane").getBoundingClientRect().top ? box.bottom : above;
    handle.style.top = `${top - sheet.top}px`;
  }
  hide() {
    if (this.dragging) return;
    $("handle").hidden = true;
    this.#held = null;
  }
  /** @param {Element} span a number in the text @returns {Place | null} */
  #spot(span) {
    const line = span.closest(".line");
    if (!line) return null;
    const row = [...this.editor.host.children].indexOf(line),
      range = document.createRange();
    range.setStart(line, 0);
    range.setEndBefore(span);
    const begin = range.toString().length;
    return { row, begin, end: begin + (span.textContent?.length ?? 0) };
  }
  /** @param {PointerEvent} e @param {Place} number */
  #drag(e, { row, begin, end: until }) {
    e.preventDefault();
    const { editor } = this,
      first = editor.lines[row].slice(begin, until),
      target = /** @type {HTMLElement} */ (e.currentTarget),
      at = editor.startOf(row) + begin;
    let length = first.length,
      moved = false;
    this.dragging = true;
    document.body.classList.add("dragging");
    target.setPointerCapture(e.pointerId);
    /** @param {PointerEvent} move */
    const move = (move) => {
      const next = stepped(first, Math.round((move.clientX - e.clientX) / 4) * (move.shiftKey ? 10 : 1));
      if (next === editor.text.slice(at, at + length)) return;
      editor.replace(at, at + length, next, { quiet: moved });
      moved = true;
      length = next.length;
      this.show({ row, begin, end: begin + length });
    };
    const end = () => {
      target.removeEventListener("pointermove", move);
      target.removeEventListener("pointerup", end);
      target.removeEventListener("pointercancel", end);
      document.body.classList.remove("dragging");
      this.dragging = false;
      this.onend(moved);
    };
    target.addEventListener("pointermove", move);
    target.addEventListener("pointerup", end);
    target.addEventListener("pointercancel", end);
  }
}
