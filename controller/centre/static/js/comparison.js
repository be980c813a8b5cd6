// Adaptive against fixed control, and how much may be read out of it.
import { origin } from "./directions.js";
import { byId, html, mark, say, svg } from "./dom.js";
import { get, plan } from "./live.js";
import { date as written, dayName, known, lang, number, percent, t } from "./words.js";

const TONES = { "less-waiting": "good", "more-waiting": "bad", undecided: "calm", "too-little": "warn", "nothing-to-compare": "warn" };
const KINDS = ["adaptive", "fixed", "other"];
const DAY_H = 24;
const SHOWN_H = 0.05; // less would read as 0
const corridor = await plan;
const filters = byId("filters");
filters.addEventListener("change", load);
filters.addEventListener("submit", (event) => event.preventDefault());
load();

async function load() {
  const { intersection, days } = filters.elements;
  const asked = `/api/v1/intersections/${encodeURIComponent(intersection.value)}/comparison?days=${days.value}`;
  const found = await get(asked);
  if (asked !== `/api/v1/intersections/${encodeURIComponent(intersection.value)}/comparison?days=${days.value}`) return;
  if (!found) {
    mark(byId("verdict"), "data-tone", "warn");
    say(byId("verdict"), t("compare.lost"));
    return;
  }
  verdict(found);
  hours(found.hours);
  approaches(found.approaches, corridor.intersections.find((item) => item.id === intersection.value));
  dayRows(found.days);
  byId("caveats").replaceChildren(...[t("compare.caveat.like", { n: found.least_minutes }), t("compare.caveat.observed"), t("compare.caveat.estimated"), t("compare.caveat.enough", { n: found.least_hours, days: found.least_days })].map((text) => html("li", {}, text)));
}

const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : "±"}${number(Math.abs(value))}`;
const fine = (value) => value.toLocaleString(lang === "vi" ? "vi-VN" : "en-GB", { maximumSignificantDigits: 2 });
const mean = (values) => values.reduce((sum, one) => sum + one, 0) / values.length;

function verdict(found) {
  mark(byId("verdict"), "data-tone", TONES[found.verdict]);
  say(byId("verdict"), t(`compare.verdict.${found.verdict}`));
  const lines = [[t("compare.hours"), number(found.hours.length)]];
  if (found.difference_pcu !== null) {
    const fixed = mean(found.hours.map((one) => one.fixed_pcu));
    const share = fixed > 0 ? `${found.difference_pcu > 0 ? "+" : "−"}${percent(Math.abs(found.difference_pcu) / fixed)}` : "–";
    lines.unshift([t("compare.difference"), t("compare.difference.value", { d: signed(found.difference_pcu), p: share })]);
    lines.push([t("compare.p"), found.p_value < 0.001 ? `< ${fine(0.001)}` : fine(found.p_value)]);
  }
  lines.push([t("compare.left-out"), t("compare.left-out.value", { a: found.doubted_minutes, b: found.mixed_minutes })]);
  byId("numbers").replaceChildren(...lines.map(([name, value]) => html("div", {}, html("dt", {}, name), html("dd", {}, value))));
}

const kindName = (kind) => (known(`calendar.kind.${kind}`) ? t(`calendar.kind.${kind}`) : kind);

/** A line per hour: a dot for each kind of control, joined by what lies between them. */
function hours(cells) {
  if (!cells.length) {
    byId("hours").replaceChildren(html("p", { class: "empty" }, t("compare.none")));
    return;
  }
  const most = Math.max(...cells.flatMap((one) => [one.adaptive_pcu, one.fixed_pcu]), 1);
  const share = (value) => `${(2 + (94 * value) / most).toFixed(2)}%`;
  const rows = [];
  let last = null;
  for (const cell of cells) {
    if (cell.day_type !== last) rows.push(html("h3", {}, kindName(cell.day_type)));
    last = cell.day_type;
    const text = t("compare.hour.text", { day: kindName(cell.day_type), hour: String(cell.hour), a: cell.adaptive_pcu, b: cell.fixed_pcu });
    const better = cell.adaptive_pcu <= cell.fixed_pcu;
    rows.push(html("div", { class: "pair" }, html("span", { class: "soft" }, `${cell.hour}:00`),
      svg("svg", { role: "img", "aria-label": text },
        svg("line", { class: "track", x1: "2%", x2: "96%", y1: "50%", y2: "50%" }),
        svg("line", { class: better ? "gap good" : "gap bad", x1: share(cell.adaptive_pcu), x2: share(cell.fixed_pcu), y1: "50%", y2: "50%" }),
        svg("circle", { class: "fixed", cx: share(cell.fixed_pcu), cy: "50%", r: 5 }),
        svg("circle", { class: "adaptive", cx: share(cell.adaptive_pcu), cy: "50%", r: 5 })),
      html("b", { class: "end" }, signed(cell.adaptive_pcu - cell.fixed_pcu))));
  }
  byId("hours").replaceChildren(...rows);
}

function approaches(rows, item) {
  const names = new Map(item.lanes.map((lane) => [lane.approach, t("compare.from", { where: t(`compass.long.${origin(lane)}`) })]));
  byId("approaches").replaceChildren(...(rows.length ? rows.map((one) => html("tr", {},
    html("td", {}, names.get(one.approach) ?? one.approach), html("td", { class: "end" }, number(one.adaptive_pcu)), html("td", { class: "end" }, number(one.fixed_pcu)),
    html("td", { class: "end" }, html("b", {}, signed(one.adaptive_pcu - one.fixed_pcu))), html("td", { class: "end" }, number(one.hours)))) : [html("tr", {}, html("td", { colspan: 5, class: "empty" }, t("compare.none")))]));
}

function dayRows(rows) {
  byId("days").replaceChildren(...(rows.length ? rows.map((one) => {
    let at = 0;
    const pieces = KINDS.map((kind) => {
      const value = one.hours[kind] ?? 0;
      const piece = svg("rect", { class: kind, x: `${(100 * at) / DAY_H}%`, width: `${(100 * value) / DAY_H}%`, height: "100%" });
      at += value;
      return piece;
    });
    const told = KINDS.filter((kind) => one.hours[kind] >= SHOWN_H).map((kind) => `${t(`compare.${kind}`)} ${t("compare.h", { n: number(one.hours[kind]) })}`).join(" · ") || `< ${t("compare.h", { n: number(2 * SHOWN_H) })}`;
    const queue = (kind) => html("td", { class: "end" }, one.queue_pcu[kind] === undefined ? "–" : number(one.queue_pcu[kind]));
    return html("tr", {}, html("td", { class: "time" }, html("b", {}, written(one.date)), html("small", { class: "under" }, `${dayName(one.date)} · ${kindName(one.day_type)}`)),
      html("td", { class: "grow" }, svg("svg", { class: "share", role: "img", "aria-label": told }, ...pieces), html("small", {}, told)), queue("adaptive"), queue("fixed"));
  }) : [html("tr", {}, html("td", { colspan: 4, class: "empty" }, t("compare.none")))]));
}
