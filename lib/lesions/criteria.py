"""Dermoscopic criteria, each a function that adds its structure to a lesion's pigment maps.

Sources, named in the docstrings:
    [Argenziano 2003] Dermoscopy of pigmented skin lesions: results of a consensus meeting via the
        Internet. J Am Acad Dermatol 48:679.
    [Kittler 2016] Standardization of terminology in dermoscopy: results of the third consensus
        conference of the International Society of Dermoscopy. J Am Acad Dermatol 74:1093.
    [Menzies 2000] Surface microscopy of pigmented basal cell carcinoma. Arch Dermatol 136:1012.
    [Zalaudek 2006] Dermoscopy of facial nonpigmented actinic keratosis. Br J Dermatol 155:951.
    [Zaballos 2008] Dermoscopy of dermatofibromas. Arch Dermatol 144:75.
    [Braun 2002] Dermoscopy of pigmented seborrheic keratosis. Arch Dermatol 138:1556.
    [Wolf 2002] Dermoscopic diagnosis of vascular lesions. Clin Dermatol 20:273.
"""

from dataclasses import dataclass, field

import numpy as np

from lesions.fields import (
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


@dataclass
class Lesion:
    """A lesion on its piece of skin, as maps of what absorbs and reflects light.

    Attributes:
        reach: float32 (h, w), 0 at the centre, 1 on the border, more outside.
        inside: float32 (h, w), 1 inside, 0 outside, with a ramp on the border.
        angle: float32 (h, w), direction from the centre, in radians.
        centre: x and y in pixels.  radius: mean radius in pixels.  mm: pixels a millimetre.
        brown, blue, red: optical densities of epidermal melanin (brown), of melanin deep in the
            dermis (blue by the scatter above it), of blood.
        white, yellow: how far scar tissue or keratin covers the colour, from 0 to 1.
        criteria: names of what has been drawn.
    """

    reach: np.ndarray
    inside: np.ndarray
    angle: np.ndarray
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

    def __post_init__(self) -> None:
        for name in ("brown", "blue", "red", "white", "yellow"):
            setattr(self, name, np.zeros(self.shape, np.float32))

    @property
    def shape(self) -> tuple[int, int]:
        return self.inside.shape


def _patch(lesion: Lesion, cell: float, share: float) -> np.ndarray:
    """A soft, irregular part of the lesion: about `share` of it, in bumps of `cell` radii."""
    field_ = clouds(lesion.shape, cell * lesion.radius, lesion.rng, 2)
    inner = field_[lesion.inside > 0.5]
    edge = np.quantile(inner, 1 - share) if inner.size else 0.0
    return smooth_step(field_, edge - 0.25, edge + 0.25) * lesion.inside


def pigment(lesion: Lesion, depth: float, mottle: float = 0.25) -> None:
    """The even or mottled brown ground of a melanocytic lesion [Argenziano 2003: homogeneous]."""
    ground = 1 + mottle * clouds(lesion.shape, 0.5 * lesion.radius, lesion.rng)
    lesion.brown += np.maximum(ground, 0.15) * lesion.inside * np.float32(depth)


def pigment_network(lesion: Lesion, depth: float, atypical: bool = False) -> None:
    """Brown lines around paler holes: rete ridges seen from above [Argenziano 2003].

    Typical: regular meshes that thin out at the border. Atypical: meshes, width and colour vary,
    and the network stops abruptly.
    """
    pitch = (0.42 if atypical else 0.32) * lesion.mm
    mesh = honeycomb(lesion.shape, pitch, 0.45 if atypical else 0.22, lesion.rng)
    where = lesion.inside
    if atypical:
        where = where * np.maximum(
            0.1, 0.7 + 0.8 * clouds(lesion.shape, lesion.radius / 2, lesion.rng)
        )
    lesion.brown += (mesh - 0.35) * where * np.float32(depth)
    lesion.criteria.append("atypical_network" if atypical else "regular_network")


def globules(lesion: Lesion, depth: float, irregular: bool = False) -> None:
    """Round to oval brown nests [Argenziano 2003]; irregular: sizes, colour and places vary."""
    rng = lesion.rng
    size = 0.11 * lesion.mm
    where = lesion.inside * (lesion.reach < 0.95)
    if irregular:
        where = where * _patch(lesion, 0.6, 0.4)
    number = int(
        min(260, 0.5 * (lesion.radius / (2.2 * size + 0.1)) ** 2 * (0.4 if irregular else 1))
    )
    points = scatter(where, max(number, 6), rng, apart=2.4 * size)
    spread = 0.5 if irregular else 0.18
    radii = size * np.exp(rng.normal(0, spread, len(points)))
    dots = blur(discs(lesion.shape, points, radii, 1.5, rng), 0.15 * size)
    lesion.brown += dots * np.float32(depth)
    lesion.criteria.append("irregular_globules" if irregular else "regular_globules")


def streaks(lesion: Lesion, depth: float) -> None:
    """Radial lines at the border, some with a bulb: streaks, pseudopods [Argenziano 2003]."""
    rng = lesion.rng
    arc = rng.uniform(-np.pi, np.pi)
    angles = arc + rng.uniform(-0.9, 0.9, rng.integers(9, 20))
    lines, widths, tips = [], [], []
    for angle in angles:
        start = _border_point(lesion, angle, 0.82)
        line = winding(start, angle, rng.uniform(0.18, 0.42) * lesion.radius, 0.08, rng, 6)
        lines.append(line)
        widths.append(0.14 * lesion.mm * rng.uniform(0.7, 1.3))
        if rng.random() < 0.5:
            tips.append(line[-1])
    drawn = strokes(lesion.shape, lines, widths)
    if tips:
        drawn = np.maximum(
            drawn, discs(lesion.shape, np.array(tips), np.full(len(tips), 0.13 * lesion.mm))
        )
    lesion.brown += blur(drawn, 0.03 * lesion.mm) * np.float32(depth)
    lesion.criteria.append("streaks")


def _border_point(lesion: Lesion, angle: float, part: float) -> np.ndarray:
    """The point (x, y) at `part` of the way from the centre to the border in that direction."""
    ray = np.arange(1, int(2.5 * lesion.radius) + 2)
    x = np.clip(lesion.centre[0] + ray * np.cos(angle), 0, lesion.shape[1] - 1).astype(int)
    y = np.clip(lesion.centre[1] + ray * np.sin(angle), 0, lesion.shape[0] - 1).astype(int)
    far = lesion.reach[y, x] >= part
    length = ray[far.argmax()] if far.any() else ray[-1]
    return lesion.centre + length * np.array([np.cos(angle), np.sin(angle)])


def blotches(lesion: Lesion, depth: float) -> None:
    """Dark structureless areas that hide the rest, off the centre [Argenziano 2003]."""
    lesion.brown += _patch(lesion, 0.7, 0.25) * np.float32(depth)
    lesion.criteria.append("blotch")


def blue_white_veil(lesion: Lesion, depth: float) -> None:
    """A blue area under a whitish ground-glass haze: melanin in the dermis below thickened
    epidermis [Argenziano 2003; Kittler 2016]."""
    veil = _patch(lesion, 0.8, 0.3)
    lesion.blue += veil * np.float32(depth)
    lesion.white = np.maximum(lesion.white, 0.32 * veil)
    lesion.criteria.append("blue_white_veil")


def regression(lesion: Lesion) -> None:
    """White scar-like areas with blue-grey peppering: granules of melanin in macrophages
    [Argenziano 2003]."""
    rng = lesion.rng
    scar = _patch(lesion, 0.6, 0.25)
    lesion.brown *= 1 - 0.8 * scar
    lesion.white = np.maximum(lesion.white, 0.35 * scar)
    points = scatter(scar, 120, rng)
    pepper = discs(lesion.shape, points, np.full(len(points), 0.035 * lesion.mm))
    lesion.blue += 0.55 * pepper + 0.12 * scar
    lesion.criteria.append("regression")


def milia_like_cysts(lesion: Lesion) -> None:
    """White to yellowish round bodies, soft or starry: cysts of keratin [Braun 2002]."""
    rng = lesion.rng
    points = scatter(
        lesion.inside * (lesion.reach < 0.9), int(rng.integers(8, 40)), rng, 0.3 * lesion.mm
    )
    radii = 0.09 * lesion.mm * np.exp(rng.normal(0, 0.35, len(points)))
    cysts = blur(discs(lesion.shape, points, radii), 0.04 * lesion.mm)
    lesion.white = np.maximum(lesion.white, 0.6 * cysts)
    lesion.criteria.append("milia_like_cysts")


def comedo_like_openings(lesion: Lesion, depth: float = 0.9) -> None:
    """Sharp brown-yellow to black plugs: keratin in dilated follicles [Braun 2002]."""
    rng = lesion.rng
    points = scatter(
        lesion.inside * (lesion.reach < 0.92), int(rng.integers(10, 45)), rng, 0.3 * lesion.mm
    )
    radii = 0.09 * lesion.mm * np.exp(rng.normal(0, 0.4, len(points)))
    plugs = discs(lesion.shape, points, radii, 1.8, rng)
    lesion.brown += plugs * np.float32(depth)
    lesion.criteria.append("comedo_like_openings")


def fissures_and_ridges(lesion: Lesion, depth: float = 0.5) -> None:
    """Furrows between thick ridges, a brain-like surface [Braun 2002: fissures, gyri, sulci]."""
    field_ = noise(lesion.shape, 0.55 * lesion.mm, lesion.rng)
    furrows = smooth_step(np.abs(field_), 0.22, 0.0) * lesion.inside
    lesion.brown += furrows * np.float32(depth)
    lesion.white = np.maximum(lesion.white, 0.12 * (lesion.inside - furrows))
    lesion.criteria.append("fissures_and_ridges")


def fingerprint_lines(lesion: Lesion, depth: float = 0.35) -> None:
    """Fine parallel brown lines as of a fingerprint, in flat keratoses and solar lentigines
    [Braun 2002]."""
    rng = lesion.rng
    angle = rng.uniform(0, np.pi)
    y, x = np.indices(lesion.shape, np.float32, sparse=True)
    bend = noise(lesion.shape, 1.6 * lesion.mm, rng) * np.float32(2.2)
    wave = np.sin(
        (x * np.cos(angle) + y * np.sin(angle)) * np.float32(2 * np.pi / (0.28 * lesion.mm)) + bend
    )
    if 0.28 * lesion.mm > 3:
        lesion.brown += wave.astype(np.float32) * lesion.inside * np.float32(depth / 2)
    lesion.criteria.append("fingerprint_lines")


def arborising_vessels(lesion: Lesion) -> None:
    """Bright red, sharp vessels that branch like a tree from a thick stem [Menzies 2000]."""
    rng = lesion.rng
    lines: list[np.ndarray] = []
    widths: list[float] = []

    def grow(start: np.ndarray, angle: float, length: float, width: float) -> None:
        line = winding(start, angle, length, 0.16, rng, 10)
        lines.append(line)
        widths.append(width)
        if width < 0.035 * lesion.mm:
            return
        for _ in range(rng.integers(2, 4)):
            where = line[rng.integers(4, len(line))]
            turn = rng.choice([-1, 1]) * rng.uniform(0.4, 1.1)
            grow(where, angle + turn, length * rng.uniform(0.5, 0.8), width * 0.6)

    for _ in range(rng.integers(2, 5)):
        angle = rng.uniform(-np.pi, np.pi)
        start = _border_point(lesion, angle, rng.uniform(0.6, 1.05))
        grow(
            start,
            angle + np.pi + rng.normal(0, 0.5),
            lesion.radius * rng.uniform(0.5, 0.9),
            0.13 * lesion.mm,
        )
    vessels = strokes(lesion.shape, lines, widths)
    lesion.red += blur(vessels, 0.015 * lesion.mm) * np.float32(0.9)
    lesion.criteria.append("arborising_vessels")


def ovoid_nests(lesion: Lesion) -> None:
    """Large, well-bounded blue-grey ovals and dots: pigmented tumour nests [Menzies 2000]."""
    rng = lesion.rng
    points = scatter(
        lesion.inside * (lesion.reach < 0.95), int(rng.integers(3, 12)), rng, 0.25 * lesion.radius
    )
    radii = lesion.radius * rng.uniform(0.06, 0.17, len(points))
    nests = blur(discs(lesion.shape, points, radii, 1.9, rng), 0.1 * lesion.mm)
    dots = scatter(lesion.inside, 30, rng)
    nests = np.maximum(nests, 0.8 * discs(lesion.shape, dots, np.full(len(dots), 0.06 * lesion.mm)))
    lesion.blue += nests * np.float32(rng.uniform(0.5, 0.95))
    lesion.brown += nests * np.float32(rng.uniform(0.0, 0.4))
    lesion.criteria.append("ovoid_nests")


def leaf_like_areas(lesion: Lesion) -> None:
    """Brown to grey-blue bulbs joined at a base, as in a maple leaf [Menzies 2000]."""
    rng = lesion.rng
    lines, widths = [], []
    for _ in range(rng.integers(2, 5)):
        angle = rng.uniform(-np.pi, np.pi)
        base = _border_point(lesion, angle, 0.75)
        for turn in rng.uniform(-0.8, 0.8, rng.integers(3, 6)):
            lines.append(
                winding(base, angle + turn, lesion.radius * rng.uniform(0.15, 0.3), 0.05, rng, 4)
            )
            widths.append(0.07 * lesion.radius * rng.uniform(0.8, 1.3))
    leaves = blur(strokes(lesion.shape, lines, widths), 0.08 * lesion.mm)
    lesion.brown += 0.5 * leaves
    lesion.blue += 0.25 * leaves
    lesion.criteria.append("leaf_like_areas")


def ulceration(lesion: Lesion) -> None:
    """A raw patch, red-orange to brown-black by dried blood and serum, sharply bounded
    [Menzies 2000]."""
    where = _patch(lesion, 0.45, 0.12)
    raw = smooth_step(where, 0.35, 0.6)
    crust = raw * smooth_step(noise(lesion.shape, 0.3 * lesion.mm, lesion.rng), -0.2, 0.6)
    lesion.red += 0.7 * raw
    lesion.brown += 0.6 * crust
    lesion.yellow = np.maximum(lesion.yellow, 0.35 * (raw - crust))
    lesion.criteria.append("ulceration")


def scale(lesion: Lesion) -> None:
    """White to yellow flakes of keratin on the surface [Zalaudek 2006]."""
    flakes = _patch(lesion, 0.5, 0.3) * smooth_step(
        noise(lesion.shape, 0.22 * lesion.mm, lesion.rng), 0.1, 0.7
    )
    lesion.white = np.maximum(lesion.white, 0.5 * flakes)
    lesion.yellow = np.maximum(lesion.yellow, 0.3 * flakes)
    lesion.criteria.append("scale")


def strawberry_pattern(lesion: Lesion, depth: float = 0.35) -> None:
    """A red pseudonetwork around white-haloed, yellow-plugged follicles [Zalaudek 2006]."""
    rng = lesion.rng
    ground = np.maximum(0, 1 + 0.4 * clouds(lesion.shape, 0.4 * lesion.mm, rng)) * lesion.inside
    lesion.red += ground * np.float32(depth)
    points = scatter(
        lesion.inside,
        int(min(160, (lesion.radius / (0.35 * lesion.mm + 0.1)) ** 2)) + 8,
        rng,
        0.45 * lesion.mm,
    )
    radii = 0.13 * lesion.mm * rng.uniform(0.7, 1.3, len(points))
    halo = blur(discs(lesion.shape, points, radii), 0.03 * lesion.mm)
    plug = blur(discs(lesion.shape, points, radii * 0.5), 0.03 * lesion.mm)
    lesion.red *= 1 - 0.85 * halo
    lesion.white = np.maximum(lesion.white, 0.35 * halo * lesion.inside)
    lesion.yellow = np.maximum(lesion.yellow, 0.4 * plug * lesion.inside)
    lesion.criteria.append("strawberry_pattern")


def glomerular_vessels(lesion: Lesion) -> None:
    """Clusters of red dots, coiled vessels: intraepidermal carcinoma [Kittler 2016]."""
    rng = lesion.rng
    points = scatter(_patch(lesion, 0.5, 0.4), 140, rng, 0.14 * lesion.mm)
    lesion.red += 0.6 * blur(
        discs(lesion.shape, points, np.full(len(points), 0.055 * lesion.mm)), 0.02 * lesion.mm
    )
    lesion.criteria.append("glomerular_vessels")


def lacunae(lesion: Lesion, dark: bool = False) -> None:
    """Sharply bounded red, red-blue or black round areas: widened vessels, clotted if black
    [Wolf 2002]."""
    rng = lesion.rng
    where = lesion.inside * (lesion.reach < 0.9)
    points = scatter(where, int(rng.integers(6, 26)), rng, 0.22 * lesion.radius)
    radii = lesion.radius * rng.uniform(0.1, 0.24, len(points))
    lakes = np.zeros(lesion.shape, np.float32)
    tint = np.zeros(lesion.shape, np.float32)
    for group in range(3):  # three groups of lakes, each with its own blue
        part = slice(group, None, 3)
        drawn = discs(lesion.shape, points[part], radii[part], 1.4, rng)
        tint = np.where(drawn > lakes, np.float32(rng.uniform(0, 0.7 if dark else 0.3)), tint)
        lakes = np.maximum(lakes, drawn)
    lakes = blur(lakes, 0.05 * lesion.mm) * lesion.inside
    lesion.red += lakes * np.float32(rng.uniform(0.7, 1.2))
    lesion.blue += lakes * tint + (1.2 * lakes * _patch(lesion, 0.6, 0.5) if dark else 0)
    lesion.criteria.append("lacunae")


def central_white_patch(lesion: Lesion) -> None:
    """A white scar-like centre, often with shiny lines [Zaballos 2008]."""
    size = lesion.rng.uniform(0.4, 0.6)
    wobble = 0.12 * clouds(lesion.shape, 0.4 * lesion.radius, lesion.rng)
    patch = smooth_step(lesion.reach + wobble, size + 0.15, size - 0.15)
    lesion.brown *= 1 - 0.85 * patch
    lesion.white = np.maximum(lesion.white, 0.42 * patch)
    lesion.criteria.append("central_white_patch")


def peripheral_network(lesion: Lesion, depth: float = 0.3) -> None:
    """A delicate light-brown network around the centre [Zaballos 2008]."""
    ring = lesion.inside * smooth_step(lesion.reach, 0.35, 0.6)
    mesh = honeycomb(lesion.shape, 0.3 * lesion.mm, 0.2, lesion.rng)
    lesion.brown += mesh * ring * np.float32(depth)
    lesion.criteria.append("peripheral_network")


def redness(lesion: Lesion, depth: float) -> None:
    """Diffuse pink-red of widened capillaries, in the lesion and a little around it."""
    around = smooth_step(lesion.reach, 1.5, 0.6)
    lesion.red += (
        np.maximum(0, 1 + 0.4 * clouds(lesion.shape, 0.5 * lesion.radius, lesion.rng))
        * around
        * np.float32(depth)
    )
