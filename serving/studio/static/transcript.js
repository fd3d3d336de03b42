// A transcript that follows the sound: the sentence and the word being said stand out, a click seeks, a selection marks.

import { clock, sentenceAt } from "./snap.js";

const LEFT_ALONE_MS = 5000; // after somebody scrolled by hand

function wordsOf(sentence) {
  const told = sentence.words.length ? sentence.words : [[sentence.start, sentence.text]];
  return told.flatMap(([start, text]) => {
    const word = document.createElement("span");
    word.textContent = text;
    word.dataset.t = start;
    return [word, " "];
  });
}

function line(sentence, index, before) {
  const made = document.createElement("p");
  made.className = "line";
  made.dataset.line = index;
  if (sentence.speaker && sentence.speaker !== before?.speaker) {
    const who = document.createElement("b");
    who.className = `who ${sentence.style}`;
    who.textContent = sentence.speaker;
    made.append(who);
  }
  const at = document.createElement("span");
  at.className = "at number";
  at.textContent = clock(sentence.start);
  made.append(at, ...wordsOf(sentence));
  return made;
}

function wordAt(box, node) {
  const within = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
  return box.contains(within) ? within.closest("[data-t]") ?? within.closest(".line")?.querySelector("[data-t]") : null;
}

/** The stretch of the words that are selected in a box, or null. */
function selectedSpan(box, sentences) {
  const chosen = getSelection();
  if (!chosen || chosen.isCollapsed || !chosen.rangeCount) return null;
  const range = chosen.getRangeAt(0);
  const [first, last] = [wordAt(box, range.startContainer), wordAt(box, range.endContainer)];
  if (!first || !last) return null;
  const next = last.nextElementSibling?.dataset.t;
  return { start: Number(first.dataset.t), end: Number(next ?? sentences[last.parentElement.dataset.line].end) };
}

/** Fill `box`; clicks are told to `seek(time)`, selected words to `marked(span, event)`. Returns what moves it along. */
export function transcript(box, sentences, { seek, marked }) {
  let current = -1;
  let word = null;
  let touched = 0;
  box.append(...sentences.map((sentence, index) => line(sentence, index, sentences[index - 1])));
  if (!sentences.length) box.textContent = "Nothing was said, or nobody has listened yet.";
  const lines = box.children;
  ["wheel", "touchmove"].forEach((kind) => box.addEventListener(kind, () => { touched = Date.now(); }, { passive: true }));
  document.addEventListener("pointerup", (event) => setTimeout(() => {
    const span = selectedSpan(box, sentences);
    if (span) marked(span, event);
  }));
  box.addEventListener("click", (event) => {
    const there = wordAt(box, event.target);
    if (there && getSelection().isCollapsed) seek(Number(there.dataset.t));
  });

  function scrollTo(entry) {
    if (Date.now() - touched < LEFT_ALONE_MS) return;
    const wanted = entry.offsetTop - box.clientHeight / 3;
    if (entry.offsetTop < box.scrollTop || entry.offsetTop + entry.clientHeight > box.scrollTop + box.clientHeight * 0.8) box.scrollTop = wanted;
  }

  function sayWord(entry, time) {
    const said = [...entry.querySelectorAll("[data-t]")].filter((one) => Number(one.dataset.t) <= time).at(-1) ?? null;
    if (said === word) return;
    word?.classList.remove("said");
    said?.classList.add("said");
    word = said;
  }

  return (time) => {
    const index = sentenceAt(sentences, time);
    if (index !== current) {
      lines[current]?.removeAttribute("aria-current");
      word?.classList.remove("said");
      word = null;
      current = index;
      if (index >= 0) {
        lines[index].setAttribute("aria-current", "true");
        scrollTo(lines[index]);
      }
    }
    if (index >= 0 && sentences[index].words.length) sayWord(lines[index], time);
  };
}
