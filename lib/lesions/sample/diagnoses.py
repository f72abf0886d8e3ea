"""The seven diagnoses: the size and border of a lesion, and which criteria it shows.

Each function takes the empty maps and a generator that decides which criteria there are and how
strong; where their details lie is up to the lesion's own generator.
"""

import numpy as np

from lesions.sample import criteria as draw
from lesions.sample import criteria_other as other
from lesions.sample.criteria import Lesion
from lesions.sample.fields import clouds

# Lesion area as a share of the picture: median, and spread of its logarithm.
AREA = {
    "akiec": (0.25, 0.6), "bcc": (0.2, 0.75), "bkl": (0.28, 0.7), "df": (0.23, 0.65),
    "mel": (0.30, 0.65), "nv": (0.15, 0.8), "vasc": (0.10, 0.75),
}  # fmt: skip
# How much of a lesion's border is irregular: lowest and highest.
IRREGULAR = {
    "akiec": (0.10, 0.25), "bcc": (0.08, 0.25), "bkl": (0.05, 0.2), "df": (0.05, 0.12),
    "mel": (0.08, 0.28), "nv": (0.03, 0.15), "vasc": (0.03, 0.15),
}  # fmt: skip
# Width of the border's ramp, in radii: lowest and highest.
SOFT = {
    "akiec": (0.3, 0.8), "bcc": (0.2, 0.6), "bkl": (0.05, 0.35), "df": (0.3, 0.7),
    "mel": (0.06, 0.35), "nv": (0.1, 0.5), "vasc": (0.05, 0.2),
}  # fmt: skip


def nv(lesion: Lesion, rng: np.random.Generator) -> None:
    """Melanocytic nevus: one regular pattern, symmetric, evenly coloured [Argenziano 2003]."""
    depth = float(np.clip(np.exp(rng.normal(-0.65, 0.6)), 0.1, 2.0))
    kind = rng.choice(["network", "globules", "both", "even"], p=[0.45, 0.2, 0.15, 0.2])
    draw.pigment(lesion, depth, rng.uniform(0.1, 0.4), rng.uniform(0.2, 1.0))
    if kind in ("network", "both"):
        draw.pigment_network(lesion, rng.uniform(0.4, 1.0) * depth)
    if kind in ("globules", "both"):
        draw.globules(lesion, rng.uniform(0.3, 0.8) * depth)
    if kind == "even":
        lesion.criteria.append("homogeneous")
    if rng.random() < 0.25:  # a congenital or irritated nevus may have this too
        draw.blotches(lesion, rng.uniform(0.2, 0.7) * depth)
    draw.redness(lesion, rng.uniform(0, 0.2))


def mel(lesion: Lesion, rng: np.random.Generator) -> None:
    """Melanoma: asymmetric, several colours, at least one of the melanoma criteria."""
    depth = float(np.clip(np.exp(rng.normal(-0.55, 0.55)), 0.15, 1.8))
    draw.pigment(lesion, depth, rng.uniform(0.25, 0.7), rng.uniform(-0.2, 0.4))
    chosen = rng.random(6) < [0.55, 0.4, 0.4, 0.4, 0.3, 0.3]
    if not chosen.any():
        chosen[rng.integers(6)] = True
    if chosen[0]:
        draw.pigment_network(lesion, rng.uniform(0.5, 1.1) * depth, atypical=True)
    if chosen[1]:
        draw.globules(lesion, rng.uniform(0.5, 1.2) * depth, irregular=True)
    if chosen[3]:
        draw.blotches(lesion, rng.uniform(0.5, 1.2) * depth)
    if chosen[2]:
        draw.streaks(lesion, rng.uniform(0.7, 1.3) * depth)
    if chosen[5]:
        draw.regression(lesion)
    if chosen[4]:
        draw.blue_white_veil(lesion, rng.uniform(0.25, 0.65))
    draw.redness(lesion, rng.uniform(0.0, 0.25))


def bkl(lesion: Lesion, rng: np.random.Generator) -> None:
    """Benign keratosis: seborrhoeic keratosis or solar lentigo, or lichen-planus-like."""
    depth = float(np.clip(np.exp(rng.normal(-1.05, 0.6)), 0.08, 1.4))
    kind = rng.choice(["keratosis", "lentigo", "lichenoid"], p=[0.55, 0.28, 0.17])
    draw.pigment(lesion, depth, rng.uniform(0.2, 0.6), rng.uniform(-0.3, 0.3))
    if kind == "keratosis":
        chosen = rng.random(3) < [0.65, 0.55, 0.5]
        if not chosen.any():
            chosen[0] = True
        lesion.blue += lesion.inside * np.float32(max(0, rng.normal(0.08, 0.12)))
        lesion.yellow = np.maximum(lesion.yellow, rng.uniform(0.1, 0.45) * lesion.inside)
        if chosen[2]:
            other.fissures_and_ridges(lesion, rng.uniform(0.25, 0.6))
        if chosen[1]:
            other.comedo_like_openings(lesion, rng.uniform(0.5, 1.0))
        if chosen[0]:
            other.milia_like_cysts(lesion)
        other.sharp_border(lesion, rng.uniform(0, 0.2))
    elif kind == "lentigo":
        other.fingerprint_lines(lesion, rng.uniform(0.6, 1.1) * depth)
        other.sharp_border(lesion, 0.3 * depth)
    else:
        draw.regression(lesion)
    draw.redness(lesion, rng.uniform(0, 0.25))


def bcc(lesion: Lesion, rng: np.random.Generator) -> None:
    """Basal cell carcinoma: no network; vessels, nests, leaves or an ulcer [Menzies 2000]."""
    draw.redness(lesion, rng.uniform(0.05, 0.3))
    draw.pigment(lesion, rng.uniform(0, 0.2), 0.7)
    chosen = rng.random(4) < [0.65, 0.5, 0.35, 0.3]
    if not chosen.any():
        chosen[0] = True
    lesion.white = np.maximum(lesion.white, rng.uniform(0, 0.3) * _soft(lesion))
    if chosen[2]:
        other.leaf_like_areas(lesion)
    if chosen[1]:
        other.ovoid_nests(lesion)
    if chosen[3]:
        other.ulceration(lesion)
    if chosen[0]:
        other.arborising_vessels(lesion)


def _soft(lesion: Lesion) -> np.ndarray:
    """A patchy cover of the whole lesion."""
    return lesion.inside * np.clip(
        0.7 + 0.5 * clouds(lesion.shape, 0.4 * lesion.radius, lesion.rng), 0, 1
    )


def akiec(lesion: Lesion, rng: np.random.Generator) -> None:
    """Actinic keratosis or intraepidermal carcinoma: red, scaly [Zalaudek 2006]."""
    draw.pigment(lesion, abs(rng.normal(0, 0.22)), 0.7)
    if rng.random() < 0.6:
        other.strawberry_pattern(lesion, rng.uniform(0.12, 0.38))
    else:
        draw.redness(lesion, rng.uniform(0.1, 0.35))
        other.glomerular_vessels(lesion)
    if rng.random() < 0.7:
        other.scale(lesion)


def vasc(lesion: Lesion, rng: np.random.Generator) -> None:
    """Vascular lesion: angioma, angiokeratoma, haemorrhage [Wolf 2002]."""
    lesion.red += lesion.inside * np.float32(rng.uniform(0.15, 0.6))
    other.lacunae(lesion, dark=rng.random() < 0.35)
    draw.redness(lesion, rng.uniform(0, 0.2))


def df(lesion: Lesion, rng: np.random.Generator) -> None:
    """Dermatofibroma: white centre, delicate network around it [Zaballos 2008]."""
    draw.pigment(lesion, rng.uniform(0.05, 0.3), 0.3, 0)
    draw.redness(lesion, rng.uniform(0.0, 0.25))
    other.peripheral_network(lesion, rng.uniform(0.15, 0.45))
    if rng.random() < 0.85:
        other.central_white_patch(lesion)


# Which function draws which dx.
DIAGNOSES = {"akiec": akiec, "bcc": bcc, "bkl": bkl, "df": df, "mel": mel, "nv": nv, "vasc": vasc}
