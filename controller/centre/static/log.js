// The log: newest on top, one line per event, filtered by kind.
import { clock, html, tight } from "./dom.js";

const KEEP = 250;

export class Log {
  constructor(root, plan) {
    this.root = root;
    this.last = 0;
    this.causes = plan.words.causes;
    this.numbers = new Map(plan.intersections.map((item) => [item.id, item]));
    for (const button of document.querySelectorAll("[data-kind][aria-pressed]")) {
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
    const fresh = events.filter((event) => event.seq > this.last);
    const lines = fresh.map((event) => this.line(event)).reverse();
    if (this.last) for (const line of lines) line.classList.add("new");
    this.root.prepend(...lines);
    while (this.root.children.length > KEEP) this.root.lastElementChild.remove();
    this.last = newest;
  }

  line(event) {
    const item = this.numbers.get(event.i);
    const words = html("div", {}, html("b", {}, tight(event.vi)));
    const cause = this.causes[event.cause]?.[0] ?? (event.cause.includes(" ") ? event.cause : "");
    if (cause && !event.vi.includes(cause)) words.append(html("em", {}, ` · ${cause}`));
    if (event.en && event.en !== event.vi) words.append(html("small", { lang: "en" }, tight(event.en)));
    return html("li", { "data-kind": event.kind, style: `--c:var(--${event.to ?? "line"})` },
      html("time", {}, event.clock_s === null ? "" : clock(event.clock_s)),
      html("span", { class: "number", title: item?.name_vi ?? event.i }, item ? String(item.number) : "·"), words);
  }
}
