// API tokens: make one, see when it was used, end it.
import { byId, html, say } from "./dom.js";
import { check, place } from "./fields.js";
import { get } from "./live.js";
import { showSecret } from "./secret.js";
import { send } from "./send.js";
import { moment } from "./times.js";
import { t } from "./words.js";

const form = byId("new-token");
form.addEventListener("submit", make);
load();

async function load() {
  const page = await get("/api/v1/tokens");
  if (!page) {
    form.hidden = true;
    empty(t("tokens.only-login"));
    return;
  }
  if (page.tokens.length) byId("tokens").replaceChildren(...page.tokens.map(row));
  else empty(t("tokens.none"));
}

const empty = (text) => byId("tokens").replaceChildren(html("tr", {}, html("td", { colspan: 7, class: "empty" }, text)));

function row(token) {
  const over = Date.parse(token.expires) < Date.now();
  const state = token.revoked ? "revoked" : over ? "over" : "live";
  const cells = [html("b", {}, token.label), token.owner, t(`role.${token.role}`), moment(token.expires), token.used ? moment(token.used) : t("tokens.never"),
    html("span", { class: "tag", "data-tone": state === "live" ? "good" : undefined }, t(`tokens.${state}`))].map((content) => html("td", {}, content));
  const last = html("td", { class: "end" });
  if (state === "live") {
    const button = html("button", { class: "button danger", type: "button", "aria-label": `${t("tokens.revoke")}: ${token.label}` }, t("tokens.revoke"));
    button.addEventListener("click", async () => {
      button.disabled = true;
      problem((await send("DELETE", `/api/v1/tokens/${token.id}`)).message);
      await load();
    });
    last.append(button);
  }
  return html("tr", {}, ...cells, last);
}

async function make(event) {
  event.preventDefault();
  if (!check(form)) return;
  const { label, role, days } = form.elements;
  const answer = await send("POST", "/api/v1/tokens", { label: label.value.trim(), role: role.value, days: Number(days.value) });
  if (!answer.ok) {
    const rest = place(form, answer.errors);
    problem(rest.length || !answer.errors.length ? answer.message : "");
    return;
  }
  problem("");
  showSecret(byId("token-secret"), answer.body.secret);
  form.reset();
  load();
}

function problem(text) {
  byId("token-problem").hidden = !text;
  say(byId("token-problem"), text);
}
