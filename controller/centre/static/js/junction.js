// One intersection at street scale: crossings, queues along the lanes, lamps across the stop lines.
import { mark, svg } from "./dom.js";
import { levelOf } from "./vocabulary.js";

const PCU_M = 6; // street length that one queued passenger-car unit takes, metres
const GAP_M = 3; // a queue is drawn this far behind the lamp, so that both can be read
const SIDES = "tlsr"; // turns from the left edge of a lane to its right edge
const DOUBT = 0.5; // confidence below which a queue is drawn faint

export const path = (points) => "M" + points.map(([x, y]) => `${x},${y}`).join("L");

/** Unit vector of travel at the stop line, and its right-hand normal (y points down). */
export function heading(lane) {
  const [[x, y], [u, v]] = lane.points;
  const long = Math.hypot(x - u, y - v) || 1;
  const ahead = [(x - u) / long, (y - v) / long];
  return { ahead, right: [-ahead[1], ahead[0]] };
}

export function sorted(groups) {
  const side = (part) => Math.min(...[...part.turns].map((turn) => SIDES.indexOf(turn)), 9);
  return [...groups].sort((a, b) => side(a) - side(b));
}

/** A lamp: a bar across the lane and an arrow ahead of it that opens on green. */
export function lamp(at, { ahead, right }, from, to, thick) {
  const on = (across, along) => [at[0] + right[0] * across + ahead[0] * along, at[1] + right[1] * across + ahead[1] * along];
  const [a, b] = [on(from, 0), on(to, 0)];
  const wing = Math.min((to - from) / 2, thick * 1.6);
  const middle = (from + to) / 2;
  const arrow = [on(middle - wing, thick * 0.9), on(middle + wing, thick * 0.9), on(middle, thick * 0.9 + wing * 1.7)];
  return svg("g", { class: "head" },
    svg("line", { x1: a[0], y1: a[1], x2: b[0], y2: b[1], "stroke-width": thick }),
    svg("path", { d: path(arrow) + "Z" }));
}

export function queuePath(lane, width) {
  return svg("path", { class: "queue", d: path(lane.points), "stroke-dasharray": "0 9999", ...(width && { "stroke-width": width }) });
}

export function drawQueue(node, lane, reading) {
  const [queued, , confidence] = reading;
  mark(node, "stroke-dasharray", queued < 0.1 ? "0 9999" : `0 ${GAP_M} ${(queued * PCU_M).toFixed(1)} 9999`);
  mark(node, "data-level", levelOf(queued / Math.max(lane.storage, 1)));
  node.classList.toggle("doubt", confidence < DOUBT);
}

/** Asphalt: every lane with a fine edge, the junction's inside without. */
export function streets(lanes) {
  const draw = (kind, lane, width) => svg("path", { class: `road ${kind}`, d: path(lane.points), "stroke-width": width });
  const outer = lanes.filter((lane) => !lane.internal);
  const inner = lanes.filter((lane) => lane.internal);
  return [
    ...outer.map((lane) => draw("edge", lane, lane.width)),
    ...inner.map((lane) => draw("inner", lane, lane.width)),
    ...outer.map((lane) => draw("", lane, lane.width - 0.35)),
  ];
}

/** Whether an approach is flooded or closed. */
export const isShut = (state, approach) => state.streets?.closed.includes(approach) ?? false;

/** Draws into `layer` and returns the function that shows one second's state. */
export function junction(layer, item) {
  const lamps = [];
  const queues = [];
  const waters = item.lanes.map((lane) => [svg("path", { class: "water", d: path(lane.points), "stroke-width": lane.width }), lane.approach]);
  layer.append(...waters.map(([node]) => node));
  for (const crossing of item.crossings) {
    const node = svg("path", { class: "crossing", d: path(crossing.points), "stroke-width": crossing.width });
    layer.append(node);
    lamps.push([node, crossing.group]);
  }
  for (const lane of item.lanes) {
    const node = queuePath(lane, lane.width * 0.62);
    layer.append(node);
    queues.push([node, lane]);
  }
  for (const lane of item.lanes) {
    const parts = sorted(lane.groups);
    const wide = (lane.width * 0.88) / parts.length;
    parts.forEach((part, index) => {
      const from = -lane.width * 0.44 + index * wide;
      const node = lamp(lane.points[0], heading(lane), from + 0.1, from + wide - 0.1, 2.2);
      layer.append(node);
      lamps.push([node, part.group]);
    });
  }
  return (state) => {
    for (const [node, approach] of waters) node.classList.toggle("shut", isShut(state, approach));
    for (const [node, group] of lamps) mark(node, "data-a", state.aspects[group]);
    for (const [node, lane] of queues) if (state.lanes[lane.index]) drawQueue(node, lane, state.lanes[lane.index]);
  };
}
