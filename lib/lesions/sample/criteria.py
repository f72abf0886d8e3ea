"""Dermoscopic criteria of nevi and melanomas, and the maps that all criteria are drawn on.

Each criterion is a function that adds its structure to a lesion's maps. Sources:
    [Argenziano 2003] Dermoscopy of pigmented skin lesions: results of a consensus meeting via the
        Internet. J Am Acad Dermatol 48:679.
    [Kittler 2016] Standardization of terminology in dermoscopy: results of the third consensus
        conference of the International Society of Dermoscopy. J Am Acad Dermatol 74:1093.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps

import numpy as np

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
)  # fmt: skip

MAPS = ("brown", "blue", "red", "white", "yellow")


@dataclass
class Lesion:
    """A lesion on its piece of skin, as maps of what absorbs and reflects light.

    Attributes:
        reach: float32 (h, w), 0 at the centre, 1 on the border, more outside.
        inside: float32 (h, w), 1 inside, 0 outside, with a ramp on the border.
        centre: x and y in pixels.  radius: mean radius in pixels.  mm: pixels a millimetre.
        brown, blue, red: optical densities of epidermal melanin (brown), of melanin deep in the
            dermis (blue by the scatter above it), of blood.
        white, yellow: how far scar tissue or keratin covers the colour, from 0 to 1.
        criteria: names of what has been drawn.
        places: how much each of them changed the maps, float32 (h, w); None: nobody asks.
    """

    reach: np.ndarray
    inside: np.ndarray
    centre: np.ndarray
    radius: float
    mm: float
    rng: np.random.Generator
    brown: np.ndarray = field(init=False)
    blue: np.ndarray = field(init=False)
    red: np.ndarray = field(init=False)
    white: np.ndarray = field(init=False)
    yellow: np.ndarray = field(init=False)
    criteria: list[str] = field(default_factory=list)
    places: dict[str, np.ndarray] | None = None

    def __post_init__(self) -> None:
        for name in MAPS:
            setattr(self, name, np.zeros(self.shape, np.float32))

    @property
    def shape(self) -> tuple[int, int]:
        return self.inside.shape


def criterion(draw: Callable[..., None]) -> Callable[..., None]:
    """For a function that draws a criterion: it also notes where, if the lesion keeps places."""

    @wraps(draw)
    def drawing(lesion: Lesion, *how: float, **options: float) -> None:
        before = [getattr(lesion, name).copy() for name in MAPS if lesion.places is not None]
        draw(lesion, *how, **options)
        if lesion.places is not None:
            after = [getattr(lesion, name) for name in MAPS]
            changes = [np.abs(new - old) for new, old in zip(after, before, strict=True)]
            lesion.places[lesion.criteria[-1]] = sum(changes)

    return drawing


def patch(lesion: Lesion, cell: float, share: float) -> np.ndarray:
    """A soft, irregular part of the lesion: about `share` of it, in bumps of `cell` radii."""
    field_ = clouds(lesion.shape, cell * lesion.radius, lesion.rng, 2)
    inner = field_[lesion.inside > 0.5]
    edge = np.quantile(inner, 1 - share) if inner.size else 0.0
    return smooth_step(field_, edge - 0.25, edge + 0.25) * lesion.inside


def border_point(lesion: Lesion, angle: float, part: float) -> np.ndarray:
    """The point (x, y) at `part` of the way from the centre to the border in that direction."""
    ray = np.arange(1, int(2.5 * lesion.radius) + 2)
    x = np.clip(lesion.centre[0] + ray * np.cos(angle), 0, lesion.shape[1] - 1).astype(int)
    y = np.clip(lesion.centre[1] + ray * np.sin(angle), 0, lesion.shape[0] - 1).astype(int)
    far = lesion.reach[y, x] >= part
    length = ray[far.argmax()] if far.any() else ray[-1]
    return lesion.centre + length * np.array([np.cos(angle), np.sin(angle)])


def pigment(lesion: Lesion, depth: float, mottle: float = 0.25, fade: float = 0.3) -> None:
    """The even or mottled brown ground of a lesion [Argenziano 2003: homogeneous pattern].

    `mottle` is how patchy it is, `fade` how much paler it is at the border than in the centre.
    """
    ground = 1 + mottle * clouds(lesion.shape, 0.5 * lesion.radius, lesion.rng, 4)
    ground *= 1 + fade * (0.6 - np.minimum(lesion.reach, 1.2) ** 2)
    # Grains of pigment, as every brown lesion shows close up.
    ground += (0.12 + 0.25 * mottle) * noise(lesion.shape, 0.09 * lesion.mm, lesion.rng)
    lesion.brown += np.maximum(ground, 0.1) * lesion.inside * np.float32(depth)


def redness(lesion: Lesion, depth: float) -> None:
    """Diffuse pink-red of widened capillaries, in the lesion and a little around it."""
    flush = np.maximum(0, 1 + 0.4 * clouds(lesion.shape, 0.5 * lesion.radius, lesion.rng))
    lesion.red += flush * smooth_step(lesion.reach, 1.5, 0.6) * np.float32(depth)


@criterion
def pigment_network(lesion: Lesion, depth: float, atypical: bool = False) -> None:
    """Brown lines around paler holes: rete ridges seen from above [Argenziano 2003].

    Typical: regular meshes that thin out at the border. Atypical: meshes, width and colour vary,
    and the network stops abruptly.
    """
    patches = clouds(lesion.shape, 0.5 * lesion.radius, lesion.rng, 2)
    if atypical:
        mesh = honeycomb(lesion.shape, 0.29 * lesion.mm, 0.5, lesion.rng, 0.9)
        strength = np.clip(0.6 + 0.9 * patches, 0, 1.6) * lesion.inside
    else:
        mesh = honeycomb(lesion.shape, 0.22 * lesion.mm, 0.3, lesion.rng)
        strength = np.clip(0.9 + 0.3 * patches, 0.3, 1.2) * smooth_step(lesion.reach, 1.15, 0.6)
    lesion.brown += (mesh - 0.4) * strength * np.float32(depth)
    lesion.criteria.append("atypical_network" if atypical else "regular_network")


@criterion
def globules(lesion: Lesion, depth: float, irregular: bool = False) -> None:
    """Round to oval brown nests [Argenziano 2003]; irregular: sizes, colour and places vary."""
    rng = lesion.rng
    size = lesion.mm * (rng.uniform(0.06, 0.12) if irregular else rng.uniform(0.07, 0.1))
    where = lesion.inside * (lesion.reach < 0.95)
    if irregular:
        where = where * (patch(lesion, 0.6, 0.45) + 0.05)
    room = (lesion.radius / (2.3 * size + 0.1)) ** 2
    points = scatter(
        where, int(np.clip(room * (0.3 if irregular else 0.6), 8, 260)), rng, 2.3 * size
    )
    radii = size * np.exp(rng.normal(0, 0.45 if irregular else 0.18, len(points)))
    dots = blur(discs(lesion.shape, points, radii, 1.5, rng), 0.25 * size)
    lesion.brown += dots * np.float32(depth)
    lesion.criteria.append("irregular_globules" if irregular else "regular_globules")


@criterion
def streaks(lesion: Lesion, depth: float) -> None:
    """Radial lines at a part of the border, some with a bulb: streaks and pseudopods
    [Argenziano 2003]."""
    rng = lesion.rng
    arc, spread = rng.uniform(-np.pi, np.pi), rng.uniform(0.5, 1.4)
    lines, widths, tips = [], [], []
    for angle in arc + rng.uniform(-spread, spread, rng.integers(8, 22)):
        start = border_point(lesion, angle, 0.8)
        length = rng.uniform(0.15, 0.45) * lesion.radius
        lines.append(winding(start, angle + rng.normal(0, 0.15), length, 0.1, rng, 7))
        widths.append(lesion.mm * rng.uniform(0.08, 0.16))
        if rng.random() < 0.5:
            tips.append(lines[-1][-1])
    drawn = strokes(lesion.shape, lines, widths)
    bulbs = discs(lesion.shape, np.array(tips), lesion.mm * rng.uniform(0.07, 0.13, len(tips)))
    drawn = blur(np.maximum(drawn, bulbs), 0.04 * lesion.mm)
    lesion.brown += drawn * np.float32(depth)
    lesion.criteria.append("streaks")


@criterion
def blotches(lesion: Lesion, depth: float) -> None:
    """Dark structureless areas that hide the rest, off the centre [Argenziano 2003]."""
    lesion.brown += patch(lesion, 0.7, 0.25) * np.float32(depth)
    lesion.criteria.append("blotch")


@criterion
def blue_white_veil(lesion: Lesion, depth: float) -> None:
    """A blue area under a whitish ground-glass haze: melanin in the dermis below a thickened
    epidermis [Argenziano 2003; Kittler 2016]."""
    veil = blur(patch(lesion, 0.9, 0.35), 0.12 * lesion.mm)
    veil *= np.clip(0.85 + 0.3 * clouds(lesion.shape, 0.6 * lesion.mm, lesion.rng), 0.2, 1.2)
    lesion.blue += veil * np.float32(depth)
    lesion.brown *= 1 - 0.35 * veil
    lesion.white = np.maximum(lesion.white, 0.22 * veil)
    lesion.criteria.append("blue_white_veil")


@criterion
def regression(lesion: Lesion) -> None:
    """White scar-like areas with blue-grey peppering: granules of melanin in macrophages
    [Argenziano 2003]."""
    rng = lesion.rng
    scar = blur(patch(lesion, 0.7, 0.28), 0.08 * lesion.mm)
    lesion.brown *= 1 - 0.75 * scar
    lesion.white = np.maximum(lesion.white, 0.3 * scar)
    points = scatter(scar, 160, rng)
    pepper = discs(lesion.shape, points, lesion.mm * rng.uniform(0.02, 0.05, len(points)))
    lesion.blue += 0.45 * blur(pepper, 0.02 * lesion.mm) + 0.13 * scar
    lesion.criteria.append("regression")
