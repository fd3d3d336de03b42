"""Every error a user can meet, as one tree. The message names the thing and the way out.

RushesError
├── ConfigError            a setting is unknown, mistyped or out of range
├── ModelError             a model is unknown, missing, or not the bytes that were pinned
├── StoreError             the store cannot be read or written
├── SourceError            a feed, folder or manifest cannot be read at all
├── ExtractorError         an installed extractor cannot be loaded, or yields something else than it declares
├── SearchError            a query cannot be answered as asked
├── SearchIndexError       the index is locked, missing, unreachable, or of another space than the query
├── AnnotationError        a label cannot be learned from what was judged
└── MediaError             one asset is unusable; the rest of the run goes on
    ├── UnreachableMedia   it could not be downloaded
    ├── UnreadableMedia    it is not media, or is damaged beyond decoding
    ├── NoAudio            it has no audio stream
    ├── NoVideo            it has no moving picture
    └── EmptyMedia         it decodes to nothing
"""


class RushesError(Exception):
    """Base of all errors whose text is meant for the user: one line, never a traceback.

    `reason` is a stable slug for tables, the text is for people.
    """

    reason = "failed"

    def _render_traceback_(self) -> list[str]:
        """What notebooks show: IPython asks for it by this name."""
        return [str(self)]


class ConfigError(RushesError):
    """A setting is unknown, mistyped or out of range."""

    reason = "config"


class ModelError(RushesError):
    """A model is unknown, missing, or its bytes are not the pinned ones."""

    reason = "model"


class StoreError(RushesError):
    """The store cannot be read or written."""

    reason = "store"


class SourceError(RushesError):
    """A feed, folder or manifest cannot be read at all."""

    reason = "source"


class ExtractorError(RushesError):
    """An installed extractor cannot be loaded, or yields something else than it declares."""

    reason = "extractor"


class SearchError(RushesError):
    """A query cannot be answered as asked; the text says how to ask."""

    reason = "query"


class SearchIndexError(RushesError):
    """The index is locked, missing, unreachable, or of another space than the query."""

    reason = "index"


class AnnotationError(RushesError):
    """A label cannot be learned from what was judged; the text says what to judge."""

    reason = "annotation"


class MediaError(RushesError):
    """One asset is unusable."""

    reason = "unusable"


class UnreachableMedia(MediaError):
    """The bytes could not be fetched."""

    reason = "unreachable"


class UnreadableMedia(MediaError):
    """The bytes are not media, or are damaged beyond decoding."""

    reason = "unreadable"


class NoAudio(MediaError):
    """The container has no audio stream."""

    reason = "no-audio"


class NoVideo(MediaError):
    """The container has no moving picture."""

    reason = "no-video"


class EmptyMedia(MediaError):
    """The stream decodes to nothing at all."""

    reason = "empty"
