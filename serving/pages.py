"""Pages of the service that are not made by a run."""

from __future__ import annotations

_NOTHING_YET = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>rushes</title>
<style>
:root {{ color-scheme: light dark; font: 17px/1.6 system-ui, sans-serif; }}
body {{ max-width: 38rem; margin: 15vh auto 0; padding: 0 1.5rem; }}
pre {{ padding: 1rem; border: 1px solid #8884; border-radius: 8px; overflow-x: auto; font-size: 14px; }}
</style>
<h1>Nothing was published here yet</h1>
<p>The report appears on this page as soon as a run has published previews. To bring a feed in, hear it and publish:</p>
<pre>{commands}</pre>
<p>What is in the store: <a href="assets">assets</a> · <a href="previews">previews</a> ·
<a href="openapi.json">API description</a></p>
"""
_COMMANDS = (
    "python flows/ingest_media.py run --source samples/feed.xml",
    "python flows/featurize_media.py run",
    "python flows/publish_previews.py run",
)


def nothing_yet() -> str:
    """The front page of a store without a report."""
    return _NOTHING_YET.format(commands="\n".join(_COMMANDS))
