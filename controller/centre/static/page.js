// Draw the corridor once, then follow the stream.
import { Band } from "./band.js";
import { card } from "./cards.js";
import { clock, mark, number, say } from "./dom.js";
import { Log } from "./log.js";
import { CorridorMap } from "./map.js";

const SILENCE_MS = 4000; // without a snapshot for so long the connection counts as lost
const DENSE = 9; // more cards than this and each gets less room
const byId = (id) => document.getElementById(id);
const FEEDS = { live: "trực tiếp", stale: "dữ liệu cũ", waiting: "đang chờ", ended: "đã dừng", lost: "mất kết nối" };

const plan = await (await fetch("/api/v1/corridor")).json();
for (const item of plan.intersections) item.short = shortName(item.name_vi);
const cards = new Map();
const map = new CorridorMap(byId("map"), plan, choose);
const log = new Log(byId("log"), plan);
for (const item of plan.intersections) {
  const made = card(item, plan, choose);
  cards.set(item.id, made);
  byId("cards").append(made.root);
}

const band = new Band(byId("cards"), plan);

byId("cards").classList.toggle("dense", plan.intersections.length > DENSE);

let heard = performance.now();
const stream = new EventSource("/api/v1/stream");
stream.addEventListener("snapshot", (event) => {
  heard = performance.now();
  show(JSON.parse(event.data));
});
stream.addEventListener("error", lost);
setInterval(() => { if (performance.now() - heard > SILENCE_MS) lost(); }, 1000);

function choose(id) {
  map.focus(id);
}

function show(state) {
  document.body.classList.remove("offline");
  for (const [id, one] of Object.entries(state.intersections)) {
    cards.get(id)?.show(one);
    map.show(id, one);
  }
  band.show(state.intersections);
  log.take(state.events, state.last_event);
  headline(state);
  pulse(state.feed);
  banner(state);
  say_banner(byId("warning"), state.run.warning && [...state.run.warning, false]);
}

function headline(state) {
  const all = Object.values(state.intersections);
  const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);
  if (state.clock_s !== null) say(byId("clock"), clock(state.clock_s));
  say(byId("date"), state.date ? state.date.split("-").reverse().join("/") : "");
  say(byId("policy"), policyName(state.run.policy ?? "–"));
  mark(byId("policy"), "title", [state.run.policy, state.run.model && `SHA-256 ${state.run.model}`].filter(Boolean).join("\n"));
  say(byId("adaptive"), `${all.filter((one) => one.mode === "ADAPTIVE" && !one.stale).length}/${plan.intersections.length}`);
  say(byId("commands"), number(state.counters.commands));
  say(byId("refusals"), `${number(sum(state.counters.guard_refusals))} / ${number(sum(state.counters.cabinet_refusals))}`);
  byId("refusals").parentElement.title = JSON.stringify({ guard: state.counters.guard_refusals, cabinet: state.counters.cabinet_refusals });
  say(byId("conflicts"), number(state.counters.conflicts));
  byId("conflicts").classList.toggle("bad", state.counters.conflicts > 0);
}

function pulse(feed) {
  byId("pulse").dataset.feed = feed;
  say(byId("pulse"), FEEDS[feed]);
}

function banner(state) {
  const words = {
    waiting: ["Đang chờ nhịp đầu tiên của bộ điều khiển…", "Waiting for the controller's first tick", true],
    stale: [`Không có nhịp mới từ bộ điều khiển đã ${Math.round(state.age_s)} s. Tủ tín hiệu vẫn giữ đèn và tự chạy kế hoạch tại chỗ.`,
      "No new tick from the controller; the cabinets keep the lamps and fall back to their own plans.", false],
    ended: ["Bộ điều khiển đã dừng; hình dưới đây là nhịp cuối.", "The controller has stopped; below is its last tick.", true],
  }[state.feed];
  say_banner(byId("banner"), words);
}

/** A model goes by its file's name; its whole path is in the tip. */
function policyName(policy) {
  return policy.replace(/^model:.*\//, "model:");
}

function say_banner(node, words) {
  node.hidden = !words;
  if (!words) return;
  const [vi, en, calm] = words;
  node.classList.toggle("calm", calm);
  if (node.dataset.said === vi) return;
  node.dataset.said = vi;
  const second = document.createElement("span");
  second.lang = "en";
  second.textContent = en;
  node.replaceChildren(vi, second);
}

function lost() {
  document.body.classList.add("offline");
  pulse("lost");
  say_banner(byId("banner"), ["Mất kết nối với trung tâm, đang thử lại…", "Connection to the centre lost, retrying", false]);
}

/** What tells one intersection from the others: the street that crosses the corridor's own. */
function shortName(name) {
  const parts = name.split(/\s[–×x-]\s/);
  const common = (part) => plan.intersections.filter((item) => item.name_vi.includes(part)).length > plan.intersections.length / 2;
  return parts.filter((part) => parts.length < 2 || !common(part)).join(" – ") || name;
}

function toggleEnglish() {
  const shown = byId("english").getAttribute("aria-pressed") !== "true";
  byId("english").setAttribute("aria-pressed", String(shown));
  document.body.classList.toggle("no-english", !shown);
}
byId("english").addEventListener("click", toggleEnglish);
window.addEventListener("keydown", (event) => { if (event.key === "l" && !event.ctrlKey && !event.metaKey) toggleEnglish(); });
