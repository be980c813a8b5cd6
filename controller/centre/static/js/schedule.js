// Which plan the schedule names, as networks/schedule.py has it: {week, holidays: {date: day}, entries: [{day, start_s, plan}]}.
const DAY_S = 86400;

/** The day type of a date: its holiday's, else its weekday's (Monday first). */
export function dayType(schedule, date) {
  return schedule.holidays[date] ?? schedule.week[(new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7];
}

/** A day type's entries in the order of their starts. */
export const entriesOf = (schedule, day) => schedule.entries.filter((entry) => entry.day === day).sort((a, b) => a.start_s - b.start_s);

/** The number of the plan that runs; before a day's first entry its last one goes on. */
export function scheduledPlan(schedule, date, second) {
  const entries = entriesOf(schedule, dayType(schedule, date));
  return (entries.filter((entry) => entry.start_s <= second).at(-1) ?? entries.at(-1))?.plan;
}

/** The next change to another plan within two days: {in_s, at_s, plan}, or null. */
export function nextChange(schedule, date, second) {
  const now = scheduledPlan(schedule, date, second);
  for (let ahead = 0; ahead < 3; ahead += 1) {
    const day = new Date(Date.parse(`${date}T00:00:00Z`) + ahead * DAY_S * 1000).toISOString().slice(0, 10);
    for (const entry of entriesOf(schedule, dayType(schedule, day))) {
      const in_s = entry.start_s + ahead * DAY_S - second;
      if (in_s > 0 && entry.plan !== now) return { in_s, at_s: entry.start_s, plan: entry.plan };
    }
  }
  return null;
}
