// What the lamps of one intersection have shown, second by second.
import { get } from "./live.js";

const KEEP = 450; // seconds, as the centre keeps them

export class Tape {
  constructor(id) {
    this.path = `/api/v1/intersections/${encodeURIComponent(id)}/recent`;
    this.seconds = [];
    this.last = null;
  }

  /** Take up a snapshot's second. Where one was missed, the centre is asked for what was between. */
  async take(tick, state) {
    if (tick === this.last) return;
    if (tick === this.last + 1) {
      this.seconds.push({ aspects: state.aspects, stage: state.stage, between: state.in_interstage, committed: state.commitment !== null && !state.in_interstage });
      if (this.seconds.length > KEEP) this.seconds.shift();
      this.last = tick;
      return;
    }
    const recent = await get(this.path);
    if (recent?.tick == null) return;
    this.seconds = recent.runs.flatMap(([long, aspects, stage, between, committed]) => Array.from({ length: long }, () => ({ aspects, stage, between, committed })));
    this.last = recent.tick;
  }

  /** Seconds from one start of a stage to the next, on average over what is kept; null when that was not seen. */
  cycle() {
    const starts = new Map();
    this.seconds.forEach((one, index) => {
      const before = this.seconds[index - 1];
      if (before && !one.between && (before.between || before.stage !== one.stage)) starts.set(one.stage, [...(starts.get(one.stage) ?? []), index]);
    });
    const most = [...starts.values()].sort((a, b) => b.length - a.length)[0];
    return most?.length > 1 ? (most.at(-1) - most[0]) / (most.length - 1) : null;
  }
}
