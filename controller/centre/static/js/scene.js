// One intersection seen from above: live with lamps and queues, or a stage as arrows through it.
import { svg } from "./dom.js";
import { heading, junction, path, streets } from "./junction.js";

const REACH_M = 34; // street shown around the outermost stop line
const CLOSE_M = 9; // the same in a stage's picture

/** A live drawing in `root`; returns what shows one second's state. */
export function scene(root, item, plan, reach = REACH_M) {
  const layer = svg("g");
  root.append(...streets(around(root, item, plan, reach)), layer);
  return junction(layer, item);
}

/** A stage: an arrow for every movement that it lets go, dashed where it must yield, and the crossings. */
export function stagePicture(root, item, plan, aspects) {
  const near = around(root, item, plan, CLOSE_M);
  root.append(...streets(near));
  const size = extent(item) / 14;
  for (const crossing of item.crossings) {
    root.append(svg("path", { class: aspects[crossing.group] === "r" ? "still" : "walk-bar", d: path(crossing.points), "stroke-width": crossing.width * 0.8 }));
  }
  for (const lane of item.lanes) {
    for (const part of lane.groups) {
      const aspect = aspects[part.group];
      if (aspect === "r") continue;
      for (const turn of part.turns) root.append(...arrow(lane, turn, item.at, size, aspect));
    }
  }
}

function around(root, item, plan, reach) {
  const [x, y] = item.at;
  const radius = extent(item) + reach;
  root.setAttribute("viewBox", `${x - radius} ${y - radius} ${2 * radius} ${2 * radius}`);
  root.setAttribute("preserveAspectRatio", "xMidYMid slice");
  return plan.lanes.filter((lane) => touches(lane.points, x, y, radius * 2));
}

const extent = (item) => Math.max(...item.lanes.map((lane) => Math.hypot(lane.points[0][0] - item.at[0], lane.points[0][1] - item.at[1])), 12);

/** Whether any piece of the line comes into the square around (x, y). */
function touches(points, x, y, reach) {
  return points.some(([u, v], index) => {
    const [p, q] = points[index + 1] ?? [u, v];
    return Math.min(u, p) < x + reach && Math.max(u, p) > x - reach && Math.min(v, q) < y + reach && Math.max(v, q) > y - reach;
  });
}

/** From the stop line through the middle, turning as the lane does. */
function arrow(lane, turn, centre, size, aspect) {
  const from = lane.points[0];
  const { ahead, right } = heading(lane);
  const half = Math.max((centre[0] - from[0]) * ahead[0] + (centre[1] - from[1]) * ahead[1], 6);
  const go = ([x, y], along, across) => [x + ahead[0] * along + right[0] * across, y + ahead[1] * along + right[1] * across];
  const bends = {
    s: [from, go(from, 1.6 * half, 0)],
    l: [from, go(from, half * 0.95, 0), go(from, half * 1.05, -0.75 * half)],
    r: [from, go(from, half * 0.35, 0), go(from, half * 0.4, 0.5 * half)],
    t: [from, go(from, half * 0.5, -size), go(from, 0, -2.2 * size)],
  }[turn];
  const [last, end] = bends.slice(-2);
  const long = Math.hypot(end[0] - last[0], end[1] - last[1]) || 1;
  const [u, v] = [(end[0] - last[0]) / long, (end[1] - last[1]) / long];
  const tip = [[end[0] - v * size, end[1] + u * size], [end[0] + u * size * 1.7, end[1] + v * size * 1.7], [end[0] + v * size, end[1] - u * size]];
  const line = bends.length === 2 ? path(bends) : `M${bends[0]}Q${bends[1]} ${bends[2]}`;
  return [svg("path", { class: `go-arrow ${aspect}`, d: line, "stroke-width": size * 0.75 }), svg("path", { class: `go-arrow tip ${aspect}`, d: `${path(tip)}Z` })];
}
