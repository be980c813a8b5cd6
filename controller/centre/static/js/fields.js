// What is wrong with a form, said beside the field that it is about.
import { html, mark, say } from "./dom.js";
import { t } from "./words.js";

/** Say what is wrong with a field ("" takes it back); screen readers hear it with the field. */
export function wrong(input, text) {
  const holder = input.closest(".field, fieldset, td");
  let note = holder.querySelector(":scope > .wrong");
  if (!note && text) {
    note = html("p", { class: "wrong", id: `${input.id || input.name}-wrong` });
    holder.append(note);
  }
  mark(input, "aria-invalid", text ? "true" : null);
  describe(input, note?.id, Boolean(text));
  if (note) {
    note.hidden = !text;
    say(note, text);
  }
}

function describe(input, id, on) {
  if (!id) return;
  const others = (input.getAttribute("aria-describedby") ?? "").split(" ").filter((one) => one && one !== id);
  mark(input, "aria-describedby", [...others, ...(on ? [id] : [])].join(" ") || null);
}

/** What a field lacks by its own attributes, in words; "" for nothing. */
export function lacking(input) {
  const { validity } = input;
  if (validity.valid) return tooShort(input);
  if (validity.valueMissing) return t(input.type === "radio" ? "send.choose" : "send.required");
  if (validity.rangeUnderflow || validity.rangeOverflow || validity.badInput || validity.stepMismatch) return t("send.range", { low: input.min, high: input.max });
  return tooShort(input) || t("send.required");
}

// The browser forgives a short text that a script has put in; the centre does not.
function tooShort(input) {
  const least = Number(input.getAttribute("minlength") ?? 0);
  return input.value !== undefined && input.type !== "radio" && least && input.value.trim().length < least ? t("send.short", { n: least }) : "";
}

/** Check every field of a form; focus the first wrong one. True when all are right. */
export function check(form) {
  let first = null;
  const seen = new Set();
  for (const input of form.elements) {
    if (!input.name || !input.willValidate || input.disabled || (input.type === "radio" && seen.has(input.name))) continue;
    seen.add(input.name);
    const text = lacking(input);
    wrong(input, text);
    if (text) first ??= input;
  }
  first?.focus();
  return !first;
}

/** Put the API's wrong fields ("body.reason") beside the inputs of that name; what has no input is returned. */
export function place(form, errors) {
  return errors.filter(({ field, message }) => {
    const input = form.elements[field.replace(/^body\./, "")];
    if (!(input instanceof HTMLElement)) return true;
    wrong(input, message);
    return false;
  });
}
