// What has been at one intersection, second by second: at first as the centre remembers it, then as it comes.
import { get } from "./live.js";

const KEEP = 450; // seconds, as the centre keeps them

class Tape {
  /** `unfold(answer)`: the centre's memory as seconds; `second(state)`: one of them from a snapshot. */
  constructor(path, unfold, second) {
    Object.assign(this, { path, unfold, second });
    this.seconds = [];
    this.last = null;
    this.asking = false;
  }

  /** Take up a snapshot's second. Where one was missed, the centre is asked for what was between. */
  async take(tick, state) {
    if (tick === this.last) return;
    if (tick === this.last + 1) {
      this.seconds.push(this.second(state));
      if (this.seconds.length > KEEP) this.seconds.shift();
      this.last = tick;
      return;
    }
    if (this.asking) return;
    this.asking = true;
    const answer = await get(this.path);
    this.asking = false;
    if (answer?.tick == null) return;
    this.seconds = this.unfold(answer);
    this.last = answer.tick;
  }
}

const place = (id) => `/api/v1/intersections/${encodeURIComponent(id)}`;

/** Lamps: { aspects, stage, between, committed } per second. */
export function lampTape(id) {
  const unfold = ({ runs }) => runs.flatMap(([long, aspects, stage, between, committed]) => Array.from({ length: long }, () => ({ aspects, stage, between, committed })));
  const second = (state) => ({ aspects: state.aspects, stage: state.stage, between: state.in_interstage, committed: state.commitment !== null && !state.in_interstage });
  return new Tape(`${place(id)}/recent`, unfold, second);
}

/** What moves towards the stop line on these lanes together, pcu per second. */
export function arrivalTape(id, lanes) {
  const second = (state) => lanes.reduce((sum, lane) => sum + (state.lanes[lane]?.[1] ?? 0), 0);
  return new Tape(`${place(id)}/arrivals?${lanes.map((lane) => `lane=${lane}`).join("&")}`, ({ pcu }) => pcu, second);
}

/** Seconds from one start of a stage to the next, on average over what lamps have shown; null when that was not seen. */
export function cycleOf(seconds) {
  const starts = new Map();
  seconds.forEach((one, index) => {
    const before = seconds[index - 1];
    if (before && !one.between && (before.between || before.stage !== one.stage)) starts.set(one.stage, [...(starts.get(one.stage) ?? []), index]);
  });
  const most = [...starts.values()].sort((a, b) => b.length - a.length)[0];
  return most?.length > 1 ? (most.at(-1) - most[0]) / (most.length - 1) : null;
}
