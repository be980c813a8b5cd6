// All intersections' stages over the same five minutes: a green wave shows as a slant of one colour.
import { english, hue, html, svg } from "./dom.js";

const PAST = 300; // seconds, as the centre sends them

export class Band {
  constructor(root, plan) {
    this.rows = new Map();
    const rows = html("div", { class: "rows" });
    for (const item of plan.intersections) {
      const strip = svg("svg", { viewBox: `0 0 ${PAST} 10`, preserveAspectRatio: "none", "aria-hidden": "true" });
      rows.append(html("span", { class: "number" }, String(item.number)), html("span", {}, item.short), strip);
      this.rows.set(item.id, strip);
    }
    rows.append(html("div", { class: "ticks" }, ...["−5 phút", "−4", "−3", "−2", "−1", "bây giờ"].map((text) => html("span", {}, text))));
    root.append(html("section", { class: "band panel", "aria-label": "Các pha theo thời gian" },
      html("header", {}, html("h2", {}, "Pha theo thời gian ", english("Stages over time")), html("p", {}, "mỗi màu một pha, khoảng tối là chuyển pha")), rows));
  }

  show(states) {
    for (const [id, state] of Object.entries(states)) {
      const start = PAST - state.ribbon.length;
      const runs = [...state.ribbon.matchAll(/(.)\1*/g)].filter((run) => run[1] !== "-");
      this.rows.get(id)?.replaceChildren(...runs.map((run) => svg("rect", {
        x: start + run.index, y: 0, width: run[0].length, height: 10, fill: hue(parseInt(run[1], 36)), opacity: state.stale ? 0.25 : 0.85 })));
    }
  }
}
