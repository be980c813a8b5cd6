// Where the intersections' names stand: beside their marker, off the streets, off each other, inside the map.
import { heading } from "./junction.js";
import { svg } from "./dom.js";

const DEGREES = [0, 180, 45, -45, 135, -135, 90, -90];
const AWAY_PX = 21; // from the marker's centre to its name
const LETTER_PX = 7; // mean width of a letter at 12 px
const LINE_PX = 14;
const MARKER_PX = 17; // half the side of the square that a marker needs
const TOO_MUCH = 900; // a name that would cover so many px² of others is left out until there is room
const ON_A_STREET = 500; // what it costs to stand on an arm, in px² of overlap

/** The text of one name, one line per street, and its countdown; `moved` puts it at an angle. */
export function caption(item) {
  const words = item.short.split(" – ");
  const left = svg("text", { class: "left" });
  const lines = words.map((word) => svg("text", { class: "name" }, word));
  const group = svg("g", { class: "caption", "aria-hidden": "true" }, ...lines, left);
  const wide = Math.max(...words.map((word) => word.length)) * LETTER_PX;
  const high = words.length * LINE_PX;

  function moved(degrees) {
    const { x, y, anchor } = corner(degrees, high);
    group.setAttribute("text-anchor", anchor);
    [...lines, left].forEach((line, index) => {
      line.setAttribute("x", x);
      line.setAttribute("y", y + index * LINE_PX + 10);
    });
  }
  return { group, left, wide, high, moved };
}

function corner(degrees, high) {
  const angle = (degrees * Math.PI) / 180;
  const [x, y] = [Math.cos(angle) * AWAY_PX, Math.sin(angle) * AWAY_PX];
  const anchor = x > 6 ? "start" : x < -6 ? "end" : "middle";
  const top = y > 6 ? y - 4 : y < -6 ? y - high + 4 : -high / 2;
  return { x, y: top, anchor };
}

/** Choose a place for every name; `at` gives marker positions in px, `size` the map's. */
export function settle(items, captions, at, size) {
  const taken = items.map((item) => around(at(item), MARKER_PX));
  items.forEach((item, index) => {
    const name = captions.get(item.id);
    const arms = directions(item);
    const cost = (degrees) => {
      const box = placed(at(item), name, degrees);
      const others = taken.filter((_, other) => other !== index);
      return others.reduce((sum, other) => sum + shared(box, other), 0) + 3 * outside(box, size) + (near(arms, degrees) ? ON_A_STREET : 0);
    };
    const best = DEGREES.reduce((one, two) => (cost(two) < cost(one) - 1 ? two : one));
    name.moved(best);
    name.group.classList.toggle("crowded", cost(best) > TOO_MUCH);
    if (cost(best) > TOO_MUCH) return;
    taken.push(placed(at(item), name, best));
  });
}

function directions(item) {
  return item.lanes.map((lane) => {
    const { ahead } = heading(lane);
    return Math.atan2(-ahead[1], -ahead[0]);
  });
}

function near(arms, degrees) {
  const angle = (degrees * Math.PI) / 180;
  return arms.some((arm) => Math.abs(Math.atan2(Math.sin(angle - arm), Math.cos(angle - arm))) < 0.45);
}

function placed([x, y], name, degrees) {
  const at = corner(degrees, name.high);
  const shift = { start: 0, end: -name.wide, middle: -name.wide / 2 }[at.anchor];
  return [x + at.x + shift, y + at.y, x + at.x + shift + name.wide, y + at.y + name.high];
}

const around = ([x, y], half) => [x - half, y - half, x + half, y + half];

const shared = (a, b) => Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));

const outside = (box, [wide, high]) => (box[2] - box[0]) * (box[3] - box[1]) - shared(box, [0, 0, wide, high]);
