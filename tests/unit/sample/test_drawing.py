"""What is drawn: each criterion in its colour and form, diagnoses, cameras, look-alikes."""

import cv2
import numpy as np
import pytest

from lesions.sample import cameras, criteria, criteria_other, diagnoses, drawing, fields, population


def lesion(seed: int = 0, size: int = 240) -> criteria.Lesion:
    rng = np.random.default_rng(seed)
    form = drawing.outline((size, size), size / 4, 0.1, 0.3, rng)
    return criteria.Lesion(*form, size / 4, size / 12, rng)


MAPS = ("brown", "blue", "red", "white", "yellow")
# Each criterion, what it needs, and the map that must change most inside the lesion.
CRITERIA = [
    (criteria.pigment, (0.5,), "brown"),
    (criteria.pigment_network, (0.5,), "brown"),
    (criteria.globules, (0.5,), "brown"),
    (criteria.streaks, (0.5,), "brown"),
    (criteria.blotches, (0.5,), "brown"),
    (criteria.blue_white_veil, (0.5,), "blue"),
    (criteria.regression, (), "white"),
    (criteria.redness, (0.3,), "red"),
    (criteria_other.milia_like_cysts, (), "white"),
    (criteria_other.comedo_like_openings, (), "brown"),
    (criteria_other.fissures_and_ridges, (), "brown"),
    (criteria_other.fingerprint_lines, (), "brown"),
    (criteria_other.sharp_border, (), "brown"),
    (criteria_other.arborising_vessels, (), "red"),
    (criteria_other.ovoid_nests, (), "blue"),
    (criteria_other.leaf_like_areas, (), "brown"),
    (criteria_other.ulceration, (), "red"),
    (criteria_other.scale, (), "white"),
    (criteria_other.strawberry_pattern, (), "red"),
    (criteria_other.glomerular_vessels, (), "red"),
    (criteria_other.lacunae, (), "red"),
    (criteria_other.central_white_patch, (), "white"),
    (criteria_other.peripheral_network, (), "brown"),
]


@pytest.mark.parametrize(
    ("draw", "arguments", "colour"), CRITERIA, ids=lambda x: getattr(x, "__name__", "")
)
def test_each_criterion_changes_its_colour_in_the_lesion(draw, arguments, colour):
    drawn = lesion(1)
    draw(drawn, *arguments)
    change = {name: np.abs(getattr(drawn, name)) for name in MAPS}
    assert all(np.isfinite(field).all() and field.dtype == np.float32 for field in change.values())
    strongest = max(MAPS, key=lambda name: change[name].sum())
    assert strongest == colour
    near = change[colour][drawn.reach < 1.5].sum() / change[colour].sum()
    assert near > 0.9
    assert len(drawn.criteria) <= 1


def test_criteria_have_their_textbook_form():
    typical, atypical = lesion(2), lesion(2)
    criteria.pigment_network(typical, 0.5)
    criteria.pigment_network(atypical, 0.5, atypical=True)
    spread = [np.std([np.abs(net.brown[y : y + 40, x : x + 40]).mean()
                      for x in (70, 110, 130) for y in (70, 110, 130)])
              for net in (typical, atypical)]  # fmt: skip
    assert spread[1] > 1.3 * spread[0]  # an atypical network is uneven
    patch = lesion(3)
    criteria_other.central_white_patch(patch)
    assert patch.white[patch.reach < 0.15].mean() > 3 * patch.white[patch.reach > 0.8].mean()
    ring = lesion(3)
    criteria_other.peripheral_network(ring)
    assert (
        ring.brown[(ring.reach > 0.6) & (ring.reach < 0.9)].mean()
        > 3 * ring.brown[ring.reach < 0.2].mean()
    )
    spokes = lesion(4)
    criteria.streaks(spokes, 1.0)
    assert (
        (spokes.brown > 0.3)[spokes.reach < 0.6].sum()
        == 0
        < (spokes.brown > 0.3)[spokes.reach > 1].sum()
    )


@pytest.mark.parametrize("dx", population.CLASSES)
def test_every_diagnosis_names_its_criteria(dx):
    allowed = {
        "nv": {"regular_network", "regular_globules", "homogeneous", "blotch"},
        "mel": {"atypical_network", "irregular_globules", "streaks", "blotch", "blue_white_veil",
                "regression"},
        "bkl": {"milia_like_cysts", "comedo_like_openings", "fissures_and_ridges",
                "fingerprint_lines", "sharp_border", "regression"},
        "bcc": {"arborising_vessels", "ovoid_nests", "leaf_like_areas", "ulceration"},
        "akiec": {"strawberry_pattern", "glomerular_vessels", "scale"},
        "vasc": {"red_lacunae", "dark_lacunae"},
        "df": {"central_white_patch", "peripheral_network"},
    }  # fmt: skip
    seen = set()
    for seed in range(40):
        drawn = lesion(seed, 60)
        diagnoses.DIAGNOSES[dx](drawn, np.random.default_rng(seed))
        assert drawn.criteria
        seen |= set(drawn.criteria)
    assert seen == allowed[dx]


def test_cohorts_have_a_look():
    plain, mask = np.zeros((120, 160, 3), np.float32), np.zeros((120, 160), np.uint8)
    means = {}
    for name, camera in cameras.CAMERAS.items():
        colours = []
        for seed in range(40):
            rng = np.random.default_rng(seed)
            shot, _, _ = cameras.photograph(plain, mask, (96, 128), camera, 10.0, rng)
            colours.append(np.median(shot, axis=(0, 1)))
        means[name] = np.median(colours, axis=0)
        assert np.abs(means[name] - camera.skin).max() < 15
    redness = {name: mean[0] - mean[1] for name, mean in means.items()}
    assert redness["vidir_molemax"] > max(redness["rosendahl"], redness["vidir_modern"]) + 15


def test_another_photograph_shows_the_same_lesion_otherwise():
    rng = np.random.default_rng(0)
    skin = drawing.skin_of("female", 40.0, "back", rng)
    canvas = drawing.draw_canvas("nv", (180, 240), 16.0, skin, rng, rng)
    camera = cameras.CAMERAS["rosendahl"]
    size, scale = (150, 200), 16.0
    first, mask, _ = cameras.photograph(
        canvas.density, canvas.mask, size, camera, scale, np.random.default_rng(0), first=True
    )
    second, other, _ = cameras.photograph(
        canvas.density, canvas.mask, size, camera, scale, np.random.default_rng(1), first=False
    )
    assert np.abs(first.astype(int) - second).mean() > 5
    overlap = ((mask > 0) & (other > 0)).sum() / ((mask > 0) | (other > 0)).sum()
    assert 0.3 < overlap < 0.999


def test_fields():
    rng = np.random.default_rng(0)
    for cell in (1, 3, 10, 60):
        field = fields.noise((300, 400), cell, rng)
        assert field.shape == (300, 400) and field.dtype == np.float32
        assert 0.4 < field.std() < 1.1
    assert fields.noise((300, 400), 0.2, rng).std() < 0.25  # a pixel averages what is smaller
    mesh = fields.honeycomb((300, 400), 12, 0.3, rng)
    assert mesh.min() >= 0 and mesh.max() <= 1 and 0.2 < mesh.mean() < 0.7
    assert fields.honeycomb((300, 400), 2, 0.3, rng).std() < 1e-6
    where = np.zeros((100, 100), np.float32)
    where[20:60, 20:60] = 1
    points = fields.scatter(where, 50, rng, apart=4)
    gaps = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)) + 99 * np.eye(len(points))
    assert gaps.min() >= 4 and points.min() >= 20 and points.max() <= 61
    assert len(fields.scatter(np.zeros((50, 50)), 10, rng)) == 0


def test_look_alikes_look_more_alike_than_others_but_are_not_copies():
    def small(detail: int, form: int = 5) -> np.ndarray:
        own, other = np.random.default_rng(form), np.random.default_rng(100 + detail)
        skin = drawing.skin_of("male", 50.0, "back", own)
        canvas = drawing.draw_canvas("nv", (108, 144), 12.0, skin, own, other)
        return cv2.resize(canvas.density, (16, 12), interpolation=cv2.INTER_AREA)

    one = small(0)
    alike = np.abs(small(1) - one).mean()
    others = [np.abs(small(form, form) - one).mean() for form in range(6, 16)]
    assert 0.005 < alike < min(0.6 * np.median(others), *others)
