// What one intersection does, beside the map while one points at it.
import { html, say } from "./dom.js";
import { load, modeBadge, nameOf, reasonOf, showMode, showStage, stageMark } from "./vocabulary.js";
import { number, t } from "./words.js";

export class Peek {
  constructor(root) {
    this.root = root;
    this.states = {};
    this.item = null;
    this.plate = html("span", { class: "plate" });
    this.name = html("h3");
    this.badge = modeBadge();
    this.stage = stageMark();
    this.figure = html("b");
    this.meaning = html("span");
    this.queue = html("dd");
    this.plan = html("dd");
    this.why = html("p", { class: "why" });
    root.append(html("header", {}, this.plate, this.name, this.badge), this.stage, html("p", { class: "count" }, this.figure, this.meaning),
      html("dl", { class: "facts" }, html("dt", {}, t("queue")), this.queue, html("dt", {}, t("plan")), this.plan), this.why);
  }

  choose(item) {
    this.item = item ?? null;
    this.fill();
  }

  show(states) {
    this.states = states;
    this.fill();
  }

  fill() {
    const state = this.item && this.states[this.item.id];
    this.root.hidden = !state;
    if (!state) return;
    say(this.plate, String(this.item.number));
    say(this.name, nameOf(this.item));
    showMode(this.badge, state.mode);
    showStage(this.stage, this.item, state.stage, state.in_interstage);
    const [figure, meaning] = countdown(this.item, state);
    say(this.figure, figure);
    say(this.meaning, meaning);
    say(this.queue, `${number(Math.round(load(this.item, state).waiting))} ${t("unit.pcu")}`);
    say(this.plan, state.plan === null ? "–" : String(state.plan));
    say(this.why, state.stale ? t("stale.s", { s: Math.round(state.age_s) }) : reasonOf(state));
  }
}

/** The figure and what it means: seconds that are promised, else green so far. */
export function countdown(item, state) {
  if (state.commitment?.end_in_s > 0) return [String(state.commitment.end_in_s), t("count.promised", { stage: item.stages[state.commitment.next_stage].id })];
  // At 0 the green is over: the interstage has begun.
  if (state.in_interstage || state.commitment) return ["···", t("count.changing")];
  return [String(Math.round(state.elapsed_s)), t("count.open")];
}
