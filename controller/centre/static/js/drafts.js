// A list of saved drafts, of plans or of the calendar: who wrote what, why; open, export, withdraw.
import { html } from "./dom.js";
import { get } from "./live.js";
import { send } from "./send.js";
import { moment } from "./times.js";
import { t } from "./words.js";

/**
 * Fill a list and keep it.
 * @param {(draft: any) => {title: (Node|string)[], href: string}} about what a draft is called and where it opens
 * @param {string} query which drafts, beside the newest thirty
 * @returns {() => Promise<void>} loads again
 */
export function drafts(list, path, about, query = "") {
  const mayEdit = document.body.dataset.mayEdit !== "no";

  async function load() {
    const page = await get(`${path}?limit=30${query && `&${query}`}`);
    if (!page) list.replaceChildren(html("li", { class: "empty" }, t("plans.drafts.lost")));
    else if (!page.drafts.length) list.replaceChildren(html("li", { class: "empty" }, t("plans.drafts.none")));
    else list.replaceChildren(...page.drafts.map(item));
  }

  function item(draft) {
    const { title, href } = about(draft);
    const withdrawn = draft.state === "withdrawn";
    const tags = [html("span", { class: "tag", "data-tone": withdrawn ? undefined : "calm" }, t(`plans.draft.state.${draft.state}`))];
    if (draft.running) tags.push(html("span", { class: "tag", "data-tone": "good" }, t("plans.running")));
    else if (draft.state === "accepted") tags.push(html("span", { class: "tag", "data-tone": "warn" }, t(draft.running === null ? "plans.draft.unheard" : "plans.draft.waits")));
    if (draft.sound === false) tags.push(html("span", { class: "tag", "data-tone": "warn" }, t("plans.draft.unsound")));
    const actions = [html("a", { class: "button", href }, t("plans.draft.open")), html("a", { class: "button", href: `${path}/${draft.id}/toml`, download: true }, t("plans.draft.export"))];
    if (mayEdit && draft.state === "draft") {
      const button = html("button", { class: "button quiet", type: "button" }, t("plans.draft.withdraw"));
      button.addEventListener("click", async () => {
        button.disabled = true;
        await send("POST", `${path}/${draft.id}/withdraw`);
        await load();
      });
      actions.push(button);
    }
    return html("li", { class: withdrawn ? "gone" : "", "data-draft": draft.id },
      html("p", {}, html("span", { class: "plate" }, `#${draft.id}`), " ", ...title, " ", ...tags),
      html("p", {}, `“${draft.reason}”`),
      html("small", {}, t("plans.draft.by", { who: draft.author, when: moment(draft.saved) })),
      draft.installed ? html("small", {}, t("plans.draft.installed", { who: draft.installed.by, when: moment(draft.installed.at) })) : "",
      html("div", { class: "actions" }, ...actions));
  }

  load();
  return load;
}
