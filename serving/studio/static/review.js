// The review: a key for each verdict, edges that move by sentences, and the last verdict undone. What is said goes
// through the outbox, and the page goes on when the server has it.

import { along, freshId, sayAlone } from "./outbox.js";
import { clock, textOf } from "./snap.js";
import { ask, failed, tell, typing } from "./studio.js";
import { timeline } from "./timeline.js";

const LAST = "rushes-last-verdict";
const AROUND_S = 25; // shown on both sides of the moment whose edges move
const card = document.getElementById("review");
const rejecting = document.getElementById("why-not");
const adjusting = document.getElementById("edges");
const player = document.getElementById("player");
const preview = document.getElementById("preview");
let going = null; // where to go as soon as nothing waits on a lane
let data;
let draw;
let spans = moments(); // as they are wanted
let current = 0; // which of them is moved

function moments() {
  const pairs = (card?.dataset.moments ?? "").split(";").filter(Boolean);
  return pairs.map((pair) => pair.split(" ").map(Number)).map(([start, end]) => ({ start, end }));
}

function remember(last) {
  if (last) sessionStorage.setItem(LAST, JSON.stringify(last)); else sessionStorage.removeItem(LAST);
  document.getElementById("undo").hidden = !last;
}

const remembered = () => JSON.parse(sessionStorage.getItem(LAST) ?? "null");
const lengthOf = ({ start, end }) => end - start;
const laneOf = (asset) => `review/${asset}`;
const following = () => `/studio/review?after=${card?.dataset.asset ?? ""}`;

function next() {
  location.assign(following());
}

/** Go on as soon as what was said of an asset is kept: behind a verdict the next preview comes, else the same. */
function goOn(asset, path) {
  const judged = ["/approve", "/reject"].some((end) => path.endsWith(end));
  going = { lane: laneOf(asset), to: judged ? following() : `/studio/review?asset=${asset}` };
}

function say(asset, what, row) {
  if (going) return tell("What was said last is not kept yet.");
  const [id, path] = [freshId(), `/studio/api/review/${asset}/${what}`];
  goOn(asset, path);
  remember(what === "undo" ? null : { asset, review: id });
  return sayAlone(path, { id, ...row }, laneOf(asset));
}

const judge = (verdict, row = {}) => say(card.dataset.asset, verdict, { recipe: card.dataset.recipe, ...row });

const reject = (reason) => judge("reject", { reason, note: document.getElementById("words").value.trim() });

function undo() {
  const last = remembered();
  return last && say(last.asset, "undo", { review: last.review });
}

function settled({ detail: { sent, refused } }) {
  if (refused && sent.row.id === remembered()?.review) remember(null);
  if (refused && sent.lane === going?.lane) going = null;
  else if (going && !along(going.lane).length) location.assign(going.to);
  else if (sent?.path.endsWith("/edges") && !refused) tell("The preview is published with its new edges.");
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
  spans[current] = span;
  document.getElementById("from").textContent = clock(span.start, { tenths: true });
  document.getElementById("to").textContent = clock(span.end, { tenths: true });
  const all = spans.length > 1 ? ` of ${spans.map(lengthOf).reduce((one, other) => one + other).toFixed(1)}` : "";
  document.getElementById("length").textContent = `${lengthOf(span).toFixed(1)}${all} s`;
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

/** Move an edge to that of the sentence, or to the cut of a film, before or after. */
function step(edge, by) {
  const span = draw.span();
  if (!span) return;
  const times = [...data.cuts, ...data.sentences.map((sentence) => sentence[edge])].sort((one, other) => one - other);
  const there = by < 0 ? times.filter((time) => time < span[edge] - 0.01).at(-1) : times.find((time) => time > span[edge] + 0.01);
  const moved = { ...span, [edge]: there ?? span[edge] };
  if (moved.end > moved.start) draw.select(moved, { exact: true });
}

/** Move the edges of one of the moments. */
function choose(index, span = spans[index]) {
  current = index;
  adjusting.querySelectorAll("[data-moment]").forEach((one) => one.setAttribute("aria-pressed", String(Number(one.dataset.moment) === index)));
  draw.show(span.start - AROUND_S, lengthOf(span) + 2 * AROUND_S);
  draw.select(span, { exact: true });
}

async function adjust() {
  open(rejecting, "reject", false);
  open(adjusting, "adjust", true);
  if (draw) return;
  data = await ask(`/studio/api/episodes/${card.dataset.asset}`);
  draw = timeline(document.getElementById("timeline"), data, { seek: (time) => playSpan({ start: time, end: data.duration }), marked: showEdges });
  choose(0);
}

const publish = () => draw?.span() && judge("edges", { moments: spans.map(({ start, end }) => [start, end]) });

const KEYS = {
  a: () => judge("approve"),
  r: () => { close(); open(rejecting, "reject", true); },
  e: () => adjust().catch(failed),
  n: next,
  m: () => draw && !adjusting.hidden && choose((current + 1) % spans.length),
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
  adjusting.querySelectorAll("[data-moment]").forEach((one) => one.addEventListener("click", () => choose(Number(one.dataset.moment))));
  document.querySelectorAll("[data-span]").forEach((one) => one.addEventListener("click", async () => {
    await adjust().catch(failed);
    const [start, end] = one.dataset.span.split(" ").map(Number);
    choose(current, { start, end });
  }));
  player.addEventListener("timeupdate", () => {
    draw?.moveTo(player.currentTime, { follow: true });
    if (player.currentTime >= Number(player.dataset.until)) player.pause();
  });
}

document.addEventListener("keydown", pressed);
document.addEventListener("outbox", settled);
document.getElementById("undo").addEventListener("click", undo);
remember(remembered());
if (card) {
  wire();
  const waiting = along(laneOf(card.dataset.asset)).at(-1);
  if (waiting) goOn(card.dataset.asset, waiting.path);
}
