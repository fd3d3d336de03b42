"""Everything on S3: store and Metaflow's datastore in a bucket, the index on a server, nothing on this machine."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import s3fs
from conftest import SAMPLES, Workplace
from feed_server import FeedServer, Page, feed_server
from index_factory import milvus_server
from live_server import served
from s3_server import S3Server

from benchmarks.made_catalogue import make_catalogue, stock
from steps.previews import PREVIEWS, Preview
from steps.rankers import known_rankers
from steps.store import ROOT, Store

pytestmark = pytest.mark.timeout(900)  # two minutes on two cores that have nothing else to do
BUCKET = "rushes-whole"
LEARNED = f"s3://{BUCKET}/learned"  # a store beside the other, so that both are filled at once
EPISODE = "episodes/01-the-lamp-on-raven-rock"
PART, CUES = 0.42, 17  # of the episode: its first 90 s, and what is said in them
BRIEF = "[tune]\ntrials = 1\nfolds = 2\n[train]\nkinds = ['linear']\nmin_shows = 2\ncurve = [5]\n"


@dataclass(frozen=True)
class Catalogue:
    """What the flows left behind, in a bucket and, of the same input, in a folder."""

    store: Store
    local: Store
    place: Workplace  # where the flows ran
    environment: Mapping[str, str]  # in which they ran
    s3: S3Server


def feed(server: FeedServer) -> str:
    """Serve the beginning of the first sample episode as a feed, so that nothing names a path; its address."""
    text = (SAMPLES / "feed.xml").read_text()
    for item in re.findall(r"<item>.*?</item>", text, flags=re.DOTALL):
        text = text if EPISODE in item else text.replace(item, "")
    cues = (SAMPLES / f"{EPISODE}.vtt").read_text().split("\n\n")
    for name, data in {
        f"{EPISODE}.mp3": played(),
        f"{EPISODE}.vtt": "\n\n".join(cues[:CUES]).encode(),
        f"{EPISODE}.chapters.json": (SAMPLES / f"{EPISODE}.chapters.json").read_bytes(),
        "cover.png": (SAMPLES / "cover.png").read_bytes(),
    }.items():
        server.add(f"/{name}", Page(data))
    return server.add("/feed.xml", Page(text.encode(), type="application/rss+xml"))


def played() -> bytes:
    """The part of the episode that is used."""
    data = (SAMPLES / f"{EPISODE}.mp3").read_bytes()
    return data[: int(len(data) * PART)]


def publish(place: Workplace, source: str, environment: Mapping[str, str]) -> None:
    for name, *arguments in (["ingest_media", "--source", source], ["featurize_media"], ["publish_previews"]):
        done = place.flow(name, "run", *arguments, env=environment)
        assert done.returncode == 0, done.stdout


def train(place: Workplace, store: str, environment: Mapping[str, str]) -> None:
    """Train a ranker on a made catalogue."""
    stock(Store(store), make_catalogue(16, shows=8, candidates=60))
    config = place.folder.parent / "brief.toml"
    config.write_text(BRIEF)
    command = ("--config", "config", str(config), "run")
    done = place.flow("train_ranker", *command, env={**environment, "RUSHES_STORE": store})
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def catalogue(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """One episode ingested, featurized and published by the flows, on S3 and in a folder; a ranker trained on S3."""
    folder = tmp_path_factory.mktemp("s3")
    place, beside, scratch, home = (folder / name for name in ("remote", "local", "scratch", "home"))
    for needed in (place, beside, scratch, home):
        needed.mkdir()
    s3.bucket(BUCKET)
    with ExitStack() as stack:
        remote = {
            **s3.environment,
            "RUSHES_STORE": f"s3://{BUCKET}/store",
            "RUSHES_INDEX": stack.enter_context(milvus_server(folder / "milvus")),
            "METAFLOW_DEFAULT_DATASTORE": "s3",
            "METAFLOW_DATASTORE_SYSROOT_S3": f"s3://{BUCKET}/metaflow",
            "METAFLOW_S3_WORKER_COUNT": "1",  # processes that Metaflow starts to read and write, for each batch anew
            "TMPDIR": str(scratch),
            "HOME": str(home),
        }
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in (*s3.environment, "RUSHES_INDEX"):
            patch.setenv(name, remote[name])
        s3fs.S3FileSystem.clear_instance_cache()
        source, pool = feed(stack.enter_context(feed_server())), stack.enter_context(ThreadPoolExecutor(1))
        local = pool.submit(publish, Workplace(beside), source, {"RUSHES_INDEX": str(folder / "index")})
        training = pool.submit(train, Workplace(place), LEARNED, remote)
        publish(Workplace(place), source, remote)
        local.result()
        training.result()
        yield Catalogue(Store(remote["RUSHES_STORE"]), Workplace(beside).store, Workplace(place), remote, s3)


def one_preview(store: Store) -> tuple[str, Preview]:
    ((asset_id, (preview,)),) = store.read(PREVIEWS).items()
    return asset_id, preview


def unnamed(data: bytes, run: str) -> bytes:
    """A published file without the name of the run that made it, in JSON and in the tags of an MP3 file."""
    for encoding in ("utf-8", "utf-16-le"):
        data = data.replace(run.encode(encoding), b"THE RUN")
    return data


def test_the_previews_are_those_of_a_local_run_byte_for_byte(catalogue: Catalogue):
    (asset_id, remote), (same_id, local) = one_preview(catalogue.store), one_preview(catalogue.local)
    assert asset_id == same_id
    assert remote.files.keys() == local.files.keys()
    for name in remote.files:
        there, here = (
            unnamed(store.files.read(f"previews/{asset_id}/{name}"), preview.run)
            for store, preview in ((catalogue.store, remote), (catalogue.local, local))
        )
        assert there == here, name
    assert catalogue.store.files.list(f"previews/{asset_id}") == catalogue.local.files.list(f"previews/{asset_id}")


def test_the_tables_are_those_of_a_local_run(catalogue: Catalogue):
    asset_id, _ = one_preview(catalogue.local)
    for name in catalogue.local.current().tables:
        there, here = (store.arrow_named(name, [asset_id]) for store in (catalogue.store, catalogue.local))
        if name == "previews":
            there, here = (each.drop_columns(["run", "files"]) for each in (there, here))
        assert there.equals(here), name


def test_a_ranker_was_trained_and_kept(catalogue: Catalogue):
    assert len(known_rankers(Store(LEARNED))) == 1
    assert Store(LEARNED).files.exists("training.html")


def test_no_artifact_names_a_path_of_this_machine(catalogue: Catalogue):
    stored = catalogue.s3.objects(BUCKET, "metaflow/")
    artifacts = {key: unpacked(value) for key, value in stored.items() if "/data/" in key}
    # Metaflow's own `_graph_info` says in which file the code of a step is.
    artifacts = {key: value for key, value in artifacts.items() if b"source_file" not in value}
    assert {key.split("/")[1] for key in artifacts} >= {
        "IngestMedia",
        "FeaturizeMedia",
        "PublishPreviews",
        "TrainRanker",
    }
    paths = [str(catalogue.place.folder.parent), catalogue.environment["TMPDIR"], str(ROOT)]
    assert [(key, path) for key, value in artifacts.items() for path in paths if path.encode() in value] == []


def unpacked(value: bytes) -> bytes:
    return gzip.decompress(value) if value[:2] == b"\x1f\x8b" else value


def test_nothing_is_left_on_this_machine(catalogue: Catalogue):
    left = [path for path in catalogue.place.folder.rglob("*") if path.is_file()]
    assert {path.relative_to(catalogue.place.folder).parts[0] for path in left} == {".metaflow"}
    assert all(path.suffix == ".json" or path.name == "latest_run" for path in left)  # the list of runs
    home, temporary = (Path(catalogue.environment[name]) for name in ("HOME", "TMPDIR"))
    assert {path.name for path in home.iterdir()} <= {".cache"}  # of libraries
    assert sum(path.stat().st_size for path in temporary.rglob("*") if path.is_file()) < 1000  # marks of theirs


@pytest.fixture(scope="module")
def client(catalogue: Catalogue) -> Iterator[httpx.Client]:
    with served(catalogue.store) as client:
        yield client


def test_the_service_plays_previews_from_the_bucket(catalogue: Catalogue, client: httpx.Client):
    asset_id, preview = one_preview(catalogue.store)
    whole = client.get(f"/previews/{asset_id}/preview.mp3")
    data = catalogue.store.files.read(preview.files["preview.mp3"])
    assert whole.content == data
    part = client.get(f"/previews/{asset_id}/preview.mp3", headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, data[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(data)}"
    assert client.get(f"/previews/{asset_id}").json()["title"] == "The Lamp on Raven Rock"


def test_a_range_of_a_recording_takes_that_range_from_the_bucket(catalogue: Catalogue, client: httpx.Client):
    asset_id, _ = one_preview(catalogue.store)
    size = len(played())
    with catalogue.s3.counting() as asked:
        part = client.get(f"/assets/{asset_id}/media", headers={"Range": f"bytes={size - 500}-"})
    assert part.status_code == 206
    assert part.content == played()[-500:]
    assert sum("/blobs/" in line for line in asked) == 2  # how large it is, and the range


def test_the_service_searches_what_the_flows_put_into_the_index(client: httpx.Client):
    found = client.get("/dialogue", params={"q": "lamp"}, timeout=60).json()
    assert found["items"]


def test_cards_are_in_the_bucket(catalogue: Catalogue):
    cards = [key for key in catalogue.s3.objects(BUCKET, "metaflow/mf.cards/") if key.endswith(".html")]
    assert cards
