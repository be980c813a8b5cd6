// Signal groups over time: three cycles back, and ahead what is committed.
import { groupLabel } from "./directions.js";
import { html, svg } from "./dom.js";
import { clock, t } from "./words.js";

const AHEAD_S = 14; // future shown right of now, seconds
const WINDOW_S = [120, 420]; // shortest and longest past shown
const CYCLES = 3;
const HEIGHT = { G: 0.78, g: 0.42, y: 0.78, r: 0.14, W: 0.78, C: 0.42, o: 0.42 }; // of a row

export class Timeline {
  constructor(root, item) {
    this.item = item;
    this.root = root;
    this.svg = svg("svg", { "aria-hidden": "true" });
    this.hours = html("div", { class: "hours", "aria-hidden": "true" });
    const names = item.groups.map((id, index) => {
      const { short, arrows, words, walking } = groupLabel(item, index);
      return html("span", { class: "name", title: `${words} (${id})` }, html("b", {}, short), walking ? html("span", {}, t("place.walk.short")) : html("i", {}, arrows));
    });
    root.style.setProperty("--rows", String(names.length));
    root.append(...names, this.svg, this.hours);
    this.wide = 0;
    new ResizeObserver(() => this.wide && this.draw()).observe(this.svg);
  }

  show(seconds, cycle, state) {
    const past = Math.round(Math.min(Math.max((cycle ?? WINDOW_S[0] / CYCLES) * CYCLES, WINDOW_S[0]), WINDOW_S[1]));
    this.shown = { seconds: seconds.slice(-past), past, state };
    this.draw();
  }

  draw() {
    if (!this.shown) return;
    const { seconds, past, state } = this.shown;
    const { width, height } = this.svg.getBoundingClientRect();
    this.wide = width;
    if (!width) return;
    const scale = width / (past + AHEAD_S);
    const high = height / this.item.groups.length;
    const start = past - seconds.length;
    const parts = [];
    const end = state.commitment && !state.in_interstage ? Math.min(state.commitment.end_in_s, AHEAD_S) : 0;
    this.item.groups.forEach((_, group) => {
      const bars = {};
      const bar = (kind, aspect, from, long) => {
        const tall = high * HEIGHT[aspect];
        const top = high * group + (high - tall) / 2;
        bars[kind] = `${bars[kind] ?? ""}M${(from * scale).toFixed(1)} ${top.toFixed(1)}h${(long * scale).toFixed(1)}v${tall.toFixed(1)}h${(-long * scale).toFixed(1)}z`;
      };
      for (const { from, long, aspect } of stretches(seconds, group, (one) => one.aspects[group])) bar(`lamps ${aspect}`, aspect, start + from, long);
      for (const { from, long, aspect } of stretches(seconds, group, (one) => (one.committed && "Gg".includes(one.aspects[group]) ? one.aspects[group] : null))) bar("hatch", aspect, start + from, long);
      const aspect = state.aspects[group];
      if (end > 0 && "Gg".includes(aspect)) {
        bar(`lamps ${aspect} future`, aspect, past, end);
        bar("hatch", aspect, past, end);
      }
      for (const [kind, d] of Object.entries(bars)) parts.push(svg("path", { class: kind, d }));
    });
    const upright = (kind, at) => svg("line", { class: kind, x1: (at * scale).toFixed(1), x2: (at * scale).toFixed(1), y1: 0, y2: height });
    const minutes = this.minutes(past, state.clock_s);
    this.svg.replaceChildren(HATCH.cloneNode(true), ...minutes.map(({ at }) => upright("minute", at)), ...parts, upright("now", past), ...(end > 0 ? [upright("promise", past + end)] : []));
    this.hours.replaceChildren(...minutes.filter(({ at }) => at > past * 0.03 && at < past * 0.97).map(({ at, text }) => {
      const label = html("span", {}, text);
      label.style.left = `${at * scale}px`;
      return label;
    }));
  }

  /** Whole minutes within the window. */
  minutes(past, clock_s) {
    if (clock_s == null) return [];
    const found = [];
    for (let at = past - (clock_s % 60); at > 0; at -= 60) found.push({ at, text: clock(clock_s - past + at).slice(0, 5) });
    return found;
  }
}

const HATCH = svg("defs", {}, svg("pattern", { id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse" }, svg("path", { d: "M-1 6L6-1M-1 1L1-1M4 6L6 4" })));

/** Stretches of seconds in which `of` gives the same letter; null is nothing. */
function stretches(seconds, group, of) {
  const found = [];
  seconds.forEach((one, from) => {
    const aspect = of(one);
    const last = found.at(-1);
    if (last && last.aspect === aspect && last.from + last.long === from) last.long += 1;
    else if (aspect) found.push({ from, long: 1, aspect });
  });
  return found;
}
