// The stages of the last minutes as a strip of colours; gaps are interstages.
import { svg } from "./dom.js";

export const PAST_S = 300; // as the centre sends them

export function ribbon() {
  return svg("svg", { class: "ribbon", viewBox: `0 0 ${PAST_S} 10`, preserveAspectRatio: "none", "aria-hidden": "true" });
}

export function showRibbon(root, text) {
  if (root.dataset.text === text) return;
  root.dataset.text = text;
  const start = PAST_S - text.length;
  root.replaceChildren(...runs(text).map(({ at, long, stage }) => svg("rect", { x: start + at, y: 0, width: long, height: 10, "data-stage": stage % 8 })));
}

/** The greens in a ribbon: where each begins, how long it is, its stage. */
export function runs(text) {
  return [...text.matchAll(/(.)\1*/g)].filter((run) => run[1] !== "-").map((run) => ({ at: run.index, long: run[0].length, stage: parseInt(run[1], 36) }));
}
