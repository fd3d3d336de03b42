// Judging shots with one key each, building, and deploying; the page never waits for a judgement to be kept.

import { ask, failed, follow, tell, typing } from "./studio.js";
import { flush, freshId, say } from "./outbox.js";
import { current, select, tiled, tilesOf } from "./tiles.js";

const page = document.getElementById("annotator");
const place = document.getElementById("feed");
const panel = document.getElementById("panel");
const words = document.getElementById("words");
const api = `/studio/api/labels/${page.dataset.key}`;
const pages = `/studio/labels/${page.dataset.key}`;
const state = { kind: page.dataset.feed, seen: 0, asked: "", like: page.dataset.like, done: [] };

const grid = () => place.querySelector(".tiles");

async function part(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html, application/json" } });
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer.text();
}

async function load() {
  const asked = new URLSearchParams({ kind: state.kind, q: state.asked, like: state.like, seen: state.seen });
  document.querySelectorAll(".feed").forEach((chip) => chip.setAttribute("aria-pressed", chip.dataset.feed === state.kind));
  words.hidden = state.kind !== "search";
  try {
    await flush();
    place.innerHTML = await part(`${pages}/feed?${asked}`);
    if (grid()) { tiled(grid()); select(open()[0] ?? tilesOf(grid())[0]); }
  } catch (error) {
    place.innerHTML = "";
    const told = document.createElement("div");
    told.className = "nothing";
    told.textContent = error instanceof TypeError ? "The server cannot be reached; what you judged is kept here until it can." : error.message;
    place.append(told);
  }
  count();
}

async function refresh() {
  panel.innerHTML = await part(`${pages}/panel`);
}

const open = () => tilesOf(grid()).filter((tile) => tile.dataset.holds === undefined);

function count() {
  const left = grid() ? open().length : 0;
  document.getElementById("batch").textContent = grid() ? (left ? `${left} to judge on this page` : "All judged: M brings more, B builds") : "";
}

function bump(holds, by) {
  const shown = document.getElementById(holds ? "yes" : "no");
  shown.textContent = Number(shown.textContent) + by;
}

function judge(tile, holds) {
  if (!tile) return;
  const id = freshId();
  const before = tile.dataset.holds;
  if (before !== undefined) bump(before === "true", -1);
  tile.dataset.holds = holds;
  bump(holds, 1);
  state.done.push({ id, tile, holds, before });
  say(`${api}/judgements`, { id, shot: tile.dataset.shot, holds, feed: state.kind }).catch(failed);
  const tiles = tilesOf(grid());
  const after = tiles.slice(tiles.indexOf(tile) + 1);
  select([...after, ...tiles].find((other) => other.dataset.holds === undefined) ?? tile);
  count();
}

function undo() {
  const last = state.done.pop();
  if (!last) return tell("Nothing to undo here; the feed of all judged shots lets you judge again.");
  const { id, tile, holds, before } = last;
  if (before === undefined) delete tile.dataset.holds; else { tile.dataset.holds = before; bump(before === "true", 1); }
  bump(holds, -1);
  say(`${api}/judgements`, { id: freshId(), shot: tile.dataset.shot, withdraws: id, feed: state.kind }).catch(failed);
  if (tile.isConnected) select(tile);
  count();
}

function choose(kind) {
  Object.assign(state, { kind, seen: 0, like: kind === "search" ? state.like : "" });
  load();
}

function more() {
  const rest = grid() && open().length;
  if (rest) state.seen += 1; // what was judged no longer comes, so only what was passed over counts
  load();
}

async function work(path, body, told) {
  try {
    await flush();
    const { job } = await ask(`${api}/${path}`, { method: "POST", body });
    const result = await follow(job);
    await refresh();
    tell(told(result));
  } catch (error) {
    failed(error);
    refresh().catch(() => {});
  }
}

async function build() {
  const button = document.getElementById("build");
  button.disabled = true;
  await work("build", {}, () => "Built: the feeds go by what was learned.");
  button.disabled = false;
  if (state.kind !== "search") load();
}

function versions() {
  const { newest, inUse } = document.getElementById("standing").dataset;
  return { version: newest, instead_of: inUse };
}

const many = (n) => `${n} shot${n === 1 ? "" : "s"}`;
const buttons = {
  deploy: () => work("deploy", versions(), ({ tags }) => `Deployed: ${many(tags)} carry the tag; search sees them.`),
  rollback: () => work("rollback", { ...versions(), version: "" }, ({ version, tags }) =>
    version ? `${version} is in use again, on ${many(tags)}.` : `No head is in use; words alone tag ${many(tags)}.`),
  suggested: () => choose(document.getElementById("standing").dataset.suggested),
};

panel.addEventListener("click", (event) => buttons[event.target.closest("button")?.id]?.());
document.getElementById("build").addEventListener("click", build);
document.getElementById("more").addEventListener("click", more);
document.querySelectorAll(".feed").forEach((chip) => chip.addEventListener("click", () => choose(chip.dataset.feed)));
words.addEventListener("submit", (event) => {
  event.preventDefault();
  Object.assign(state, { asked: new FormData(words).get("q"), like: "", seen: 0 });
  words.querySelector("input").blur();
  load();
});
document.getElementById("picture").addEventListener("change", async ({ target }) => {
  const body = new FormData();
  body.append("file", target.files[0]);
  target.value = "";
  try {
    const answer = await fetch(`${pages}/feed`, { method: "POST", body });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    place.innerHTML = await answer.text();
    if (grid()) { tiled(grid()); select(tilesOf(grid())[0]); }
    count();
  } catch (error) {
    failed(error);
  }
});
place.addEventListener("click", (event) => {
  const button = event.target.closest("[data-says]");
  if (button) judge(button.closest(".tile"), button.dataset.says === "true");
});

const keys = { y: () => judge(current(grid()), true), n: () => judge(current(grid()), false), u: undo, m: more, b: build };
document.addEventListener("keydown", (event) => {
  if (typing(event) || event.repeat) return;
  const chip = document.querySelectorAll(".feed")[Number(event.key) - 1];
  const does = keys[event.key.toLowerCase()] ?? (chip && (() => choose(chip.dataset.feed)));
  if (!does || (["y", "n"].includes(event.key.toLowerCase()) && !grid())) return;
  event.preventDefault();
  does();
});

load();
