"""Draws a lesion of one of the seven diagnoses on a piece of skin, from its textbook criteria.

Light is treated simply: skin and lesion are maps of what absorbs it (melanin, blood), and the
colour follows by Beer and Lambert's law, one exponential a colour channel. Melanin looks brown in
the epidermis and blue in the dermis, because what lies above it scatters short waves back.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from lesions.sample.criteria import Lesion
from lesions.sample.diagnoses import AREA, DIAGNOSES, IRREGULAR, SOFT
from lesions.sample.fields import (
    blur,
    clouds,
    discs,
    honeycomb,
    noise,
    scatter,
    smooth_step,
    strokes,
    winding,
)

# Optical density in red, green and blue light (rows) of one unit of epidermal melanin (brown), of
# melanin in the dermis (blue), of blood (red), and of the excess of melanin that looks black.
DENSITY = np.array(
    [[0.42, 1.25, 0.24, 0.35], [0.84, 0.88, 1.0, 0.2], [1.05, 0.55, 0.68, 0.1]], np.float32
)
# The densities of what covers the colours: white scar or keratin, yellow keratin, hair.
WHITE = np.array([-0.1, -0.22, -0.2], np.float32)
YELLOW = np.array([-0.08, -0.06, 0.3], np.float32)
HAIR = np.array([1.4, 1.6, 1.6], np.float32)

# A canvas is so many times as wide and high as a photograph: room for other views.
MARGIN = 1.2


@dataclass
class Skin:
    """What a patient's skin is like: strengths from 0 to 1; melanin and blood are densities
    relative to the middle of all patients."""

    hair: float
    sun_damage: float
    freckles: float
    texture: float
    melanin: float
    blood: float


@dataclass
class Canvas:
    """A lesion on skin, larger than a photograph: `density`, float32 (h, w, 3), the optical
    density beyond that of plain skin in red, green and blue; `mask`, uint8 (h, w), 255 in the
    lesion; the names of the criteria drawn; and where, if that was asked for, as `Lesion.places`
    has it."""

    density: np.ndarray
    mask: np.ndarray
    criteria: list[str]
    places: dict[str, np.ndarray] = field(default_factory=dict)


def outline(
    shape: tuple[int, int], radius: float, irregular: float, soft: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A lesion's form: `reach`, `inside` and `centre`, as `Lesion` has them."""
    height, width = shape
    centre = np.array([width, height]) / 2 + rng.normal(0, 0.03, 2) * width
    turn, long = rng.uniform(0, np.pi), rng.uniform(1, 1.35)
    # The form is smooth: every other pixel is enough.
    x = np.arange(0, width + 1, 2, dtype=np.float32)[None, :] - np.float32(centre[0])
    y = np.arange(0, height + 1, 2, dtype=np.float32)[:, None] - np.float32(centre[1])
    along = (x * np.float32(np.cos(turn)) + y * np.float32(np.sin(turn))) * np.float32(1 / long)
    across = (y * np.float32(np.cos(turn)) - x * np.float32(np.sin(turn))) * np.float32(long**0.5)
    reach, angle = cv2.cartToPolar(along, across)
    # Low waves around the border make it asymmetric; noise makes it ragged.
    around = np.linspace(0, 2 * np.pi, 721)
    border = np.ones_like(around)
    for wave in range(1, 6):
        border += irregular / wave**0.7 * rng.normal() * np.cos(wave * around + rng.uniform(0, 7))
    border = (radius * np.maximum(border, 0.35)).astype(np.float32)
    reach /= border[np.round(angle * np.float32(360 / np.pi)).astype(np.int32)]
    ragged = clouds(reach.shape, 0.15 * radius, rng, 4) * np.float32(0.7 * irregular)
    reach = np.maximum(reach + ragged * np.minimum(reach, 1), 0)
    reach = cv2.resize(reach, (2 * reach.shape[1], 2 * reach.shape[0]))[:height, :width]
    inside = smooth_step(reach, 1 + soft / 2, 1 - soft / 2)
    return reach, inside, centre


def skin_maps(
    shape: tuple[int, int], mm: float, skin: Skin, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Melanin and blood of bare skin: mottling, furrows, freckles, fine vessels; each (h, w)."""
    brown = 0.03 * clouds(shape, 2 * mm, rng) + 0.02 * noise(shape, 0.1 * mm, rng)
    lines = honeycomb(shape, 0.45 * mm, 0.6, rng, 0.5)
    brown += np.float32(0.05 * skin.texture) * lines
    number = int(rng.poisson(3 + 50 * skin.freckles))
    points = scatter(np.ones(shape, np.float32), number, rng)
    radii = mm * rng.uniform(0.1, 0.1 + 0.35 * max(skin.freckles, skin.sun_damage), len(points))
    spots = blur(discs(shape, points, radii, 1.8, rng), 0.1 * mm)
    brown += 0.2 * spots * (1 + 0.3 * noise(shape, 0.3 * mm, rng))
    red = 0.03 * clouds(shape, 2.5 * mm, rng)
    if skin.sun_damage > 0.2:  # yellow-brown mottling and a net of fine vessels
        damage = np.float32(skin.sun_damage)
        net = honeycomb(shape, 0.7 * mm, 0.8, rng, 0.5)
        red += 0.13 * damage * net * np.clip(noise(shape, 3 * mm, rng) + 0.3, 0, 1)
        brown += 0.05 * damage * clouds(shape, 0.9 * mm, rng)
    return brown + np.float32(skin.melanin), red + np.float32(skin.blood)


def hairs(shape: tuple[int, int], mm: float, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Hairs lying across the skin, mostly one way, as a map from 0 to 1."""
    number = int(rng.poisson(26 * amount**2))
    way, curl = rng.uniform(-np.pi, np.pi), rng.normal(0, 0.5)
    thick = mm * rng.uniform(0.03, 0.065)
    lines, widths = [], []
    for _ in range(number):
        start = rng.uniform(-0.1, 1.1, 2) * [shape[1], shape[0]]
        length = mm * rng.uniform(2, 6 + 8 * amount)
        turn = curl + rng.normal(0, 0.5)
        lines.append(winding(start, way + rng.normal(0, 0.5), length, 0.04, rng, 16, turn))
        widths.append(thick * rng.uniform(0.6, 1.2))
    return strokes(shape, lines, widths, taper=True)


def draw_canvas(
    dx: str,
    shape: tuple[int, int],
    mm: float,
    skin: Skin,
    form: np.random.Generator,
    detail: np.random.Generator,
    places: bool = False,
) -> Canvas:
    """A lesion on its skin.

    Args:
        dx: one of the seven diagnoses.
        shape: height and width in pixels.
        mm: pixels a millimetre.
        form: decides the outline, the criteria and how deep the colours are.
        detail: decides where everything inside lies; another one makes a look-alike.
        places: whether to note where each criterion is drawn.
    """
    height, width = shape
    median, spread = AREA[dx]
    area = np.clip(median * np.exp(form.normal(0, spread)), 0.015, 0.8)
    # `area` is a share of the photograph, which is smaller than the canvas.
    radius = float(np.sqrt(area * height * width / MARGIN**2 / np.pi))
    irregular, soft = form.uniform(*IRREGULAR[dx]), form.uniform(*SOFT[dx])
    lesion = Lesion(*outline(shape, radius, irregular, soft, form), radius, mm, detail)
    lesion.places = {} if places else None
    DIAGNOSES[dx](lesion, form)
    brown, red = skin_maps(shape, mm, skin, detail)
    lesion.brown += brown
    lesion.red += red
    hair = hairs(shape, mm, skin.hair, detail)
    mask = (lesion.reach < 1 + soft / 4).astype(np.uint8) * 255
    return Canvas(optical_density(lesion, hair), mask, lesion.criteria, lesion.places or {})


def optical_density(lesion: Lesion, hair: np.ndarray) -> np.ndarray:
    """The density of a lesion's maps and of hairs over it, float32 (h, w, 3); see `DENSITY`."""
    maps = (lesion.brown, lesion.blue, lesion.red, np.maximum(lesion.brown - 0.8, 0))
    covers = ((lesion.white, WHITE), (lesion.yellow, YELLOW), (hair, HAIR))
    covers = [(cover, own) for cover, own in covers if cover.any()]
    channels = []
    for channel, weights in enumerate(DENSITY):
        density = sum(weight * part for weight, part in zip(weights, maps, strict=True))
        for cover, own in covers:
            density += cover * (own[channel] - density)
        channels.append(density)
    return cv2.merge(channels)


# How hairy, how sun-exposed places are, from 0 to 1; places not named lie between.
HAIRY = {"scalp": 0.8, "chest": 0.5, "lower extremity": 0.5, "abdomen": 0.4, "face": 0.15,
         "foot": 0.05, "acral": 0.0, "hand": 0.1, "ear": 0.1}  # fmt: skip
SUNNY = {"face": 1.0, "scalp": 1.0, "ear": 1.0, "hand": 0.8, "neck": 0.7, "chest": 0.5}


def skin_of(sex: str, age: float, localization: str, rng: np.random.Generator) -> Skin:
    """A patient's skin.

    Men's is hairier, and a little darker and redder [van den Berghe and Frost 1986, Am Anthropol
    88:730: women are the lighter sex everywhere]: a weak sign of sex, as in the real pictures.
    """
    hair = HAIRY.get(localization, 0.3) * (1.4 if sex == "male" else 0.7) * rng.uniform(0, 1.6)
    years = 50 if np.isnan(age) else age
    sun = SUNNY.get(localization, 0.25) * np.clip((years - 30) / 45, 0, 1) * rng.uniform(0.3, 1.3)
    return Skin(
        hair=float(np.clip(hair, 0, 1.3)),
        sun_damage=float(np.clip(sun, 0, 1)),
        freckles=float(rng.random() ** 3),
        texture=float(rng.uniform(0.3, 1.2)),
        melanin=float(rng.normal(0.015 if sex == "male" else -0.015, 0.03)),
        blood=float(rng.normal(0.015 if sex == "male" else -0.015, 0.03)),
    )
