"""Makes the bundled sample film and the truth about it.

Every run writes the same files. The voices and scikit-image's pictures must be installed; see README.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from studio import film_file, film_pictures, film_sound, film_truth
from studio.film import Film, read_film
from studio.signal import delay

HERE = Path(__file__).resolve().parent
LICENCE = "cc-by-4.0"


def main() -> None:
    """Make the film."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "film", help="folder to write to (default: film)")
    out: Path = parser.parse_args().out
    film = read_film(HERE / "scripts" / "the-keeper-of-gull-point.toml")
    path = out / f"{film.slug}.mp4"
    sound = film_sound.render(film)
    film_file.encode(path, film, film_pictures.frames(film), sound.audio)
    heard, frames = film_file.decode(path)
    shift = delay(sound.audio, heard) / film.sample_rate
    facts = film_truth.describe(film, sound.placed, duration_s=film.seconds, frames=frames, shift=shift)
    write_companions(film, facts, out)
    print(f"{path.name}: {facts['duration_s']:.1f} s, {path.stat().st_size} bytes, sound {1000 * shift:+.1f} ms")


def write_companions(film: Film, facts: film_truth.Facts, out: Path) -> None:
    """Write the truth, and a manifest that says what may be done with the film."""
    truth = {f"{film.slug}.mp4": facts}
    (out / "truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    film_truth.write_transitions(out / f"{film.slug}.transitions.csv", film)
    row = f"{film.slug}.mp4,{film.title},{film.author},en,allowed,{LICENCE},{film.author}"
    header = "path,title,show,language,preview,license,attribution"
    (out / "manifest.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
