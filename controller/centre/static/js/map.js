// The map page: the street, where to look first, what has just happened.
import { byId, html, icon, mark, say, svg } from "./dom.js";
import { follow, plan, whenLost } from "./live.js";
import { Log } from "./log.js";
import { Peek } from "./peek.js";
import { StreetMap } from "./streetmap.js";
import { tellTrouble } from "./trouble.js";
import { levelOf, load, modeName, nameOf, SHAPES, shorten } from "./vocabulary.js";
import { number, t } from "./words.js";

const SHOWN = 20; // intersections to look at; more than that nobody reads
const TEXTS = 3; // things told of one intersection
const BUSIEST = 3;

const corridor = await plan;
shorten(corridor.intersections);
const places = new Map(corridor.intersections.map((item) => [item.id, item]));
const peek = new Peek(byId("peek"));
const map = new StreetMap(byId("map"), corridor, (id) => { map.point(id); peek.choose(places.get(id)); });
const log = new Log(byId("log"), corridor);
const counts = new Map(Object.keys(SHAPES).map((mode) => [mode, counter(mode)]));
byId("modes").append(...[...counts.values()].map(({ root }) => root));
let spoken = new Set();

follow((state) => {
  const worst = new Map();
  for (const one of state.trouble) if (!worst.has(one.intersection)) worst.set(one.intersection, one.severity);
  for (const [id, one] of Object.entries(state.intersections)) map.show(id, one, worst.get(id));
  peek.show(state.intersections);
  modes(Object.values(state.intersections));
  if (state.feed === "waiting" || state.feed === "ended") unknown();
  else trouble(state);
  busiest(state.intersections);
  log.take(state.events, state.last_event);
  counters(state);
});

whenLost(unknown);

/** While nobody knows how things are, the list says so. */
function unknown() {
  const root = byId("trouble");
  if (root.dataset.signature === "unknown") return;
  root.dataset.signature = "unknown";
  root.replaceChildren(html("li", { class: "rest" }, t("map.unknown")));
}

function counter(mode) {
  const figure = html("b", {}, "0");
  return { figure, root: html("li", { "data-mode": mode }, svg("svg", { viewBox: "-13 -13 26 26", "aria-hidden": "true" }, svg("path", { d: SHAPES[mode] })), modeName(mode), figure) };
}

function modes(states) {
  for (const [mode, { root, figure }] of counts) {
    const n = states.filter((one) => one.mode === mode && !one.stale).length;
    say(figure, number(n));
    root.hidden = n === 0;
  }
}

/** The list is built anew only when it says something else, so that a focused line keeps its focus. */
function trouble(state) {
  const root = byId("trouble");
  const lines = state.trouble.map((one) => ({ one, item: places.get(one.intersection), text: tellTrouble(one, state.intersections[one.intersection], places.get(one.intersection)) }));
  aloud(lines);
  const signature = JSON.stringify(lines.map(({ one, text }) => [one.intersection, text]));
  if (root.dataset.signature === signature) return;
  root.dataset.signature = signature;
  const focused = root.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  if (!lines.length) root.replaceChildren(html("li", { class: "quiet" }, icon("ok"), t("map.quiet")));
  const groups = [...Map.groupBy(lines, ({ item }) => item).values()];
  if (groups.length) root.replaceChildren(...groups.slice(0, SHOWN).map(line));
  if (groups.length > SHOWN) root.append(html("li", { class: "rest" }, t("map.more", { n: groups.length - SHOWN })));
  if (focused) root.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

/** All that is told of one intersection; the most urgent comes first. */
function line(told) {
  const [{ one, item }] = told;
  const texts = told.slice(0, TEXTS).map(({ text }) => html("small", {}, text));
  if (told.length > TEXTS) texts.push(html("small", {}, t("map.more", { n: told.length - TEXTS })));
  const link = html("a", { href: `/intersections/${encodeURIComponent(item.id)}`, "data-tone": one.severity },
    icon(one.severity === "calm" ? "hand" : one.severity), html("span", { class: "plate" }, String(item.number)),
    html("span", {}, html("b", {}, item.short), ...texts), icon("next"));
  link.lastElementChild.classList.add("go-on");
  mark(link.firstElementChild, "role", "img");
  mark(link.firstElementChild, "aria-label", t(`severity.${one.severity}`));
  mark(link.firstElementChild, "aria-hidden", null);
  for (const enter of ["pointerenter", "focus"]) link.addEventListener(enter, () => map.point(item.id));
  for (const leave of ["pointerleave", "blur"]) link.addEventListener(leave, () => map.point(null));
  return html("li", {}, link);
}

/** What is new and urgent is read out. */
function aloud(lines) {
  const urgent = lines.filter(({ one }) => one.severity === "bad");
  const fresh = urgent.find(({ one }) => !spoken.has(`${one.intersection} ${one.code}`));
  if (fresh) say(byId("alarm-voice"), t("map.voice", { n: String(fresh.item.number), name: fresh.item.short, text: fresh.text }));
  spoken = new Set(urgent.map(({ one }) => `${one.intersection} ${one.code}`));
}

function busiest(states) {
  const ranked = [...places.values()].filter((item) => states[item.id] && !states[item.id].stale)
    .map((item) => ({ item, ...load(item, states[item.id]) })).sort((a, b) => b.waiting - a.waiting).slice(0, BUSIEST);
  const root = byId("busiest");
  ranked.forEach(({ item, waiting, fullest }, index) => {
    const row = root.children[index] ?? root.appendChild(html("li", {}, html("a", {}, html("span", { class: "plate" }), html("span"), html("div", { class: "meter", "aria-hidden": "true" }, html("i")), html("span"))));
    const [plate, name, meter, figure] = row.firstElementChild.children;
    mark(row.firstElementChild, "href", `/intersections/${encodeURIComponent(item.id)}`);
    say(plate, String(item.number));
    say(name, item.short);
    mark(name, "title", nameOf(item));
    mark(meter, "data-level", levelOf(fullest));
    meter.firstElementChild.style.transform = `scaleX(${Math.min(fullest, 1).toFixed(2)})`;
    say(figure, `${number(Math.round(waiting))} ${t("unit.pcu")}`);
  });
  while (root.children.length > ranked.length) root.lastElementChild.remove();
}

function counters({ run, counters: counted }) {
  const sum = (of) => Object.values(of).reduce((total, count) => total + count, 0);
  say(byId("policy"), (run.policy ?? "–").replace(/^model:.*\//, "model:")); // a model goes by its file's name
  mark(byId("policy"), "title", [run.policy, run.model && `SHA-256 ${run.model}`].filter(Boolean).join("\n"));
  say(byId("commands"), number(counted.commands));
  say(byId("refused"), `${number(sum(counted.guard_refusals))} / ${number(sum(counted.cabinet_refusals))}`);
  say(byId("conflicts"), number(counted.conflicts));
  mark(byId("conflicts"), "data-tone", counted.conflicts ? "bad" : null);
}
