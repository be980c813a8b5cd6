// The plan's green band along a route: which departures meet green at every signal at a given speed. Pure.

/** Seconds of the plan clock at which a group is green, as [from, until) pairs within the cycle. */
function greens(plan, groups) {
  const lit = new Array(plan.cycle).fill(false);
  for (const group of groups) {
    for (const [from, until] of plan.greens[group]) {
      for (let second = from; second < until; second += 1) lit[second % plan.cycle] = true;
    }
  }
  return lit;
}

const modulo = (value, cycle) => ((value % cycle) + cycle) % cycle;

/** Whether a stop's plan shows green at this clock time. */
export function litAt(stop, plan, clock_s) {
  stop.cache ??= new Map();
  if (!stop.cache.has(plan.number)) stop.cache.set(plan.number, greens(plan, stop.groups));
  return stop.cache.get(plan.number)[modulo(Math.floor(clock_s) - plan.offset, plan.cycle)];
}

/**
 * The band of a route.
 *
 * `stops`: in driving order, each with `at` (metres), `groups`, `plan`. `speed`: metres per second.
 * Returns { cycle, runs: [[from, until], …] }: departures at the first stop, in clock seconds of one cycle from 0; or
 * null where plans are missing or their cycles differ.
 */
export function band(stops, speed) {
  const cycle = stops[0]?.plan?.cycle;
  if (stops.length < 2 || !stops.every(({ plan }) => plan?.cycle === cycle)) return null;
  const open = Array.from({ length: cycle }, (_, second) =>
    stops.every((stop) => litAt(stop, stop.plan, second + Math.abs(stop.at - stops[0].at) / speed)));
  if (open.every(Boolean)) return { cycle, runs: [[0, cycle]] };
  const shift = open.indexOf(false);
  const runs = [];
  for (let step = 0; step < cycle; step += 1) {
    const second = shift + step;
    if (!open[second % cycle]) continue;
    if (runs.at(-1)?.[1] === second) runs.at(-1)[1] = second + 1;
    else runs.push([second, second + 1]);
  }
  return { cycle, runs };
}
