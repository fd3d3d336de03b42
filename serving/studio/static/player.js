// Players of a stretch of an asset. What a browser cannot play is made playable first; the note says how far that is.

const AGAIN_MS = 1000;

async function playable(media, note) {
  for (;;) {
    const answer = await fetch(media, { headers: { Range: "bytes=0-0", Accept: "application/json" } });
    const kind = answer.headers.get("Content-Type") ?? "";
    if (answer.status !== 202) {
      if (!answer.ok) note.textContent = kind.includes("json") ? (await answer.json()).detail : "This cannot be played.";
      return answer.ok;
    }
    const { progress } = await answer.json();
    note.textContent = `A copy that browsers can play is being made: ${Math.round(100 * progress)} %`;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function prepare(player) {
  const note = player.parentElement.querySelector("[data-player-note]");
  const { media, start, end } = player.dataset;
  if (!(await playable(media, note))) return;
  note.textContent = "";
  player.src = end === undefined ? media : `${media}#t=${start},${end}`;
}

document.querySelectorAll("[data-player]").forEach(prepare);
