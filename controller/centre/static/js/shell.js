// What stands on every page: the clock, whether what is shown is true, who needs attention, the theme.
import { byId, icon, mark, say } from "./dom.js";
import { follow, whenLost } from "./live.js";
import { clock, date, either, t } from "./words.js";

const YEAR_S = 31536000;

follow((state) => {
  document.body.classList.remove("offline");
  if (state.clock_s !== null) say(byId("clock"), clock(state.clock_s));
  say(byId("date"), state.date ? date(state.date) : "");
  pulse(state.feed);
  banner(state);
  const warning = state.run.warning;
  tell(byId("warning"), warning ? either(...warning) : "", "warn");
  tell(byId("notice"), (state.notices ?? []).map((one) => either(...one)).join(" · "), "bad"); // the centre's own trouble
  needs(state);
});

whenLost(() => {
  document.body.classList.add("offline");
  pulse("lost");
  byId("needs").hidden = true;
  tell(byId("banner"), t("banner.lost"), "bad");
});

function pulse(feed) {
  mark(byId("feed"), "data-feed", feed);
  say(byId("feed"), t(`feed.${feed}`));
}

function banner(state) {
  const tones = { waiting: "calm", stale: "bad", ended: "calm" };
  tell(byId("banner"), state.feed in tones ? t(`banner.${state.feed}`, { s: Math.round(state.age_s ?? 0) }) : "", tones[state.feed]);
}

function tell(node, text, tone) {
  node.hidden = !text;
  mark(node, "data-tone", tone);
  say(node, text);
}

/** Nothing is said of what nobody knows. */
function needs({ feed, trouble = [] }) {
  if (feed === "waiting" || feed === "ended") {
    byId("needs").hidden = true;
    return;
  }
  const pressing = trouble.filter((one) => one.severity !== "calm");
  const places = new Set(pressing.map((one) => one.intersection)).size;
  const tone = places ? pressing[0].severity : trouble.length ? "calm" : "good";
  const node = byId("needs");
  const text = places ? t("shell.needs", { n: places }) : t(tone === "good" ? "shell.needs.none" : "shell.needs.calm");
  if (!node.hidden && node.dataset.tone === tone && node.textContent === text) return;
  node.hidden = false;
  node.dataset.tone = tone;
  node.replaceChildren(icon(places ? tone : tone === "good" ? "ok" : "hand"), text);
}

for (const choice of document.querySelectorAll("[data-theme-choice]")) {
  choice.addEventListener("click", (event) => {
    event.preventDefault();
    const theme = choice.dataset.themeChoice;
    document.cookie = `denxanh-theme=${theme}; path=/; max-age=${YEAR_S}; samesite=lax`;
    mark(document.documentElement, "data-theme", theme === "auto" ? null : theme);
    for (const other of document.querySelectorAll("[data-theme-choice]")) mark(other, "aria-current", other === choice ? "true" : null);
  });
}
