// An episode over time: the wave, the bands under it, the playhead, and a clip that is dragged out and moved by its edges.

import { clock, snapped } from "./snap.js";
import { draw, heightsOf, tickTimes } from "./wave.js";

const CLICK_PX = 4; // less than that is a click
const NEAREST_S = 8;
const KINDS = { studio: "golden", verdict: "verdict", soundbite: "bite" };

function element(tag, name, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

function block(start, end, style, title, text = "") {
  const made = element("div", `block ${style}`, text);
  made.style.setProperty("--s", start);
  made.style.setProperty("--e", end);
  made.title = `${title} · ${clock(start)} to ${clock(end)}`;
  return made;
}

function lane(name, blocks, style = "") {
  const made = element("div", `lane ${style}`);
  const track = element("div", "track");
  track.append(...blocks);
  made.append(element("span", "lane-name", name), track);
  return made;
}

function tick(time) {
  const mark = element("span", "tick number", clock(time));
  mark.style.setProperty("--s", time);
  return mark;
}

function dots(candidates, taken) {
  return candidates.map(([start, end, height, score, picked]) => {
    const dot = block(start, end, picked ? "dot picked" : "dot", `score ${score.toFixed(2)}`);
    dot.style.setProperty("--m", (start + end) / 2);
    dot.style.setProperty("--h", height);
    dot.addEventListener("click", () => taken({ start, end }));
    return dot;
  });
}

/** Draw an episode into `root`; what people do to it is told to `seek(time)` and `marked(span or null)`. */
export function timeline(root, data, { seek, marked }) {
  const duration = Math.max(data.duration, 0.001);
  const view = { from: 0, length: duration };
  const heights = heightsOf(data.wave);
  const canvas = element("canvas", "wave");
  const wave = lane("", [canvas], "sound-lane");
  const surface = wave.querySelector(".track");
  const axis = lane("", [], "axis");
  const golden = lane("Golden clips", []);
  const now = element("div", "now");
  const over = element("div", "over");
  const selection = element("div", "selection");
  const edges = ["start", "end"].map((edge) => element("i", `edge ${edge}`));
  let span = null;
  let dragging = false;

  const inside = (time) => (span ? time >= span.start && time < span.end : data.picks.some(([start, end]) => time >= start && time < end));
  const redraw = () => {
    root.style.setProperty("--from", view.from);
    root.style.setProperty("--length", view.length);
    draw(canvas, heights, view, duration, inside);
    axis.querySelector(".track").replaceChildren(...tickTimes(view, surface.clientWidth).map(tick));
  };
  const show = (from, length) => {
    view.length = Math.min(duration, Math.max(Math.min(NEAREST_S, duration), length));
    view.from = Math.min(duration - view.length, Math.max(0, from));
    redraw();
  };
  const timeAt = (event) => {
    const { left, width } = surface.getBoundingClientRect();
    return Math.min(duration, Math.max(0, view.from + ((event.clientX - left) / width) * view.length));
  };
  const select = (wanted, { exact = false } = {}) => {
    span = wanted && (exact ? { start: Math.min(wanted.start, wanted.end), end: Math.max(wanted.start, wanted.end) } : snapped(wanted, data.sentences));
    if (span && span.end <= span.start) span = null;
    selection.hidden = !span;
    if (span) {
      selection.style.setProperty("--s", span.start);
      selection.style.setProperty("--e", span.end);
    }
    draw(canvas, heights, view, duration, inside);
    marked(span);
  };

  function drag(event, anchor, { clicked = () => {} } = {}) {
    const from = event.clientX;
    let moved = false;
    dragging = true;
    surface.setPointerCapture(event.pointerId);
    const move = (at) => {
      moved = moved || Math.abs(at.clientX - from) >= CLICK_PX;
      if (moved) select({ start: anchor, end: timeAt(at) }, { exact: at.altKey });
    };
    const done = (at) => {
      surface.removeEventListener("pointermove", move);
      dragging = false;
      if (!moved && at.type === "pointerup") clicked(timeAt(at));
    };
    surface.addEventListener("pointermove", move);
    surface.addEventListener("pointerup", done, { once: true });
    surface.addEventListener("pointercancel", done, { once: true });
    event.preventDefault();
  }

  surface.tabIndex = 0;
  surface.setAttribute("role", "slider");
  surface.setAttribute("aria-label", "Place in the episode");
  surface.setAttribute("aria-valuemin", 0);
  surface.setAttribute("aria-valuemax", Math.round(duration));
  surface.addEventListener("pointerdown", (event) => {
    if (event.button === 0) drag(event, timeAt(event), { clicked: seek });
  });
  edges.forEach((edge, index) => edge.addEventListener("pointerdown", (event) => {
    drag(event, index ? span.start : span.end);
    event.stopPropagation();
  }));
  root.addEventListener("wheel", (event) => {
    if (event.ctrlKey) zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(event));
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) show(view.from + (event.deltaX / surface.clientWidth) * view.length, view.length);
    else return;
    event.preventDefault();
  }, { passive: false });

  function zoom(factor, around = at) {
    const share = (around - view.from) / view.length;
    const centre = share >= 0 && share <= 1 ? share : 0.5;
    const place = centre === share ? around : view.from + view.length / 2;
    const length = Math.min(duration, Math.max(Math.min(NEAREST_S, duration), view.length * factor));
    show(place - centre * length, length);
  }

  let at = 0;
  const moveTo = (time, { follow = false } = {}) => {
    at = time;
    now.style.setProperty("--s", time);
    surface.setAttribute("aria-valuenow", Math.round(time));
    surface.setAttribute("aria-valuetext", clock(time));
    if (follow && !dragging && (time < view.from || time > view.from + view.length)) show(time - view.length * 0.1, view.length);
  };
  const setClips = (clips) => {
    golden.hidden = !clips.length;
    golden.querySelector(".track").replaceChildren(...clips.map((clip) => {
      const made = block(clip.start, clip.end, KINDS[clip.kind], `${clip.who}, grade ${clip.grade}${clip.note ? `: ${clip.note}` : ""}`);
      made.addEventListener("click", () => seek(clip.start));
      return made;
    }));
  };

  selection.hidden = true;
  selection.append(...edges);
  over.append(...data.picks.map(([start, end]) => block(start, end, "pick-span", "The pick")), selection, now);
  const scores = data.candidates.length ? [lane("Candidates", dots(data.candidates, select), "scores")] : [];
  root.append(wave, axis, golden, ...data.lanes.map(({ name, blocks }) => lane(name, blocks.map((one) => block(...one)))), ...scores, over);
  setClips(data.clips);
  moveTo(0);
  redraw();
  new ResizeObserver(redraw).observe(surface);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  return { select, zoom, show, moveTo, setClips, fit: () => show(0, duration), span: () => span };
}
