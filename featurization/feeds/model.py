"""A feed and its episodes as frozen values: what `feeds.parse_feed` returns and a manifest row becomes."""

from __future__ import annotations

from dataclasses import dataclass, field

from featurization.media import Chapter, Rights, Soundbite, TranscriptFile


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody heard in, or credited for, an episode (podcast:person)."""

    name: str
    role: str = "host"
    group: str = "cast"
    url: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """One address at which an episode's media can be fetched."""

    url: str
    type: str = ""  # as the feed claims
    length_bytes: int = 0
    title: str = ""
    default: bool = False


@dataclass(frozen=True, slots=True)
class ChaptersFile:
    """A chapters document named by an item (podcast:chapters)."""

    url: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One episode as its feed (or a manifest row) describes it. Text is plain, addresses are absolute."""

    title: str
    url: str = ""  # where its media is; empty if it has none
    guid: str = ""
    type: str = ""  # media type, as the feed claims
    length_bytes: int = 0  # as the feed claims; 0 if unknown
    duration_s: float = 0.0  # as the feed claims; 0 if unknown
    link: str = ""
    author: str = ""
    description: str = ""
    published: str = ""  # ISO 8601, UTC
    season: int = 0
    episode: int = 0
    episode_type: str = "full"  # full, trailer or bonus
    explicit: bool = False
    image: str = ""
    categories: tuple[str, ...] = ()
    persons: tuple[Person, ...] = ()
    soundbites: tuple[Soundbite, ...] = ()
    chapters: tuple[Chapter, ...] = ()  # written in the feed itself (Podlove); see `chapters_within`
    chapters_file: ChaptersFile | None = None
    transcripts: tuple[TranscriptFile, ...] = ()
    alternates: tuple[Enclosure, ...] = ()  # further addresses, best first
    rights: Rights = field(default_factory=Rights)


@dataclass(frozen=True, slots=True)
class Feed:
    """A channel with its items in the order of the document."""

    title: str
    items: tuple[FeedItem, ...] = ()
    url: str = ""  # the base its relative addresses were resolved against
    link: str = ""
    guid: str = ""
    author: str = ""
    description: str = ""
    language: str = ""
    image: str = ""
    explicit: bool = False
    medium: str = "podcast"
    locked: bool = False
    moved_to: str = ""  # the feed's own statement of its new address
    categories: tuple[str, ...] = ()
    persons: tuple[Person, ...] = ()
    rights: Rights = field(default_factory=Rights)
