// What an editor said and the server has not kept yet: in the browser's storage until it has, over reloads and lost lines.
// What goes the same lane arrives in the order in which it was said. "outbox" tells of each change.

import { ask, follow, tell } from "./studio.js";

const STORE = "rushes-outbox";
const AGAIN_MS = 2000;
const MOST = 100; // rows at once
const underway = new Map(); // lanes along which something is being sent

const read = () => JSON.parse(localStorage.getItem(STORE) ?? "[]");
const laneOf = ({ lane, path }) => lane ?? path;

/** What was said along a lane and is not kept yet, oldest first. */
export function along(lane) {
  return read().filter((entry) => laneOf(entry) === lane);
}

function show(news = {}) {
  const waiting = read().length;
  const chip = document.getElementById("saved");
  chip.hidden = false;
  chip.textContent = waiting ? `${waiting} not saved yet` : "Saved";
  chip.className = waiting ? "chip warn" : "chip good";
  document.dispatchEvent(new CustomEvent("outbox", { detail: news }));
}

/** An id that no other row has, also where pages are not served over https. */
export function freshId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function put(entry) {
  localStorage.setItem(STORE, JSON.stringify([...read(), entry]));
  show();
  return flush();
}

/** Put a row aside to be sent with others of the same path, and send it. */
export const say = (path, row) => put({ path, row });

/** Put something aside that is sent by itself; where the answer is a job, it waits until the job is done. */
export const sayAlone = (path, row, lane) => put({ path, row, lane });

/** Send what waits; resolves when nothing waits, or the server cannot be reached. */
export function flush() {
  for (const lane of new Set(read().map(laneOf))) {
    if (!underway.has(lane)) underway.set(lane, send(lane).finally(() => underway.delete(lane)));
  }
  return Promise.all(underway.values());
}

async function send(lane) {
  let most = MOST;
  for (let batch = along(lane).slice(0, most); batch.length; batch = along(lane).slice(0, most)) {
    let refused = false;
    try {
      await deliver(batch);
    } catch (error) {
      if (!final(error)) { setTimeout(flush, AGAIN_MS); return; }
      most = 1; // of several, only the one that is wrong is given up
      if (batch.length > 1) continue;
      tell(`Not kept: ${error.message}`, { bad: true });
      refused = true;
    }
    drop(batch);
    show({ sent: batch[0], refused });
  }
}

async function deliver(batch) {
  const [{ path, row, lane }] = batch;
  const answer = await ask(path, { method: "POST", body: lane ? row : batch.map((entry) => entry.row) });
  if (answer.job) await follow(answer.job).catch(lost);
}

/** Work that a server knows nothing of, because it was started again, is asked for anew. */
function lost(error) {
  throw error.status === 404 ? new Error(error.message) : error;
}

/** Other pages may have sent and said more meanwhile, so that what was sent is looked for. */
function drop(batch) {
  const sent = new Set(batch.map((entry) => JSON.stringify(entry)));
  localStorage.setItem(STORE, JSON.stringify(read().filter((entry) => !sent.has(JSON.stringify(entry)))));
}

/** Whether asking again would be answered the same. */
function final(error) {
  return error.failed || (error.status >= 400 && error.status < 500 && ![401, 408, 429].includes(error.status));
}

addEventListener("online", flush);
addEventListener("storage", ({ key }) => { if (key === STORE) show(); });
addEventListener("beforeunload", (event) => { if (read().length && !navigator.onLine) event.preventDefault(); });
addEventListener("DOMContentLoaded", () => { if (read().length) { show(); flush(); } });
