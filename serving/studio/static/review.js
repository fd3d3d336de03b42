// The review: a key for each verdict, edges that move by sentences, and the last verdict undone.

import { clock, textOf } from "./snap.js";
import { ask, failed, follow, tell, typing } from "./studio.js";
import { timeline } from "./timeline.js";

const LAST = "rushes-last-verdict";
const CUTTING = "rushes-cutting";
const AROUND_S = 25; // shown on both sides of the moment whose edges move
const card = document.getElementById("review");
const rejecting = document.getElementById("why-not");
const adjusting = document.getElementById("edges");
const player = document.getElementById("player");
const preview = document.getElementById("preview");
let busy = false;
let data;
let draw;

const moments = () => card.dataset.moments.split(";").filter(Boolean).map((pair) => pair.split(" ").map(Number));

function remember(key, value) {
  if (value) sessionStorage.setItem(key, JSON.stringify(value)); else sessionStorage.removeItem(key);
}

const remembered = (key) => JSON.parse(sessionStorage.getItem(key) ?? "null");

function next() {
  location.assign(`/studio/review?after=${card?.dataset.asset ?? ""}`);
}

async function alone(work) {
  if (busy) return;
  busy = true;
  try {
    await work();
  } catch (error) {
    failed(error);
  }
  busy = false;
}

function judge(verdict, body = {}) {
  return alone(async () => {
    const { asset, recipe } = card.dataset;
    const { review } = await ask(`/studio/api/review/${asset}/${verdict}`, { method: "POST", body: { recipe, ...body } });
    remember(LAST, { asset, review });
    next();
  });
}

const reject = (reason) => judge("reject", { reason, note: document.getElementById("words").value.trim() });

function undo() {
  const last = remembered(LAST);
  if (!last) return undefined;
  return alone(async () => {
    await ask(`/studio/api/review/${last.asset}/undo`, { method: "POST", body: { review: last.review } });
    remember(LAST, null);
    location.assign(`/studio/review?asset=${last.asset}`);
  });
}

function open(panel, button, shown) {
  panel.hidden = !shown;
  document.getElementById(button).setAttribute("aria-expanded", String(shown));
}

function close() {
  open(rejecting, "reject", false);
  open(adjusting, "adjust", false);
  player.pause();
}

function showEdges(span) {
  document.getElementById("publish").disabled = !span;
  if (!span) return;
  document.getElementById("from").textContent = clock(span.start, { tenths: true });
  document.getElementById("to").textContent = clock(span.end, { tenths: true });
  document.getElementById("length").textContent = `${(span.end - span.start).toFixed(1)} s`;
  document.getElementById("new-text").textContent = textOf(span, data.sentences);
}

function playSpan({ start, end }) {
  const begin = () => {
    player.currentTime = start;
    player.play().catch(() => {});
  };
  preview.pause();
  player.dataset.until = end;
  if (player.readyState) return begin();
  player.addEventListener("loadedmetadata", begin, { once: true });
  return player.load();
}

/** Move an edge to that of the sentence before or after. */
function step(edge, by) {
  const span = draw.span();
  if (!span) return;
  const times = data.sentences.map((sentence) => sentence[edge]).sort((one, other) => one - other);
  const there = by < 0 ? times.filter((time) => time < span[edge] - 0.01).at(-1) : times.find((time) => time > span[edge] + 0.01);
  const moved = { ...span, [edge]: there ?? span[edge] };
  if (moved.end > moved.start) draw.select(moved, { exact: true });
}

async function adjust() {
  open(rejecting, "reject", false);
  open(adjusting, "adjust", true);
  if (draw) return;
  const [start, end] = moments()[0];
  data = await ask(`/studio/api/episodes/${card.dataset.asset}`);
  draw = timeline(document.getElementById("timeline"), data, { seek: (time) => playSpan({ start: time, end: data.duration }), marked: showEdges });
  draw.show(start - AROUND_S, end - start + 2 * AROUND_S);
  draw.select({ start, end }, { exact: true });
}

function publish() {
  const span = draw?.span();
  if (!span) return undefined;
  return alone(async () => {
    const { asset, recipe } = card.dataset;
    const wanted = [[span.start, span.end], ...moments().slice(1)];
    const { job } = await ask(`/studio/api/review/${asset}/edges`, { method: "POST", body: { recipe, moments: wanted } });
    remember(CUTTING, job);
    await cut(job, asset);
  });
}

/** Follow a preview that is being cut; whoever went on to another one meanwhile is only told. */
async function cut(job, asset) {
  try {
    const made = await follow(job);
    remember(LAST, made);
    tell("The preview is published with its new edges.");
    if (asset) location.assign(`/studio/review?asset=${asset}`);
    else showUndo();
  } finally {
    remember(CUTTING, null);
  }
}

function showUndo() {
  document.getElementById("undo").hidden = !remembered(LAST);
}

const KEYS = {
  a: () => judge("approve"),
  r: () => { close(); open(rejecting, "reject", true); },
  e: () => adjust().catch(failed),
  n: next,
  p: () => draw?.span() && playSpan(draw.span()),
  " ": () => (preview.paused ? preview.play().catch(() => {}) : preview.pause()),
};

function pressed(event) {
  if (event.key === "Escape" && card && !document.querySelector("dialog[open]")) return close();
  if (typing(event)) return undefined;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "u") return undo();
  if (!card || (["Enter", " "].includes(key) && event.target.closest("button, a, audio, video"))) return undefined;
  const reason = rejecting.hidden ? null : rejecting.querySelectorAll("[data-reason]")[Number(key) - 1];
  const act = reason ? () => reason.click() : key === "Enter" && !adjusting.hidden ? publish : KEYS[key];
  if (act) {
    event.preventDefault();
    act();
  }
  return undefined;
}

function wire() {
  const clicks = { approve: KEYS.a, reject: KEYS.r, adjust: KEYS.e, next, "play-edges": KEYS.p, publish };
  Object.entries(clicks).forEach(([id, act]) => document.getElementById(id).addEventListener("click", act));
  document.getElementById("words").addEventListener("keydown", (event) => { if (event.key === "Enter") reject("other"); });
  rejecting.querySelectorAll("[data-reason]").forEach((one) => one.addEventListener("click", () => reject(one.dataset.reason)));
  adjusting.querySelectorAll("[data-edge]").forEach((one) => one.addEventListener("click", () => step(one.dataset.edge, Number(one.dataset.step))));
  document.querySelectorAll("[data-span]").forEach((one) => one.addEventListener("click", async () => {
    await adjust().catch(failed);
    const [start, end] = one.dataset.span.split(" ").map(Number);
    draw.show(start - AROUND_S, end - start + 2 * AROUND_S);
    draw.select({ start, end }, { exact: true });
  }));
  player.addEventListener("timeupdate", () => {
    draw?.moveTo(player.currentTime, { follow: true });
    if (player.currentTime >= Number(player.dataset.until)) player.pause();
  });
}

document.addEventListener("keydown", pressed);
document.getElementById("undo").addEventListener("click", undo);
showUndo();
if (card) wire();
if (remembered(CUTTING)) cut(remembered(CUTTING)).catch(failed);
