// A secret that is shown once, with a button that copies it.
import { say } from "./dom.js";
import { t } from "./words.js";

export function showSecret(node, secret, text = "") {
  node.hidden = false;
  if (text) say(node.firstElementChild, text);
  say(node.querySelector("code"), secret);
  const button = node.querySelector("[data-copy]");
  say(button, t("copy"));
  // Browsers keep the clipboard from pages that came over plain http from elsewhere.
  button.hidden = !navigator.clipboard;
  button.onclick = async () => {
    await navigator.clipboard.writeText(secret);
    say(button, t("copied"));
  };
}
