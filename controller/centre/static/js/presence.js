// A session idles out unless somebody is here: moving the pointer or typing says so, watching does not.
const EVERY_MS = 300000; // told at most so often; the centre waits for six times as long
const loggedIn = document.querySelector('meta[name="csrf"]') !== null;
let told = performance.now();

/** Go to the login page if the session has ended, and come back here afterwards. */
export async function check() {
  if (!loggedIn) return;
  const answer = await fetch("/api/v1/session", { headers: { accept: "application/json" } }).catch(() => null);
  if (answer?.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

function here() {
  if (performance.now() - told < EVERY_MS) return;
  told = performance.now();
  check();
}

for (const kind of ["pointermove", "pointerdown", "keydown", "wheel"]) addEventListener(kind, here, { passive: true });
