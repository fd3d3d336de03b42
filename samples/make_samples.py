"""Makes the bundled sample show: three episodes, their feed and the truth about them.

Every run writes the same files. The voices must be installed; see README.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from studio import mix, mp3, sidecars
from studio.cover import draw_cover
from studio.feed import write_feed
from studio.script import read_script
from studio.show import Episode, Show, read_show
from studio.signal import delay
from studio.truth import Facts, describe
from studio.voices import open_voice

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Make all samples."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: this one)")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    show = read_show(HERE / "scripts" / "show.toml")
    draw_cover(out / "cover.png")
    truth = {f"{ep.slug}.mp3": make_episode(show, ep, out) for ep in show.episodes}
    write_feed(out / "feed.xml", show, truth)
    text = json.dumps(truth, indent=1, ensure_ascii=False)
    (out / "truth.json").write_text(text + "\n", encoding="utf-8")


def make_episode(show: Show, episode: Episode, out: Path) -> Facts:
    """Speak, mix, encode and describe one episode."""
    lines = read_script(HERE / "scripts" / f"{episode.slug}.txt")
    people = [show.person(short) for short in sorted({line.speaker for line in lines})]
    levels = {person.short: person.lufs for person in people}
    plan = mix.Plan(episode.rate, episode.theme, episode.intro, episode.outro, levels, episode.seed)
    voices = {p.short: open_voice(p.engine, p.stretch, episode.seed) for p in people}
    mixed = mix.render(lines, mix.record(lines, voices, plan), plan)
    path = out / "episodes" / f"{episode.slug}.mp3"
    mp3.encode(path, mixed.audio, episode.rate, episode.bit_rate)
    facts = describe(mixed, show, *measure(path, mixed))
    mp3.tag(path, episode.title, show.title, show.author, episode.number, out / "cover.png")
    write_sidecars(episode, facts, mixed, out)
    print(f"{path.name}: {facts['duration_s']:.1f} s, {path.stat().st_size} bytes")
    return facts


def measure(path: Path, mixed: mix.Mix) -> tuple[float, float]:
    """Duration of the encoded file, and its lag behind the mix, both in seconds."""
    heard, rate = mp3.decode(path)
    return len(heard) / rate, delay(mixed.audio, heard) / rate


def write_sidecars(episode: Episode, facts: Facts, mixed: mix.Mix, out: Path) -> None:
    """Write chapters, transcript and the small rendition where the episode has them."""
    stem = out / "episodes" / episode.slug
    if episode.chapters:
        stem.with_suffix(".chapters.json").write_text(sidecars.chapters(episode, facts))
    if episode.transcript:
        stem.with_suffix(".vtt").write_text(sidecars.transcript(facts), encoding="utf-8")
    if episode.alternate:
        low = out / "episodes" / "low" / f"{episode.slug}.mp3"
        mp3.encode_small(low, mixed.audio, episode.rate)


if __name__ == "__main__":
    main()
