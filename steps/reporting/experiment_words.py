"""What an experiment says, in sentences."""

from __future__ import annotations

from eval.online import Difference, Experiment, Reading, Verdict

OUTCOMES = {"stream": "stream rate", "completion": "completion rate"}
NAMES: dict[Verdict, str] = {"ahead": "Ahead", "behind": "Behind", "too early": "Too early", "broken": "Broken"}
_LEFT_OUT = (
    ("pending", "listeners whose time is not over yet"),
    ("contaminated", "listeners seen in two arms"),
    ("unexposed", "listeners that were shown nothing"),
    ("nameless", "events of nobody or of listeners forgotten since"),
    ("strange", "events of an unknown arm"),
)


def conclusion(reading: Reading) -> str:
    """What may be concluded, in a sentence."""
    if reading.sizes_fit:
        return said_of(reading.main)
    return (
        f"the sizes of the arms do not fit their shares (p = {reading.sample_ratio_p:.1g}), so listeners or events of "
        "an arm are lost: find out where before believing any difference"
    )


def said_of(difference: Difference) -> str:
    """What may be said of two arms, in points of a hundred."""
    arm, against, outcome = difference.arm, difference.against, OUTCOMES[difference.outcome]
    low, middle, high = (100 * value for value in (difference.low, difference.difference, difference.high))
    if low > 0:
        return f"{arm} beats {against} by {middle:.1f} points of {outcome} ({low:.1f} to {high:.1f})"
    if high < 0:
        return f"{arm} is behind {against} by {-middle:.1f} points of {outcome} ({-high:.1f} to {-low:.1f})"
    if (low, high) == (-100, 100):
        return f"too early to say whether {arm} or {against} has the higher {outcome}: too little happened yet"
    span = f"{arm} may be anything from {-low:.1f} points below {against} to {high:.1f} above"
    return f"too early to say which has the higher {outcome}: {span}"


def left_out(reading: Reading) -> str:
    """Who and what was not counted, and why; empty if nothing was left out."""
    counted = ((f"{getattr(reading, name):,}", why) for name, why in _LEFT_OUT if getattr(reading, name))
    return ", ".join(f"{count} {why}" for count, why in counted)


def how(experiment: Experiment) -> str:
    """How the numbers came about."""
    return (
        f"Listeners (sessions, where no listener is known) by the arm they were first shown; an outcome counts within "
        f"{experiment.window_h:g} hours. The intervals of an outcome hold together, at {experiment.level:.0%}, "
        "however often one looks."
    )
