// The list of plans: which run, which the schedule names, which drafts there are.
import { byId, html, say } from "./dom.js";
import { drafts } from "./drafts.js";
import { follow, plan } from "./live.js";
import { dayType, entriesOf, scheduledPlan } from "./schedule.js";
import { nameOf } from "./vocabulary.js";
import { clock, t } from "./words.js";

const schedule = JSON.parse(byId("schedule").textContent);
const corridor = await plan;
const places = new Map(corridor.intersections.map((item) => [item.id, item]));

follow((state) => {
  if (state.clock_s === null || !state.date) return;
  const scheduled = scheduledPlan(schedule, state.date, state.clock_s);
  for (const head of document.querySelectorAll("[data-column]")) {
    const number = Number(head.dataset.column);
    head.querySelector("[data-scheduled]").hidden = number !== scheduled;
    say(head.querySelector("[data-times]"), times(state.date, number));
  }
  for (const row of document.querySelectorAll("tr[data-id]")) {
    const one = state.intersections[row.dataset.id];
    for (const cell of row.querySelectorAll("[data-plan] [data-running]")) {
      cell.hidden = !(one && !one.stale && one.mode === "PLAN" && one.plan === Number(cell.closest("[data-plan]").dataset.plan));
    }
  }
});

/** When a plan runs today: "06:00–08:00, 16:00–19:00". */
function times(date, number) {
  const entries = entriesOf(schedule, dayType(schedule, date));
  const spans = entries.map((entry, index) => [entry, entries[(index + 1) % entries.length]]).filter(([entry]) => entry.plan === number);
  return spans.map(([from, to]) => `${clock(from.start_s).slice(0, 5)}–${clock(to.start_s).slice(0, 5)}`).join(", ");
}

drafts(byId("drafts"), "/api/v1/plans/drafts", (draft) => ({
  title: [html("b", {}, places.has(draft.intersection) ? nameOf(places.get(draft.intersection)) : draft.intersection), ` · ${t("plan.n", { n: draft.number })}`],
  href: `/plans/${encodeURIComponent(draft.intersection)}/${draft.number}/edit?draft=${draft.id}`,
}));
