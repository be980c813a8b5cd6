// Everybody's accounts, for administrators. What hurts asks once more.
import { byId, html, say } from "./dom.js";
import { check, place } from "./fields.js";
import { get } from "./live.js";
import { showSecret } from "./secret.js";
import { send } from "./send.js";
import { moment } from "./times.js";
import { t } from "./words.js";

const roles = JSON.parse(byId("roles").textContent);
const form = byId("new");
const dialog = byId("sure");
form.addEventListener("submit", make);
load();

async function load() {
  const page = await get("/api/v1/people");
  byId("people").replaceChildren(...(page ? page.people.map(row) : [html("tr", {}, html("td", { colspan: 5, class: "empty" }, t("people.lost")))]));
}

function row(one) {
  const tags = [html("span", { class: "tag", "data-tone": one.disabled ? "bad" : "good" }, t(one.disabled ? "people.state.disabled" : "people.state.open"))];
  if (one.must_change_password) tags.push(html("span", { class: "tag", "data-tone": "warn" }, t("people.state.must-change")));
  if (!one.has_password) tags.push(html("span", { class: "tag" }, t("people.state.no-password")));
  const role = html("select", { "aria-label": t("people.role.of", { name: one.name }) }, ...roles.map((name) => html("option", { value: name, selected: name === one.role }, t(`role.${name}`))));
  role.addEventListener("change", async () => {
    if (await sure(t("people.sure.role", { name: one.display, role: t(`role.${role.value}`) }))) await act("PATCH", one, "", { role: role.value });
    else role.value = one.role;
  });
  const path = (rest) => `/api/v1/people/${encodeURIComponent(one.name)}${rest}`;
  const actions = [
    ["people.reset", "button", async () => (await sure(t("people.sure.reset", { name: one.display }))) && secret(await send("POST", path("/reset")))],
    ["people.end", "button", async () => (await sure(t("people.sure.end", { name: one.display }))) && act("DELETE", one, "/sessions")],
    one.disabled
      ? ["people.enable", "button", () => act("PATCH", one, "", { disabled: false })]
      : ["people.disable", "button danger", async () => (await sure(t("people.sure.disable", { name: one.display }))) && act("PATCH", one, "", { disabled: true })],
  ].map(([key, kind, done]) => {
    const button = html("button", { class: kind, type: "button", "aria-label": `${t(key)}: ${one.display}` }, t(key));
    button.addEventListener("click", done);
    return button;
  });
  return html("tr", { "data-name": one.name }, html("td", {}, html("b", {}, one.display), html("small", { class: "under" }, one.name)), html("td", {}, role),
    html("td", {}, html("span", { class: "tags" }, ...tags)), html("td", { class: "time" }, moment(one.created)), html("td", {}, html("div", { class: "actions" }, ...actions)));
}

async function act(method, one, rest, body) {
  const answer = await send(method, `/api/v1/people/${encodeURIComponent(one.name)}${rest}`, body);
  problem(answer.message);
  if (answer.ok) say(byId("alarm-voice"), answer.body.ended === undefined ? t("people.done") : t("people.ended", { n: answer.body.ended }));
  await load();
}

async function make(event) {
  event.preventDefault();
  if (!check(form)) return;
  const { name, display, role } = form.elements;
  const answer = await send("POST", "/api/v1/people", { name: name.value.trim(), display: display.value.trim(), role: role.value });
  if (answer.ok) form.reset();
  else if (answer.errors.length && !place(form, answer.errors).length) return;
  secret(answer);
}

function secret(answer) {
  problem(answer.message);
  if (answer.ok && answer.body.one_time_password) showSecret(byId("secret"), answer.body.one_time_password, t("people.secret", { name: answer.body.account.name }));
  load();
}

function problem(text) {
  byId("problem").hidden = !text;
  say(byId("problem"), text);
}

/** Ask once more; true for yes. */
function sure(text) {
  say(byId("sure-what"), text);
  dialog.showModal();
  return new Promise((resolve) => {
    let said = false;
    dialog.querySelector("[data-yes]").onclick = () => {
      said = true;
      dialog.close();
    };
    dialog.querySelector("[data-no]").onclick = () => dialog.close();
    dialog.addEventListener("close", () => resolve(said), { once: true });
  });
}
