// What will be congested, what is blocked now, and where traffic waited most.
import { origin } from "./directions.js";
import { byId, html } from "./dom.js";
import { get, plan } from "./live.js";
import { nameOf } from "./vocabulary.js";
import { lang, number, percent, t } from "./words.js";

const AGAIN_MS = 30_000; // the centre computes once a minute
const HOUR_MS = 3_600_000;
const ORDER = { congested: 0, dense: 1, free: 2, unknown: 3 };
const ZONE = "Asia/Ho_Chi_Minh";
const time = new Intl.DateTimeFormat(lang === "vi" ? "vi-VN" : "en-GB", { hour: "2-digit", minute: "2-digit", timeZone: ZONE });
const day = new Intl.DateTimeFormat(lang === "vi" ? "vi-VN" : "en-GB", { day: "2-digit", month: "2-digit", year: "numeric", timeZone: ZONE });
const corridor = await plan;
const items = new Map(corridor.intersections.map((item) => [item.id, item]));
const filters = byId("filters");
let asked = 0;
let end = null; // of the newest minute, by the site's clock
filters.addEventListener("change", ranking);
filters.addEventListener("submit", (event) => event.preventDefault());
refresh();
setInterval(refresh, AGAIN_MS);

async function refresh() {
  const [soon, warned] = await Promise.all([get("/api/v1/forecast"), get("/api/v1/warnings")]);
  outlooks(soon);
  blocked(warned);
  end = soon?.end ?? end;
  await ranking();
}

function place(intersection, approach) {
  const item = items.get(intersection);
  const lane = item?.lanes.find((one) => one.approach === approach);
  const from = lane ? t("hot.from", { where: t(`compass.long.${origin(lane)}`) }) : approach ?? t("hot.all");
  return [html("a", { href: `/intersections/${encodeURIComponent(intersection)}` }, item ? `${item.number} · ${nameOf(item)}` : intersection), html("small", {}, from)];
}

const nothing = (columns, text) => html("tr", {}, html("td", { colspan: columns, class: "empty" }, text));

function outlooks(found) {
  if (!found) {
    byId("soon").replaceChildren(nothing(5, t("hot.lost")));
    return;
  }
  const worst = (one) => Math.min(ORDER[one.level], ...one.ahead.map((each) => ORDER[each.level]));
  const share = (one) => Math.max(one.queue_pcu ?? 0, ...one.ahead.map((each) => each.queue_pcu)) / one.storage_pcu;
  const rows = found.approaches.toSorted((a, b) => worst(a) - worst(b) || share(b) - share(a));
  byId("soon").replaceChildren(...(rows.length ? rows.map(row) : [nothing(5, t("hot.none"))]));
  byId("notes").replaceChildren(...notes(found).map((text) => html("p", {}, text)));
}

function row(one) {
  const cell = (level, queue, under) => html("td", {}, html("b", { class: "filled", "data-level": level }, t(`hot.level.${level}`)),
    ...[queue === null ? null : t("hot.queue", { q: number(queue) }), under].filter(Boolean).map((text) => html("small", {}, text)));
  const ahead = one.refusal ? [html("td", { colspan: 3 }, html("small", {}, t(`hot.refusal.${one.refusal}`)))]
    : one.ahead.map((each) => {
      const told = cell(each.level, each.queue_pcu, t("hot.range", { low: number(each.low_pcu), high: number(each.high_pcu) }));
      told.title = t("hot.usual", { q: number(each.profile_pcu) });
      return told;
    });
  return html("tr", {}, html("td", { class: "place" }, ...place(one.intersection, one.approach)), cell(one.level, one.queue_pcu), ...ahead);
}

function notes(found) {
  const said = [t("hot.definition", { dense: percent(found.dense_filling), congested: percent(found.congested_filling) })];
  if (!found.fit) return [...said, t("hot.unfitted")];
  const { begin, end, days, errors } = found.fit;
  const count = Object.values(days).reduce((sum, one) => sum + one, 0);
  said.push(t("hot.fit", { begin: day.format(new Date(begin)), end: day.format(new Date(end)), days: count }));
  return [...said, ...errors.map((one) => t("hot.error", { n: one.horizon_min, f: number(one.forecast_pcu), p: number(one.persistence_pcu), u: number(one.profile_pcu) }))];
}

function blocked(found) {
  const list = byId("warned");
  if (!found || !found.known || !found.warnings.length) {
    list.replaceChildren(html("li", { class: "empty" }, t(found ? (found.known ? "hot.quiet" : "hot.unknown") : "hot.lost")));
    return;
  }
  const at = (iso) => time.format(new Date(iso));
  list.replaceChildren(...found.warnings.toSorted((a, b) => (a.until !== null) - (b.until !== null) || Date.parse(b.raised) - Date.parse(a.raised)).map((one) => html("li", { "data-lasting": one.until === null },
    html("b", {}, t(`hot.kind.${one.kind}`)), html("small", {}, one.until ? t("hot.over", { from: at(one.since), to: at(one.until) }) : t("hot.since", { from: at(one.since) })),
    html("div", {}, ...place(one.intersection, one.approach)))));
}

async function ranking() {
  const mine = ++asked;
  const { hours, by } = filters.elements;
  const from = end ? `?from=${encodeURIComponent(new Date(new Date(end) - hours.value * HOUR_MS).toISOString())}&to=${encodeURIComponent(new Date(end).toISOString())}` : "";
  const found = await get(`/api/v1/hotspots${from}`);
  if (mine !== asked) return;
  const rows = found?.[by.value] ?? [];
  byId("ranking").replaceChildren(...(rows.length ? rows.map((one) => html("tr", {},
    html("td", {}, one.rank === null ? "–" : html("span", { class: "plate" }, String(one.rank))), html("td", { class: "place" }, ...place(one.intersection, one.approach)),
    ...[number(one.queue_pcu_h), number(one.congested_min), percent(one.coverage)].map((text) => html("td", { class: "end" }, text))))
    : [nothing(5, t(found ? "hot.none" : "hot.lost"))]));
}
