// From sending to what the cabinet's own lamps show.
import { html, mark, say } from "./dom.js";
import { get } from "./live.js";
import { send } from "./send.js";
import { modeBadge, reasonOf, showMode, showStage, stageMark } from "./vocabulary.js";
import { either, t } from "./words.js";

const ASK_MS = 1000;
const PATIENCE_S = 300; // after so long an order that waits is left to the intersection's page
const REACHED = { asked: 1, waiting: 2, done: 3, refused: 1, unreachable: 1, ended: 2 };
const TONES = { done: "good", refused: "bad", unreachable: "bad", ended: "warn" };

/** With a capital letter and a full stop. */
const sentence = (text) => text && `${text[0].toLocaleUpperCase("vi")}${text.slice(1)}${/[.…]$/.test(text) ? "" : "."}`;

/** The last step of an order's dialog. */
export class Outcome {
  constructor(root, item, again) {
    this.marks = [...root.querySelectorAll("[data-mark]")];
    this.verdict = root.querySelector("[data-verdict]");
    this.retry = root.querySelector("[data-again]");
    this.item = item;
    this.badge = modeBadge();
    this.stage = stageMark();
    this.why = html("p", { class: "soft" });
    root.querySelector("[data-cabinet]").replaceChildren(this.badge, this.stage, this.why);
    this.retry.addEventListener("click", again);
  }

  /** Send the order and stay with it until something final is known; the first answer is returned. */
  async run(path, body, key) {
    this.watching = key;
    this.tell(0, "calm", t("outcome.sending"));
    this.retry.hidden = true;
    const answer = await send("POST", path, body, { "idempotency-key": key });
    if (this.watching !== key) return answer;
    if (answer.body?.state) this.show(answer.body);
    else {
      this.tell(0, "bad", answer.message);
      this.retry.hidden = answer.status === 422;
    }
    if (answer.body?.state === "waiting" || answer.body?.state === "asked") this.ask(key, performance.now());
    return answer;
  }

  async ask(key, began) {
    await new Promise((resolve) => { setTimeout(resolve, ASK_MS); });
    if (this.watching !== key || performance.now() - began > PATIENCE_S * 1000) return;
    const found = await get(`/api/v1/commands/${encodeURIComponent(key)}`);
    if (this.watching !== key) return;
    if (found) this.show(found);
    if (!found || found.state === "waiting" || found.state === "asked") this.ask(key, began);
  }

  stop() {
    this.watching = null;
  }

  show(command) {
    const why = sentence(command.why ? either(command.why.vi, command.why.en) : "");
    const took = Math.round(command.took_s ?? 0);
    const words = command.state === "done" ? t("outcome.done", { s: took }) : t(`outcome.${command.state === "asked" ? "sending" : command.state}`);
    this.tell(REACHED[command.state] ?? 0, TONES[command.state] ?? "calm", `${words} ${why}`.trim());
    this.retry.hidden = command.state !== "unreachable";
  }

  tell(reached, tone, text) {
    this.marks.forEach((node, index) => {
      const stopped = tone === "bad" && index >= reached;
      mark(node, "data-state", index < reached ? "done" : stopped ? "failed" : index === reached ? "busy" : "open");
    });
    mark(this.verdict, "data-tone", tone);
    say(this.verdict, text);
  }

  live(state) {
    showMode(this.badge, state.mode);
    showStage(this.stage, this.item, state.stage, state.in_interstage);
    say(this.why, reasonOf(state));
  }
}
