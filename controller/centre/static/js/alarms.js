// Alarms: what stands, since when, who has taken note of it.
import { byId, html, say } from "./dom.js";
import { follow, get, plan } from "./live.js";
import { send } from "./send.js";
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
const dialog = byId("take");
let now = null;
let shown = [];
let next = null;
let newest = null;
let taking = null;

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
byId("take-cancel").addEventListener("click", () => dialog.close());
dialog.querySelector("form").addEventListener("submit", take);
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
  taking = alarm;
  say(byId("take-hint"), t("alarms.take.hint"));
  dialog.querySelector("form").reset();
  byId("take-problem").hidden = true;
  say(byId("take-what"), `${nameFor(alarm)}: ${either(alarm.text.vi, alarm.text.en)}`);
  dialog.showModal();
}

/** Those that are over, all at once: they fill the list after a flapping link. */
function openEnded() {
  taking = null;
  dialog.querySelector("form").reset();
  byId("take-problem").hidden = true;
  const chosen = filters.elements.intersection;
  say(byId("take-what"), `${t("alarms.ended")}: ${chosen.selectedOptions[0].text}`);
  say(byId("take-hint"), t("alarms.ended.hint"));
  dialog.showModal();
}

async function take(event) {
  event.preventDefault();
  const note = byId("note").value.trim();
  const answer = taking
    ? await send("POST", `/api/v1/alarms/${taking.id}/acknowledge`, { note })
    : await send("POST", "/api/v1/alarms/acknowledge-ended", { note, intersection: filters.elements.intersection.value || null, up_to: newest });
  if (!answer.ok) {
    byId("take-problem").hidden = false;
    say(byId("take-problem"), answer.message);
    return;
  }
  dialog.close();
  say(byId("alarm-voice"), taking ? t("alarms.done") : t("alarms.ended.done", { n: answer.body.count }));
  load();
}
