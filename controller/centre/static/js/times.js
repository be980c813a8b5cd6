// Moments and durations as people read them. The site lives in Việt Nam's time, wherever the browser is.
import { lang, t } from "./words.js";

const ZONE = "Asia/Ho_Chi_Minh";
const LOCALE = { vi: "vi-VN", en: "en-GB" }[lang];
const time = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: ZONE });
const day = new Intl.DateTimeFormat(LOCALE, { day: "2-digit", month: "2-digit", year: "numeric", timeZone: ZONE });

/** "2026-11-26T07:00:00Z" as "14:00:00 26/11/2026". */
export function moment(iso) {
  const at = new Date(iso);
  return `${time.format(at)} ${day.format(at)}`;
}

/** Milliseconds since 1970 as "14:00:00", with the day where it is not that of another moment. */
export const timeOrMoment = (ms, other) => (day.format(ms) === day.format(other) ? time.format(ms) : moment(ms));

/** Milliseconds since 1970 as seconds of the site's day. */
export const clockOf = (ms) => ((ms + 7 * 3600000) % 86400000) / 1000;

/** The site's own clock, which in a simulation is the simulated one: milliseconds since 1970, or null. */
export function siteNow(state) {
  return state?.date && state.clock_s !== null ? Date.parse(`${state.date}T00:00:00+07:00`) + state.clock_s * 1000 : null;
}

/** Seconds as "5 s", "12 min", "3 h 5 min", "2 days". Needs the words `time.*`. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("time.seconds", { n: whole });
  if (whole < 3600) return t("time.minutes", { n: Math.floor(whole / 60) });
  if (whole < 86400) return t("time.hours", { n: Math.floor(whole / 3600), m: Math.floor((whole % 3600) / 60) });
  return t("time.days", { n: Math.floor(whole / 86400) });
}
