// The page's words, numbers, times and dates in the reader's language.
const texts = JSON.parse(document.getElementById("words").textContent);

/** "vi" or "en". */
export const lang = document.documentElement.lang;
const LOCALE = { vi: "vi-VN", en: "en-GB" }[lang];

/** The text of a key with its values put in; a key that is not in the page's tables is a mistake of ours. */
export function t(key, values = {}) {
  let text = texts[key];
  if (text === undefined) throw new Error(`no words for "${key}"`);
  if (Array.isArray(text)) text = text[values.n === 1 ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? shown(values[name]) : whole));
}

export const known = (key) => texts[key] !== undefined;

const shown = (value) => (typeof value === "number" ? number(value) : String(value));

const plain = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const day = new Intl.DateTimeFormat(LOCALE, { day: "2-digit", month: "2-digit", year: "numeric", timeZone: "UTC" });
const weekday = new Intl.DateTimeFormat(LOCALE, { weekday: "long", timeZone: "UTC" });

/** 1234.56 as "1.234,6" or "1,234.6". */
export const number = (value) => plain.format(value);
/** 0.42 as "42 %", as the reports have it. */
export const percent = (value) => `${whole.format(100 * value)}\u00a0%`;
/** "2026-11-23" as "23/11/2026". */
export const date = (iso) => day.format(new Date(`${iso}T00:00:00Z`));
/** "2026-11-23" as "Thứ Hai" or "Monday". */
export const dayName = (iso) => weekday.format(new Date(`${iso}T00:00:00Z`));
/** The one of a (vi, en) pair that this reader reads. */
export const either = (vi, en) => (lang === "vi" ? vi || en : en || vi);

/** Seconds since midnight as "06:34:50". */
export function clock(seconds) {
  const left = ((Math.floor(seconds) % 86400) + 86400) % 86400;
  return [left / 3600, (left / 60) % 60, left % 60].map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");
}

/** Keeps a figure on one line with what it belongs to ("A −8,0", "5,7 xcqđ") and gives it a real minus. */
export const tight = (text) => text.replace(/ (-?\d)/g, "\u00a0$1").replace(/(\d) (?=xcqđ|pcu|s\b)/g, "$1\u00a0").replace(/([\u00a0(])-(?=\d)/g, "$1\u2212");
