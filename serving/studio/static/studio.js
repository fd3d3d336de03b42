// What every page of the studio shares: asking the server, telling the editor, keys, and work that goes on behind.

/** Ask the server; what it refuses is thrown as an Error with its own words. */
export async function ask(path, { method = "GET", body } = {}) {
  const headers = { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (answer.status === 401) location.assign(`/studio/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  const said = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : await answer.text();
  if (!answer.ok) throw Object.assign(new Error(said.detail || `the server answered ${answer.status}`), { status: answer.status });
  return said;
}

/** Tell the editor something for a few seconds; what went wrong stays longer. */
export function tell(text, { bad = false } = {}) {
  const toast = document.createElement("div");
  toast.className = bad ? "toast bad" : "toast";
  toast.textContent = text;
  document.getElementById("told").append(toast);
  setTimeout(() => toast.remove(), bad ? 9000 : 3000);
}

export function failed(error) {
  tell(error instanceof TypeError ? "The server cannot be reached." : error.message, { bad: true });
}

/** Whether keys belong to what somebody types, and not to the page. */
export function typing(event) {
  return event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select, dialog[open]");
}

/** Follow a piece of work until it is done; resolves with what came of it. */
export async function follow(job, { shown = () => {} } = {}) {
  const chip = document.getElementById("work");
  for (;;) {
    const state = await ask(`/studio/api/jobs/${job}`);
    chip.hidden = state.state !== "running";
    chip.textContent = `${state.title} ${Math.round(100 * state.progress)} %`;
    shown(state);
    if (state.state === "done") return state.result;
    if (state.state === "failed") throw Object.assign(new Error(state.error), { failed: true });
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function showKeys() {
  document.getElementById("keys").showModal();
}

document.getElementById("help").addEventListener("click", showKeys);
document.addEventListener("keydown", (event) => {
  if (typing(event)) return;
  if (event.key === "?") showKeys();
  if (event.key === "/") {
    const box = document.querySelector("input[type=search]");
    if (box) { box.focus(); event.preventDefault(); } else location.assign("/studio");
  }
});
