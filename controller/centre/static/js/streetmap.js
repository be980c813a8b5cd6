// The streets with every intersection, north up: drag, wheel, buttons or keys move it.
import { mark, say, svg } from "./dom.js";
import { heading, isShut, junction, lamp, path, sorted, streets } from "./junction.js";
import { caption, settle } from "./labels.js";
import { levelOf, modeName, nameOf, SHAPES } from "./vocabulary.js";
import { t } from "./words.js";

const NEAR_M_PER_PX = 0.55; // below it the real stop lines are large enough to read
const ARM_PX = [37, 44]; // from far, an approach's fill is a bar: where it begins, how long it is when full
const REST_MS = 180; // names find new places when the map has rested for so long
const UNDER_PX = 40; // what the legend needs below
const OVER_PX = 44; // and the counts above

export class StreetMap {
  /** `choose(id or null)` is told what the pointer or the keyboard is on. */
  constructor(root, plan, choose) {
    this.root = root;
    this.plan = plan;
    this.choose = choose;
    this.floating = [];
    this.captions = new Map();
    this.shows = new Map();
    this.markers = new Map();
    this.streets();
    const drawn = plan.intersections.map((item) => [item.at, this.place(item)]);
    // Signals lie under all markers, markers under all names.
    for (const layer of ["petals", "marker", "words"]) for (const [at, nodes] of drawn) this.float(nodes[layer], at);
    this.fit();
    this.handles();
    new ResizeObserver(() => (this.moved ? this.frame() : this.fit())).observe(root);
  }

  streets() {
    const layer = svg("g");
    for (const lane of this.plan.lanes) {
      if (!lane.internal) layer.append(svg("path", { class: "road hair", d: path(lane.points) }));
    }
    layer.append(...streets(this.plan.lanes));
    this.root.append(layer);
    for (const label of this.plan.labels) {
      this.float(svg("g", {}, svg("text", { class: "label", y: -14 }, label.text)), label.at);
    }
  }

  float(node, at) {
    this.root.append(node);
    this.floating.push([node, at]);
  }

  place(item) {
    const near = svg("g", { class: "lanes-near" });
    this.root.append(near);
    const showNear = junction(near, item);
    const { petals, lamps, arms } = signals(item);
    const marker = this.marker(item);
    const name = caption(item);
    this.captions.set(item.id, name);
    this.markers.set(item.id, marker);
    this.shows.set(item.id, (state, severity) => {
      showNear(state);
      for (const { lanes, bar, wave } of arms) {
        fill(bar, lanes, state);
        wave.classList.toggle("shut", isShut(state, lanes[0].approach));
      }
      for (const [node, group] of lamps) mark(node, "data-a", state.aspects[group]);
      if (marker.dataset.mode !== state.mode) {
        marker.dataset.mode = state.mode;
        marker.querySelector(".shape").setAttribute("d", SHAPES[state.mode]);
        mark(marker, "aria-label", t("map.marker", { n: String(item.number), name: nameOf(item), mode: modeName(state.mode) }));
      }
      mark(marker, "data-severity", severity);
      const unknown = state.stale || state.link_error !== null;
      for (const node of [marker, petals]) node.classList.toggle("stale", unknown);
      say(name.left, state.commitment?.end_in_s > 0 && !state.stale ? `${state.commitment.end_in_s} s` : "");
    });
    return { petals, marker, words: name.group };
  }

  marker(item) {
    const marker = svg("a", { class: "marker", "data-id": item.id, href: `/intersections/${encodeURIComponent(item.id)}`, tabindex: this.markers.size ? -1 : 0,
      "aria-label": t("map.marker", { n: String(item.number), name: nameOf(item), mode: t("map.unheard") }) },
      svg("circle", { class: "halo", r: 18 }), svg("path", { class: "shape", d: SHAPES.ADAPTIVE, transform: "scale(1.2)" }),
      svg("text", { class: "digits", y: 4.3 }, String(item.number)));
    for (const enter of ["pointerenter", "focus"]) marker.addEventListener(enter, () => this.choose(item.id));
    for (const leave of ["pointerleave", "blur"]) marker.addEventListener(leave, () => this.choose(null));
    marker.addEventListener("keydown", (event) => this.rove(event, item));
    marker.addEventListener("click", (event) => { if (this.dragged) event.preventDefault(); });
    return marker;
  }

  /** Arrows on a marker go to the nearest one in that direction; only one marker is a tab stop. */
  rove(event, item) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const cost = (other) => {
      const [x, y] = [other.at[0] - item.at[0], other.at[1] - item.at[1]];
      const along = x * way[0] + y * way[1];
      return along <= 0 ? Infinity : along + 2 * Math.abs(x * way[1] - y * way[0]);
    };
    const next = this.plan.intersections.reduce((a, b) => (cost(b) < cost(a) ? b : a));
    if (cost(next) === Infinity) return;
    for (const [id, marker] of this.markers) mark(marker, "tabindex", id === next.id ? 0 : -1);
    this.markers.get(next.id).focus();
  }

  show(id, state, severity) {
    this.shows.get(id)?.(state, severity);
  }

  point(id) {
    for (const [key, node] of this.markers) node.classList.toggle("chosen", key === id);
  }

  fit() {
    const box = this.root.getBoundingClientRect();
    if (!box.width) return;
    const [wide, high] = this.plan.size;
    this.size = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16; // a wall display shows everything larger
    this.scale = Math.max(wide / Math.max(box.width - 60, 1), high / Math.max(box.height - UNDER_PX - OVER_PX, 1));
    this.centre = [wide / 2, high / 2 + ((UNDER_PX - OVER_PX) / 2) * this.scale];
    this.whole = this.scale;
    this.moved = false;
    this.frame();
    this.settle();
  }

  settle() {
    const { width, height } = this.root.getBoundingClientRect();
    const step = this.scale * this.size; // metres per px of the markers
    const west = this.centre[0] - (width * this.scale) / 2;
    const north = this.centre[1] - (height * this.scale) / 2;
    settle(this.plan.intersections, this.captions, ({ at }) => [(at[0] - west) / step, (at[1] - north) / step], [width / this.size, height / this.size - UNDER_PX]);
  }

  zoom(factor, at = this.centre) {
    const scale = Math.min(Math.max(this.scale * factor, 0.08), this.whole * 1.5);
    const ratio = scale / this.scale;
    this.centre = this.centre.map((value, axis) => at[axis] + (value - at[axis]) * ratio);
    this.scale = scale;
    this.rest();
  }

  rest() {
    this.moved = true;
    this.frame();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.settle(), REST_MS);
  }

  frame() {
    const { width, height } = this.root.getBoundingClientRect();
    if (!width) return;
    const [wide, high] = [width * this.scale, height * this.scale];
    this.root.setAttribute("viewBox", `${this.centre[0] - wide / 2} ${this.centre[1] - high / 2} ${wide} ${high}`);
    for (const [node, [x, y]] of this.floating) node.setAttribute("transform", `translate(${x} ${y}) scale(${this.scale * this.size})`);
    const near = this.scale < NEAR_M_PER_PX;
    this.root.classList.toggle("near", near);
    this.root.classList.toggle("far", !near);
    this.ruler();
  }

  ruler() {
    const wanted = this.scale * 90;
    const step = [2000, 1000, 500, 200, 100, 50, 20, 10].find((metres) => metres <= wanted) ?? 10;
    document.getElementById("scale-bar").style.width = `${step / this.scale}px`;
    say(document.getElementById("scale-text"), step >= 1000 ? `${step / 1000} km` : `${step} m`);
  }

  handles() {
    const { root } = this;
    let grip = null;
    root.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = root.getBoundingClientRect();
      const at = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
      this.zoom(Math.exp(event.deltaY * 0.0012), this.centre.map((value, axis) => value + at[axis] * this.scale));
    }, { passive: false });
    root.addEventListener("pointerdown", (event) => { grip = [event.clientX, event.clientY]; this.dragged = false; });
    root.addEventListener("dragstart", (event) => event.preventDefault());
    root.addEventListener("pointermove", (event) => {
      if (!grip || !event.buttons) return;
      const [x, y] = [event.clientX - grip[0], event.clientY - grip[1]];
      if (!this.dragged && Math.hypot(x, y) < 4) return;
      this.dragged = true;
      root.classList.add("drag");
      this.centre = [this.centre[0] - x * this.scale, this.centre[1] - y * this.scale];
      grip = [event.clientX, event.clientY];
      this.rest();
    });
    window.addEventListener("pointerup", () => { grip = null; root.classList.remove("drag"); });
    root.addEventListener("keydown", (event) => this.key(event));
    for (const button of document.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => ({ in: () => this.zoom(1 / 1.5), out: () => this.zoom(1.5), fit: () => this.fit() })[button.dataset.zoom]());
    }
  }

  key(event) {
    const step = this.scale * 60;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (moves[event.key]) this.centre = this.centre.map((value, axis) => value + moves[event.key][axis]);
    else if (event.key === "+" || event.key === "=") this.zoom(1 / 1.3);
    else if (event.key === "-") this.zoom(1.3);
    else if (event.key === "0") return this.fit();
    else return;
    event.preventDefault();
    this.rest();
  }
}

/** What stands around a marker: each approach's lamps, and how full it is. */
function signals(item) {
  const petals = svg("g", { class: "petals" });
  const lamps = [];
  const arms = [];
  for (const lanes of approaches(item)) {
    const direction = heading(lanes[0]);
    const { track, bar, wave } = arm(direction);
    petals.append(track, bar, wave);
    arms.push({ lanes, bar, wave });
    const parts = sorted(distinct(lanes.flatMap((lane) => lane.groups)));
    const at = [-direction.ahead[0] * 25, -direction.ahead[1] * 25];
    parts.forEach((part, index) => {
      const node = lamp(at, direction, 1 + index * (13 / parts.length), 1 + (index + 1) * (13 / parts.length) - 1, 3.6);
      petals.append(node);
      lamps.push([node, part.group]);
    });
  }
  return { petals, lamps, arms };
}

const WAVES = "M-6,-2q1.5,-3 3,0t3,0t3,0t3,0M-6,3q1.5,-3 3,0t3,0t3,0t3,0"; // water over a street

/** A track beside an arm of the junction, and the bar that fills it as queues grow. */
function arm({ ahead, right }) {
  const on = (along) => [right[0] * 7.5 - ahead[0] * along, right[1] * 7.5 - ahead[1] * along];
  const d = path([on(ARM_PX[0]), on(ARM_PX[0] + ARM_PX[1])]);
  const [x, y] = on(ARM_PX[0] + ARM_PX[1] / 2);
  const wave = svg("g", { class: "wave", transform: `translate(${x} ${y})` }, svg("circle", { r: 10 }), svg("path", { d: WAVES }));
  return { track: svg("path", { class: "arm track", d }), bar: svg("path", { class: "arm", d, "stroke-dasharray": "0 99" }), wave };
}

/** An approach is as full as its fullest lane. */
function fill(bar, lanes, state) {
  const share = Math.min(Math.max(...lanes.map((lane) => (state.lanes[lane.index]?.[0] ?? 0) / Math.max(lane.storage, 1))), 1);
  mark(bar, "stroke-dasharray", `${(share * ARM_PX[1]).toFixed(1)} 99`);
  mark(bar, "data-level", levelOf(share));
}

function approaches(item) {
  const found = new Map();
  for (const lane of item.lanes) found.set(lane.approach, [...(found.get(lane.approach) ?? []), lane]);
  return found.values();
}

function distinct(parts) {
  return [...new Map(parts.map((part) => [part.group, part])).values()];
}
