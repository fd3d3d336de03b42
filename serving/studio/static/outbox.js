// What an editor said and the server has not kept yet: in the browser's storage until it has, over reloads and lost lines.

import { ask, tell } from "./studio.js";

const STORE = "rushes-outbox";
const AGAIN_MS = 2000;
let sending = null;

function read() {
  return JSON.parse(localStorage.getItem(STORE) ?? "[]");
}

function show() {
  const waiting = read().length;
  const chip = document.getElementById("saved");
  chip.hidden = false;
  chip.textContent = waiting ? `${waiting} not saved yet` : "Saved";
  chip.className = waiting ? "chip warn" : "chip good";
}

/** An id that no other row has, also where pages are not served over https. */
export function freshId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Put something aside to be sent, and send it. */
export function say(path, row) {
  localStorage.setItem(STORE, JSON.stringify([...read(), { path, row }]));
  show();
  return flush();
}

/** Send what waits, oldest first; resolves when nothing waits, or the server cannot be reached. */
export function flush() {
  sending ??= send().finally(() => { sending = null; });
  return sending;
}

async function send() {
  for (let waiting = read(); waiting.length; waiting = read()) {
    const { path } = waiting[0];
    const rows = [];
    while (rows.length < waiting.length && waiting[rows.length].path === path && rows.length < 100) rows.push(waiting[rows.length].row);
    try {
      await ask(path, { method: "POST", body: rows });
    } catch (error) {
      if (!refused(error)) { setTimeout(flush, AGAIN_MS); return show(); }
      tell(`Not kept: ${error.message}`, { bad: true });
    }
    localStorage.setItem(STORE, JSON.stringify(read().slice(rows.length)));
    show();
  }
}

/** Whether asking again would be answered the same. */
function refused(error) {
  return error.status >= 400 && error.status < 500 && ![401, 408, 429].includes(error.status);
}

addEventListener("online", flush);
addEventListener("beforeunload", (event) => { if (read().length && !navigator.onLine) event.preventDefault(); });
if (read().length) flush();
