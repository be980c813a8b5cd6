// Requests that change something, and what came of them.
import { either, t } from "./words.js";

const csrf = document.querySelector('meta[name="csrf"]')?.content;

/**
 * Send JSON. Never throws: without an answer `status` is 0.
 * @returns {Promise<{ok: boolean, status: number, body: any, message: string, errors: {field: string, message: string}[]}>}
 */
export async function send(method, path, body, headers = {}) {
  const all = { accept: "application/json", ...headers };
  if (csrf) all["x-csrf-token"] = csrf;
  if (body !== undefined) all["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers: all, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    return { ok: false, status: 0, body: null, message: t("send.unreachable"), errors: [] };
  }
  const read = await answer.json().catch(() => null);
  return { ok: answer.ok, status: answer.status, body: read, message: answer.ok ? "" : said(answer.status, read), errors: (read?.errors ?? []).map((one) => ({ field: one.field, message: either(one.vi ?? one.message, one.message) })) };
}

function said(status, problem) {
  if (status === 401) return t("send.signed-out");
  return problem?.vi || problem?.en ? either(problem.vi, problem.en) : t("send.unreachable");
}
