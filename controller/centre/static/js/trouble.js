// What is wrong, in a sentence.
import { causeOf } from "./vocabulary.js";
import { either, t } from "./words.js";

export function tellTrouble(one, state) {
  return t(`trouble.${one.code}`, { ...one.values, cause: state ? causeOf(state) : "", text: one.text ? either(...one.text) : "" });
}
