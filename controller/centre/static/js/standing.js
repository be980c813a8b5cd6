// A list of what stands until it is over and somebody has taken note of it: alarms, notices.
import { byId, html, say } from "./dom.js";
import { get, plan } from "./live.js";
import { askForNote } from "./taking.js";
import { moment } from "./times.js";
import { nameOf } from "./vocabulary.js";
import { either, t } from "./words.js";

const PAGE = 50;
const corridor = await plan;
const places = new Map(corridor.intersections.map((item) => [item.id, item]));
const filters = byId("filters");
const mayTake = document.querySelector("[data-may-acknowledge]").dataset.mayAcknowledge === "yes";

export const textOf = (one) => either(one.text.vi, one.text.en);

/** One row that says what there is to say instead of a list. */
export function emptyRow(body, columns, text) {
  body.replaceChildren(html("tr", {}, html("td", { colspan: columns, class: "empty" }, text)));
}

/** The rows of `#rows`: newest first, filtered by `#filters`, older ones by `#more`. */
export class Standing {
  shown = [];
  newest = null; // id of the newest ever shown
  #next = null;

  /**
   * @param {string} kind "alarms" or "notices": how the API's path and the words begin.
   * @param {object} own What the page does its own way.
   * @param {number} own.againMs How often the first page is read again.
   * @param {string} own.nowhere What is not of one intersection is called so.
   * @param {(one: object) => Element} own.row
   * @param {() => void} [own.drawn] After each drawing.
   * @param {() => void} [own.arrived] When there is a new one.
   */
  constructor(kind, own) {
    this.kind = kind;
    this.own = own;
    filters.addEventListener("input", ({ target }) => {
      if (target.name) this.load();
    });
    byId("more").addEventListener("click", () => this.#older());
    setInterval(() => {
      if (this.shown.length <= PAGE) this.load();
    }, own.againMs);
    this.load();
  }

  async load() {
    const asked = this.#query();
    const page = await get(asked);
    if (asked !== this.#query()) return;
    if (!page) {
      this.#empty(t(`${this.kind}.lost`));
      return;
    }
    this.shown = page[this.kind];
    this.#next = page.next;
    this.#announce();
    this.#draw();
  }

  async #older() {
    const page = await get(this.#query(this.#next));
    if (!page) return;
    this.shown = [...this.shown, ...page[this.kind]];
    this.#next = page.next;
    this.#draw();
  }

  #query(after) {
    const wanted = new URLSearchParams({ limit: PAGE });
    if (filters.elements.which.value === "open") wanted.set("open", "true");
    if (filters.elements.intersection.value) wanted.set("intersection", filters.elements.intersection.value);
    if (after !== undefined) wanted.set("after", after);
    return `/api/v1/${this.kind}?${wanted}`;
  }

  /** A new one is spoken. */
  #announce() {
    const top = this.shown[0];
    if (this.newest !== null && top && top.id > this.newest) {
      say(byId("alarm-voice"), t(`${this.kind}.new`, { place: this.nameFor(top), text: textOf(top) }));
      this.own.arrived?.();
    }
    this.newest = Math.max(this.newest ?? 0, ...this.shown.map((one) => one.id));
  }

  #draw() {
    byId("more").hidden = this.#next === null;
    this.own.drawn?.();
    if (!this.shown.length) {
      this.#empty(t(filters.elements.which.value === "open" ? `${this.kind}.none.open` : `${this.kind}.none`));
      return;
    }
    const held = document.activeElement?.dataset?.take;
    byId("rows").replaceChildren(...this.shown.map(this.own.row));
    if (held) byId("rows").querySelector(`[data-take="${held}"]`)?.focus();
  }

  #empty(text) {
    byId("more").hidden = true;
    emptyRow(byId("rows"), 6, text);
  }

  nameFor(one) {
    return places.has(one.intersection) ? nameOf(places.get(one.intersection)) : one.intersection || this.own.nowhere;
  }

  /** Where it is, and the way there. */
  placeCell(one) {
    const name = this.nameFor(one);
    const there = places.has(one.intersection) ? html("a", { href: `/intersections/${encodeURIComponent(one.intersection)}` }, name) : name;
    return html("td", { class: "place" }, there);
  }

  /** Who has taken note, or the way to do it if it `waits` for somebody. */
  takenCell(one, waits = true) {
    return html("td", { class: "taken" }, ...this.#taken(one, waits));
  }

  #taken(one, waits) {
    if (one.acknowledged) return [t("alarms.by", { who: one.acknowledged_by, when: moment(one.acknowledged) }), ...(one.note ? [html("small", {}, one.note)] : [])];
    if (!waits) return ["–"];
    if (!mayTake) return [html("span", { class: "soft" }, t("alarms.untaken"))];
    const what = `${this.nameFor(one)}, ${textOf(one)}`;
    const button = html("button", { class: "button", type: "button", "data-take": one.id, "aria-label": `${t("alarms.take")}: ${what}` }, t("alarms.take"));
    button.addEventListener("click", () => this.#ask(one));
    return [button];
  }

  #ask(one) {
    askForNote({
      what: `${this.nameFor(one)}: ${textOf(one)}`,
      hint: t(`${this.kind}.take.hint`),
      path: `/api/v1/${this.kind}/${one.id}/acknowledge`,
      done: () => this.thank(t(`${this.kind}.done`)),
    });
  }

  /** Something was taken note of. */
  thank(words) {
    say(byId("alarm-voice"), words);
    this.load();
  }
}
