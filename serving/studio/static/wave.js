// The wave of an episode on a canvas, and where the marks of its axis go.

/** The heights of a wave, 0 to 255, from the text that they travel as. */
export function heightsOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function strongest(heights, first, last) {
  let most = 0;
  for (let at = Math.max(0, Math.floor(first)); at < Math.min(heights.length, Math.max(first + 1, last)); at += 1) most = Math.max(most, heights[at]);
  return most / 255;
}

/** Draw the heights of a view on a canvas; times that are `inside` stand out. */
export function draw(canvas, heights, view, duration, inside) {
  const scale = window.devicePixelRatio || 1;
  const { width, height } = canvas.getBoundingClientRect();
  Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  const [plain, marked] = ["--wave", "--accent"].map((name) => style.getPropertyValue(name).trim());
  const bars = Math.floor(width / 3.5);
  for (let bar = 0; bar < bars; bar += 1) {
    const [from, to] = [bar, bar + 1].map((at) => view.from + (at / bars) * view.length);
    const tall = Math.max(0.03, strongest(heights, (from / duration) * heights.length, (to / duration) * heights.length)) * height;
    pen.fillStyle = inside((from + to) / 2) ? marked : plain;
    pen.fillRect(((bar * width) / bars) * scale, ((height - tall) / 2) * scale, 2.2 * scale, tall * scale);
  }
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
const APART_PX = 62;

/** Round times in a view, no nearer to each other than their names are wide. */
export function tickTimes(view, width) {
  const step = STEPS_S.find((seconds) => (seconds / view.length) * width >= APART_PX) ?? 14400;
  const first = Math.ceil(view.from / step);
  const count = Math.max(0, Math.ceil((view.from + view.length) / step) - first);
  return Array.from({ length: count }, (_, index) => (first + index) * step);
}
