// The page of an episode: listen, read along, mark the best clip, and see what others marked.

import { freshId, say } from "./outbox.js";
import { clock, sentenceAt, textOf } from "./snap.js";
import { ask, failed, typing } from "./studio.js";
import { timeline } from "./timeline.js";
import { transcript } from "./transcript.js";

const STEP_S = 5;
const root = document.getElementById("timeline");
const player = document.getElementById("player");
const bar = document.getElementById("mark");
const note = document.getElementById("mark-note");
const { asset, who } = root.dataset;
const NAMES = { soundbite: "publisher's soundbite", verdict: "said of a preview", studio: "" };
let grade = 4;
let until = null; // where playing a stretch stops
let draw;
let data;

function seek(time, { play = false } = {}) {
  until = null;
  if (player.readyState === 0) player.addEventListener("loadedmetadata", () => { player.currentTime = time; }, { once: true });
  else player.currentTime = time;
  moved(time);
  if (play) player.play().catch(() => {});
}

function playSpan({ start, end }) {
  seek(start, { play: true });
  until = end;
}

let follow = () => {};

function moved(time, options) {
  draw.moveTo(time, options);
  follow(time);
}

function along() {
  if (player.paused) return;
  if (until !== null && player.currentTime >= until) {
    player.pause();
    until = null;
  }
  moved(player.currentTime, { follow: true });
  requestAnimationFrame(along);
}

function setGrade(value) {
  grade = value;
  bar.querySelectorAll("[data-grade]").forEach((button) => button.setAttribute("aria-pressed", String(Number(button.dataset.grade) === value)));
}

function marked(span) {
  bar.hidden = !span;
  document.body.classList.toggle("marking", Boolean(span));
  if (!span) return;
  document.getElementById("mark-span").textContent = `${clock(span.start, { tenths: true })} – ${clock(span.end, { tenths: true })} · ${(span.end - span.start).toFixed(1)} s`;
  document.getElementById("mark-text").textContent = textOf(span, data.sentences) || "Nobody speaks here.";
}

function cancel() {
  note.value = "";
  setGrade(4);
  getSelection().removeAllRanges();
  draw.select(null);
}

async function save() {
  const span = draw.span();
  if (!span) return;
  const row = { id: freshId(), asset_id: asset, ...span, who, grade, note: note.value.trim() };
  cancel();
  await say("/golden-clips", row);
  await refresh();
}

async function remove(clip) {
  await say("/golden-clips", { id: freshId(), asset_id: asset, start: clip.start, end: clip.end, who, withdraws: clip.id });
  await refresh();
}

function button(text, label, pressed) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", textContent: text, className: "quiet" });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", pressed);
  return made;
}

function row(clip) {
  const made = document.createElement("li");
  const where = document.createElement("b");
  where.className = "number";
  where.textContent = `${clock(clip.start)}–${clock(clip.end)}`;
  const said = document.createElement("span");
  said.className = "small grow";
  said.textContent = [clip.who, NAMES[clip.kind], `grade ${clip.grade}`, clip.note].filter(Boolean).join(" · ");
  const place = `the clip from ${clock(clip.start)} to ${clock(clip.end)}`;
  made.className = `row clip ${clip.kind}`;
  made.append(where, said, button("▶", `Play ${place}`, () => playSpan(clip)));
  if (clip.kind === "studio") made.append(button("✕", `Take back ${place}`, () => remove(clip)));
  return made;
}

function listed(clips) {
  const list = document.getElementById("clips");
  list.replaceChildren(...clips.map(row));
  if (clips.length) return;
  const none = document.createElement("li");
  Object.assign(none, { className: "dim", textContent: "None yet. What you mark here teaches the ranker." });
  list.append(none);
}

async function refresh() {
  try {
    data.clips = await ask(`/studio/api/episodes/${asset}/clips`);
  } catch (error) {
    return failed(error);
  }
  draw.setClips(data.clips);
  return listed(data.clips);
}

function sentence(step) {
  const index = sentenceAt(data.sentences, player.currentTime + 0.01);
  const there = data.sentences[Math.min(data.sentences.length - 1, Math.max(0, index + step))];
  if (there) seek(there.start, { play: !player.paused });
}

function edge(name) {
  const span = draw.span();
  const time = player.currentTime;
  const other = { start: { start: time, end: Math.max(span?.end ?? 0, time + 1) }, end: { start: Math.min(span?.start ?? time, time - 1), end: time } };
  draw.select({ start: Math.max(0, other[name].start), end: Math.min(data.duration, other[name].end) });
}

const KEYS = {
  " ": () => (player.paused ? player.play().catch(() => {}) : player.pause()),
  ArrowLeft: () => seek(Math.max(0, player.currentTime - STEP_S), { play: !player.paused }),
  ArrowRight: () => seek(Math.min(data.duration, player.currentTime + STEP_S), { play: !player.paused }),
  j: () => sentence(-1),
  k: () => sentence(1),
  i: () => edge("start"),
  o: () => edge("end"),
  p: () => draw.span() && playSpan(draw.span()),
  s: save,
  "+": () => draw.zoom(0.5),
  "-": () => draw.zoom(2),
  f: () => draw.fit(),
};

function pressed(event) {
  if (event.key === "Escape" && draw.span() && !document.querySelector("dialog[open]")) return cancel();
  if (typing(event) || (event.key === " " && event.target.closest("button, a, audio, video"))) return undefined;
  if (/^[0-4]$/.test(event.key) && draw.span()) return setGrade(Number(event.key));
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (act) {
    event.preventDefault();
    act();
  }
  return undefined;
}

function toHash() {
  const time = Number(location.hash.match(/^#t=(\d+(?:\.\d+)?)/)?.[1] ?? NaN);
  if (!Number.isNaN(time)) seek(Math.min(time, data.duration));
}

function wire() {
  player.addEventListener("play", along);
  player.addEventListener("seeked", () => moved(player.currentTime));
  document.addEventListener("keydown", pressed);
  window.addEventListener("hashchange", toHash);
  document.getElementById("mark-play").addEventListener("click", () => playSpan(draw.span()));
  document.getElementById("mark-save").addEventListener("click", save);
  document.getElementById("mark-cancel").addEventListener("click", cancel);
  note.addEventListener("keydown", (event) => { if (event.key === "Enter") save(); });
  bar.querySelectorAll("[data-grade]").forEach((one) => one.addEventListener("click", () => setGrade(Number(one.dataset.grade))));
  document.querySelectorAll("[data-zoom]").forEach((one) => one.addEventListener("click", () => (one.dataset.zoom === "fit" ? draw.fit() : draw.zoom(Number(one.dataset.zoom)))));
  document.querySelectorAll("[data-span]").forEach((one) => one.addEventListener("click", () => {
    const [start, end] = one.dataset.span.split(" ").map(Number);
    playSpan({ start, end });
  }));
}

async function begin() {
  data = await ask(`/studio/api/episodes/${asset}`);
  draw = timeline(root, data, { seek, marked });
  follow = transcript(document.getElementById("transcript"), data.sentences, {
    seek,
    marked: (span, event) => draw.select(span, { exact: event.altKey }),
  });
  listed(data.clips);
  wire();
  toHash();
  root.dataset.ready = "true";
}

begin().catch(failed);
