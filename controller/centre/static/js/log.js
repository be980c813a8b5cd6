// The log: newest on top, one line per event, filtered by kind.
import { html } from "./dom.js";
import { nameOf } from "./vocabulary.js";
import { clock, either, known, t, tight } from "./words.js";

const KEEP = 250;

export class Log {
  /** `only`: the id of the one intersection whose events are shown, if not all. */
  constructor(root, plan, only) {
    this.root = root;
    this.only = only;
    this.last = 0;
    this.places = new Map(plan.intersections.map((item) => [item.id, item]));
    for (const button of root.parentElement.querySelectorAll("[data-kind][aria-pressed]")) {
      button.addEventListener("click", () => {
        for (const other of button.parentElement.children) other.setAttribute("aria-pressed", String(other === button));
        root.parentElement.dataset.only = button.dataset.kind;
      });
    }
  }

  take(events, newest) {
    if (newest < this.last) {
      this.root.replaceChildren(); // the centre was started again and counts from 1
      this.last = 0;
    }
    const fresh = events.filter((event) => event.seq > this.last && (!this.only || event.i === this.only));
    if (fresh.length) this.root.querySelector(".empty")?.remove();
    const lines = fresh.map((event) => this.line(event)).reverse();
    if (this.last) for (const line of lines) line.classList.add("new");
    this.root.prepend(...lines);
    while (this.root.children.length > KEEP) this.root.lastElementChild.remove();
    this.last = newest;
  }

  line(event) {
    const item = this.places.get(event.i);
    const said = tight(either(event.vi, event.en));
    const words = html("p", {}, said);
    const cause = known(`cause.${event.cause}`) ? t(`cause.${event.cause}`) : event.cause.includes(" ") ? event.cause : "";
    if (cause && !said.includes(cause)) words.append(html("em", {}, ` · ${cause}`));
    return html("li", { "data-kind": event.kind, "data-mode": event.to ?? undefined },
      html("time", {}, event.clock_s === null ? "" : clock(event.clock_s)),
      html("span", { class: "plate", title: item ? nameOf(item) : event.i }, item ? String(item.number) : "·"), words);
  }
}
