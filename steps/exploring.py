"""Which clip an experiment shows to whom, and with which chance: what makes its log worth learning from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.online import Experiment, assign, draw
from featurization.media import Segment
from steps.choose import ScoredCandidate
from steps.previews import Preview


@dataclass(frozen=True, slots=True)
class Shown:
    """What a listener is shown of an asset; no clip in a silent arm."""

    arm: str
    clip: Segment | None = None
    propensity: float | None = None  # chance that a listener who is shown a clip is shown this one


def shown_clip(
    listener: str, experiment: Experiment, *, asset_id: str, preview: Preview, candidates: Sequence[ScoredCandidate]
) -> Shown:
    """The clip for a listener: the preview's, or in an exploring arm any candidate that passed the gates, each alike.

    Always the same for the same listener. The first moment stands for a preview that was stitched of several.
    """
    arm = assign(listener, experiment)
    if arm in experiment.silent or not preview.moments:
        return Shown(arm)
    picked = preview.moments[0]
    clips = [picked, *(c for c in candidates if c.score is not None and not c.picked)]
    exploring = arm in experiment.exploring
    clip = clips[int(draw(experiment, listener, asset_id) * len(clips))] if exploring else picked
    return Shown(arm, Segment(clip.start, clip.end), _propensity(clip is picked, len(clips), experiment))


def _propensity(picked: bool, clips: int, experiment: Experiment) -> float:
    """Over all listeners who are shown a clip, not only those of this arm: the log pools them."""
    shares = zip(experiment.arms, experiment.shares, strict=True)
    shown = {arm: share for arm, share in shares if arm not in experiment.silent}
    explored = sum(share for arm, share in shown.items() if arm in experiment.exploring) / sum(shown.values())
    return explored / clips + (1 - explored if picked else 0.0)
