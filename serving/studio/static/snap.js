// Where the edges of a clip belong: its start at the start of a sentence, its end at the end of one.

/** The number of a sorted list that lies nearest to a time. */
export function nearest(sorted, time) {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < time) low = middle + 1; else high = middle;
  }
  return low > 0 && time - sorted[low - 1] <= sorted[low] - time ? sorted[low - 1] : sorted[low];
}

/** Which of the sentences, sorted by start, was begun last at a time; -1 before the first. */
export function sentenceAt(sentences, time) {
  let low = 0;
  let high = sentences.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sentences[middle].start <= time) low = middle + 1; else high = middle;
  }
  return low - 1;
}

/** A span in either direction on the nearest edges of sentences; within one sentence, that sentence. */
export function snapped({ start, end }, sentences) {
  const [from, to] = start <= end ? [start, end] : [end, start];
  if (!sentences.length) return { start: from, end: to };
  const begins = nearest(sentences.map((sentence) => sentence.start), from);
  const ends = nearest(sentences.map((sentence) => sentence.end).sort((one, other) => one - other), to);
  if (ends > begins) return { start: begins, end: ends };
  const here = sentences[Math.max(0, sentenceAt(sentences, (from + to) / 2))];
  return { start: here.start, end: here.end };
}

/** What is said in a span: the sentences whose middle lies in it. */
export function textOf({ start, end }, sentences) {
  const inside = sentences.filter((sentence) => (sentence.start + sentence.end) / 2 >= start && (sentence.start + sentence.end) / 2 < end);
  return inside.map((sentence) => sentence.text).join(" ");
}

/** 0:07, 12:30, 1:02:03; with tenths if they are asked for. */
export function clock(seconds, { tenths = false } = {}) {
  const whole = tenths ? Math.round(seconds * 10) / 10 : Math.floor(seconds);
  const minutes = Math.floor(whole / 60);
  const rest = (whole % 60).toFixed(tenths ? 1 : 0).padStart(tenths ? 4 : 2, "0");
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}
