// Which plan runs when on days of one type: a bar of 24 hours and a row per entry.
import { html, icon, mark, svg } from "./dom.js";
import { either, t } from "./words.js";

const DAY_MIN = 1440;
const CLOCK = /^([01]?\d|2[0-3])[:hg.]([0-5]\d)$/; // a browser's own field for times would follow the browser's language
const minutes = (start) => Number(start.slice(0, 2)) * 60 + Number(start.slice(3, 5));

export class Timetable {
  constructor(body, bar, plans, changed) {
    Object.assign(this, { body, bar, plans, changed, kind: null, shown: "" });
  }

  show(kind, entries) {
    this.kind = kind;
    this.entries = entries;
    this.draw();
    const text = JSON.stringify(entries);
    if (this.shown === `${kind}${text}`) return;
    this.shown = `${kind}${text}`;
    this.body.replaceChildren(...[...entries].sort((a, b) => minutes(a.start) - minutes(b.start)).map((entry, index) => this.row(entry, index + 1)));
  }

  row(entry, n) {
    const start = html("input", { required: true, inputmode: "numeric", maxlength: 5, size: 5, placeholder: "hh:mm", value: entry.start, "aria-label": t("calendar.start.of", { n }) });
    const plan = html("select", { "aria-label": t("calendar.plan.of", { n }) }, ...this.plans.map((one) => html("option", { value: one.number }, `${one.number} · ${either(one.name, one.name_en)}`)));
    plan.value = String(entry.plan);
    const remove = html("button", { class: "button quiet", type: "button", "aria-label": t("calendar.remove", { n }), title: t("calendar.remove", { n }) }, icon("close"));
    start.addEventListener("change", () => {
      const typed = CLOCK.exec(start.value.trim());
      mark(start, "aria-invalid", typed ? null : "true");
      if (typed) this.put(entry, { start: `${typed[1].padStart(2, "0")}:${typed[2]}` });
    });
    plan.addEventListener("change", () => this.put(entry, { plan: Number(plan.value) }));
    remove.addEventListener("click", () => this.changed(this.entries.filter((one) => one !== entry)));
    return html("tr", {}, html("td", {}, start), html("td", {}, plan), html("td", { class: "end" }, remove));
  }

  put(entry, what) {
    this.changed(this.entries.map((one) => (one === entry ? { ...one, ...what } : one)));
  }

  /** The first free half hour of the day. */
  add(kind) {
    const taken = new Set(this.entries.map((one) => minutes(one.start)));
    const free = Array.from({ length: 48 }, (_, index) => index * 30).find((at) => at >= 360 && !taken.has(at)) ?? 0;
    const start = `${String(Math.floor(free / 60)).padStart(2, "0")}:${String(free % 60).padStart(2, "0")}`;
    this.changed([...this.entries, { day: kind, start, plan: this.plans[0].number }]);
  }

  draw() {
    const sorted = [...this.entries].sort((a, b) => minutes(a.start) - minutes(b.start));
    const spans = sorted.map((one, index) => [minutes(one.start), index + 1 < sorted.length ? minutes(sorted[index + 1].start) : DAY_MIN, one.plan]);
    if (sorted.length && minutes(sorted[0].start) > 0) spans.unshift([0, minutes(sorted[0].start), sorted.at(-1).plan]);
    const share = (value) => `${((100 * value) / DAY_MIN).toFixed(3)}%`;
    const pieces = spans.map(([from, to, plan]) => svg("svg", { x: share(from), width: share(to - from), height: "100%" },
      svg("rect", { width: "100%", height: "100%", "data-stage": (this.plans.findIndex((one) => one.number === plan) + 8) % 8 }), ...(to - from >= 60 ? [svg("text", { x: "50%", y: "50%" }, String(plan))] : [])));
    const text = spans.map(([from, , plan]) => `${String(Math.floor(from / 60)).padStart(2, "0")}:${String(from % 60).padStart(2, "0")} ${plan}`).join(", ");
    this.bar.replaceChildren(svg("svg", { class: "cycle", role: "img", "aria-label": `${t("calendar.times.bar")}: ${text}` }, ...pieces), html("p", { class: "hours", "aria-hidden": "true" }, ...["0", "6", "12", "18", "24"].map((hour) => html("span", {}, hour))));
  }
}
