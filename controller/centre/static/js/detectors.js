// The detector strip: one cell per detector, hollow when it is not believed, and the failed ones by name.
import { html } from "./dom.js";
import { get } from "./live.js";
import { either, t } from "./words.js";

const EVERY_MS = 5000;
const KINDS = ["stop-line", "advance", "zone", "button"];

export class Detectors {
  constructor(root, id) {
    this.root = root;
    this.path = `/api/v1/intersections/${encodeURIComponent(id)}/detectors`;
    this.ask();
  }

  async ask() {
    const found = await get(this.path);
    if (found?.length) this.show(found);
    setTimeout(() => this.ask(), EVERY_MS);
  }

  show(detectors) {
    const kinds = KINDS.map((kind) => [kind, detectors.filter((one) => one.kind === kind)]).filter(([, some]) => some.length);
    const failed = detectors.filter((one) => !one.healthy);
    const said = (one) => `${one.id}: ${either(one.name.vi, one.name.en)}`;
    this.root.replaceChildren(
      html("div", { class: "strip" }, ...kinds.map(([kind, some]) => html("div", {},
        html("span", {}, t(`detector.${kind}`)), html("span", { class: "unseen" }, t("place.detectors.good", { n: some.filter((one) => one.healthy).length })),
        html("span", { class: "cells", "aria-hidden": "true" }, ...some.map((one) => html("i", { class: `cell${one.healthy ? "" : " bad"}${one.called ? " call" : ""}`, title: said(one) }))))),
      ),
      ...(failed.length ? [html("p", { class: "faults" }, `${t("place.detectors.bad", { n: failed.length })}: ${failed.map(said).join("; ")}`)] : []));
  }
}
