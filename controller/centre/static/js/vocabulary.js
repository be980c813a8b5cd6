// Intersections, stages, modes and reasons in words; the shapes that say the same as the colours.
import { html, mark, say, svg } from "./dom.js";
import { either, known, lang, t, tight } from "./words.js";

/** A mode's mark, in a box from −10 to 10: told apart by outline alone. */
export const SHAPES = {
  ADAPTIVE: "M0-10A10 10 0 1 1 0 10A10 10 0 1 1 0-10Z",
  PLAN: "M-8.5-8.5H8.5V8.5H-8.5Z",
  MANUAL: "M0-11.5L11.5 0L0 11.5L-11.5 0Z",
  PREEMPT: "M0-11.5L11 8.5H-11Z",
  LOCAL: "M-5.5-9.5H5.5L11 0L5.5 9.5H-5.5L-11 0Z",
  FLASH: "M-4-10H4L10-4V4L4 10H-4L-10 4V-4Z",
};

export const modeName = (mode) => t(`mode.${mode}`);

/** A badge that `showMode` fills. */
export function modeBadge() {
  return html("span", { class: "mode" }, svg("svg", { viewBox: "-13 -13 26 26", "aria-hidden": "true" }, svg("path", {})), html("span"));
}

export function showMode(badge, mode) {
  if (badge.dataset.mode === mode) return;
  badge.dataset.mode = mode;
  badge.querySelector("path").setAttribute("d", SHAPES[mode]);
  say(badge.lastElementChild, modeName(mode));
}

export const nameOf = (item) => either(item.name_vi, item.name_en);
export const stageName = (stage) => either(stage.vi, stage.en);

/** A stage's letter on its colour, and its name; `showStage` fills it. */
export function stageMark(named = true) {
  return html("span", { class: "stage" }, html("b"), ...(named ? [html("span")] : []));
}

export function showStage(node, item, index, between = false) {
  const stage = item.stages[index];
  mark(node, "data-stage", index % 8);
  node.classList.toggle("between", between);
  say(node.firstElementChild, stage.id);
  if (node.children.length > 1) say(node.lastElementChild, stageName(stage) === stage.id ? "" : stageName(stage));
}

/** Why this mode, as a person would say it. */
export function causeOf(state) {
  const [code, rest] = state.cause.split(/: (.*)/);
  if (!known(`cause.${code}`)) return state.cause;
  // What a link says is in English, for who mends it.
  const more = code === "link-lost" ? either("", rest) : rest?.replace(/(?:≤ |^)(\d+:\d\d|\d+ s)$/, (_, left) => t("cause.left", { left }));
  return t(`cause.${code}`) + (more ? ` (${more})` : "");
}

/** Why what happens happens: the policy's reason while it is in charge, else the reason of the mode. */
export function reasonOf(state) {
  return tight(state.mode === "ADAPTIVE" && state.why ? either(state.why_vi, state.why) : causeOf(state));
}

/** What the guard or the cabinet refused in this second, or "". */
export function refusalOf(state) {
  if (state.cabinet_refusal) return known(`cabinet-refusal.${state.cabinet_refusal}`) ? t(`cabinet-refusal.${state.cabinet_refusal}`) : state.cabinet_refusal;
  if (state.guard_refusal) return known(`refusal.${state.guard_refusal}`) ? t(`refusal.${state.guard_refusal}`) : state.guard_refusal;
  return "";
}

/** Give each intersection `short`: what tells it from the others, the street that crosses the corridor's own. */
export function shorten(items) {
  const key = lang === "vi" ? "name_vi" : "name_en";
  for (const item of items) {
    const parts = item[key].split(/\s[–×x-]\s/);
    const common = (part) => items.length > 2 && items.filter((other) => other[key].includes(part)).length > items.length / 2;
    item.short = parts.filter((part) => parts.length < 2 || !common(part)).join(" – ") || item[key];
  }
}

/** Queue and fill of an intersection: pcu that wait, and how full its fullest lane is. */
export function load(item, state) {
  let waiting = 0;
  let fullest = 0;
  for (const lane of item.lanes) {
    const [queued = 0] = state.lanes[lane.index] ?? [];
    waiting += queued;
    fullest = Math.max(fullest, queued / Math.max(lane.storage, 1));
  }
  return { waiting, fullest };
}

export const LONG = 0.5; // of a lane's detection zone filled
export const FULL = 0.85;
export const levelOf = (share) => (share > FULL ? "full" : share > LONG ? "long" : "");
