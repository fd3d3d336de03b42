"""Files beside an episode: the chapters file and the transcript."""

from __future__ import annotations

import json

from .show import Episode
from .truth import Facts


def chapters(episode: Episode, facts: Facts) -> str:
    """Chapters in the JSON form of the podcast namespace, sponsor included."""
    marks: list[Facts] = [{"startTime": 0, "title": "Intro music"}]
    marks += [_chapter(topic["start"], topic["title"]) for topic in facts["topics"]]
    marks += [_chapter(ad["start"], f"Sponsor: {episode.sponsor}") for ad in facts["ads"]]
    marks.sort(key=lambda mark: mark["startTime"])
    document = {"version": "1.2.0", "title": episode.title, "chapters": marks}
    return json.dumps(document, indent=2) + "\n"


def _chapter(start: float, title: str) -> Facts:
    """One chapter mark, a little before the first word."""
    return {"startTime": round(start - 0.3, 2), "title": title}


def transcript(facts: Facts) -> str:
    """The episode as WebVTT, one cue per sentence, with speaker voices."""
    cues = ["WEBVTT\n"]
    for number, sentence in enumerate(facts["sentences"], start=1):
        times = f"{clock(sentence['start'])} --> {clock(sentence['end'])}"
        text = f"<v {sentence['speaker']}>{sentence['text']}"
        cues.append(f"{number}\n{times}\n{text}\n")
    return "\n".join(cues)


def clock(seconds: float) -> str:
    """Seconds as HH:MM:SS.mmm."""
    millis = round(seconds * 1000)
    minutes, rest = divmod(millis, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest / 1000:06.3f}"
