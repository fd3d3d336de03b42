"""Rankers as JSON documents: no pickle, the same bytes for the same ranker, refused if they do not fit the code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from featurization.errors import ModelError
from ranking.blend import BlendedRanker
from ranking.digest import digest
from ranking.features import FEATURE_NAMES, FEATURES_VERSION
from ranking.lambdarank import LambdaRanker
from ranking.linear import LinearRanker
from ranking.neural import Layer, NeuralRanker
from ranking.prior import Prior, PriorOptions
from ranking.ranker import Ranker

Options = dict[str, float]


def save(ranker: Ranker, path: Path) -> None:
    """Write the ranker as JSON."""
    path.write_text(to_json(ranker), encoding="utf-8")


def load(path: Path) -> Ranker:
    """Read what `save` wrote; ModelError if it is damaged or was trained on other features."""
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no such ranker; train one") from None
    except UnicodeDecodeError:
        raise ModelError(f"{path}: {_not_a_ranker()}") from None
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def to_json(ranker: Ranker) -> str:
    """The ranker as one JSON document, the same bytes for the same ranker."""
    return json.dumps(_document(ranker), indent=1)


def from_json(text: str) -> Ranker:
    """The inverse of `to_json`; ModelError if the document is damaged or was trained on other features."""
    try:
        stored = json.loads(text)
    except ValueError:
        raise _not_a_ranker() from None
    return _ranker(stored)


def _document(ranker: Ranker) -> dict[str, Any]:
    model, options = _packed(ranker)
    return {
        "kind": ranker.name,
        "sha256": digest(model),
        "features_version": FEATURES_VERSION,
        "features": FEATURE_NAMES,
        "options": options,
        "model": model,
    }


def _packed(ranker: Ranker) -> tuple[Any, Options]:
    """What the ranker is made of, as JSON holds it, and the options it was trained with."""
    match ranker:
        case LambdaRanker():
            return ranker.model, ranker.options
        case LinearRanker():
            return ranker.weights, ranker.options
        case NeuralRanker():
            layers = [{"weights": layer.weights, "biases": layer.biases} for layer in ranker.layers]
            return {"weights": ranker.weights, "layers": layers}, ranker.options
        case Prior():
            return ranker.weights.tolist(), {}
        case BlendedRanker():
            parts = {"learned": _document(ranker.learned), "prior": _document(ranker.prior)}
            return {"weight": ranker.weight, **parts}, {}
    raise TypeError(f"{ranker.name} rankers cannot be saved")


def _ranker(stored: Any) -> Ranker:
    try:
        kind, model, version = str(stored["kind"]), stored["model"], stored["features_version"]
        features, options = tuple(stored["features"]), dict(stored["options"])
        intact = digest(model) == stored["sha256"]
    except (KeyError, TypeError, ValueError):
        raise _not_a_ranker() from None
    if (features, version) != (FEATURE_NAMES, FEATURES_VERSION):
        raise ModelError(f"the ranker was trained on other features ({_difference(features, version)}); train it again")
    if not intact:
        raise ModelError("the model is not the one that was saved (sha256 differs); restore the file or train again")
    if kind not in _UNPACK:
        raise ModelError(f"no ranker is of the kind {kind!r}; known: {', '.join(_UNPACK)}")
    try:
        return _UNPACK[kind](model, options)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _not_a_ranker() from None


def _not_a_ranker() -> ModelError:
    return ModelError("this is not a saved ranker; train one, or restore the file")


def _difference(features: tuple[str, ...], version: int) -> str:
    gone = sorted(set(features) - set(FEATURE_NAMES))
    new = sorted(set(FEATURE_NAMES) - set(features))
    parts = [f"{word}: {', '.join(names)}" for word, names in (("gone", gone), ("new", new)) if names]
    return "; ".join(parts) or f"version {version} or their order, now version {FEATURES_VERSION}"


def _lambdarank(model: Any, options: Options) -> Ranker:
    if not isinstance(model, str):
        raise TypeError("the trees are a text")
    return LambdaRanker(model, options)


def _linear(model: Any, options: Options) -> Ranker:
    return LinearRanker(_weights(model), options)


def _neural(model: Any, options: Options) -> Ranker:
    layers = tuple(
        Layer(tuple(tuple(map(float, row)) for row in layer["weights"]), tuple(map(float, layer["biases"])))
        for layer in model["layers"]
    )
    return NeuralRanker(_weights(model["weights"]), layers, options)


def _prior(model: Any, _options: Options) -> Ranker:
    return Prior(PriorOptions(dict(zip(FEATURE_NAMES, _weights(model), strict=True))))


def _blend(model: Any, _options: Options) -> Ranker:
    return BlendedRanker(_ranker(model["learned"]), _ranker(model["prior"]), float(model["weight"]))


def _weights(numbers: Any) -> tuple[float, ...]:
    """One number per feature."""
    found = tuple(float(number) for number in numbers)
    if len(found) != len(FEATURE_NAMES):
        raise ValueError(f"{len(found)} weights for {len(FEATURE_NAMES)} features")
    return found


_UNPACK: Mapping[str, Callable[[Any, Options], Ranker]] = {
    "lambdarank": _lambdarank,
    "linear": _linear,
    "neural": _neural,
    "prior": _prior,
    "blend": _blend,
}
