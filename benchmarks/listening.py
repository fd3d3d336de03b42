"""Files heard as the flows hear them, with nothing kept from run to run."""

from __future__ import annotations

from pathlib import Path

from featurization.media import Asset
from featurization.model_files import sha256_of
from featurization.probe import probe
from steps.models import Models
from steps.recording import Recording
from steps.settings import Settings
from steps.store import Store


class Listener:
    """Opens recordings in a store of its own."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.store, self.settings, self.models = Store(str(folder / "store")), settings, Models(settings)

    def recording(self, path: Path) -> Recording:
        """The recording of a file, to be used as a context. Raises MediaError if the file is no sound."""
        media, sha256 = probe(path), sha256_of(path)
        asset = Asset(
            asset_id=sha256[:16],
            sha256=sha256,
            blob=self.store.put_blob(path, sha256),
            size_bytes=media.size_bytes,
            duration_s=media.duration_s,
            kind=media.kind,
            container=media.container,
            codec=media.codec,
            rate_hz=media.rate_hz,
            channels=media.channels,
            title=path.name,
            source=str(path),
        )
        return Recording(asset, store=self.store, settings=self.settings, models=self.models)
