// The orders of people that stand at an intersection.
import { html } from "./dom.js";
import { known, t } from "./words.js";

export function showOrders(root, item, orders) {
  const lines = orders.map((one) => {
    const left = `${Math.floor(one.left_s / 60)}:${String(one.left_s % 60).padStart(2, "0")}`;
    const who = known(`role.${one.role}`) ? `${one.actor} · ${t(`role.${one.role}`)}` : one.actor;
    return html("li", {}, html("b", {}, tellOrder(item, one), html("span", {}, t("order.left", { left }))), html("small", {}, who), html("small", {}, `“${one.reason}”`));
  });
  root.replaceChildren(...(lines.length ? lines : [html("li", { class: "soft" }, t("place.orders.none"))]));
}

export function tellOrder(item, one) {
  if (one.kind === "plan") return one.plan === null ? t("order.plan.schedule") : t("order.plan", { plan: String(one.plan) });
  return t(`order.${one.kind}`, { stage: item.stages[one.stage]?.id ?? "" });
}
