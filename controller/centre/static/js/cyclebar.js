// A plan's cycle as a bar whose boundaries move: by dragging, or by the arrow keys.
import { html, mark, say } from "./dom.js";
import { t } from "./words.js";

export class CycleBar {
  constructor(root, stages, changed) {
    this.root = root;
    this.stages = stages;
    this.changed = changed;
    this.pieces = [];
    this.handles = [];
  }

  show(splits) {
    this.splits = splits;
    const cycle = splits.reduce((sum, one) => sum + one.split_s, 0);
    if (this.pieces.length !== splits.length) this.build(splits.length);
    let at = 0;
    splits.forEach((split, index) => {
      const piece = this.pieces[index];
      piece.style.flexGrow = String(Math.max(split.split_s, 0.1));
      mark(piece, "data-stage", this.stages.findIndex((one) => one.id === split.stage) % 8);
      say(piece.firstElementChild, split.stage);
      say(piece.lastElementChild, `${split.split_s} s`);
      at += split.split_s;
      const handle = this.handles[index];
      if (!handle) return;
      const next = splits[index + 1];
      handle.style.insetInlineStart = `${(100 * at) / Math.max(cycle, 1)}%`;
      mark(handle, "aria-label", t("edit.boundary", { a: split.stage, b: next.stage }));
      mark(handle, "aria-valuemin", at - split.split_s + 1);
      mark(handle, "aria-valuemax", at + next.split_s - 1);
      mark(handle, "aria-valuenow", at);
      mark(handle, "aria-valuetext", t("edit.boundary.value", { a: split.stage, n: split.split_s, b: next.stage, m: next.split_s }));
    });
  }

  build(count) {
    this.pieces = Array.from({ length: count }, () => html("div", { class: "piece" }, html("b"), html("span")));
    this.handles = Array.from({ length: count - 1 }, (_, index) => this.handle(index));
    this.root.replaceChildren(...this.pieces, ...this.handles);
  }

  handle(index) {
    const node = html("div", { class: "boundary", role: "slider", tabindex: 0 });
    node.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 5, PageDown: -5 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.move(index, step);
    });
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      node.focus();
      node.setPointerCapture(event.pointerId);
      const { width } = this.root.getBoundingClientRect();
      const begin = { x: event.clientX, splits: this.splits, cycle: this.splits.reduce((sum, one) => sum + one.split_s, 0) };
      const drag = (move) => this.move(index, Math.round(((move.clientX - begin.x) / width) * begin.cycle), begin.splits);
      node.addEventListener("pointermove", drag);
      node.addEventListener("pointerup", () => node.removeEventListener("pointermove", drag), { once: true });
      node.addEventListener("pointercancel", () => node.removeEventListener("pointermove", drag), { once: true });
    });
    return node;
  }

  /** Move seconds over a boundary; each side keeps at least one, the cycle stays as it is. */
  move(index, by, from = this.splits) {
    const moved = Math.max(1 - from[index].split_s, Math.min(from[index + 1].split_s - 1, by));
    const splits = from.map((one, other) => ({ ...one, split_s: one.split_s + (other === index ? moved : other === index + 1 ? -moved : 0) }));
    if (splits.some((one, other) => one.split_s !== this.splits[other].split_s)) this.changed(splits);
  }

  /** Entries with something wrong are hatched. */
  mark(defects) {
    this.pieces.forEach((piece, index) => piece.classList.toggle("wrong-piece", defects.some((one) => one.blocks && one.entry === index)));
  }
}
