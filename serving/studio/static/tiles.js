// Shots as tiles: hovering or resting on one plays it, arrow keys move, Enter opens it.

import { typing } from "./studio.js";

const REST_MS = 250; // how long somebody looks at a tile before it plays
let playing = null;

export function tilesOf(grid) {
  return [...grid.querySelectorAll(".tile")];
}

export function current(grid) {
  return document.activeElement?.closest?.(".tile") ?? grid.querySelector('.tile[tabindex="0"]');
}

/** Make a tile the one that keys go to. */
export function select(tile) {
  if (!tile) return;
  tile.parentElement.querySelectorAll('.tile[tabindex="0"]').forEach((other) => (other.tabIndex = -1));
  tile.tabIndex = 0;
  tile.focus({ preventScroll: true });
  tile.scrollIntoView({ block: "nearest" });
}

function columns(tiles) {
  const top = tiles[0]?.offsetTop;
  const next = tiles.findIndex((tile) => tile.offsetTop !== top);
  return next < 0 ? tiles.length : next;
}

export function move(grid, key) {
  const tiles = tilesOf(grid);
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(tiles), ArrowUp: -columns(tiles) };
  const to = tiles[tiles.indexOf(current(grid)) + steps[key]];
  if (to) select(to);
  return Boolean(steps[key]);
}

function play(tile) {
  stop();
  const video = document.createElement("video");
  Object.assign(video, { muted: true, playsInline: true, preload: "auto" });
  const { media, start, end } = tile.dataset;
  video.src = `${media}#t=${start},${end}`;
  video.addEventListener("timeupdate", () => { if (video.currentTime >= Number(end) - 0.03) video.currentTime = Number(start); });
  video.addEventListener("error", () => { if (playing?.video === video) stop(); });
  tile.querySelector(".still").append(video);
  video.play().catch(() => {});
  playing = { tile, video };
}

function stop() {
  if (!playing) return;
  playing.video.removeAttribute("src");
  playing.video.load();
  playing.video.remove();
  playing = null;
}

function restsOn(grid) {
  let waiting;
  const rest = (event) => {
    const tile = event.target.closest(".tile");
    if (!tile || playing?.tile === tile) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => play(tile), REST_MS);
  };
  const leave = (event) => {
    if (event.target.closest(".tile")?.contains(event.relatedTarget)) return;
    clearTimeout(waiting);
    stop();
  };
  grid.addEventListener("mouseover", rest);
  grid.addEventListener("focusin", rest);
  grid.addEventListener("mouseout", leave);
  grid.addEventListener("focusout", leave);
}

export function tiled(grid) {
  const first = grid.querySelector(".tile");
  if (first) first.tabIndex = 0;
  restsOn(grid);
  grid.addEventListener("focusin", (event) => {
    const tile = event.target.closest(".tile");
    tilesOf(grid).forEach((other) => (other.tabIndex = other === tile ? 0 : -1));
  });
}

document.querySelectorAll(".tiles").forEach(tiled);
document.addEventListener("keydown", (event) => {
  const grid = document.activeElement?.closest?.(".tiles") ?? document.querySelector(".tiles");
  if (!grid || typing(event)) return;
  if (event.key.startsWith("Arrow") && move(grid, event.key)) event.preventDefault();
  if (event.key === "Enter" && document.activeElement?.classList.contains("tile")) {
    location.assign(document.activeElement.querySelector(".where a").href);
  }
});
