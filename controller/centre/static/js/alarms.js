// Alarms: what stands, since when, who has taken note of it.
import { byId, html, say } from "./dom.js";
import { follow, get, plan } from "./live.js";
import { askForNote } from "./taking.js";
import { duration, moment, siteNow } from "./times.js";
import { nameOf } from "./vocabulary.js";
import { either, t } from "./words.js";

const AGAIN_MS = 3000;
const PAGE = 50;
const SOUND = "denxanh-sound";
const corridor = await plan;
const places = new Map(corridor.intersections.map((item) => [item.id, item]));
const filters = byId("filters");
const mayTake = document.querySelector("[data-may-acknowledge]").dataset.mayAcknowledge === "yes";
let now = null;
let shown = [];
let next = null;
let newest = null;

follow((state) => {
  now = siteNow(state);
});
filters.addEventListener("input", ({ target }) => {
  if (target.id !== "sound") load();
});
byId("more").addEventListener("click", older);
byId("ended")?.addEventListener("click", openEnded);
byId("sound").checked = localStorage.getItem(SOUND) === "on";
byId("sound").addEventListener("change", ({ target }) => localStorage.setItem(SOUND, target.checked ? "on" : "off"));
setInterval(() => { if (shown.length <= PAGE) load(); }, AGAIN_MS);
load();

function query(after) {
  const wanted = new URLSearchParams({ limit: PAGE });
  if (filters.elements.which.value === "open") wanted.set("open", "true");
  if (filters.elements.intersection.value) wanted.set("intersection", filters.elements.intersection.value);
  if (after !== undefined) wanted.set("after", after);
  return `/api/v1/alarms?${wanted}`;
}

async function load() {
  const asked = query();
  const page = await get(asked);
  if (asked !== query()) return;
  if (!page) {
    empty(t("alarms.lost"));
    return;
  }
  shown = page.alarms;
  next = page.next;
  announce();
  draw();
}

async function older() {
  const page = await get(query(next));
  if (!page) return;
  shown = [...shown, ...page.alarms];
  next = page.next;
  draw();
}

/** A new alarm is spoken, and sounds where somebody has switched that on. */
function announce() {
  const top = shown[0];
  if (newest !== null && top && top.id > newest) {
    say(byId("alarm-voice"), t("alarms.new", { place: nameFor(top), text: either(top.text.vi, top.text.en) }));
    if (byId("sound").checked) tone();
  }
  newest = Math.max(newest ?? 0, ...shown.map((one) => one.id));
}

function tone() {
  const sound = new AudioContext();
  const voice = sound.createOscillator();
  const volume = sound.createGain();
  volume.gain.value = 0.1;
  voice.frequency.value = 880;
  voice.connect(volume).connect(sound.destination);
  voice.start();
  voice.stop(sound.currentTime + 0.25);
  voice.addEventListener("ended", () => sound.close());
}

function draw() {
  byId("more").hidden = next === null;
  if (byId("ended")) byId("ended").hidden = !shown.some((alarm) => alarm.cleared && !alarm.acknowledged);
  if (!shown.length) {
    empty(t(filters.elements.which.value === "open" ? "alarms.none.open" : "alarms.none"));
    return;
  }
  const held = document.activeElement?.dataset?.take;
  byId("rows").replaceChildren(...shown.map(row));
  if (held) byId("rows").querySelector(`[data-take="${held}"]`)?.focus();
}

const nameFor = (alarm) => (places.has(alarm.intersection) ? nameOf(places.get(alarm.intersection)) : alarm.intersection || "–");

function row(alarm) {
  const stands = !alarm.cleared;
  const tone = stands ? (alarm.acknowledged ? "warn" : "bad") : "good";
  const place = places.get(alarm.intersection);
  const until = alarm.cleared ? Date.parse(alarm.cleared) : now;
  const lasts = until === null ? "–" : duration((until - Date.parse(alarm.raised)) / 1000);
  return html("tr", { "data-alarm": alarm.id },
    html("td", {}, html("span", { class: "tag", "data-tone": tone }, `${stands ? "●" : "✓"} ${t(stands ? "alarms.stands" : "alarms.over")}`)),
    html("td", { class: "place" }, place ? html("a", { href: `/intersections/${encodeURIComponent(alarm.intersection)}` }, nameFor(alarm)) : nameFor(alarm)),
    html("td", { class: "grow" }, either(alarm.text.vi, alarm.text.en)),
    html("td", { class: "time" }, moment(alarm.raised)),
    html("td", { class: "end" }, lasts),
    html("td", { class: "taken" }, ...taken(alarm)));
}

function taken(alarm) {
  if (alarm.acknowledged) return [t("alarms.by", { who: alarm.acknowledged_by, when: moment(alarm.acknowledged) }), ...(alarm.note ? [html("small", {}, alarm.note)] : [])];
  if (!mayTake) return ["–"];
  const button = html("button", { class: "button", type: "button", "data-take": alarm.id, "aria-label": `${t("alarms.take")}: ${nameFor(alarm)}, ${either(alarm.text.vi, alarm.text.en)}` }, t("alarms.take"));
  button.addEventListener("click", () => open(alarm));
  return [button];
}

function empty(text) {
  byId("more").hidden = true;
  byId("rows").replaceChildren(html("tr", {}, html("td", { colspan: 6, class: "empty" }, text)));
}

function open(alarm) {
  askForNote({
    what: `${nameFor(alarm)}: ${either(alarm.text.vi, alarm.text.en)}`,
    hint: t("alarms.take.hint"),
    path: `/api/v1/alarms/${alarm.id}/acknowledge`,
    done: () => thank(t("alarms.done")),
  });
}

/** Those that are over, all at once: they fill the list after a flapping link. */
function openEnded() {
  const chosen = filters.elements.intersection;
  askForNote({
    what: `${t("alarms.ended")}: ${chosen.selectedOptions[0].text}`,
    hint: t("alarms.ended.hint"),
    path: "/api/v1/alarms/acknowledge-ended",
    more: { intersection: chosen.value || null, up_to: newest },
    done: (body) => thank(t("alarms.ended.done", { n: body.count })),
  });
}

function thank(words) {
  say(byId("alarm-voice"), words);
  load();
}
