// An intersection's lamps at an earlier time, from the centre's store: five minutes back, five minutes on, now.
import { byId, say } from "./dom.js";
import { get } from "./live.js";
import { clockOf, timeOrMoment } from "./times.js";
import { t } from "./words.js";

const WINDOW_S = 420; // shown at once
const STEP_MS = 300000;

export class LookBack {
  /** `show(seconds, clock_s)`: draw them; the last one ended at that second of the day. */
  constructor(id, show) {
    Object.assign(this, { id, show });
    this.end = null; // ms; null: the page shows now
    this.now = null;
    byId("back").addEventListener("click", () => this.go(-STEP_MS));
    byId("on").addEventListener("click", () => this.go(STEP_MS));
    byId("to-now").addEventListener("click", () => this.leave());
    this.draw();
  }

  /** The site's clock as it is now, ms. */
  tick(now) {
    this.now = now;
  }

  get looking() {
    return this.end !== null;
  }

  go(by) {
    if (this.now === null) return;
    const end = (this.end ?? this.now) + by;
    if (end >= this.now) this.leave();
    else this.load(end);
  }

  leave() {
    this.end = null;
    this.draw();
  }

  async load(end) {
    this.end = end;
    const begin = end - WINDOW_S * 1000;
    const span = new URLSearchParams({ from: new Date(begin).toISOString(), to: new Date(end).toISOString() });
    const spans = await get(`/api/v1/intersections/${encodeURIComponent(this.id)}/history?${span}`);
    if (this.end !== end) return;
    this.draw();
    if (spans) this.show(unfold(spans, begin, end), clockOf(end));
    else say(byId("looked"), t("place.back.lost"));
  }

  draw() {
    byId("timeline").classList.toggle("is-past", this.looking);
    byId("on").disabled = byId("to-now").disabled = !this.looking;
    say(byId("looked"), this.looking ? t("place.back.until", { when: timeOrMoment(this.end, this.now) }) : "");
  }
}

/** Spans as one entry per second; seconds of which nothing is stored show no lamp. */
function unfold(spans, begin, end) {
  const seconds = Array.from({ length: WINDOW_S }, () => ({ aspects: "", stage: null, between: false, committed: false }));
  for (const { began, ended, aspects, stage, in_interstage } of spans) {
    const first = Math.max(0, Math.round((Date.parse(began) - begin) / 1000));
    const behind = Math.min(WINDOW_S, Math.round(((ended ? Date.parse(ended) : end) - begin) / 1000));
    seconds.fill({ aspects, stage, between: in_interstage, committed: false }, first, Math.max(first, behind));
  }
  return seconds;
}
