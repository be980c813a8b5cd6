// The time–space diagram itself: time to the right, the street's end on top.
import { svg } from "./dom.js";
import { litAt } from "./progression.js";
import { clock, t } from "./words.js";

const LETTER_PX = 7; // mean width of a bold letter
const RIGHT = 14;
const TOP = 60;
const BOTTOM = 66;
const AHEAD_S = 60; // of the plan shown right of now
const BAR = 6; // px, height of a measured green
const PLATOON_PX = 1.3; // height of one arriving pcu
const PLATOON_MAX = 30;

export class SpaceTime {
  /** `label(id)`: what stands beside an intersection's line. */
  constructor(root, label) {
    this.label = label;
    this.svg = svg("svg", { "aria-hidden": "true" });
    root.replaceChildren(this.svg);
    new ResizeObserver(() => this.shown && this.draw(this.shown)).observe(root);
  }

  draw(shown) {
    this.shown = shown;
    const { sides, tapes, past, clock_s } = shown;
    const { width, height } = this.svg.getBoundingClientRect();
    if (!width) return;
    // Room for the names.
    const left = Math.min(Math.max(width * 0.23, 150), 250);
    const long = sides.out.stops.at(-1).at || 1;
    const from = clock_s - past;
    this.x = (second) => left + ((second - from) / (past + AHEAD_S)) * (width - left - RIGHT);
    this.y = (metres) => height - BOTTOM - (metres / long) * (height - TOP - BOTTOM);
    this.span = [from, clock_s + AHEAD_S];
    const field = svg("clipPath", { id: "field" }, svg("rect", { x: left, y: 0, width: width - left - RIGHT, height }));
    const bands = svg("g", { "clip-path": "url(#field)" }, ...Object.entries(sides).flatMap(([side, one]) => this.band(side, one)));
    const lines = sides.out.stops.flatMap((stop) => this.line(stop, left, width));
    const marks = svg("g", { "clip-path": "url(#field)" });
    for (const [side, { stops }] of Object.entries(sides)) {
      for (const stop of stops) marks.append(...this.stop(side, stop, tapes.get(stop.id)?.seconds ?? [], clock_s));
    }
    this.svg.replaceChildren(svg("defs", {}, field), ...this.minutes(height), bands, ...lines, marks,
      svg("line", { class: "now", x1: this.x(clock_s), x2: this.x(clock_s), y1: TOP - 34, y2: height - BOTTOM + 8 }),
      svg("text", { class: "hour", x: this.x(clock_s), y: TOP - 40 }, t("now")));
  }

  line(stop, left, width) {
    const y = this.y(stop.at);
    const fits = Math.floor((left - 20) / LETTER_PX);
    const name = this.label(stop.id);
    return [svg("line", { class: "street-line", x1: left, x2: width - RIGHT, y1: y, y2: y }),
      svg("text", { class: "place-name", x: 14, y: y + 1 }, name.length > fits ? `${name.slice(0, fits - 1)}…` : name), svg("text", { class: "metres", x: 14, y: y + 15 }, t("corridor.distance", { n: Math.round(stop.at) }))];
  }

  minutes(height) {
    const marks = [];
    for (let at = Math.ceil(this.span[0] / 60) * 60; at < this.span[1]; at += 60) {
      marks.push(svg("line", { class: "minute", x1: this.x(at), x2: this.x(at), y1: TOP - 12, y2: height - BOTTOM + 10 }), svg("text", { class: "hour", x: this.x(at), y: height - BOTTOM + 28 }, clock(at).slice(0, 5)));
    }
    return marks;
  }

  /** Outbound lies above its line, inbound below: measured green next to the line, the plan's behind it, arrivals on top. */
  stop(side, stop, seconds, clock_s) {
    const y = this.y(stop.at);
    const up = side === "out";
    const bar = (kind, spans, top, tall) => spans.length ? [svg("path", { class: kind, d: spans.map(([from, until]) => `M${this.x(from).toFixed(1)} ${top}H${this.x(until).toFixed(1)}v${tall}H${this.x(from).toFixed(1)}z`).join("") })] : [];
    const first = clock_s - seconds.length + 1;
    const lit = spans(seconds.length, (index) => stop.groups.some((group) => "Gg".includes(seconds[index].aspects[group]))).map(([a, b]) => [first + a, first + b]);
    const [start, end] = this.span.map(Math.floor);
    const planned = stop.plan ? spans(end - start, (index) => litAt(stop, stop.plan, start + index)).map(([a, b]) => [start + a, start + b]) : [];
    return [...this.platoon(stop.arrivals, clock_s, up ? y - BAR - 1 : y + BAR + 1, up ? -1 : 1), ...bar("planned", planned, up ? y - 2.5 : y + 0.5, 2), ...bar(`lit ${side}`, lit, up ? y - BAR - 1 : y + 1, BAR)];
  }

  /** A hump as high as what moves towards the stop line. */
  platoon(arrivals, clock_s, base, way) {
    const first = Math.max(0, arrivals.length - 1 - Math.ceil(clock_s - this.span[0]));
    const seen = arrivals.slice(first);
    if (seen.length < 2) return [];
    const at = (index) => this.x(clock_s - seen.length + 1 + index).toFixed(1);
    const tops = seen.map((pcu, index) => `L${at(index)} ${(base + way * Math.min(pcu * PLATOON_PX, PLATOON_MAX)).toFixed(1)}`);
    return [svg("path", { class: "platoon", d: `M${at(0)} ${base}${tops.join("")}L${at(seen.length - 1)} ${base}z` })];
  }

  /** The band of every cycle in view, slanted by the speed. */
  band(side, { driving, band }) {
    if (!band) return [];
    const [near, far] = [driving[0], driving.at(-1)];
    const travel = Math.abs(far.at - near.at) / this.shown.speed;
    const found = [];
    for (let cycle = Math.floor((this.span[0] - travel) / band.cycle) - 1; cycle * band.cycle < this.span[1]; cycle += 1) {
      for (const [from, until] of band.runs) {
        const [a, b] = [from + cycle * band.cycle, until + cycle * band.cycle];
        found.push(svg("path", { class: `band ${side}`, d: `M${this.x(a)} ${this.y(near.at)}L${this.x(a + travel)} ${this.y(far.at)}L${this.x(b + travel)} ${this.y(far.at)}L${this.x(b)} ${this.y(near.at)}z` }));
      }
    }
    return found;
  }
}

/** Stretches [from, until) of indices for which `test` holds. */
function spans(long, test) {
  const found = [];
  for (let index = 0; index < long; index += 1) {
    if (!test(index)) continue;
    if (found.at(-1)?.[1] === index) found.at(-1)[1] += 1;
    else found.push([index, index + 1]);
  }
  return found;
}
