// How an intersection's signals did: pictures of one phase, figures of all.
import { groupLabel } from "./directions.js";
import { byId, html, mark, say } from "./dom.js";
import { get, plan } from "./live.js";
import { moment } from "./times.js";
import { lang, number, percent, t } from "./words.js";

const PICTURES = ["coordination", "splits", "terminations"];
const corridor = await plan;
const filters = byId("filters");
const fields = filters.elements;
let asked = 0; // an answer that comes after a newer question is dropped

filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("change", (event) => {
  if (event.target.name === "intersection") phases();
  load();
});
phases();
load();

/** The vehicle phases of the chosen intersection; a phase's number is its position plus one. */
function phases() {
  const item = corridor.intersections.find((one) => one.id === fields.intersection.value);
  const options = item.groups.flatMap((group, at) => (item.walking.includes(at) ? [] : [html("option", { value: at + 1 }, called(item, group))]));
  fields.phase.replaceChildren(...options);
}

/** A group as people know it, its traffic's origin and turns; its id where the drawing does not tell them. */
function called(item, group) {
  const at = item.groups.indexOf(group);
  const { short, arrows, walking } = at < 0 ? {} : groupLabel(item, at);
  return short ? `${short} ${walking ? t("place.walk.short") : arrows}` : group;
}

async function load() {
  const mine = ++asked;
  const item = corridor.intersections.find((one) => one.id === fields.intersection.value);
  const path = `/api/v1/intersections/${encodeURIComponent(fields.intersection.value)}/measures`;
  const query = `hours=${fields.hours.value}&phase=${fields.phase.value}&lang=${lang}&bare=true`;
  const [found, ...drawn] = await Promise.all([get(`${path}?hours=${fields.hours.value}`), ...PICTURES.map((name) => picture(`${path}/${name}.svg?${query}`))]);
  if (mine !== asked) return;
  mark(byId("known"), "data-tone", found ? null : "warn");
  say(byId("known"), found ? known(found) : t("measure.none"));
  PICTURES.forEach((name, at) => byId(name).replaceChildren(drawn[at] ?? html("p", { class: "empty" }, t(found && name === "coordination" ? "measure.coordination.none" : "measure.none"))));
  byId("phases").replaceChildren(...(found?.phases ?? []).map((one) => phaseRow(item, one)));
  byId("detectors").replaceChildren(...(found?.detectors ?? []).map(detectorRow));
}

function known(found) {
  const [from, to] = [found.since, found.until].map(moment);
  return t("measure.known", { from, to, share: percent((found.known_s * 1000) / (Date.parse(found.until) - Date.parse(found.since))) });
}

/** The SVG as an element; the page has its colours. Null where there is none. */
async function picture(path) {
  try {
    const answer = await fetch(path);
    if (!answer.ok) return null;
    return document.importNode(new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement, true);
  } catch {
    return null;
  }
}

const cell = (value, shown = number) => html("td", { class: "end" }, value === null ? "–" : shown(value));
const fine = (value) => value.toLocaleString(lang === "vi" ? "vi-VN" : "en-GB", { maximumFractionDigits: 2 });

function phaseRow(item, one) {
  return html("tr", {}, html("th", { scope: "row", title: one.group }, called(item, one.group)), cell(one.greens), cell(one.green_s), cell(one.split_failures), cell(one.volume),
    cell(one.share_on_green, percent), cell(one.platoon_ratio, fine), cell(one.wait_max_s), cell(one.red_entries), cell(one.pedestrian_delay_s));
}

function detectorRow(one) {
  return html("tr", {}, html("th", { scope: "row" }, one.detector), cell(one.actuations), cell(one.occupied, percent),
    html("td", { "data-tone": one.suspicion === "none" ? undefined : "warn" }, t(`measure.suspicion.${one.suspicion}`)));
}
