// One card per intersection: who is in charge, what is green, what is promised, what waits, and why.
import { english, hue, html, mark, number, say, svg, tight } from "./dom.js";
import { junction, streets } from "./junction.js";

const AHEAD = 24; // seconds of promised future at the ribbon's right end
const PAST = 120; // seconds of history on a card
const REACH_M = 34; // street shown around the outermost stop line

export function card(item, plan, choose) {
  const mini = miniature(item, plan);
  const node = {
    badge: html("span", { class: "badge" }),
    stage: html("p", { class: "stage" }),
    stageEn: html("small", { lang: "en" }),
    count: html("b"),
    next: html("span"),
    waiting: html("dd"),
    plan: html("dd"),
    why: html("p", { class: "why" }),
    ribbon: svg("svg", { class: "ribbon", viewBox: `0 0 ${PAST + AHEAD} 10`, preserveAspectRatio: "none", "aria-hidden": "true" }),
  };
  const old = html("span", { class: "old" });
  const reason = html("span");
  const reasonEn = html("small", { lang: "en" });
  node.why.append(html("span", { class: "first" }, old, reason), reasonEn);
  const counter = html("div", { class: "count" }, node.count, node.next);
  const root = html("article", { class: "card", tabindex: "0", "data-id": item.id, "aria-label": item.name_vi },
    html("header", {}, html("span", { class: "number" }, String(item.number)),
      html("h3", { title: item.name_vi }, item.short, html("small", { lang: "en" }, item.name_en)), node.badge),
    html("div", { class: "body" }, mini.root,
      html("div", { class: "facts" }, html("div", {}, node.stage, node.stageEn), counter,
        html("dl", {}, html("dt", {}, "Hàng chờ"), node.waiting, html("dt", {}, "Chương trình"), node.plan))),
    node.ribbon, node.why);
  root.addEventListener("click", () => choose(item.id));
  root.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(item.id); });

  function show(state) {
    const [vi, en] = plan.words.modes[state.mode];
    mark(root, "style", `--mode:var(--${state.mode});--hue:${hue(state.stage)}`);
    mark(root, "data-mode", state.mode);
    root.classList.toggle("stale", state.stale);
    if (node.badge.dataset.mode !== state.mode) {
      node.badge.dataset.mode = state.mode;
      node.badge.replaceChildren(vi, english(en));
    }
    mark(node.badge, "title", cause(state));
    const stage = item.stages[state.stage];
    say(node.stage, `${state.in_interstage ? "→ " : ""}${lettered(stage)}`);
    say(node.stageEn, stage.en === stage.vi ? "" : stage.en);
    countdown(state);
    say(node.waiting, `${number(Math.round(state.lanes.reduce((sum, lane) => sum + lane[0], 0)))} xcqđ`);
    say(node.plan, state.plan === null ? "–" : String(state.plan));
    say(old, `Dữ liệu cũ ${Math.round(state.age_s)} s · `);
    const refused = state.cabinet_refusal || state.guard_refusal;
    const [why, whyEn] = state.mode === "ADAPTIVE" && state.why ? [state.why_vi || state.why, state.why] : [cause(state), cause(state, 1)];
    say(reason, tight(why));
    say(reasonEn, whyEn === why ? "" : tight(whyEn));
    mark(node.why, "title", [why, cause(state), refused && `từ chối: ${plan.words.refusals[refused]?.[0] ?? refused}`, whyEn].filter(Boolean).join("\n"));
    ribbon(node.ribbon, state);
    mini.show(state);
  }

  function cause(state, language = 0) {
    const [code, rest] = state.cause.split(/: (.*)/);
    const known = plan.words.causes[code]?.[language];
    return known ? known + (rest ? ` (${rest})` : "") : state.cause;
  }

  function countdown(state) {
    const promised = state.commitment?.end_in_s > 0; // at 0 the green is over: the interstage has begun
    counter.classList.toggle("open", !promised);
    if (promised) {
      say(node.count, String(state.commitment.end_in_s));
      say(node.next, `s nữa → ${lettered(item.stages[state.commitment.next_stage])}`);
    } else if (state.in_interstage || state.commitment) {
      say(node.count, "···");
      say(node.next, "đang chuyển pha");
    } else {
      say(node.count, String(Math.round(state.elapsed_s)));
      say(node.next, "s xanh, chưa hẹn giờ tắt");
    }
  }
  return { root, show };
}

/** A stage as the reasons name it: its letter, then what it is. */
const lettered = (stage) => (stage.vi === stage.id ? stage.vi : `${stage.id} · ${stage.vi}`);

/** Two minutes of stages, then the promised seconds hatched. */
function ribbon(root, state) {
  const parts = [];
  const past = state.ribbon.slice(-PAST);
  const start = PAST - past.length;
  for (const run of past.matchAll(/(.)\1*/g)) {
    if (run[1] === "-") continue;
    parts.push(svg("rect", { x: start + run.index, y: 0, width: run[0].length, height: 10, fill: hue(parseInt(run[1], 36)), opacity: 0.85 }));
  }
  const promise = state.commitment;
  if (promise && !state.in_interstage) {
    const until = Math.min(promise.end_in_s, AHEAD);
    for (let x = 0; x < until; x += 2) parts.push(svg("rect", { x: PAST + x, y: 0, width: 1, height: 10, fill: hue(state.stage), opacity: 0.7 }));
    parts.push(svg("rect", { x: PAST + until, y: 0, width: 1.6, height: 10, fill: hue(promise.next_stage) }));
  }
  parts.push(svg("rect", { x: PAST - 0.4, y: 0, width: 0.8, height: 10, fill: "#fff" }));
  root.replaceChildren(...parts);
}

function miniature(item, plan) {
  const [x, y] = item.at;
  const from = (point) => Math.hypot(point[0] - x, point[1] - y);
  const radius = Math.max(...item.lanes.map((lane) => from(lane.points[0])), 12) + REACH_M;
  const root = svg("svg", { class: "mini", viewBox: `${x - radius} ${y - radius} ${2 * radius} ${2 * radius}`, "aria-hidden": "true", preserveAspectRatio: "xMidYMid slice" });
  const near = [];
  for (const lane of plan.lanes) {
    if (touches(lane.points, x, y, radius * 1.3)) near.push(lane);
  }
  root.append(...streets(near));
  const layer = svg("g");
  root.append(layer);
  return { root, show: junction(layer, item) };
}

/** Whether any piece of the line comes into the square around (x, y). */
function touches(points, x, y, reach) {
  return points.some(([u, v], index) => {
    const [p, q] = points[index + 1] ?? [u, v];
    return Math.min(u, p) < x + reach && Math.max(u, p) > x - reach && Math.min(v, q) < y + reach && Math.max(v, q) > y - reach;
  });
}
