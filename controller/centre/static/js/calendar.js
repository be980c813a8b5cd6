// The calendar in the writing: pick a day, give it a type, say which plan runs when.
import { byId, html, mark, say } from "./dom.js";
import { drafts } from "./drafts.js";
import { check, place, wrong } from "./fields.js";
import { follow, get } from "./live.js";
import { Month } from "./month.js";
import { send } from "./send.js";
import { Timetable } from "./timetable.js";
import { date as written, dayName, either, known, t } from "./words.js";

const CHECK_MS = 250;
const MONDAY = "2024-01-01";
const KIND = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$/;
const plans = JSON.parse(byId("plans").textContent);
const form = byId("calendar");
let running = null;
let draft = null;
let day = null;
let asked = 0;
let timer = 0;
let sound = false;
const extra = new Set();

const kindName = (kind) => (known(`calendar.kind.${kind}`) ? t(`calendar.kind.${kind}`) : kind);
const kinds = () => [...new Set([...running.entries.map((one) => one.day), ...draft.entries.map((one) => one.day), ...draft.week, ...draft.holidays.map((one) => one.day), ...extra])];
const hueOf = (kind) => kinds().indexOf(kind) % 8;
const weekdayOf = (iso) => (new Date(`${iso}T00:00:00Z`).getUTCDay() + 6) % 7;
const exception = (iso) => draft.holidays.find((one) => one.date === iso);
const kindOf = (iso) => exception(iso)?.day ?? draft.week[weekdayOf(iso)];

const month = new Month({ title: byId("month-title"), weekdays: byId("weekdays"), body: byId("days") }, choose, (iso) => {
  const kind = kindOf(iso);
  const special = exception(iso);
  return { kind: kindName(kind), hue: hueOf(kind), name: special ? either(special.name_vi, special.name_en) : "" };
});
const times = new Timetable(byId("times"), byId("daybar"), plans, (entries) => change({ entries: [...draft.entries.filter((one) => one.day !== kindOf(day)), ...entries] }));

byId("before").addEventListener("click", () => month.turn(-1));
byId("after").addEventListener("click", () => month.turn(1));
byId("today").addEventListener("click", () => choose(month.today));
byId("kind").addEventListener("change", ({ target }) => setKind(target.value));
for (const name of ["name_vi", "name_en"]) byId(name).addEventListener("input", ({ target }) => setName(name, target.value));
byId("add").addEventListener("click", () => times.add(kindOf(day)));
byId("add-kind").addEventListener("click", addKind);
byId("again")?.addEventListener("click", () => start(running));
form.addEventListener("submit", save);
const reload = drafts(byId("drafts"), "/api/v1/calendar/drafts", (one) => ({ title: [t("calendar.draft", { n: one.id })], href: `?draft=${one.id}` }));

running = await get("/api/v1/calendar");
if (running) {
  const chosen = new URLSearchParams(location.search).get("draft");
  const saved = chosen && (await get(`/api/v1/calendar/drafts/${encodeURIComponent(chosen)}`));
  start(saved ? saved.calendar : running);
  let guess = null; // the computer's day, until the site's is heard
  follow((state) => {
    if (!state.date) return;
    if (state.date !== month.today) month.setToday(state.date);
    if (!day || day === guess) choose(state.date);
    guess = null;
  });
  if (!day) {
    guess = new Date(Date.now() + 7 * 3600000).toISOString().slice(0, 10);
    choose(guess);
  }
} else say(byId("month-title"), t("calendar.lost"));

function start(from) {
  draft = structuredClone(from);
  change({});
}

function choose(iso) {
  day = iso;
  month.choose(iso);
  draw();
}

function change(what) {
  draft = { ...draft, ...what };
  draw();
  ready(false);
  clearTimeout(timer);
  timer = setTimeout(ask, CHECK_MS);
}

function setKind(kind) {
  const holidays = draft.holidays.filter((one) => one.date !== day);
  if (kind) holidays.push({ date: day, day: kind, name_vi: exception(day)?.name_vi ?? kindName(kind), name_en: exception(day)?.name_en ?? kind });
  change({ holidays: holidays.sort((a, b) => a.date.localeCompare(b.date)) });
}

function setName(name, value) {
  change({ holidays: draft.holidays.map((one) => (one.date === day ? { ...one, [name]: value } : one)) });
}

function addKind() {
  const input = byId("new-kind");
  const kind = input.value.trim();
  if (!KIND.test(kind)) {
    wrong(input, t("calendar.kind.new.hint"));
    return;
  }
  wrong(input, "");
  input.value = "";
  extra.add(kind);
  if (!draft.entries.some((one) => one.day === kind)) draft.entries.push({ day: kind, start: "05:00", plan: plans[0].number });
  setKind(kind);
}

function draw() {
  if (!day) return;
  month.draw();
  const usual = draft.week[weekdayOf(day)];
  const special = exception(day);
  say(byId("day-title"), `${dayName(day)}, ${written(day)}`);
  choices(byId("kind"), [["", t("calendar.usual", { kind: kindName(usual) })], ...kinds().map((kind) => [kind, kindName(kind)])], special?.day ?? "");
  byId("names").hidden = !special;
  for (const name of ["name_vi", "name_en"]) if (special && byId(name).value !== special[name]) byId(name).value = special[name];
  const kind = kindOf(day);
  say(byId("times-title"), t("calendar.times", { kind: kindName(kind) }));
  times.show(kind, draft.entries.filter((one) => one.day === kind));
  byId("legend").replaceChildren(...kinds().map((one) => html("li", {}, html("i", { "data-stage": hueOf(one) }), kindName(one))));
  week();
}

function choices(select, options, value) {
  const text = JSON.stringify(options);
  if (select.dataset.text !== text) {
    mark(select, "data-text", text);
    select.replaceChildren(...options.map(([key, label]) => html("option", { value: key }, label)));
  }
  select.value = value;
}

function week() {
  const root = byId("week");
  if (!root.children.length) {
    root.append(...draft.week.map((_, index) => {
      const select = html("select", {});
      select.addEventListener("change", () => change({ week: draft.week.map((kind, other) => (other === index ? select.value : kind)) }));
      const iso = new Date(Date.parse(`${MONDAY}T00:00:00Z`) + index * 86400000).toISOString().slice(0, 10);
      return html("label", { class: "field" }, html("span", { class: "label" }, dayName(iso)), select);
    }));
  }
  [...root.querySelectorAll("select")].forEach((select, index) => choices(select, kinds().map((kind) => [kind, kindName(kind)]), draft.week[index]));
}

async function ask() {
  asked += 1;
  const turn = asked;
  const answer = await send("POST", "/api/v1/calendar/check", draft);
  if (turn !== asked) return;
  if (!answer.ok) {
    finding([html("li", { "data-tone": "bad" }, answer.errors[0] ? `${answer.errors[0].field.replace(/^body\./, "")}: ${answer.errors[0].message}` : answer.message)]);
    return;
  }
  const { defects, may_be_saved: may } = answer.body;
  const same = JSON.stringify(draft) === JSON.stringify(running);
  const good = html("li", { "data-tone": "good" }, `✓ ${t("calendar.sound")}`);
  finding(defects.length ? defects.map((one) => html("li", { "data-tone": "bad" }, html("span", { class: "tag", "data-tone": "bad" }, t("edit.blocks")), " ", either(one.text.vi, one.text.en))) : [good, ...(same ? [] : [html("li", {}, t("calendar.changed"))])]);
  ready(may && !same);
}

const finding = (items) => byId("findings").replaceChildren(...items);

function ready(may) {
  sound = may;
  const button = byId("save");
  if (button) button.disabled = !may;
}

async function save(event) {
  event.preventDefault();
  byId("problem").hidden = byId("saved").hidden = true;
  if (!sound || !check(form)) return;
  ready(false);
  const answer = await send("POST", "/api/v1/calendar/drafts", { reason: byId("reason").value.trim(), calendar: draft, base: byId("calendar").dataset.version });
  ready(true);
  if (!answer.ok) {
    place(form, answer.errors);
    byId("problem").hidden = false;
    say(byId("problem"), answer.message);
    return;
  }
  byId("reason").value = "";
  byId("saved").hidden = false;
  say(byId("saved"), t("calendar.saved", { n: answer.body.id }));
  reload();
}
