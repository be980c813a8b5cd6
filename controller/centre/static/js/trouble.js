// What is wrong, in a sentence.
import { origin } from "./directions.js";
import { causeOf } from "./vocabulary.js";
import { clock, either, t } from "./words.js";

export function tellTrouble(one, state, item) {
  const water = state?.streets && item ? closed(state.streets, item) : {};
  return t(`trouble.${one.code}`, { ...one.values, ...water, cause: state ? causeOf(state) : "", text: one.text ? either(...one.text) : "" });
}

/** Which approaches are closed, since when, and who says so. */
function closed(streets, item) {
  const from = new Set(item.lanes.filter((lane) => streets.closed.includes(lane.approach)).map(origin));
  return { where: [...from].map((where) => t(`compass.long.${where}`)).join(", "), since: clock(streets.since_s), why: streets.why };
}
