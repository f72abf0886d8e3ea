"""Draws a lesion of one of the seven diagnoses on a piece of skin, from its textbook criteria.

Light is treated simply: skin and lesion are maps of what absorbs it (melanin, blood), and the
colour follows by Beer and Lambert's law, one exponential a colour channel. Melanin looks brown in
the epidermis and blue in the dermis, because what lies above it scatters short waves back.
"""

from dataclasses import dataclass

import numpy as np

from lesions import criteria as draw
from lesions.criteria import Lesion
from lesions.fields import blur, clouds, discs, noise, scatter, smooth_step, strokes, winding

# Optical density of one unit in red, green and blue light.
BROWN = np.array([0.42, 0.86, 1.0], np.float32)
BLUE = np.array([1.15, 0.85, 0.55], np.float32)
RED = np.array([0.22, 1.0, 0.72], np.float32)
# What covers the colour: scar or keratin, and yellow keratin, relative to the skin.
WHITE = np.array([1.12, 1.25, 1.25], np.float32)
YELLOW = np.array([1.1, 1.15, 0.85], np.float32)

# Lesion area as a share of the picture: median, and spread of its logarithm.
AREA = {
    "akiec": (0.33, 0.6), "bcc": (0.2, 0.75), "bkl": (0.28, 0.7), "df": (0.25, 0.65),
    "mel": (0.32, 0.6), "nv": (0.19, 0.75), "vasc": (0.11, 0.8),
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


@dataclass
class Skin:
    """What a patient's skin is like; the numbers are chances or strengths from 0 to 1."""

    hair: float
    sun_damage: float
    freckles: float
    texture: float


@dataclass
class Canvas:
    """A lesion on skin, larger than a photograph: `light` float32 (h, w, 3), relative to plain
    skin, and `mask` uint8 (h, w), 255 in the lesion."""

    light: np.ndarray
    mask: np.ndarray
    criteria: list[str]


def outline(
    shape: tuple[int, int], radius: float, irregular: float, soft: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A lesion's form: `reach`, `inside`, `angle` and `centre`, as `Lesion` has them."""
    height, width = shape
    centre = np.array([width, height]) / 2 + rng.normal(0, 0.03, 2) * width
    turn, long = rng.uniform(0, np.pi), rng.uniform(1, 1.35)
    y, x = np.indices(shape, np.float32, sparse=True)
    x, y = x - np.float32(centre[0]), y - np.float32(centre[1])
    angle = np.arctan2(y, x)
    along = (x * np.cos(turn) + y * np.sin(turn)) / long
    across = (y * np.cos(turn) - x * np.sin(turn)) * long**0.5
    reach = np.sqrt(along**2 + across**2) / radius
    # Low waves around the border make it asymmetric; noise makes it ragged.
    around = np.linspace(-np.pi, np.pi, 721)
    border = np.ones_like(around)
    for wave in range(1, 6):
        border += irregular / wave**0.7 * rng.normal() * np.cos(wave * around + rng.uniform(0, 7))
    border = np.maximum(border, 0.35)
    reach = reach / np.interp(angle, around, border).astype(np.float32)
    ragged = clouds(shape, 0.25 * radius, rng) * np.float32(0.9 * irregular)
    reach = np.maximum(reach + ragged * np.minimum(reach, 1), 0).astype(np.float32)
    inside = smooth_step(reach, 1 + soft / 2, 1 - soft / 2)
    return reach, inside, angle, centre


def nv(lesion: Lesion) -> None:
    """Melanocytic nevus: one regular pattern, symmetric, evenly coloured [Argenziano 2003]."""
    rng = lesion.rng
    depth = rng.uniform(0.25, 0.9)
    kind = rng.choice(["network", "globules", "both", "even"], p=[0.45, 0.2, 0.15, 0.2])
    draw.pigment(lesion, depth, rng.uniform(0.1, 0.35))
    if rng.random() < 0.3:  # a darker or a paler centre
        lesion.brown *= 1 + rng.uniform(-0.6, 0.8) * smooth_step(lesion.reach, 0.8, 0.1)
    if kind in ("network", "both"):
        draw.pigment_network(lesion, rng.uniform(0.4, 0.9) * depth)
    if kind in ("globules", "both"):
        draw.globules(lesion, rng.uniform(0.3, 0.8) * depth)
    if kind == "even":
        lesion.criteria.append("homogeneous")
    if rng.random() < 0.5:
        draw.redness(lesion, rng.uniform(0.03, 0.2))


def mel(lesion: Lesion) -> None:
    """Melanoma: asymmetric, several colours, at least one melanoma criterion."""
    rng = lesion.rng
    depth = rng.uniform(0.3, 1.0)
    draw.pigment(lesion, depth, rng.uniform(0.25, 0.6))
    chosen = rng.random(6) < [0.6, 0.45, 0.45, 0.5, 0.35, 0.35]
    if not chosen.any():
        chosen[0] = True
    if chosen[0]:
        draw.pigment_network(lesion, rng.uniform(0.4, 1.0) * depth, atypical=True)
    if chosen[1]:
        draw.globules(lesion, rng.uniform(0.4, 1.0), irregular=True)
    if chosen[2]:
        draw.streaks(lesion, rng.uniform(0.5, 1.0))
    if chosen[3]:
        draw.blotches(lesion, rng.uniform(0.4, 1.1))
    if chosen[4]:
        draw.blue_white_veil(lesion, rng.uniform(0.4, 0.9))
    if chosen[5]:
        draw.regression(lesion)
    draw.redness(lesion, rng.uniform(0.0, 0.25))


def bkl(lesion: Lesion) -> None:
    """Benign keratosis: seborrhoeic keratosis or solar lentigo, or lichen-planus-like."""
    rng = lesion.rng
    depth = rng.uniform(0.15, 0.7)
    kind = rng.choice(["keratosis", "lentigo", "lichenoid"], p=[0.55, 0.28, 0.17])
    draw.pigment(lesion, depth, rng.uniform(0.2, 0.5))
    if kind == "keratosis":
        chosen = rng.random(3) < [0.65, 0.55, 0.5]
        if not chosen.any():
            chosen[0] = True
        lesion.yellow = np.maximum(lesion.yellow, rng.uniform(0, 0.2) * lesion.inside)
        if chosen[2]:
            draw.fissures_and_ridges(lesion, rng.uniform(0.3, 0.7))
        if chosen[1]:
            draw.comedo_like_openings(lesion, rng.uniform(0.5, 1.0))
        if chosen[0]:
            draw.milia_like_cysts(lesion)
        lesion.blue += lesion.inside * np.float32(rng.uniform(0, 0.2))
    elif kind == "lentigo":
        draw.fingerprint_lines(lesion, rng.uniform(0.2, 0.5))
    else:
        draw.regression(lesion)
        draw.redness(lesion, rng.uniform(0.1, 0.3))


def bcc(lesion: Lesion) -> None:
    """Basal cell carcinoma: no network; vessels, nests, leaves or an ulcer [Menzies 2000]."""
    rng = lesion.rng
    draw.redness(lesion, rng.uniform(0.1, 0.35))
    draw.pigment(lesion, rng.uniform(0, 0.15), 0.5)
    chosen = rng.random(4) < [0.65, 0.5, 0.3, 0.3]
    if not chosen.any():
        chosen[0] = True
    if chosen[1]:
        draw.ovoid_nests(lesion)
    if chosen[2]:
        draw.leaf_like_areas(lesion)
    if chosen[0]:
        draw.arborising_vessels(lesion)
    if chosen[3]:
        draw.ulceration(lesion)
    lesion.white = np.maximum(lesion.white, rng.uniform(0, 0.25) * lesion.inside)


def akiec(lesion: Lesion) -> None:
    """Actinic keratosis or intraepidermal carcinoma: red, scaly [Zalaudek 2006]."""
    rng = lesion.rng
    draw.pigment(lesion, rng.uniform(0, 0.3), 0.6)
    if rng.random() < 0.6:
        draw.strawberry_pattern(lesion, rng.uniform(0.2, 0.45))
    else:
        draw.redness(lesion, rng.uniform(0.15, 0.4))
        draw.glomerular_vessels(lesion)
    if rng.random() < 0.7:
        draw.scale(lesion)


def vasc(lesion: Lesion) -> None:
    """Vascular lesion: angioma, angiokeratoma, haemorrhage [Wolf 2002]."""
    rng = lesion.rng
    lesion.red += lesion.inside * np.float32(rng.uniform(0.3, 0.7))
    draw.lacunae(lesion, dark=rng.random() < 0.35)
    draw.redness(lesion, rng.uniform(0, 0.2))


def df(lesion: Lesion) -> None:
    """Dermatofibroma: white centre, delicate network around it [Zaballos 2008]."""
    rng = lesion.rng
    draw.pigment(lesion, rng.uniform(0.1, 0.4), 0.25)
    draw.redness(lesion, rng.uniform(0.05, 0.3))
    draw.peripheral_network(lesion, rng.uniform(0.2, 0.5))
    if rng.random() < 0.85:
        draw.central_white_patch(lesion)


DIAGNOSES = {"akiec": akiec, "bcc": bcc, "bkl": bkl, "df": df, "mel": mel, "nv": nv, "vasc": vasc}


def skin_maps(
    shape: tuple[int, int], mm: float, skin: Skin, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Melanin and blood of bare skin: mottling, furrows, freckles, fine vessels; each (h, w)."""
    brown = 0.05 * clouds(shape, 1.6 * mm, rng) + 0.02 * noise(shape, 0.12 * mm, rng)
    furrows = np.minimum(np.abs(noise(shape, 0.5 * mm, rng)), np.abs(noise(shape, 0.35 * mm, rng)))
    brown += np.float32(0.07 * skin.texture) * smooth_step(furrows, 0.2, 0.0)
    points = scatter(np.ones(shape, np.float32), int(60 * skin.freckles), rng)
    spots = discs(shape, points, mm * rng.uniform(0.08, 0.3, len(points)), 1.8, rng)
    brown += 0.16 * blur(spots, 0.1 * mm)
    red = 0.05 * clouds(shape, 2.5 * mm, rng)
    damage = np.float32(skin.sun_damage)
    if skin.sun_damage > 0.2:  # telangiectasia of old, sun-exposed skin
        net = smooth_step(np.abs(noise(shape, 0.9 * mm, rng)), 0.1, 0.0)
        red += 0.22 * damage * net * (noise(shape, 2 * mm, rng) > 0)
        brown += 0.1 * damage * clouds(shape, 0.8 * mm, rng)
    return brown, red


def hairs(shape: tuple[int, int], mm: float, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Hairs lying across the skin, mostly one way, as a map from 0 to 1."""
    number = int(rng.poisson(34 * amount**2))
    height, width = shape
    way = rng.uniform(-np.pi, np.pi)
    lines, widths = [], []
    for _ in range(number):
        start = rng.uniform(-0.1, 1.1, 2) * [width, height]
        length = mm * rng.uniform(1, 9) * (0.4 + amount)
        lines.append(winding(start, way + rng.normal(0, 0.45), length, 0.07, rng, 14))
        widths.append(mm * rng.uniform(0.025, 0.075))
    return strokes(shape, lines, widths)


def draw_canvas(
    dx: str,
    shape: tuple[int, int],
    mm: float,
    skin: Skin,
    rng: np.random.Generator,
    detail: np.random.Generator | None = None,
) -> Canvas:
    """A lesion on its skin.

    Args:
        dx: one of the seven diagnoses.
        shape: height and width in pixels.
        mm: pixels a millimetre.
        rng: for form and colour.
        detail: for what lies inside; given its own, it makes a look-alike.
    """
    height, width = shape
    median, spread = AREA[dx]
    area = np.clip(median * np.exp(rng.normal(0, spread)), 0.015, 0.8)
    # A canvas is 1.25 times as wide and high as the photograph that the share belongs to.
    radius = float(np.sqrt(area * height * width / 1.25**2 / np.pi))
    irregular, soft = rng.uniform(*IRREGULAR[dx]), rng.uniform(*SOFT[dx])
    form = outline(shape, radius, irregular, soft, rng)
    lesion = Lesion(*form, radius, mm, detail or rng)
    DIAGNOSES[dx](lesion)
    brown, red = skin_maps(shape, mm, skin, detail or rng)
    light = colour(
        np.maximum(brown + lesion.brown, -0.1), lesion.blue, red + lesion.red,
        lesion.white, lesion.yellow,
    )  # fmt: skip
    cover = hairs(shape, mm, skin.hair, detail or rng)[..., None] * np.float32(0.85)
    light = light * (1 - cover) + cover * np.array([0.2, 0.15, 0.13], np.float32)
    mask = (lesion.reach < 1).astype(np.uint8) * 255
    return Canvas(light, mask, lesion.criteria)


def colour(
    brown: np.ndarray, blue: np.ndarray, red: np.ndarray, white: np.ndarray, yellow: np.ndarray
) -> np.ndarray:
    """Light that comes back, (h, w, 3), relative to plain skin."""
    density = brown[..., None] * BROWN + blue[..., None] * BLUE + red[..., None] * RED
    light = np.exp(-density)
    for cover, tint in ((white, WHITE), (yellow, YELLOW)):
        light += cover[..., None] * (tint - light)
    return light


# How hairy, how sun-exposed places are, from 0 to 1; places not named lie between.
HAIRY = {"scalp": 0.8, "chest": 0.5, "lower extremity": 0.5, "abdomen": 0.4, "face": 0.15,
         "foot": 0.05, "acral": 0.0, "hand": 0.1, "ear": 0.1}  # fmt: skip
SUNNY = {"face": 1.0, "scalp": 1.0, "ear": 1.0, "hand": 0.8, "neck": 0.7, "chest": 0.5}


def skin_of(sex: str, age: float, localization: str, rng: np.random.Generator) -> Skin:
    """A patient's skin. Men's is hairier: the one weak sign of sex that the pictures give."""
    hair = HAIRY.get(localization, 0.3) * (1.4 if sex == "male" else 0.7) * rng.uniform(0, 1.6)
    years = 50 if np.isnan(age) else age
    sun = SUNNY.get(localization, 0.25) * np.clip((years - 30) / 45, 0, 1) * rng.uniform(0.3, 1.3)
    return Skin(
        hair=float(np.clip(hair, 0, 1.3)),
        sun_damage=float(np.clip(sun, 0, 1)),
        freckles=float(rng.random() ** 3),
        texture=float(rng.uniform(0.3, 1.2)),
    )
