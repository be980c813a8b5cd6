// Orders to one intersection: fill in, look again, send, and see what the cabinet does.
import { byId, html, mark, say, svg } from "./dom.js";
import { check, place, wrong } from "./fields.js";
import { follow, plan as drawing } from "./live.js";
import { Outcome } from "./outcome.js";
import { showPreview } from "./preview.js";
import { stagePicture } from "./scene.js";
import { nextChange, scheduledPlan } from "./schedule.js";
import { nameOf } from "./vocabulary.js";
import { clock, t } from "./words.js";

const PREVIEW_MS = 5000;
const schedule = JSON.parse(byId("schedule").textContent);
const corridor = await drawing;
let latest = null;
/** One dialog: `form`, `confirm` and `outcome` are its steps. */
class Order {
  constructor(root) {
    this.root = root;
    this.kind = root.dataset.orderKind;
    this.id = root.dataset.place;
    this.item = corridor.intersections.find((one) => one.id === this.id);
    this.form = root.querySelector("form");
    this.outcome = new Outcome(root, this.item, () => this.send());
    for (const choice of root.querySelectorAll("[data-stage-choice]")) {
      const picture = svg("svg", { class: "picture", "aria-hidden": "true" });
      stagePicture(picture, this.item, corridor, this.item.stages[Number(choice.dataset.stageChoice)].aspects);
      choice.append(picture);
    }
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.review();
    });
    this.form.addEventListener("input", ({ target }) => this.changed(target));
    root.addEventListener("close", () => this.closed());
    for (const node of root.querySelectorAll("[data-close]")) node.addEventListener("click", () => this.close());
    for (const node of root.querySelectorAll("[data-phrase]")) node.addEventListener("click", () => this.phrase(node.textContent));
    root.querySelector("[data-back]").addEventListener("click", () => this.step("form"));
    root.querySelector("[data-send]").addEventListener("click", () => this.send());
  }

  /** Open with a choice made already, where the opener names one. */
  open({ plan, stage }) {
    this.form.reset();
    for (const input of this.form.elements) if (input.name) wrong(input, "");
    this.problem("");
    const chosen = this.form.querySelector(plan ? `[name="plan"][value="${plan}"]` : `[name="stage"][value="${stage}"]`);
    if (chosen) chosen.checked = true;
    this.key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
    this.changed(this.form.elements.time?.[0]);
    this.step("form");
    if (latest) this.live(latest);
    this.root.showModal();
    if (this.kind === "plan") {
      this.preview();
      this.timer = setInterval(() => this.preview(), PREVIEW_MS);
    }
  }

  close() {
    if (this.root.open) this.root.close();
  }

  closed() {
    clearInterval(this.timer);
    this.outcome.stop();
  }

  step(name) {
    for (const part of this.root.querySelectorAll("[data-step]")) part.hidden = part.dataset.step !== name;
    this.now = name;
  }

  changed(input) {
    if (input?.name) wrong(input, "");
    const { minutes } = this.form.elements;
    if (minutes) {
      const other = this.form.elements.time.value === "other";
      if (other && minutes.disabled) queueMicrotask(() => minutes.focus());
      minutes.disabled = minutes.hidden = !other;
    }
    if (input?.name === "plan") this.preview();
  }

  phrase(text) {
    const { reason } = this.form.elements;
    reason.value = text;
    wrong(reason, "");
    reason.focus();
  }

  problem(text) {
    const node = this.root.querySelector("[data-problem]");
    node.hidden = !text;
    say(node, text);
  }

  async preview() {
    const node = this.root.querySelector("[data-preview]");
    const number = Number(this.form.elements.plan.value);
    if (number && this.now === "form") await showPreview(node, this.item, number);
  }

  review() {
    if (!check(this.form)) return;
    const said = this.sentence();
    say(this.root.querySelector("[data-say]"), said);
    say(this.root.querySelector("[data-say-again]"), said);
    say(this.root.querySelector("[data-said-reason]"), this.form.elements.reason.value.trim());
    this.step("confirm");
    this.root.querySelector("[data-say]").focus();
  }

  async send() {
    this.step("outcome");
    this.root.querySelector("[data-verdict]").focus();
    const answer = await this.outcome.run(`/api/v1/intersections/${encodeURIComponent(this.id)}/${this.kind}`, this.body(), this.key);
    if (answer.status !== 422) return;
    this.step("form");
    const rest = place(this.form, answer.errors);
    this.problem(rest.length || !answer.errors.length ? [answer.message, ...rest.map((one) => one.message)].join(" ") : "");
  }

  body() {
    const { reason, plan, stage } = this.form.elements;
    const body = { reason: reason.value.trim() };
    if (plan) body.plan = Number(plan.value);
    if (stage) body.stage = Number(stage.value);
    if (this.kind !== "release") body.for_s = this.seconds();
    return body;
  }

  seconds() {
    const { time, minutes } = this.form.elements;
    if (time.value === "other") return Number(minutes.value) * 60;
    return time.value === "change" ? this.untilChange : Number(time.value);
  }

  sentence() {
    const { plan, stage } = this.form.elements;
    const chosen = plan && this.form.querySelector(`[name="plan"][value="${plan.value}"]`);
    const values = { place: nameOf(this.item), stage: stage && this.item.stages[Number(stage.value)].id, plan: chosen?.closest(".choice").querySelector("b").textContent };
    if (this.kind !== "release") values.time = this.spoken();
    return t(`give.say.${this.kind}`, values);
  }

  spoken() {
    const seconds = this.seconds();
    return seconds % 60 ? t("give.seconds", { n: seconds }) : t("give.minutes", { n: seconds / 60 });
  }

  live(state) {
    const one = state.intersections[this.id];
    if (!one) return;
    this.outcome.live(one);
    if (!this.root.open || this.now === "outcome") return;
    this.root.querySelector("[data-unheard]").hidden = !one.stale;
    for (const choice of this.root.querySelectorAll("[data-stage-choice]")) {
      choice.querySelector("[data-running]").hidden = one.stale || one.in_interstage || Number(choice.dataset.stageChoice) !== one.stage;
    }
    this.plans(state, one);
    this.standing(one.orders ?? []);
  }

  plans(state, one) {
    if (this.kind !== "plan" || state.clock_s === null) return;
    const scheduled = scheduledPlan(schedule, state.date, state.clock_s);
    for (const choice of this.root.querySelectorAll("[data-plan-choice]")) {
      const number = Number(choice.dataset.planChoice);
      choice.querySelector("[data-scheduled]").hidden = number !== scheduled;
      choice.querySelector("[data-running]").hidden = one.stale || one.mode !== "PLAN" || one.plan !== number;
    }
    const change = nextChange(schedule, state.date, state.clock_s);
    this.untilChange = change && Math.max(60, Math.round(change.in_s));
    const until = this.root.querySelector(".until");
    until.hidden = !change || change.in_s > 86400;
    if (change) say(until.querySelector("[data-until]"), t("give.until-change", { time: clock(change.at_s).slice(0, 5) }));
  }

  standing(orders) {
    const list = this.root.querySelector("[data-standing]");
    if (!list) return;
    const text = JSON.stringify(orders.map((one) => [one.id, Math.ceil(one.left_s / 10)]));
    if (list.dataset.text === text) return;
    mark(list, "data-text", text);
    const also = list.closest("[data-also]");
    if (also) also.hidden = !orders.length;
    list.replaceChildren(...(orders.length ? orders.map((one) => this.order(one)) : [html("li", { class: "soft" }, t("give.standing.none"))]));
  }

  order(one) {
    const what = one.kind === "plan" && one.plan === null ? "give.standing.plan.scheduled" : `give.standing.${one.kind}`;
    const stage = one.stage === null || one.stage === undefined ? "" : this.item.stages[one.stage].id;
    const left = one.left_s >= 60 ? t("give.minutes", { n: Math.ceil(one.left_s / 60) }) : t("give.seconds", { n: Math.ceil(one.left_s) });
    return html("li", {}, html("b", {}, t(what, { plan: one.plan ?? "", stage })), html("span", {}, t("give.standing.left", { time: left })), html("small", {}, t("give.standing.by", { who: one.actor, reason: one.reason })));
  }
}

const dialogs = new Map([...document.querySelectorAll("dialog.order")].map((node) => [node.dataset.orderKind, new Order(node)]));

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-order]");
  if (!opener || !dialogs.has(opener.dataset.order)) return;
  for (const one of dialogs.values()) one.close();
  dialogs.get(opener.dataset.order).open(opener.dataset);
});
// Until here a click would have been lost without a word.
for (const opener of document.querySelectorAll(".actions > [data-order]")) opener.disabled = false;
follow((state) => {
  latest = state;
  for (const one of dialogs.values()) one.live(state);
});
