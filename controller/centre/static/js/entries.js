// The rows of a plan in the writing: stage, seconds, what is allowed, what is wrong.
import { html, icon, mark, say, svg } from "./dom.js";
import { either, t } from "./words.js";

export class EntryRows {
  constructor(body, stages, changed) {
    this.body = body;
    this.stages = stages;
    this.changed = changed;
    this.rows = [];
  }

  /** Keeps the rows that there are, so that whoever types keeps the cursor. */
  show(splits) {
    this.splits = splits;
    while (this.rows.length > splits.length) this.rows.pop().root.remove();
    while (this.rows.length < splits.length) this.rows.push(this.row(this.rows.length));
    splits.forEach((split, index) => {
      const { stage, seconds, badge, up, down, remove } = this.rows[index];
      if (stage.value !== split.stage) stage.value = split.stage;
      if (document.activeElement !== seconds || Number(seconds.value) !== split.split_s) seconds.value = split.split_s;
      mark(badge, "data-stage", this.stages.findIndex((one) => one.id === split.stage) % 8);
      say(badge.firstElementChild, split.stage);
      up.disabled = index === 0;
      down.disabled = index === splits.length - 1;
      remove.disabled = splits.length < 2;
    });
  }

  row(index) {
    const n = index + 1;
    const name = (one) => either(one.vi, one.en);
    const stage = html("select", { "aria-label": t("edit.stage.of", { n }) }, ...this.stages.map((one) => html("option", { value: one.id }, name(one) === one.id ? one.id : `${one.id} · ${name(one)}`)));
    const seconds = html("input", { type: "number", min: 1, max: 600, step: 1, name: `splits.${index}.split_s`, id: `split-${index}`, "aria-label": t("edit.split.of", { n }) });
    const badge = html("span", { class: "stage" }, html("b"));
    const room = svg("svg", { class: "room", "aria-hidden": "true" });
    const limits = html("small");
    const wrongs = html("div", { class: "wrongs", id: `wrongs-${index}` });
    const button = (label, shape, act) => {
      const made = html("button", { class: "button quiet", type: "button", "aria-label": t(label, { n }), title: t(label, { n }) }, icon(shape));
      made.addEventListener("click", act);
      return made;
    };
    const up = button("edit.up", "up", () => this.swap(index, index - 1));
    const down = button("edit.down", "down", () => this.swap(index, index + 1));
    const remove = button("edit.remove", "close", () => this.changed(this.splits.filter((_, other) => other !== index)));
    stage.addEventListener("change", () => this.set(index, { stage: stage.value }));
    seconds.addEventListener("input", () => this.set(index, { split_s: Number(seconds.value) }));
    seconds.setAttribute("aria-describedby", wrongs.id);
    const root = html("tr", {}, html("td", { class: "faint" }, String(n)), html("td", { class: "who" }, html("div", {}, badge, stage)), html("td", { class: "seconds" }, seconds),
      html("td", { class: "allowed" }, room, limits, wrongs), html("td", { class: "end" }, up, down, remove));
    this.body.append(root);
    return { root, stage, seconds, badge, room, limits, wrongs, up, down, remove };
  }

  set(index, what) {
    this.changed(this.splits.map((one, other) => (other === index ? { ...one, ...what } : one)));
  }

  swap(one, other) {
    const splits = [...this.splits];
    [splits[one], splits[other]] = [splits[other], splits[one]];
    this.changed(splits);
    this.rows[other].stage.focus();
  }

  /** What the centre says of each entry. */
  limits(entries, defects) {
    const most = Math.max(...entries.map((one) => one.longest_s), ...this.splits.map((one) => one.split_s));
    entries.forEach((need, index) => {
      const { room, limits, wrongs, seconds } = this.rows[index] ?? {};
      if (!room) return;
      const share = (value) => `${((100 * value) / most).toFixed(2)}%`;
      const value = this.splits[index].split_s;
      room.replaceChildren(
        svg("rect", { class: "allowed", x: share(need.least_s), width: share(need.longest_s - need.least_s), height: "100%" }),
        svg("rect", { class: "has", width: share(value), y: "30%", height: "40%", "data-stage": this.stages.findIndex((one) => one.id === need.stage) % 8 }),
        svg("line", { class: "limit", x1: share(need.least_s), x2: share(need.least_s), y1: 0, y2: "100%" }));
      say(limits, `${t("edit.least", { n: need.least_s, m: need.longest_s })} · ${parts(need)}`);
      const mine = defects.filter((one) => one.entry === index);
      mark(seconds, "aria-invalid", mine.some((one) => one.blocks) ? "true" : null);
      wrongs.replaceChildren(...mine.map((one) => html("p", { class: "wrong" }, either(one.text.vi, one.text.en))));
    });
  }
}

/** What the least split is made of: the longest of the three. */
function parts(need) {
  const walk = need.walk_s + need.clearance_s;
  if (walk > need.commitment_s && walk >= need.minimum_s) return t("edit.parts.walk", { walk: need.walk_s, clear: need.clearance_s, change: need.interstage_s });
  if (need.minimum_s > need.commitment_s) return t("edit.parts.green", { green: need.minimum_s, change: need.interstage_s });
  return t("edit.parts.promise", { promise: need.commitment_s, change: need.interstage_s });
}
