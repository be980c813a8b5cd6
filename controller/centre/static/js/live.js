// The one connection of a page: the corridor's drawing once, then a snapshot each second.
import { check } from "./presence.js";

const EVENTS = 400; // kept for those who follow later, as many as the centre keeps
const SILENCE_MS = 4000; // without a snapshot for so long the connection counts as lost
const followers = [];
const mourners = [];
let heard = 0;
let latest = null;
let events = [];
let stream = null;

/** The corridor as it is drawn; fetched once for all who ask. */
export const plan = fetch("/api/v1/corridor").then((answer) => {
  if (!answer.ok) throw new Error(`the corridor's drawing: status ${answer.status}`);
  return answer.json();
});

/** Call `show(snapshot)` now if there is one, with all events so far, and with each that comes. */
export function follow(show) {
  followers.push(show);
  if (latest) show({ ...latest, events });
  stream ??= connect();
}

/** Call `lost()` when the centre is silent; `follow` tells when it is back. */
export const whenLost = (lost) => mourners.push(lost);

/** JSON of the API, or null where it has none to give. */
export async function get(path) {
  try {
    const answer = await fetch(path, { headers: { accept: "application/json" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

function connect() {
  heard = performance.now();
  const source = new EventSource("/api/v1/stream");
  source.addEventListener("snapshot", (event) => {
    heard = performance.now();
    const before = latest;
    latest = JSON.parse(event.data);
    // A centre that was started again counts from 1.
    events = [...(before && before.last_event <= latest.last_event ? events : []), ...latest.events].slice(-EVENTS);
    for (const show of followers) show(latest);
  });
  source.addEventListener("error", () => {
    silence();
    if (source.readyState === EventSource.CLOSED) check(); // the centre has said no
  });
  setInterval(() => { if (performance.now() - heard > SILENCE_MS) silence(); }, 1000);
  window.addEventListener("pagehide", () => source.close());
  return source;
}

function silence() {
  for (const lost of mourners) lost();
}
