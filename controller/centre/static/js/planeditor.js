// A plan in the writing: every change is checked by the centre with the rules of `network check`.
import { byId, html, say } from "./dom.js";
import { CycleBar } from "./cyclebar.js";
import { drafts } from "./drafts.js";
import { EntryRows } from "./entries.js";
import { check, place, wrong } from "./fields.js";
import { get } from "./live.js";
import { send } from "./send.js";
import { either, number, t } from "./words.js";

const CHECK_MS = 250;
const given = JSON.parse(byId("plan").textContent);
const form = byId("editor");
const where = { intersection: given.intersection, number: given.number };
let draft = structuredClone(given.plan);
let asked = 0;
let timer = 0;
let sound = false;

const bar = new CycleBar(byId("bar"), given.stages, (splits) => change({ splits }));
const rows = new EntryRows(byId("entries"), given.stages, (splits) => change({ splits }));
byId("add").addEventListener("click", () => change({ splits: [...draft.splits, { stage: given.stages[0].id, split_s: 30 }] }));
for (const name of ["name", "name_en", "offset_s"]) {
  form.elements[name].addEventListener("input", ({ target }) => {
    wrong(target, "");
    change({ [name]: name === "offset_s" ? Number(target.value) : target.value });
  });
}
byId("again")?.addEventListener("click", () => start(given.plan));
form.addEventListener("submit", save);
const reload = drafts(byId("drafts"), "/api/v1/plans/drafts", (one) => ({ title: [t("plans.draft", { n: one.id })], href: `?draft=${one.id}` }),
  `target=${encodeURIComponent(`${given.intersection}/${given.number}`)}`);

const chosen = new URLSearchParams(location.search).get("draft");
const saved = chosen && (await get(`/api/v1/plans/drafts/${encodeURIComponent(chosen)}`));
start(saved ? saved.plan : given.plan);

function start(from) {
  draft = structuredClone(from);
  form.elements.name.value = draft.name;
  form.elements.name_en.value = draft.name_en;
  form.elements.offset_s.value = draft.offset_s;
  change({});
}

function change(what) {
  draft = { ...draft, ...what };
  say(byId("cycle"), String(draft.splits.reduce((sum, one) => sum + one.split_s, 0)));
  bar.show(draft.splits);
  rows.show(draft.splits);
  differences();
  ready(false);
  clearTimeout(timer);
  timer = setTimeout(ask, CHECK_MS);
}

async function ask() {
  asked += 1;
  const turn = asked;
  const answer = await send("POST", "/api/v1/plans/check", { ...where, plan: whole() });
  if (turn !== asked) return;
  if (!answer.ok) {
    const rest = place(form, answer.errors.map((one) => ({ ...one, field: one.field.replace("body.plan.", "") })));
    finding([html("li", { "data-tone": "bad" }, answer.status === 422 ? (rest[0]?.message ?? answer.message) : `${t("edit.unchecked")} ${answer.message}`)]);
    return;
  }
  const { defects, entries, may_be_saved: may } = answer.body;
  rows.limits(entries, defects);
  bar.mark(defects);
  finding(defects.length ? defects.map(item) : [html("li", { "data-tone": "good" }, `✓ ${t("edit.sound")}`)]);
  ready(may);
}

/** What is sent: whole numbers only, so that a field that is being typed in is refused in words. */
const whole = () => ({ name: draft.name.trim() || "–", name_en: draft.name_en.trim(), offset_s: Math.trunc(draft.offset_s), splits: draft.splits.map((one) => ({ stage: one.stage, split_s: Math.max(1, Math.trunc(one.split_s)) })) });

function item(defect) {
  return html("li", { "data-tone": defect.blocks ? "bad" : "warn" }, html("span", { class: "tag", "data-tone": defect.blocks ? "bad" : "warn" }, t(defect.blocks ? "edit.blocks" : "edit.warns")), " ", either(defect.text.vi, defect.text.en));
}

const finding = (items) => byId("findings").replaceChildren(...items);

function ready(may) {
  sound = may;
  const button = byId("save");
  if (button) button.disabled = !may;
}

function differences() {
  const before = given.base;
  const lines = [];
  if (!before) lines.push(t("edit.diff.new"));
  else {
    const order = (splits) => splits.map((one) => one.stage).join(" ");
    if (draft.name.trim() !== before.name) lines.push(t("edit.diff.name", { a: before.name, b: draft.name.trim() }));
    if (draft.name_en.trim() !== before.name_en) lines.push(t("edit.diff.name", { a: before.name_en || "–", b: draft.name_en.trim() || "–" }));
    if (order(draft.splits) === order(before.splits)) draft.splits.forEach((one, index) => line(t("stage.n", { id: one.stage }), before.splits[index].split_s, one.split_s));
    else lines.push(t("edit.diff.order", { a: order(before.splits), b: order(draft.splits) }));
    const cycle = (splits) => splits.reduce((sum, one) => sum + one.split_s, 0);
    line(t("edit.cycle"), cycle(before.splits), cycle(draft.splits));
    line(t("edit.offset"), before.offset_s, draft.offset_s);
  }
  byId("diff").replaceChildren(...(lines.length ? lines : [t("edit.diff.none")]).map((text) => html("li", {}, text)));

  function line(what, a, b) {
    if (a !== b) lines.push(t("edit.diff.line", { what, a, b, d: `${b > a ? "+" : "−"}${number(Math.abs(b - a))}` }));
  }
}

async function save(event) {
  event.preventDefault();
  byId("problem").hidden = byId("saved").hidden = true;
  if (!sound || !check(form)) return;
  ready(false);
  const answer = await send("POST", "/api/v1/plans/drafts", { ...where, reason: byId("reason").value.trim(), plan: whole(), base: given.version });
  ready(true);
  if (!answer.ok) {
    place(form, answer.errors);
    byId("problem").hidden = false;
    say(byId("problem"), answer.message);
    return;
  }
  byId("reason").value = "";
  byId("saved").hidden = false;
  say(byId("saved"), t("edit.saved", { n: answer.body.id }));
  reload();
}
