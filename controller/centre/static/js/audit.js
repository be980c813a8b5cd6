// Who did what: search the log, and on demand compute its chain again.
import { byId, html, mark, say } from "./dom.js";
import { get, plan } from "./live.js";
import { duration, moment } from "./times.js";
import { nameOf } from "./vocabulary.js";
import { either, known, t } from "./words.js";

const PAGE = 100;
const OFFSET = "+07:00";
const HOUR_MS = 3600000;
const TONES = { done: "good", given: "calm", waiting: "calm", asked: "calm", refused: "bad", unreachable: "bad", failed: "bad", ended: "warn" };
const filters = byId("filters");
const corridor = await plan;
const places = new Map(corridor.intersections.map((item) => [item.id, item]));
const actors = new Set();
let next = null;
let asked = 0;

// A search that was sent before this script could take it has come back as the page's address.
for (const [name, value] of new URLSearchParams(location.search)) {
  const field = filters.elements.namedItem(name);
  if (field) field.value = value;
}
filters.addEventListener("submit", (event) => {
  event.preventDefault();
  load();
});
filters.addEventListener("reset", () => queueMicrotask(again));
filters.addEventListener("change", again);
byId("more").addEventListener("click", () => load(next));
byId("check").addEventListener("click", chain);
again();

function again() {
  unfold();
  load();
}

function unfold() {
  const own = filters.elements.span.value === "own";
  for (const field of filters.querySelectorAll(".own")) field.hidden = field.querySelector("input").disabled = !own;
}

function wanted() {
  const fields = new URLSearchParams();
  for (const name of ["text", "actor", "target", "action"]) {
    const value = filters.elements[name].value.trim();
    if (value) fields.set(name, value);
  }
  const span = filters.elements.span.value;
  if (span === "own") for (const name of ["from", "to"]) if (filters.elements[name].value) fields.set(name, `${filters.elements[name].value}:00${OFFSET}`);
  if (Number(span)) fields.set("from", new Date(Date.now() - Number(span) * HOUR_MS).toISOString());
  return fields;
}

async function load(after) {
  const fields = wanted();
  byId("export")?.setAttribute("href", `/api/v1/audit/export?${fields}`);
  fields.set("limit", PAGE);
  if (typeof after === "number" || typeof after === "string") fields.set("after", after);
  const mine = ++asked;
  const page = await get(`/api/v1/audit?${fields}`);
  if (mine !== asked) return;
  if (!page) {
    empty(t("audit.lost"));
    return;
  }
  next = page.next;
  byId("more").hidden = next === null;
  for (const one of page.entries) actors.add(one.actor);
  byId("actors").replaceChildren(...[...actors].sort().map((name) => html("option", { value: name })));
  if (!fields.has("after")) byId("rows").replaceChildren();
  byId("rows").append(...page.entries.map(row));
  if (!byId("rows").children.length) empty(t("audit.none"));
}

function row(entry) {
  const place = places.get(entry.target);
  const action = `audit.action.${entry.action}`;
  const outcome = `audit.outcome.${entry.outcome}`;
  const role = `role.${entry.role}`;
  return html("tr", { "data-seq": entry.seq },
    html("td", { class: "time" }, moment(entry.at)),
    html("td", { class: "act" }, html("b", { title: entry.actor }, spoken("actor", entry.actor)), html("small", { class: "under" }, known(role) ? t(role) : entry.role)),
    html("td", { class: "act" }, known(action) ? t(action) : entry.action),
    html("td", { class: "place" }, place ? html("a", { href: `/intersections/${encodeURIComponent(entry.target)}` }, nameOf(place)) : entry.target),
    html("td", { class: "grow" }, ...details(entry, place)),
    html("td", {}, html("span", { class: "tag", "data-tone": TONES[entry.outcome] }, known(outcome) ? t(outcome) : entry.outcome)),
    html("td", { class: "end faint" }, String(entry.seq)));
}

/** What of the detail people ask for first; the rest stands behind it as it was written, but for machines' keys. */
function details(entry, place) {
  const { order, ...own } = entry.detail;
  const { reason, note, plan: number, stage, for_s, took_s, vi, en, key, cabinet, ...others } = { ...order, ...own };
  const rest = order ? {} : others;
  const said = [];
  if (vi || en) said.push(either(vi, en));
  if (took_s) said.push(t("audit.took", { s: took_s }));
  if (typeof number === "number") said.push(t("audit.plan", { n: number }));
  if (typeof stage === "number") said.push(t("audit.stage", { id: place?.stages[stage]?.id ?? stage }));
  if (typeof for_s === "number") said.push(t("audit.for", { time: duration(for_s) }));
  const more = Object.entries(rest).filter(([name, value]) => value !== null && value !== "" && !(name === "earlier" && value === 0)).map(([name, value]) => named(name, value)).join(" · ");
  const words = reason ? spoken("why", reason) : note;
  return [...(words ? [html("span", {}, `“${words}”`)] : []), ...(said.length ? [html("span", { class: "soft" }, `${words ? " " : ""}${said.join(", ")}`)] : []),
    ...(more ? [html("small", { class: "under" }, more)] : [])];
}

/** A word of ours in the reader's language; whatever else as it was written. */
function spoken(table, value) {
  const word = `audit.${table}.${value}`;
  return known(word) ? t(word) : String(value);
}

function named(name, value) {
  const word = `audit.key.${name}`;
  const text = typeof value === "object" ? JSON.stringify(value) : name === "given" && known(`role.${value}`) ? t(`role.${value}`) : spoken(name, value);
  return known(word) ? t(word, { value: text }) : `${name}: ${text}`;
}

function empty(text) {
  byId("more").hidden = true;
  byId("rows").replaceChildren(html("tr", {}, html("td", { colspan: 7, class: "empty" }, text)));
}

async function chain() {
  byId("check").disabled = true;
  mark(byId("chain"), "data-tone", "calm");
  say(byId("chain"), t("audit.chain.checking"));
  const found = await get("/api/v1/audit/verify");
  byId("check").disabled = false;
  const broken = found?.first_broken;
  mark(byId("chain"), "data-tone", !found ? "warn" : found.whole ? "good" : "bad");
  say(byId("chain"), !found ? t("audit.chain.unknown") : found.whole ? `✓ ${t("audit.chain.whole", { n: found.entries })}` : `✕ ${t("audit.chain.broken", { n: broken })}`);
}
