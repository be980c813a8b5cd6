// Notices: what rules have found, whom it was told and why not; how the channels stand.
import { byId, html, say } from "./dom.js";
import { get } from "./live.js";
import { Standing, emptyRow, textOf } from "./standing.js";
import { moment } from "./times.js";
import { t } from "./words.js";

const AGAIN_MS = 5000; // the notifier itself looks every ten seconds
const list = new Standing("notices", { againMs: AGAIN_MS, nowhere: t("notices.site"), row });

setInterval(channels, AGAIN_MS);
channels();

function row(notice) {
  return html("tr", { "data-notice": notice.id },
    html("td", {}, tag(notice)),
    list.placeCell(notice),
    html("td", { class: "grow" }, textOf(notice), html("small", {}, about(notice))),
    html("td", { class: "time" }, moment(notice.since)),
    html("td", {}, ...told(notice)),
    list.takenCell(notice, !notice.cleared));
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

async function channels() {
  const found = await get("/api/v1/notices/channels");
  if (!found) {
    emptyRow(byId("channels"), 7, t("notices.lost"));
    return;
  }
  const idle = byId("idle");
  idle.hidden = found.rules > 0 && found.running;
  idle.dataset.tone = found.rules ? "bad" : "warn"; // a site may do without rules
  if (!found.rules) say(idle, t("notices.no-rules"));
  else if (!found.running) say(idle, found.heard ? t("notices.silent.since", { when: moment(found.heard) }) : t("notices.silent"));
  if (found.channels.length) byId("channels").replaceChildren(...found.channels.map(channel));
  else emptyRow(byId("channels"), 7, t("channels.none"));
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
