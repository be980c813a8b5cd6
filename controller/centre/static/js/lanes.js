// Queues, lane by lane: what stands, what arrives, how far it is believed.
import { glyphs, origin } from "./directions.js";
import { html, mark, say } from "./dom.js";
import { levelOf } from "./vocabulary.js";
import { number, percent, t } from "./words.js";

const TRUSTED = 0.5; // confidence below which an estimate is a guess

export class Lanes {
  constructor(root, item) {
    this.rows = [];
    const approaches = Map.groupBy(item.lanes, (lane) => lane.approach);
    for (const lanes of approaches.values()) {
      root.append(html("section", {}, html("h3", {}, t("place.from", { where: t(`compass.long.${origin(lanes[0])}`) })),
        ...lanes.map((lane, index) => this.row(lane, lanes.length - index))));
    }
  }

  row(lane, place) {
    const meter = html("div", { class: "meter" }, html("i", { class: "coming" }), html("i"));
    const figure = html("span", { class: "figure" }, "–");
    const trust = html("span", { class: "trust" });
    const root = html("div", { class: "lane unread", role: "group" }, html("span", {}, `${t("place.lane", { n: place })} `, html("i", { class: "turns" }, glyphs(lane.groups.flatMap((part) => [...part.turns])))), meter, figure, trust);
    this.rows.push({ lane, root, meter, figure, trust });
    return root;
  }

  show(state) {
    for (const { lane, root, meter, figure, trust } of this.rows) {
      const [queued, moving, confidence] = state.lanes[lane.index] ?? [0, 0, 0];
      const share = (pcu) => Math.min(pcu / Math.max(lane.storage, 1), 1);
      const [coming, bar] = meter.children;
      bar.style.transform = `scaleX(${share(queued).toFixed(3)})`;
      coming.style.transform = `scaleX(${share(queued + moving).toFixed(3)})`;
      mark(meter, "data-level", levelOf(share(queued)));
      root.classList.remove("unread");
      say(figure, number(queued));
      trust.classList.toggle("low", confidence < TRUSTED);
      const words = t("place.lane.text", { queued, moving, percent: percent(share(queued)), confidence: percent(confidence) });
      mark(root, "title", words);
      mark(root, "aria-label", `${root.firstElementChild.textContent}: ${words}`);
    }
  }
}
