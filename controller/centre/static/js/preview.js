// What a switch to a plan would look like, before anybody switches.
import { html, svg } from "./dom.js";
import { send } from "./send.js";
import { either, t } from "./words.js";

/** Ask the centre and draw: the stages on the way, each as long as its green, then the plan in step. */
export async function showPreview(node, item, plan) {
  const answer = await send("POST", `/api/v1/intersections/${encodeURIComponent(item.id)}/plan/preview`, { plan });
  if (!answer.ok) {
    node.replaceChildren(html("p", { class: "soft" }, answer.status === 0 || answer.status === 401 ? answer.message : t("preview.none")));
    return;
  }
  const found = answer.body;
  const said = [html("p", { class: "hint" }, t("preview.now"))];
  said.push(bar(item, found));
  const steps = found.steps.map((step) => html("li", { "data-stage": step.stage % 8 }, html("b", {}, item.stages[step.stage].id), html("span", {}, greenOf(item.stages[step.stage].id, step.end_in_s - step.start_in_s))));
  if (steps.length) said.push(html("ol", { class: "steps" }, ...steps));
  const words = [found.committed ? t("preview.committed") : found.earliest_end_s > 0 ? t("preview.earliest", { n: found.earliest_end_s }) : "", sentence(either(found.how.vi, found.how.en)), t("preview.in-step", { n: found.in_step_in_s })];
  said.push(html("p", {}, words.filter(Boolean).join(" ")));
  node.replaceChildren(...said);
}

const greenOf = (stage, n) => (n > 0 ? t("preview.step", { stage, n }) : t("preview.step.ends", { stage }));

const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}.` : "");

function bar(item, found) {
  const whole = Math.max(found.in_step_in_s, ...found.steps.map((step) => step.end_in_s), 1);
  const share = (seconds) => `${((100 * seconds) / whole).toFixed(2)}%`;
  const pieces = found.steps.map((step) => svg("svg", { x: share(step.start_in_s), width: share(step.end_in_s - step.start_in_s), height: "100%" },
    svg("rect", { width: "100%", height: "100%", "data-stage": step.stage % 8 }), svg("text", { x: "50%", y: "50%" }, item.stages[step.stage].id)));
  return svg("svg", { class: "cycle", role: "img", "aria-label": t("preview.title") }, ...pieces);
}
