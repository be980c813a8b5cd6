// The whole corridor, north up: drag, wheel, buttons or keys move it.
import { mark, say, svg } from "./dom.js";
import { drawQueue, heading, junction, lamp, path, queuePath, sorted, streets } from "./junction.js";
import { caption, settle } from "./labels.js";

const NEAR_M_PER_PX = 0.55; // below it the real stop lines are large enough to read
const QUEUE_PX = 3.4; // how wide a queue is drawn from far

export class CorridorMap {
  constructor(root, plan, choose) {
    this.root = root;
    this.plan = plan;
    this.floating = [];
    this.thin = [];
    this.captions = new Map();
    this.shows = new Map();
    this.markers = new Map();
    this.streets();
    const words = plan.intersections.map((item) => [this.place(item, choose), item.at]);
    for (const [node, at] of words) this.float(node, at); // above every signal
    this.scale = 1;
    this.fit();
    this.handles();
    new ResizeObserver(() => this.frame(false)).observe(root);
  }

  streets() {
    const layer = svg("g");
    for (const lane of this.plan.lanes) {
      if (!lane.internal) layer.append(svg("path", { class: "road hair", d: path(lane.points) }));
    }
    layer.append(...streets(this.plan.lanes));
    this.root.append(layer);
    for (const label of this.plan.labels) {
      const node = svg("g", {}, svg("text", { class: "label", y: -14 }, label.text));
      this.float(node, label.at);
    }
  }

  float(node, at) {
    this.root.append(node);
    this.floating.push([node, at]);
  }

  place(item, choose) {
    const near = svg("g", { class: "lanes-near" });
    const far = svg("g", { class: "far-queue" });
    this.root.append(far, near);
    const showNear = junction(near, item);
    this.thin.push(far);
    const queues = item.lanes.map((lane) => [queuePath(lane), lane]);
    far.append(...queues.map(([node]) => node));
    const marker = svg("g", { class: "marker", "data-id": item.id });
    const petals = svg("g", { class: "petals" });
    const lamps = [];
    for (const lanes of approaches(item)) {
      const direction = heading(lanes[0]);
      const parts = sorted(distinct(lanes.flatMap((lane) => lane.groups)));
      const at = [-direction.ahead[0] * 24, -direction.ahead[1] * 24];
      parts.forEach((part, index) => {
        const node = lamp(at, direction, 1 + index * (13 / parts.length), 1 + (index + 1) * (13 / parts.length) - 1, 3.6);
        petals.append(node);
        lamps.push([node, part.group]);
      });
    }
    const name = caption(item);
    this.captions.set(item.id, name);
    marker.append(petals, svg("circle", { r: 12 }), svg("text", { y: 4.3 }, String(item.number)));
    const words = svg("g", { class: "marker" }, name.group);
    for (const node of [marker, words]) node.addEventListener("click", () => choose(item.id));
    this.float(marker, item.at);
    this.markers.set(item.id, marker);
    this.shows.set(item.id, (state) => {
      showNear(state);
      for (const [node, lane] of queues) if (state.lanes[lane.index]) drawQueue(node, lane, state.lanes[lane.index]);
      for (const [node, group] of lamps) mark(node, "data-a", state.aspects[group]);
      mark(marker, "data-mode", state.mode);
      mark(marker, "style", `--mode:var(--${state.mode})`);
      for (const node of [marker, words]) node.classList.toggle("stale", state.stale);
      say(name.left, state.commitment?.end_in_s > 0 ? `${state.commitment.end_in_s} s` : "");
    });
    return words;
  }

  show(id, state) {
    this.shows.get(id)?.(state);
  }

  focus(id) {
    const item = this.plan.intersections.find((one) => one.id === id);
    this.centre = [...item.at];
    this.scale = 0.32;
    this.frame(true);
    for (const [key, node] of this.markers) node.classList.toggle("chosen", key === id);
  }

  fit() {
    const box = this.root.getBoundingClientRect();
    const [wide, high] = this.plan.size;
    this.centre = [wide / 2, high / 2];
    this.scale = Math.max(wide / Math.max(box.width - 60, 1), high / Math.max(box.height - 90, 1));
    this.whole = this.scale;
    const west = wide / 2 - (box.width * this.scale) / 2;
    const north = high / 2 - (box.height * this.scale) / 2;
    settle(this.plan.intersections, this.captions, ({ at }) => [(at[0] - west) / this.scale, (at[1] - north) / this.scale], [box.width, box.height - 56]);
    this.frame(false);
  }

  zoom(factor, at = this.centre) {
    const scale = Math.min(Math.max(this.scale * factor, 0.08), this.whole * 1.5);
    const ratio = scale / this.scale;
    this.centre = this.centre.map((value, axis) => at[axis] + (value - at[axis]) * ratio);
    this.scale = scale;
    this.frame(false);
  }

  frame() {
    const { width, height } = this.root.getBoundingClientRect();
    if (!width) return;
    const [wide, high] = [width * this.scale, height * this.scale];
    this.root.setAttribute("viewBox", `${this.centre[0] - wide / 2} ${this.centre[1] - high / 2} ${wide} ${high}`);
    for (const [node, [x, y]] of this.floating) node.setAttribute("transform", `translate(${x} ${y}) scale(${this.scale})`);
    for (const node of this.thin) node.setAttribute("stroke-width", QUEUE_PX * this.scale);
    const near = this.scale < NEAR_M_PER_PX;
    this.root.classList.toggle("near", near);
    this.root.classList.toggle("far", !near);
    this.ruler();
  }

  ruler() {
    const wanted = this.scale * 90;
    const step = [1000, 500, 200, 100, 50, 20, 10].find((metres) => metres <= wanted) ?? 10;
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
    root.addEventListener("pointerdown", (event) => { grip = [event.clientX, event.clientY]; });
    root.addEventListener("pointermove", (event) => {
      if (!grip || !event.buttons) return;
      root.classList.add("drag");
      this.centre = [this.centre[0] - (event.clientX - grip[0]) * this.scale, this.centre[1] - (event.clientY - grip[1]) * this.scale];
      grip = [event.clientX, event.clientY];
      this.frame();
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
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
    this.frame();
  }
}

function approaches(item) {
  const found = new Map();
  for (const lane of item.lanes) found.set(lane.approach, [...(found.get(lane.approach) ?? []), lane]);
  return found.values();
}

function distinct(parts) {
  return [...new Map(parts.map((part) => [part.group, part])).values()];
}
