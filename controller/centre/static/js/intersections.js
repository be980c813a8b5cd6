// Every intersection, one row each.
import { byId, html, mark, say } from "./dom.js";
import { follow, plan } from "./live.js";
import { ribbon, showRibbon } from "./ribbon.js";
import { levelOf, load, modeBadge, nameOf, reasonOf, showMode, showStage, stageMark } from "./vocabulary.js";
import { number, percent, t } from "./words.js";

const corridor = await plan;
const rows = new Map(corridor.intersections.map((item) => [item.id, row(item)]));
byId("rows").replaceChildren(...[...rows.values()].map((one) => one.root));
byId("find").addEventListener("input", filter);
follow((state) => {
  const worst = new Map();
  for (const one of state.trouble) if (!worst.has(one.intersection)) worst.set(one.intersection, one.severity);
  for (const [id, { plate }] of rows) {
    const severity = worst.get(id);
    mark(plate, "data-tone", severity);
    mark(plate, "title", severity && t(`severity.${severity}`));
  }
  for (const [id, one] of Object.entries(state.intersections)) rows.get(id)?.show(one);
});

function row(item) {
  const badge = modeBadge();
  const stage = stageMark();
  const figure = html("b");
  const meaning = html("small");
  const waiting = html("span");
  const meter = html("div", { class: "meter", "aria-hidden": "true" }, html("i"));
  const strip = ribbon();
  const why = html("span");
  badge.hidden = stage.hidden = true;
  const cells = {
    mode: html("td", {}, badge),
    stage: html("td", {}, stage),
    left: html("td", { class: "end left" }, figure, meaning),
    load: html("td", { class: "end" }, html("div", { class: "load" }, waiting, meter)),
    history: html("td", { class: "history" }, strip),
    why: html("td", { class: "why" }, why),
  };
  say(why, t("no-data"));
  const plate = html("span", { class: "plate" }, String(item.number));
  const root = html("tr", { "data-id": item.id }, html("td", {}, plate),
    html("td", { class: "name" }, html("a", { href: `/intersections/${encodeURIComponent(item.id)}` }, nameOf(item))), ...Object.values(cells));

  function show(state) {
    badge.hidden = stage.hidden = false;
    showMode(badge, state.mode);
    showStage(stage, item, state.stage, state.in_interstage);
    const promised = state.commitment?.end_in_s > 0;
    say(figure, promised ? `${state.commitment.end_in_s} s` : "");
    say(meaning, promised ? `→ ${item.stages[state.commitment.next_stage].id}` : state.in_interstage || state.commitment ? t("count.changing") : "–");
    const { waiting: queued, fullest } = load(item, state);
    say(waiting, `${number(Math.round(queued))} ${t("unit.pcu")}`);
    mark(meter, "data-level", levelOf(fullest));
    mark(meter, "title", t("list.full", { percent: percent(Math.min(fullest, 1)) }));
    meter.firstElementChild.style.transform = `scaleX(${Math.min(fullest, 1).toFixed(2)})`;
    showRibbon(strip, state.ribbon);
    say(why, state.stale ? t("stale.s", { s: Math.round(state.age_s) }) : reasonOf(state));
    for (const cell of Object.values(cells)) cell.classList.toggle("stale", state.stale && cell !== cells.why);
  }
  return { root, plate, show, text: `${item.number} ${item.name_vi} ${item.name_en}`.toLocaleLowerCase("vi") };
}

function filter() {
  const wanted = byId("find").value.trim().toLocaleLowerCase("vi");
  let found = 0;
  for (const { root, text } of rows.values()) {
    root.hidden = !text.includes(wanted);
    found += !root.hidden;
  }
  byId("none")?.remove();
  if (!found) byId("rows").append(html("tr", { id: "none" }, html("td", { colspan: 8, class: "empty" }, t("list.none"))));
}
