// Alarms: what stands, since when, who has taken note of it.
import { byId, html } from "./dom.js";
import { follow } from "./live.js";
import { Standing, textOf } from "./standing.js";
import { askForNote } from "./taking.js";
import { duration, moment, siteNow } from "./times.js";
import { t } from "./words.js";

const AGAIN_MS = 3000;
const SOUND = "denxanh-sound";
const sound = byId("sound");
let now = null;

follow((state) => {
  now = siteNow(state);
});
sound.checked = localStorage.getItem(SOUND) === "on";
sound.addEventListener("change", () => localStorage.setItem(SOUND, sound.checked ? "on" : "off"));
byId("ended")?.addEventListener("click", openEnded);

const list = new Standing("alarms", {
  againMs: AGAIN_MS,
  nowhere: "–",
  row,
  drawn() {
    if (byId("ended")) byId("ended").hidden = !list.shown.some((alarm) => alarm.cleared && !alarm.acknowledged);
  },
  arrived() {
    if (sound.checked) tone();
  },
});

function tone() {
  const audio = new AudioContext();
  const voice = audio.createOscillator();
  const volume = audio.createGain();
  volume.gain.value = 0.1;
  voice.frequency.value = 880;
  voice.connect(volume).connect(audio.destination);
  voice.start();
  voice.stop(audio.currentTime + 0.25);
  voice.addEventListener("ended", () => audio.close());
}

function row(alarm) {
  const stands = !alarm.cleared;
  const shade = stands ? (alarm.acknowledged ? "warn" : "bad") : "good";
  const until = alarm.cleared ? Date.parse(alarm.cleared) : now;
  const lasts = until === null ? "–" : duration((until - Date.parse(alarm.raised)) / 1000);
  return html("tr", { "data-alarm": alarm.id },
    html("td", {}, html("span", { class: "tag", "data-tone": shade }, `${stands ? "●" : "✓"} ${t(stands ? "alarms.stands" : "alarms.over")}`)),
    list.placeCell(alarm),
    html("td", { class: "grow" }, textOf(alarm)),
    html("td", { class: "time" }, moment(alarm.raised)),
    html("td", { class: "end" }, lasts),
    list.takenCell(alarm));
}

/** Those that are over, all at once: they fill the list after a flapping link. */
function openEnded() {
  const chosen = byId("filters").elements.intersection;
  askForNote({
    what: `${t("alarms.ended")}: ${chosen.selectedOptions[0].text}`,
    hint: t("alarms.ended.hint"),
    path: "/api/v1/alarms/acknowledge-ended",
    more: { intersection: chosen.value || null, up_to: list.newest },
    done: (body) => list.thank(t("alarms.ended.done", { n: body.count })),
  });
}
