// Notices: what rules have found, whom it was told and why not; how the channels stand.
import { byId, html, say } from "./dom.js";
import { get, plan } from "./live.js";
import { askForNote } from "./taking.js";
import { moment } from "./times.js";
import { nameOf } from "./vocabulary.js";
import { either, t } from "./words.js";

const AGAIN_MS = 5000; // the notifier itself looks every ten seconds
const PAGE = 50;
const corridor = await plan;
const places = new Map(corridor.intersections.map((item) => [item.id, item]));
const filters = byId("filters");
const mayTake = document.querySelector("[data-may-acknowledge]").dataset.mayAcknowledge === "yes";
let shown = [];
let next = null;
let newest = null;

filters.addEventListener("input", load);
byId("more").addEventListener("click", older);
setInterval(() => {
  if (shown.length <= PAGE) load();
  channels();
}, AGAIN_MS);
load();
channels();

function query(after) {
  const wanted = new URLSearchParams({ limit: PAGE });
  if (filters.elements.which.value === "open") wanted.set("open", "true");
  if (filters.elements.intersection.value) wanted.set("intersection", filters.elements.intersection.value);
  if (after !== undefined) wanted.set("after", after);
  return `/api/v1/notices?${wanted}`;
}

async function load() {
  const asked = query();
  const page = await get(asked);
  if (asked !== query()) return;
  if (!page) {
    empty("rows", 6, t("notices.lost"));
    return;
  }
  shown = page.notices;
  next = page.next;
  announce();
  draw();
}

async function older() {
  const page = await get(query(next));
  if (!page) return;
  shown = [...shown, ...page.notices];
  next = page.next;
  draw();
}

/** A new notice is spoken. */
function announce() {
  const top = shown[0];
  if (newest !== null && top && top.id > newest) say(byId("alarm-voice"), t("notices.new", { place: nameFor(top), text: textOf(top) }));
  newest = Math.max(newest ?? 0, ...shown.map((one) => one.id));
}

function draw() {
  byId("more").hidden = next === null;
  if (!shown.length) {
    empty("rows", 6, t(filters.elements.which.value === "open" ? "notices.none.open" : "notices.none"));
    return;
  }
  const held = document.activeElement?.dataset?.take;
  byId("rows").replaceChildren(...shown.map(row));
  if (held) byId("rows").querySelector(`[data-take="${held}"]`)?.focus();
}

const textOf = (notice) => either(notice.text.vi, notice.text.en);
const nameFor = (notice) => (places.has(notice.intersection) ? nameOf(places.get(notice.intersection)) : notice.intersection || t("notices.site"));

function row(notice) {
  const known = places.has(notice.intersection);
  return html("tr", { "data-notice": notice.id },
    html("td", {}, tag(notice)),
    html("td", { class: "place" }, known ? html("a", { href: `/intersections/${encodeURIComponent(notice.intersection)}` }, nameFor(notice)) : nameFor(notice)),
    html("td", { class: "grow" }, textOf(notice), html("small", {}, about(notice))),
    html("td", { class: "time" }, moment(notice.since)),
    html("td", {}, ...told(notice)),
    html("td", { class: "taken" }, ...taken(notice)));
}

function tag(notice) {
  const [tone, word] = notice.cleared ? ["good", "✓ " + t("notices.over")]
    : notice.away ? ["warn", "○ " + t("notices.away")]
      : [notice.acknowledged ? "warn" : "bad", "● " + t("notices.stands")];
  return html("span", { class: "tag", "data-tone": tone }, word);
}

function about(notice) {
  const parts = [t(`notices.severity.${notice.severity}`), t("notices.rule", { rule: notice.rule })];
  if (notice.times > 1) parts.push(t("notices.times", { n: notice.times }));
  if (notice.level) parts.push(t("notices.level", { n: notice.level }));
  return parts.join(" · ");
}

function told(notice) {
  if (!notice.told.length) return [html("small", {}, t("notices.digest"))];
  return [html("ul", { class: "told" }, ...notice.told.map(toldOne))];
}

function toldOne(one) {
  const some = one.recipients > 1 ? `, ${t("notices.some", { sent: one.sent, all: one.recipients })}` : "";
  const kind = one.kind === "raised" ? "" : t(`notices.kind.${one.kind}`);
  const words = `${one.channel}: ${kind}${one.why ? t(`notices.why.${one.why}`) : moment(one.sent_at)}${some}`;
  const [tone, mark] = !one.why ? ["good", "✓"] : ["quiet", "turn"].includes(one.why) ? ["warn", "…"] : ["bad", "✗"];
  return html("li", { "data-tone": tone }, html("span", { "aria-hidden": "true" }, mark), html("span", {}, words, ...(one.trouble ? [html("small", {}, one.trouble)] : [])));
}

function taken(notice) {
  if (notice.acknowledged) return [t("alarms.by", { who: notice.acknowledged_by, when: moment(notice.acknowledged) }), ...(notice.note ? [html("small", {}, notice.note)] : [])];
  if (!mayTake || notice.cleared) return ["–"];
  const button = html("button", { class: "button", type: "button", "data-take": notice.id, "aria-label": `${t("alarms.take")}: ${nameFor(notice)}, ${textOf(notice)}` }, t("alarms.take"));
  button.addEventListener("click", () => open(notice));
  return [button];
}

function open(notice) {
  askForNote({
    what: `${nameFor(notice)}: ${textOf(notice)}`,
    hint: t("notices.take.hint"),
    path: `/api/v1/notices/${notice.id}/acknowledge`,
    done: () => {
      say(byId("alarm-voice"), t("notices.done"));
      load();
    },
  });
}

async function channels() {
  const found = await get("/api/v1/notices/channels");
  if (!found) {
    empty("channels", 7, t("notices.lost"));
    return;
  }
  const idle = byId("idle");
  idle.hidden = found.rules > 0 && found.running;
  if (!found.rules) say(idle, t("notices.no-rules"));
  else if (!found.running) say(idle, found.heard ? t("notices.silent.since", { when: moment(found.heard) }) : t("notices.silent"));
  if (found.channels.length) byId("channels").replaceChildren(...found.channels.map(channel));
  else empty("channels", 7, t("channels.none"));
}

function channel(one) {
  return html("tr", { "data-channel": one.name },
    html("th", { scope: "row" }, one.name),
    html("td", {}, t(`channels.kind.${one.kind ?? "none"}`)),
    html("td", { class: "end" }, one.waiting),
    html("td", { class: "end" }, one.sent),
    html("td", { class: "end" }, one.aside),
    html("td", { class: "time" }, one.sent_at ? moment(one.sent_at) : "–"),
    html("td", { class: "grow" }, ...stateOf(one)));
}

function stateOf(one) {
  if (one.troubled) return [html("span", { class: "tag", "data-tone": "bad" }, `✗ ${t("channels.troubled", { when: moment(one.troubled) })}`), ...(one.trouble ? [html("small", {}, one.trouble)] : [])];
  if (one.quiet) return [html("span", { class: "tag", "data-tone": "warn" }, `… ${t("channels.quiet")}`)];
  return [html("span", { class: "tag", "data-tone": "good" }, `✓ ${t("channels.good")}`)];
}

function empty(id, columns, text) {
  if (id === "rows") byId("more").hidden = true;
  byId(id).replaceChildren(html("tr", {}, html("td", { colspan: columns, class: "empty" }, text)));
}
