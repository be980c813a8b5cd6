// A month as a table of days; arrow keys go from day to day.
import { html, mark, say } from "./dom.js";
import { date as written, dayName, lang } from "./words.js";

const DAY_MS = 86400000;
const MONDAY = Date.parse("2024-01-01T00:00:00Z");
const LOCALE = { vi: "vi-VN", en: "en-GB" }[lang];
const heading = new Intl.DateTimeFormat(LOCALE, { month: "long", year: "numeric", timeZone: "UTC" });
const short = new Intl.DateTimeFormat(LOCALE, { weekday: "short", timeZone: "UTC" });
const iso = (ms) => new Date(ms).toISOString().slice(0, 10);
const ms = (text) => Date.parse(`${text}T00:00:00Z`);

export class Month {
  /** `about(iso)` says what stands in a day: {kind, hue, name}. */
  constructor({ title, weekdays, body }, choose, about) {
    Object.assign(this, { title, body, about, pick: choose, today: null, chosen: null, cells: new Map() });
    weekdays.replaceChildren(...Array.from({ length: 7 }, (_, index) => html("th", { scope: "col", abbr: dayName(iso(MONDAY + index * DAY_MS)) }, short.format(MONDAY + index * DAY_MS))));
    body.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
      if (!step || !this.chosen) return;
      event.preventDefault();
      this.pick(iso(ms(this.chosen) + step * DAY_MS));
      this.cells.get(this.chosen)?.focus();
    });
  }

  setToday(day) {
    this.today = day;
    if (this.chosen) this.draw();
  }

  choose(day) {
    this.chosen = day;
    this.first = `${day.slice(0, 8)}01`;
    this.today ??= day;
  }

  turn(months) {
    const at = new Date(ms(this.first));
    this.pick(iso(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + months, 1)));
  }

  draw() {
    if (!this.first) return;
    if (this.drawn !== this.first) this.build();
    for (const [day, cell] of this.cells) {
      const { kind, hue, name } = this.about(day);
      mark(cell, "data-stage", hue);
      mark(cell, "aria-current", day === this.today ? "date" : null);
      mark(cell, "aria-pressed", String(day === this.chosen));
      mark(cell, "tabindex", day === this.chosen ? "0" : "-1");
      mark(cell, "aria-label", [`${dayName(day)} ${written(day)}`, kind, name].filter(Boolean).join(", "));
      const [, label, special] = cell.children;
      say(label, kind);
      say(special, name);
    }
  }

  build() {
    this.drawn = this.first;
    say(this.title, heading.format(ms(this.first)));
    this.cells.clear();
    const begin = ms(this.first) - ((new Date(ms(this.first)).getUTCDay() + 6) % 7) * DAY_MS;
    const next = new Date(ms(this.first));
    const end = Date.UTC(next.getUTCFullYear(), next.getUTCMonth() + 1, 1);
    const rows = [];
    for (let at = begin; at < end; at += 7 * DAY_MS) {
      rows.push(html("tr", {}, ...Array.from({ length: 7 }, (_, index) => this.cell(iso(at + index * DAY_MS)))));
    }
    this.body.replaceChildren(...rows);
  }

  cell(day) {
    const outside = day.slice(0, 7) !== this.first.slice(0, 7);
    const button = html("button", { class: outside ? "date outside" : "date", type: "button" }, html("b", {}, String(Number(day.slice(8)))), html("span"), html("small"));
    button.addEventListener("click", () => {
      this.pick(day);
      this.cells.get(day)?.focus();
    });
    this.cells.set(day, button);
    return html("td", {}, button);
  }
}
