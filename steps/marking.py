"""Markers of the episodes of a show: each is compared with its neighbours once those have been heard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePath

from featurization.ads import AdContext, find_ads
from featurization.markers import Printed, compare, find_markers
from featurization.media import AdSpan, Asset, Marker
from steps.episodes import read_episodes
from steps.settings import Settings
from steps.store import Store, Writes
from steps.tables import ADS, ASSETS, FINGERPRINTS, MARKERS


def mark_shows(asset_ids: Sequence[str], *, settings: Settings, store: Store) -> Writes:
    """What episodes repeat of others, for those just heard and those they are neighbours of, where that changes.

    What is repeated speaks for an advertisement, so ads are judged again where there is some. An episode with no other
    of its show gets no markers.
    """
    heard, marked, judged = set(asset_ids), dict[str, Sequence[Marker]](), dict[str, Sequence[AdSpan]]()
    for show in _shows(heard, store):
        near = _neighbours(show, settings.markers.neighbours)
        wanted = [a for a in show if a in heard or heard & set(near[a])]
        known = store.read(MARKERS, wanted)
        found = dict(_marked(wanted, near, show, settings=settings, store=store))
        marked |= {a: markers for a, markers in found.items() if markers != known.get(a, ())}
        judged |= _ads_again(found, settings=settings, store=store)
    return {MARKERS: marked, ADS: judged}


def _shows(heard: Collection[str], store: Store) -> Iterator[list[str]]:
    """Asset ids of every show that has an episode among `heard`, in order of appearance."""
    printed = store.asset_ids(FINGERPRINTS)
    shows: dict[str, list[Asset]] = defaultdict(list)
    for rows in store.read(ASSETS).values():
        shows[show_of(rows[0])].append(rows[0])
    for episodes in shows.values():
        ordered = [asset.asset_id for asset in sorted(episodes, key=place_in_show) if asset.asset_id in printed]
        if len(ordered) > 1 and any(a in heard for a in ordered):
            yield ordered


def show_of(asset: Asset) -> str:
    """The feed, else the name; files with neither are of one show if they lie in one folder."""
    return asset.feed or asset.show or str(PurePath(asset.source).parent)


def place_in_show(asset: Asset) -> tuple[int, int, str, str, str]:
    """By what the episodes of a show are put in order."""
    return asset.season, asset.episode, asset.published, asset.title, asset.asset_id


def _neighbours(show: Sequence[str], count: int) -> dict[str, list[str]]:
    """The episodes nearest to each in the order of the show, as many before as after it where there are."""
    last = max(0, len(show) - count - 1)
    begins = {asset_id: min(max(0, place - count // 2), last) for place, asset_id in enumerate(show)}
    return {a: [b for b in show[begin : begin + count + 1] if b != a] for a, begin in begins.items()}


def _marked(
    wanted: Sequence[str], near: Mapping[str, Sequence[str]], show: Sequence[str], *, settings: Settings, store: Store
) -> Iterator[tuple[str, tuple[Marker, ...]]]:
    """Markers of each episode; only neighbours are in memory."""
    place = {asset_id: number for number, asset_id in enumerate(show)}
    prints: dict[str, Printed] = {}
    for asset_id in wanted:
        needed = [asset_id, *near[asset_id]]
        prints = {a: prints[a] if a in prints else _printed(a, store) for a in needed}
        own = prints[asset_id]
        comparisons = [
            compare(own, prints[other], earlier=place[other] < place[asset_id], options=settings.markers)
            for other in near[asset_id]
        ]
        yield asset_id, find_markers(own.duration_s, comparisons, settings.markers)


def _ads_again(
    found: Mapping[str, Sequence[Marker]], *, settings: Settings, store: Store
) -> dict[str, tuple[AdSpan, ...]]:
    """The ads of episodes in which sound of others recurs, where that makes a difference."""
    repeats = {a: own for a, markers in found.items() if (own := [m for m in markers if m.kind == "repeat"])}
    again = {}
    for episode in read_episodes(list(repeats), store=store):
        asset, heard = episode.asset, episode.hearing
        context = AdContext(asset.description, asset.chapters, heard.sounds, repeats[asset.asset_id])
        ads = find_ads(heard.sentences, episode.vectors, context, options=settings.ads)
        if ads != heard.ads:
            again[asset.asset_id] = ads
    return again


def _printed(asset_id: str, store: Store) -> Printed:
    asset, prints = store.read(ASSETS, [asset_id])[asset_id][0], store.read(FINGERPRINTS, [asset_id])[asset_id]
    return Printed(asset.duration_s, prints)
