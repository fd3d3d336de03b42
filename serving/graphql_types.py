"""The answers of the service as GraphQL types, made from those of REST, so that both say the same."""

from __future__ import annotations

from strawberry.experimental.pydantic import type as of_model

from serving import schemas, search_schemas


@of_model(model=search_schemas.ShotTag, all_fields=True, description="A tag of a shot.")
class ShotTag: ...


@of_model(model=search_schemas.ShotHit, all_fields=True, description="A shot.")
class Shot:
    transition: str


@of_model(model=search_schemas.TitleHits[search_schemas.ShotHit], all_fields=True, name="ShotsOfTitle")
class ShotsOfTitle: ...


@of_model(model=search_schemas.ShotPage, all_fields=True, description="A stretch of shots.")
class Shots: ...


@of_model(model=search_schemas.LineWord, all_fields=True, description="A word of a line, with its time.")
class Word: ...


@of_model(model=search_schemas.LineHit, all_fields=True, description="What somebody says.")
class Line: ...


@of_model(model=search_schemas.TitleHits[search_schemas.LineHit], all_fields=True, name="LinesOfTitle")
class LinesOfTitle: ...


@of_model(model=search_schemas.LinePage, all_fields=True, description="A stretch of lines.")
class Lines: ...


@of_model(model=search_schemas.MomentEvidence, all_fields=True, description="What holds in a layer.")
class Evidence: ...


@of_model(model=search_schemas.MomentHit, all_fields=True, description="A stretch in which all conditions hold.")
class Moment: ...


@of_model(model=search_schemas.TitleHits[search_schemas.MomentHit], all_fields=True, name="MomentsOfTitle")
class MomentsOfTitle: ...


@of_model(model=search_schemas.MomentPage, all_fields=True, description="A stretch of moments.")
class Moments: ...


@of_model(model=schemas.AssetHit, all_fields=True, description="An asset, or a source that never became one.")
class Asset:
    state: str


@of_model(model=schemas.AssetPage, all_fields=True, description="A stretch of the list of assets.")
class Assets: ...


@of_model(model=schemas.PreviewHit, all_fields=True, description="A preview, or why there is none.")
class Preview:
    status: str


@of_model(model=schemas.PreviewPage, all_fields=True, description="A stretch of the list of previews.")
class Previews: ...
