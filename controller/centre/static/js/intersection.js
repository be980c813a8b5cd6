// One intersection's page: who is in charge, what is green and until when, why, and what it has done.
import { Detectors } from "./detectors.js";
import { byId, html, icon, mark, say, svg } from "./dom.js";
import { Lanes } from "./lanes.js";
import { follow, plan } from "./live.js";
import { Log } from "./log.js";
import { LookBack } from "./lookback.js";
import { showOrders } from "./orders.js";
import { countdown } from "./peek.js";
import { scene, stagePicture } from "./scene.js";
import { cycleOf, lampTape } from "./tape.js";
import { Timeline } from "./timeline.js";
import { siteNow } from "./times.js";
import { tellTrouble } from "./trouble.js";
import { causeOf, load, modeBadge, reasonOf, refusalOf, showMode, showStage, stageMark } from "./vocabulary.js";
import { either, known, number, t } from "./words.js";

const id = byId("place").dataset.id;
const corridor = await plan;
const item = corridor.intersections.find((one) => one.id === id);
const badge = modeBadge();
const stage = stageMark();
badge.hidden = stage.hidden = true;
byId("mode").append(badge);
byId("stage").append(stage);
const showJunction = scene(byId("junction"), item, corridor);
const cards = item.stages.map(stageCard);
const timeline = new Timeline(byId("timeline"), item);
const tape = lampTape(id);
const lookback = new LookBack(id, (seconds, clock_s) => timeline.show(seconds, seconds.length / 3, { aspects: "", commitment: null, clock_s }));
const lanes = new Lanes(byId("lanes"), item);
const log = new Log(byId("log"), corridor, id);
let detectors = null;

follow(async (state) => {
  log.take(state.events, state.last_event);
  trouble(state);
  const now = state.intersections[id];
  if (!now) return;
  detectors ??= new Detectors(byId("detectors"), id);
  status(now);
  why(now);
  showJunction(now);
  lanes.show(now);
  stages(now);
  showOrders(byId("orders"), item, now.orders ?? []);
  byId("place").classList.toggle("is-stale", now.stale);
  lookback.tick(siteNow(state));
  await tape.take(now.tick ?? state.tick, now);
  if (!lookback.looking) timeline.show(tape.seconds, cycleOf(tape.seconds), { ...now, clock_s: state.clock_s });
});

function status(now) {
  badge.hidden = stage.hidden = false;
  mark(document.querySelector(".status"), "data-mode", now.mode);
  showMode(badge, now.mode);
  showStage(stage, item, now.stage, now.in_interstage);
  say(byId("cause"), now.stale ? t("stale.s", { s: Math.round(now.age_s) }) : causeOf(now));
  const [figure, meaning] = countdown(item, now);
  say(byId("figure"), figure);
  say(byId("meaning"), meaning);
  byId("figure").parentElement.classList.toggle("open", !(now.commitment?.end_in_s > 0));
  say(byId("waiting"), `${number(Math.round(load(item, now).waiting))} ${t("unit.pcu")}`);
  say(byId("plan"), now.plan === null ? "–" : planName(now.plan));
}

function planName(wanted) {
  const found = item.plans.find((one) => one.number === wanted);
  return found?.name ? `${wanted} · ${either(found.name, found.name_en)}` : String(wanted);
}

function why(now) {
  say(byId("why"), reasonOf(now));
  say(byId("request"), now.request === null ? t("place.request.none") : t("stage.n", { id: item.stages[now.request]?.id ?? "?" }));
  const guard = now.guard_refusal;
  say(byId("guard"), guard ? (known(`refusal.${guard}`) ? t(`refusal.${guard}`) : guard) : t("place.guard.quiet"));
  const cabinet = now.cabinet_refusal ? refusalOf(now) : "";
  byId("cabinet-term").hidden = byId("cabinet").hidden = !cabinet;
  say(byId("cabinet"), cabinet);
}

function stageCard(one, index) {
  const picture = svg("svg", { "aria-hidden": "true" });
  stagePicture(picture, item, corridor, one.aspects);
  const label = stageMark();
  showStage(label, item, index);
  const role = html("em");
  const root = html("li", { "data-stage": index % 8 }, picture, html("p", {}, label), role);
  byId("stages").append(root);
  return { root, role };
}

function stages(now) {
  cards.forEach(({ root, role }, index) => {
    const next = now.commitment?.next_stage;
    const as = index === now.stage ? "now" : index === next ? "next" : index === now.request ? "asked" : null;
    mark(root, "data-role", as);
    say(role, as ? t(`place.stage.${as}`) : "");
  });
}

function trouble(state) {
  const root = byId("trouble");
  const mine = state.trouble.filter((one) => one.intersection === id);
  const texts = mine.map((one) => tellTrouble(one, state.intersections[id], item));
  root.hidden = !mine.length;
  if (root.dataset.texts === texts.join("\n")) return;
  root.dataset.texts = texts.join("\n");
  root.replaceChildren(...mine.map((one, index) => html("p", { "data-tone": one.severity }, icon(one.severity === "calm" ? "hand" : one.severity), texts[index])));
}
