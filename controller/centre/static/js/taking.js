// The dialog of `take.html`: a person takes note of something, with a few words.
import { byId, say } from "./dom.js";
import { send } from "./send.js";

const dialog = byId("take");
let wish = null;

byId("take-cancel").addEventListener("click", () => dialog.close());
dialog.querySelector("form").addEventListener("submit", take);

/**
 * Ask for a note and send it.
 * @param {{what: string, hint: string, path: string, more?: object, done: (body: any) => void}} asked
 *   What it is about, what taking note means, where the note goes with what else, and what follows.
 */
export function askForNote(asked) {
  wish = asked;
  dialog.querySelector("form").reset();
  byId("take-problem").hidden = true;
  say(byId("take-what"), asked.what);
  say(byId("take-hint"), asked.hint);
  dialog.showModal();
}

async function take(event) {
  event.preventDefault();
  const answer = await send("POST", wish.path, { note: byId("note").value.trim(), ...wish.more });
  if (!answer.ok) {
    byId("take-problem").hidden = false;
    say(byId("take-problem"), answer.message);
    return;
  }
  dialog.close();
  wish.done(answer.body);
}
