// Time and distance along a street: measured greens and arrivals, and the band that the plan means to open.
import { byId, html, mark, say } from "./dom.js";
import { follow, plan } from "./live.js";
import { band } from "./progression.js";
import { SpaceTime } from "./spacetime.js";
import { arrivalTape, lampTape } from "./tape.js";
import { nameOf } from "./vocabulary.js";
import { percent, t } from "./words.js";

const KMH = 3.6;

const corridor = await plan;
const places = new Map(corridor.intersections.map((item) => [item.id, item]));
const routes = corridor.routes.filter((one) => one.out.length > 1);
const chart = routes.length ? new SpaceTime(byId("chart"), (id) => `${places.get(id).number} · ${streets(route).crossing(id)}`) : null;
if (!chart) {
  document.querySelector(".route").classList.add("without");
  byId("chart").replaceChildren(html("p", { class: "empty" }, t("corridor.none")));
}
let route = routes[0];
let minutes = 5;
let tapes = new Map();
let arrivals = { out: new Map(), back: new Map() };
let latest = null;

routes.forEach((one, index) => byId("route").append(html("option", { value: index }, routeName(one))));
byId("route").disabled = routes.length < 2;
byId("route").addEventListener("change", () => choose(routes[Number(byId("route").value)]));
byId("speed").addEventListener("input", draw);
for (const button of document.querySelectorAll("[data-minutes]")) {
  button.addEventListener("click", () => {
    minutes = Number(button.dataset.minutes);
    for (const other of button.parentElement.children) mark(other, "aria-pressed", String(other === button));
    draw();
  });
}
if (chart) {
  choose(route);
  follow(take);
}

/** The street that a route follows, and what crosses it: an intersection's name lists its streets. */
function streets(one) {
  const parts = (id) => nameOf(places.get(id)).split(/\s[–×x-]\s/);
  const all = one.out.flatMap(({ id }) => parts(id));
  const often = (part) => all.filter((other) => other === part).length;
  const street = all.reduce((a, b) => (often(b) > often(a) ? b : a));
  const shared = often(street) > 1;
  return { street: shared ? street : "", crossing: (id) => parts(id).filter((part) => !shared || part !== street).join(" – ") || nameOf(places.get(id)) };
}

function routeName(one) {
  const { street, crossing } = streets(one);
  const first = (id) => crossing(id).split(" – ")[0];
  const ends = t("corridor.route.n", { from: first(one.out[0].id), to: first(one.out.at(-1).id), n: one.out.length });
  return street ? `${street}: ${ends}` : ends;
}

function choose(wanted) {
  route = wanted;
  tapes = new Map(route.out.map(({ id }) => [id, lampTape(id)]));
  arrivals = Object.fromEntries(["out", "back"].map((side) => [side, new Map(route[side].map(({ id, lanes }) => [id, arrivalTape(id, lanes)]))]));
  byId("stops").replaceChildren(...route.out.toReversed().map(row)); // as on the chart: the end of the street on top
  if (latest) take(latest);
}

async function take(state) {
  latest = state;
  const mine = tapes;
  const every = [...mine, ...arrivals.out, ...arrivals.back].filter(([id]) => state.intersections[id]);
  await Promise.all(every.map(([id, tape]) => tape.take(state.intersections[id].tick, state.intersections[id])));
  if (mine !== tapes) return; // another route has been chosen meanwhile
  draw();
}

function planOf(id) {
  const wanted = latest?.intersections[id]?.plan;
  return places.get(id).plans.find((one) => one.number === wanted) ?? null;
}

function draw() {
  const speed = Number(byId("speed").value);
  say(byId("speed-text"), t("corridor.speed.n", { n: speed }));
  if (!latest || latest.clock_s === null) return;
  const sides = {};
  for (const side of ["out", "back"]) {
    const stops = route[side].map((stop) => ({ ...stop, plan: planOf(stop.id), arrivals: arrivals[side].get(stop.id)?.seconds ?? [] }));
    const driving = side === "out" ? stops : stops.toReversed();
    sides[side] = { stops, driving, band: band(driving, speed / KMH) };
    tell(byId(`band-${side}`), driving, sides[side].band);
  }
  chart.draw({ sides, tapes, past: minutes * 60, clock_s: latest.clock_s, speed: speed / KMH });
  for (const stop of route.out) stopRow(stop);
}

function tell(node, driving, found) {
  if (driving.length < 2) return say(node, "–");
  if (!found) return say(node, t("corridor.band.mixed"));
  const seconds = found.runs.reduce((sum, [from, until]) => sum + until - from, 0);
  return say(node, seconds ? t("corridor.band.wide", { s: seconds, cycle: found.cycle }) : t("corridor.band.none"));
}

function row(stop) {
  const item = places.get(stop.id);
  return html("tr", { id: `stop-${stop.id}` },
    html("td", {}, html("a", { href: `/intersections/${encodeURIComponent(item.id)}`, title: nameOf(item) }, html("span", { class: "plate" }, String(item.number)), html("span", {}, streets(route).crossing(stop.id), html("small", {}, t("corridor.distance", { n: Math.round(stop.at) }))))), html("td", { class: "end" }, "–"),
    html("td", { class: "end" }, html("b", { class: "out" }, "–"), " / ", html("b", { class: "back" }, "–")));
}

function stopRow(stop) {
  const [, planCell, green] = byId(`stop-${stop.id}`).children;
  const found = planOf(stop.id);
  say(planCell, found ? t("corridor.table.plan.n", { plan: String(found.number), offset: found.offset }) : "–");
  const seconds = tapes.get(stop.id)?.seconds.slice(-minutes * 60) ?? [];
  const share = (groups) => (seconds.length && groups ? percent(seconds.filter((one) => groups.some((group) => "Gg".includes(one.aspects[group]))).length / seconds.length) : "–");
  say(green.firstElementChild, share(stop.groups));
  say(green.lastElementChild, share(route.back.find(({ id }) => id === stop.id)?.groups));
}
