// Where traffic comes from and where it turns, in words and arrows.
import { heading } from "./junction.js";
import { t } from "./words.js";

const GLYPHS = { l: "←", s: "↑", r: "→", t: "↩" };
const ORDER = "tlsr"; // from the left edge of a lane to its right edge

const BESIDE_M = 25; // a crossing whose middle is so near to a stop line crosses that lane's street

const eighth = (x, y) => (Math.round((Math.atan2(x, -y) * 4) / Math.PI) + 8) % 8;

const SIDES = ["n", "ne", "e", "se", "s", "sw", "w", "nw"];

/**
 * Which eighth of the compass a lane's traffic comes from, 0 = north, clockwise: as the catalogue calls its approach
 * (MT_304_nw), so that alarms and stages say the same; else as it lies.
 */
export function origin(lane) {
  const [, end] = /_(\w{1,2})$/.exec(lane.approach) ?? [];
  if (lane.named && SIDES.includes(end)) return SIDES.indexOf(end);
  const { ahead } = heading(lane);
  return eighth(-ahead[0], -ahead[1]);
}

/** The eighth by which people name the street that is crossed at a point: its traffic's, or where the point lies. */
function armOf(item, [x, y]) {
  const away = ({ points: [[u, v]] }) => Math.hypot(u - x, v - y);
  const nearest = item.lanes.reduce((best, lane) => (best && away(best) <= away(lane) ? best : lane), null);
  return nearest && away(nearest) <= BESIDE_M ? origin(nearest) : eighth(x - item.at[0], y - item.at[1]);
}

export const glyphs = (turns) => [...new Set(turns)].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).map((turn) => GLYPHS[turn]).join("");

/** A signal group for people: where from (short), arrows, and the whole in words. */
export function groupLabel(item, index) {
  if (item.walking.includes(index)) {
    const middles = item.crossings.filter((one) => one.group === index).map(({ points }) => points[Math.floor(points.length / 2)]);
    const where = armOf(item, middles[0] ?? item.at);
    return { short: t(`compass.${where}`), arrows: "", words: t("place.walk", { where: t(`compass.long.${where}`) }), walking: true };
  }
  const lanes = item.lanes.filter((lane) => lane.groups.some((part) => part.group === index));
  const turns = lanes.flatMap((lane) => lane.groups.filter((part) => part.group === index).flatMap((part) => [...part.turns]));
  const from = [...new Set(lanes.map(origin))];
  return {
    short: from.map((where) => t(`compass.${where}`)).join(" "),
    arrows: glyphs(turns),
    words: `${from.map((where) => t("place.from", { where: t(`compass.long.${where}`) })).join(", ")}: ${[...new Set(turns)].map((turn) => t(`turn.${turn}`)).join(", ")}`,
    walking: false,
  };
}
