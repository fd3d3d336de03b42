"""Words of strain and of relief: a small lexicon of our own, for how a story feels from sentence to sentence."""

from __future__ import annotations

import re

STRAIN = frozenset(
    """
afraid alarm alone anger angry attack attacked awful bad bleed bleeding blind blood bomb broke broken burn burned
burning chase chased cold collapse collapsed crash crashed cried cries cruel cry cut danger dangerous dark darkness
dead deadly death despair desperate destroy destroyed die died disaster doubt drown drowned dying enemy evil fail
failed failure fall fear feared fell fever fight fighting fire fled flee flood freezing fright frightened frozen
furious guilt guilty gun hate hated helpless hid hide horrible horror hunger hungry hunted hurt hurts ice ill
impossible injured kill killed knife lie lied loss lost mad missing mistake murder nightmare nobody pain painful
panic poison prison problem rage ran risk sank scared scream screamed screaming secret shake shaking shock shot
shouted sick sink sinking smoke starving steal stole stolen storm strange stuck suddenly terrible terrified terror
threat threatened torn trap trapped trembling trouble ugly vanished victim violent war warned warning weapon weeping
worried worry worse worst wound wounded wreck wrong
""".split()
)
RELIEF = frozenset(
    """
alive answer awake bright calm celebrate celebrated comfort dawn dinner embraced ended ending finally forgave
forgive forgiven free freed freedom friend friends garden gentle glad grateful happy heal healed healthy held home
hope hopeful hug hugged joy kept kind kindness laugh laughed laughing laughter light lived love loved married
morning peace peaceful proud quiet quietly reached recovered relief relieved repaired rescue rescued rest rested
returned reunited safe safely safety saved settled sleep slept slow slowly smile smiled smiling soft softly spring
stayed still sun sunny sunshine survived sweet thank thanked thankful thanks together trust warm warmth wedding
welcome well whole won
""".split()
)


def strain(text: str) -> float:
    """Words of strain less words of relief, per word of `text`, in [-1, 1]; 0 without words."""
    words = re.findall(r"[a-z']+", text.lower())
    return (sum(word in STRAIN for word in words) - sum(word in RELIEF for word in words)) / max(1, len(words))
