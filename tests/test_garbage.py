"""What nothing needs is deleted, what anything needs never is, wherever the deleting is killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Workplace
from episode_factory import ASSET
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from s3_server import S3Server
from stocked_store import HEARING, JAR, LAMP, preview, stocked

from featurization.errors import StoreError
from featurization.media import Asset, FilmProfile, Shot, TranscriptFile
from ranking.saved import from_json
from serving import cli
from serving.api import create_app
from steps import references
from steps.cache import USED, Cache
from steps.garbage import Findings, delete_garbage, find_garbage
from steps.placing import restore_previews
from steps.previews import PREVIEWS
from steps.rankers import CHAMPION
from steps.settings import GarbageOptions
from steps.staging import Staging
from steps.store import ROOT, FeatureKey, Store
from steps.tables import ASSETS, FILMS, PROFILES, SHOTS, Table

DAY_S = 86_400.0
ALL, TWO = GarbageOptions(), GarbageOptions(keep_snapshots=2)
IDS = ("aa01" * 4, "aa02" * 4, "bb03" * 4)


def later(store: Store, options: GarbageOptions = ALL, *, days: float = 10) -> Findings:
    """What will be garbage some days from now, if nothing is written until then."""
    return find_garbage(store, options, now=time.time() + days * DAY_S)


def keys(findings: Findings, *kinds: str) -> set[str]:
    return {found.path for kind in kinds or findings.garbage for found in findings.garbage[kind]}


def everything(store: Store) -> set[str]:
    return {found.path for found in store.files.walk("")}


def age(store: Store, days: float = 10) -> None:
    """Make every file of a local store older."""
    for found in store.files.walk(""):
        os.utime(store.files.path(found.path), (found.modified - days * DAY_S,) * 2)


def dangling(store: Store) -> set[str]:
    """What the readable snapshots, and computed rows, refer to and the store does not have."""
    pieces = {key for snapshot in store.history() for key in store.keys(snapshot)}
    features = {key for key in everything(store) if key.startswith("features/")}
    named = references.in_pieces(pieces, store) | references.in_features(features, store) | pieces
    return {key for key in named - everything(store) if key.startswith(("blobs/", "tables/"))}


def film(store: Store, asset_id: str, content: bytes) -> Asset:
    """An asset with bytes, a transcript and a picture."""
    blob = store.put_bytes(content, ".mp4")
    words = TranscriptFile("https://night.example/t.vtt", "text/vtt", blob=store.put_bytes(content + b" words", ".vtt"))
    cover = store.put_bytes(content + b" cover", ".png")
    return replace(
        ASSET,
        asset_id=asset_id,
        sha256=asset_id * 4,
        blob=blob,
        image_blob=cover,
        transcripts=(words,),
        source=asset_id,
    )


def see(store: Store, asset_id: str, options: str) -> None:
    """Compute shots with a keyframe and a sheet by these options, or read them from the cache, and commit them."""
    cache = Cache(store, asset_id * 4)

    def shots() -> list[Shot]:
        return [Shot(0.0, 5.0, 0, "cut", thumbnails=(store.put_bytes(f"{asset_id} {options}".encode(), ".webp"),))]

    def films() -> list[FilmProfile]:
        return [FilmProfile(10, 0, sprite=store.put_bytes(f"sheet {asset_id} {options}".encode(), ".webp"))]

    cache.array("levels", options, lambda: np.zeros(3))
    rows = {
        SHOTS: {asset_id: cache.rows("shots", SHOTS, options, shots)},
        FILMS: {asset_id: cache.rows("film", FILMS, options, films)},
        PROFILES: {asset_id: [HEARING.profile]},
        USED: {asset_id: [cache.used]},
    }
    store.commit(f"FeaturizeMedia/{options}", rows)


def publish(store: Store, asset_id: str, sound: bytes) -> None:
    store.commit("PublishPreviews/1", {PREVIEWS: {asset_id: [preview(store, sound)]}})
    restore_previews(store)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


@pytest.fixture
def grown(store: Store) -> Store:
    """Two films, seen twice and published three times."""
    store.commit("IngestMedia/1", {ASSETS: {a: [film(store, a, a.encode())] for a in IDS[:2]}})
    for options in ("old", "new"):
        for asset_id in IDS[:2]:
            see(store, asset_id, options)
    for sound in (b"first", b"second", b"third"):
        publish(store, IDS[0], sound)
    return store


# what is needed ------------------------------------------------------------------------------------------------------


def test_all_snapshots_stay_unless_asked_otherwise_and_with_them_all_that_they_refer_to(grown: Store):
    assert keys(later(grown)) == set()


def test_of_fewer_snapshots_only_what_they_refer_to_stays(grown: Store):
    first, second, third = (preview(grown, sound).files["preview.mp3"] for sound in (b"first", b"second", b"third"))
    found = later(grown, TWO)
    assert found.oldest_kept == grown.current().number - 1
    assert len(keys(found, "snapshots")) == grown.current().number - 2
    assert first in keys(found, "blobs")
    assert not {second, third} & keys(found)


def test_features_by_options_that_no_asset_uses_any_more_go_and_the_pictures_that_only_they_name(grown: Store):
    gone = keys(later(grown, TWO), "features")
    assert len(gone) == 6  # of two films: shots, sheet and levels by the old options
    old = FeatureKey(IDS[0] * 4, "levels", "1", repr("old")).path(".npy")
    assert old in gone
    assert gone == keys(later(grown, TWO), "features")
    delete_garbage(later(grown, TWO), grown)
    see(grown, IDS[0], "new")
    assert dangling(grown) == set()


def test_a_blob_that_only_a_computed_value_names_stays_with_it(store: Store):
    store.commit("IngestMedia/1", {ASSETS: {IDS[0]: [film(store, IDS[0], b"film")]}})
    see(store, IDS[0], "once")
    rows = {SHOTS: {IDS[0]: []}, FILMS: {IDS[0]: []}}
    for _ in range(3):
        store.commit("FeaturizeMedia/2", rows)  # the rows are gone from the tables, the values still in the cache
    assert keys(later(store, TWO), "blobs", "features") == set()


def test_what_is_young_stays_whatever_it_is(grown: Store):
    grown.put_bytes(b"a run has just written this", ".mp3")
    assert keys(later(grown, TWO, days=1)) == set()
    assert len(keys(later(grown, TWO), "blobs")) > 1


def test_a_state_that_was_current_lately_stays_for_who_still_reads_it(grown: Store):
    read = grown.current().number
    age(grown)
    for sound in (b"fourth", b"fifth", b"sixth"):
        publish(grown, IDS[0], sound)
    found = find_garbage(grown, TWO)
    assert found.oldest_kept == read
    assert not keys(found) & set(grown.keys(grown.snapshots.read(read)))


def test_what_a_run_at_work_has_staged_stays_and_a_dead_one_is_forgotten(store: Store):
    store.commit("IngestMedia/1", {ASSETS: {IDS[0]: [film(store, IDS[0], b"film")]}})
    age(store)
    cover = store.put_bytes(b"of a run that began long ago", ".png")
    age(store)
    staged = replace(film(store, IDS[1], b"film"), image_blob=cover)
    age(store)
    Staging(store, "IngestMedia/2", Table("told", Asset)).keep(IDS[1], staged, {})
    assert keys(later(store, days=0)) == set()
    dead = later(store)
    assert "staging/IngestMedia/2/" + IDS[1] + ".zip" in keys(dead, "staging")
    assert cover in keys(dead, "blobs")


def test_features_stay_where_an_asset_was_heard_before_their_use_was_recorded(grown: Store):
    grown.files.write(f"features/words/{IDS[0][:2]}/unknown.parquet", b"")
    grown.files.write(f"features/words/{IDS[2][:2]}/unknown.parquet", b"")
    for _ in range(2):
        grown.commit("FeaturizeMedia/0", {PROFILES: {"aa99" * 4: [HEARING.profile]}})
    found = later(grown, TWO)
    assert keys(found, "features") == {f"features/words/{IDS[2][:2]}/unknown.parquet"}
    assert found.unowned == 7  # six of old options, and the unknown one


def test_what_an_address_gave_is_forgotten_with_it(store: Store):
    stays, goes = film(store, IDS[0], b"stays"), film(store, IDS[1], b"goes")
    store.commit("IngestMedia/1", {ASSETS: {IDS[0]: [stays]}})
    for name, blob in (("stays", stays.blob), ("goes", goes.blob), ("lost", "blobs/ff/lost.mp3")):
        store.files.write(f"fetches/{name}.json", json.dumps({"sha256": name, "blob": blob}).encode())
    found = later(store)
    assert keys(found, "fetches") == {"fetches/goes.json", "fetches/lost.json"}
    assert goes.blob in keys(found, "blobs")
    age(store)
    store.files.write("fetches/goes.json", json.dumps({"sha256": "goes", "blob": goes.blob}).encode())
    assert goes.blob not in keys(find_garbage(store, ALL))  # asked again just now, and not changed


def test_copies_that_the_preview_no_longer_has_go(grown: Store):
    grown.files.write(f"previews/{IDS[0]}/poster.webp", b"of a preview long ago")
    grown.files.write(f"previews/{IDS[2]}/preview.mp3", b"of an asset without one")
    wanted = {f"previews/{IDS[0]}/poster.webp", f"previews/{IDS[2]}/preview.mp3"}
    assert keys(later(grown)) == wanted


def test_halves_of_files_go(grown: Store):
    half = Path(grown.files.path("blobs/aa/.part-0123"))
    half.parent.mkdir(parents=True, exist_ok=True)
    half.write_bytes(b"hal")
    assert keys(later(grown)) == {"blobs/aa/.part-0123"}
    delete_garbage(later(grown), grown)
    assert not half.exists()


def test_events_keys_reports_and_unknown_files_are_not_looked_at(grown: Store):
    names = ("events/2024-01-01/a.parquet", "secrets/event-salt-1", "report.html", "runs/FeaturizeMedia/1.json", "x/y")
    for name in names:
        grown.files.write(name, b"old")
    assert keys(later(grown, GarbageOptions(keep_days=1, keep_snapshots=2))).isdisjoint(names)


def test_tables_that_are_not_searched_name_no_files(published: Workplace):
    for name in references.SILENT_TABLES & published.store.current().tables.keys():
        assert references.in_table(published.store.arrow_named(name)) == set(), name


def test_rankers_go_only_when_days_are_named_and_nobody_chose_them(trained: Workplace, tmp_path: Path):
    shutil.copytree(trained.folder / "store", tmp_path / "store")
    store = Store(str(tmp_path / "store"))
    names = {name.removesuffix(".json") for name in store.files.list("models/rankers") if "lineage" not in name}
    champion = from_json(store.files.read(CHAMPION).decode()).identity if store.files.exists(CHAMPION) else ""
    newest = max(store.files.walk("models/rankers"), key=lambda found: found.modified).path
    kept = {name for name in names if name == champion or f"/{name}." in newest}
    assert keys(later(store), "rankers") == set()
    gone = keys(later(store, GarbageOptions(keep_days=5)), "rankers")
    assert gone == {f"models/rankers/{name}{end}" for name in names - kept for end in (".json", ".lineage.json")}
    delete_garbage(later(store, GarbageOptions(keep_days=5)), store)
    assert keys(later(store, GarbageOptions(keep_days=5)), "blobs") <= {k for k in everything(store) if "blobs/" in k}


def test_what_a_kept_ranker_learned_from_stays(trained: Workplace):
    found = later(trained.store)
    data = {f.path for f in trained.store.files.walk("blobs") if f.path.endswith(".parquet")}
    lineages = (k for k in everything(trained.store) if k.endswith(".lineage.json"))
    taught = {json.loads(trained.store.files.read(key))["dataset"] for key in lineages}
    assert taught
    assert {Path(key).stem[:32] for key in data - keys(found)} >= taught


# refusals ------------------------------------------------------------------------------------------------------------


def test_a_store_without_commits_says_nothing_of_what_is_needed(store: Store):
    store.put_bytes(b"the snapshots are elsewhere", ".mp3")
    with pytest.raises(StoreError, match="nothing was committed"):
        later(store)


@pytest.mark.parametrize("table", ["assets", "shots"])
def test_nothing_is_deleted_if_something_needed_cannot_be_read(grown: Store, table: str):
    piece = next(key for key in grown.keys(grown.current()) if key.startswith(f"tables/{table}/"))
    grown.files.write(piece, b"damaged")
    with pytest.raises(StoreError, match=f"{table}.*damaged.*nothing was deleted"):
        later(grown)
    grown.files.delete(piece)
    with pytest.raises(StoreError, match=table):
        later(grown)


@pytest.mark.parametrize("given", [{"grace_h": 1}, {"keep_snapshots": 1}, {"keep_days": -1}])
def test_options_that_would_lose_something_are_refused(given: dict[str, int]):
    with pytest.raises(ValueError, match=next(iter(given))):
        GarbageOptions(**given)


def test_rolling_back_to_what_is_gone_says_so(grown: Store):
    delete_garbage(later(grown, TWO), grown)
    reopened = Store(grown.url)
    reopened.rollback()
    assert min(snapshot.number for snapshot in reopened.history()) == reopened.current().number - 2
    with pytest.raises(StoreError, match="rushes gc"):
        reopened.rollback()


# whatever happens ----------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ingest"), st.sampled_from(IDS), st.sampled_from((b"one", b"two"))),
        st.tuples(st.just("see"), st.sampled_from(IDS), st.sampled_from(("a", "b"))),
        st.tuples(st.just("publish"), st.sampled_from(IDS), st.sampled_from((b"x", b"y"))),
        st.tuples(st.just("roll back"), st.none(), st.none()),
    ),
    min_size=1,
    max_size=8,
)


def happen(store: Store, steps: Sequence[tuple]) -> None:
    store.commit("IngestMedia/0", {ASSETS: {IDS[0]: [film(store, IDS[0], b"zero")]}})
    for what, asset_id, how in steps:
        if what == "ingest":
            store.commit("IngestMedia/1", {ASSETS: {asset_id: [film(store, asset_id, how)]}})
        elif what == "see":
            see(store, asset_id, how)
        elif what == "publish":
            publish(store, asset_id, how)
        elif store.current().parent:
            store.rollback()
            restore_previews(store)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS, stopped=st.floats(0, 1))
def test_wherever_it_is_stopped_what_is_left_is_whole_and_the_rest_goes_the_next_time(
    tmp_path_factory: pytest.TempPathFactory, steps: Sequence[tuple], stopped: float
):
    store = Store(str(tmp_path_factory.mktemp("store")))
    happen(store, steps)
    assert keys(later(store)) == set()  # every snapshot is there, so everything is needed
    before, found = store.history()[-2:], later(store, TWO)
    doomed = [f.path for kind in found.garbage.values() for f in kind]
    for key in doomed[: round(stopped * len(doomed))]:
        store.files.delete(key)
    assert dangling(store) == set()
    assert keys(later(store)) <= set(doomed)
    delete_garbage(later(store, TWO), store)
    assert everything(store).isdisjoint(doomed)
    assert keys(later(store, TWO)) == set()
    assert store.history() == before
    assert dangling(store) == set()


def test_what_is_referred_to_anew_just_before_it_is_deleted_is_written_again(store: Store):
    store.commit("IngestMedia/1", {ASSETS: {IDS[0]: [film(store, IDS[0], b"film")]}})
    old = store.put_bytes(b"rendered once, and now again", ".mp3")
    age(store)
    assert keys(find_garbage(store, ALL)) == {old}
    assert store.put_bytes(b"rendered once, and now again", ".mp3") == old
    assert keys(find_garbage(store, ALL)) == set()


# the command ---------------------------------------------------------------------------------------------------------

KILLED_AT_THE_NTH = """
import os, sys
left = [int(sys.argv.pop(1))]
def hook(event, arguments):
    if event == "os.remove":
        left[0] -= 1
        if left[0] < 0:
            os._exit(137)
sys.addaudithook(hook)
from serving.cli import main
main()
"""


@pytest.fixture
def republished(published: Workplace, tmp_path: Path) -> Workplace:
    """The samples, published at three lengths, ten days ago."""
    place = Workplace(tmp_path)
    shutil.copytree(published.folder, tmp_path, symlinks=True, dirs_exist_ok=True)
    for length in ("20", "25"):
        done = place.flow("publish_previews", "run", "--assets", "all", "--length-s", length)
        assert done.returncode == 0, done.stdout
    age(place.store)
    return place


def served(store: Store) -> Iterator[tuple[str, bytes]]:
    with TestClient(create_app(store)) as client:
        for name in sorted(key for key in everything(store) if key.startswith("previews/") and "/preview.m" in key):
            answer = client.get(f"/{name}")
            assert answer.status_code == 200
            yield name, answer.content


def test_of_a_published_catalogue_everything_works_as_before(republished: Workplace):
    store, options = republished.store, ("gc", "--keep-snapshots", "2", "--json")
    lengths = {a: [s.files for s in rows] for a, rows in store.read(PREVIEWS).items()}
    before, previews = everything(store), dict(served(store))
    features = {f.path: f.modified for f in store.files.walk("features")}
    told = json.loads(republished.python("-m", "serving.cli", *options, "--dry-run").stdout)
    assert everything(store) == before
    assert {kind["kind"]: kind["files"] > 0 for kind in told["garbage"]}["blobs"]
    killed = republished.python("-c", KILLED_AT_THE_NTH, "7", *options)
    assert killed.returncode == 137, killed.stdout
    assert len(before - everything(store)) == 7
    assert dangling(store) == set()
    done = json.loads(republished.python("-m", "serving.cli", *options).stdout)
    assert sum(kind["files"] for kind in done["garbage"]) + 7 == sum(kind["files"] for kind in told["garbage"])
    assert json.loads(republished.python("-m", "serving.cli", *options).stdout)["garbage"][0]["files"] == 0
    assert {a: [s.files for s in rows] for a, rows in store.read(PREVIEWS).items()} == lengths
    assert dict(served(store)) == previews
    heard = republished.flow("featurize_media", "run", "--assets", "all")
    assert heard.returncode == 0, heard.stdout
    assert {f.path: f.modified for f in store.files.walk("features")} == features  # nothing computed again
    assert dangling(store) == set()


def test_the_command_says_what_there_is_by_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    store = stocked(tmp_path / "store")
    store.put_bytes(b"nobody's", ".mp3")
    age(store)
    monkeypatch.setenv("RUSHES_STORE", store.url)

    def rushes(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rushes", "gc", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return (int(ended.value.code or 0), *capsys.readouterr())

    _, looked, _ = rushes("--dry-run")
    assert "would be deleted; snapshots since 1 stay" in looked
    assert [line.split()[:3] for line in looked.splitlines() if "blobs" in line] == [["blobs", "1", "8"]]
    assert "store: deleted; snapshots since 1 stay" in rushes()[1]
    assert "nothing to delete" in rushes()[1]
    status, _, said = rushes("--keep-snapshots", "1")
    assert (status, said.count("\n")) == (1, 1)
    assert "keep_snapshots" in said
    assert {LAMP, JAR} <= set(store.read(ASSETS))


def test_a_store_in_a_bucket_is_collected_like_a_folder_many_files_with_a_request(bucket: str, s3: S3Server):
    store = Store(f"s3://{bucket}/store")
    happen(
        store, [("see", IDS[0], "a"), ("publish", IDS[0], b"x"), ("publish", IDS[0], b"y"), ("publish", IDS[0], b"z")]
    )
    assert keys(later(store)) == set()
    found = later(store, TWO)
    assert {kind for kind, files in found.garbage.items() if files} >= {"snapshots", "tables", "blobs"}
    with s3.failing() as asked:
        delete_garbage(found, store)
    assert [one.split()[0] for one in asked] == ["POST"] * sum(bool(files) for files in found.garbage.values())
    assert keys(later(store, TWO)) == set()
    assert dangling(store) == set()
    assert store.read(PREVIEWS)[IDS[0]][0].files


# backup and restore --------------------------------------------------------------------------------------------------


def backup_commands() -> str:
    """What docs/operations.md says to do."""
    section = (ROOT / "docs" / "operations.md").read_text().partition("## Backup and restore")[2]
    return re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1]


def test_a_copy_made_as_documented_is_whole_though_runs_commit_meanwhile(grown: Store, tmp_path: Path):
    restored, seen = Store(str(tmp_path / "copy")), grown.current().number
    commands = backup_commands().strip().split("\n")
    first, rest = "\n".join(commands[:2]), "\n".join(commands[2:])
    for number in range(2):
        for part in (first, rest):  # a run commits after the snapshots were copied, and before all else was
            environment = {"STORE": grown.url, "BACKUP": restored.url, "PATH": os.environ["PATH"]}
            done = subprocess.run(["sh", "-euc", part], env=environment, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, "")
            publish(grown, IDS[1], f"published meanwhile {number} {part}".encode())
        assert restored.current() == grown.snapshots.read(seen)
        assert dangling(restored) == set()
        assert later(restored).oldest_kept == 1
        seen = grown.current().number
    restored.rollback()
    assert set(restored.read(ASSETS)) == set(IDS[:2])


def test_snapshots_copied_last_would_name_what_the_copy_does_not_have(grown: Store, tmp_path: Path):
    for folder in ("blobs", "tables", "snapshots"):
        if folder == "snapshots":
            publish(grown, IDS[1], b"published meanwhile")
        shutil.copytree(grown.files.path(folder), tmp_path / "copy" / folder)
    with pytest.raises(StoreError):
        dangling(Store(str(tmp_path / "copy")))
