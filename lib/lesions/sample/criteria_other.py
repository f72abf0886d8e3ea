"""Dermoscopic criteria of keratoses, carcinomas, vascular lesions and dermatofibromas.

Each is a function that adds its structure to a lesion's maps (see `criteria.Lesion`). Sources:
    [Braun 2002] Dermoscopy of pigmented seborrheic keratosis. Arch Dermatol 138:1556.
    [Kittler 2016] Standardization of terminology in dermoscopy: results of the third consensus
        conference of the International Society of Dermoscopy. J Am Acad Dermatol 74:1093.
    [Menzies 2000] Surface microscopy of pigmented basal cell carcinoma. Arch Dermatol 136:1012.
    [Wolf 2002] Dermoscopic diagnosis of vascular lesions. Clin Dermatol 20:273.
    [Zaballos 2008] Dermoscopy of dermatofibromas. Arch Dermatol 144:75.
    [Zalaudek 2006] Dermoscopy of facial nonpigmented actinic keratosis. Br J Dermatol 155:951.
"""

import numpy as np

from lesions.sample.criteria import Lesion, border_point, criterion, patch
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


@criterion
def milia_like_cysts(lesion: Lesion) -> None:
    """White to yellowish round bodies, soft or starry: cysts of keratin [Braun 2002]."""
    rng = lesion.rng
    number = int(np.clip(rng.uniform(0.3, 1) * (lesion.radius / (0.35 * lesion.mm)) ** 2, 5, 60))
    points = scatter(lesion.inside * (lesion.reach < 0.9), number, rng, 0.28 * lesion.mm)
    radii = lesion.mm * 0.075 * np.exp(rng.normal(0, 0.3, len(points)))
    cysts = blur(discs(lesion.shape, points, radii), 0.05 * lesion.mm)
    lesion.white = np.maximum(lesion.white, 0.65 * cysts)
    lesion.yellow = np.maximum(lesion.yellow, 0.15 * cysts)
    lesion.criteria.append("milia_like_cysts")


@criterion
def comedo_like_openings(lesion: Lesion, depth: float = 0.9) -> None:
    """Sharp brown-yellow to black plugs: keratin in dilated follicles [Braun 2002]."""
    rng = lesion.rng
    number = int(np.clip(rng.uniform(0.2, 0.7) * (lesion.radius / (0.4 * lesion.mm)) ** 2, 6, 50))
    points = scatter(lesion.inside * (lesion.reach < 0.92), number, rng, 0.28 * lesion.mm)
    radii = lesion.mm * 0.075 * np.exp(rng.normal(0, 0.4, len(points)))
    plugs = discs(lesion.shape, points, radii, 1.7, rng)
    lesion.brown += plugs * np.float32(depth)
    lesion.criteria.append("comedo_like_openings")


@criterion
def fissures_and_ridges(lesion: Lesion, depth: float = 0.5) -> None:
    """Furrows between thick ridges, a brain-like surface [Braun 2002: fissures, gyri, sulci]."""
    pitch = lesion.rng.uniform(0.6, 1.0) * lesion.mm
    furrows = honeycomb(lesion.shape, pitch, 0.5, lesion.rng, 0.35)
    furrows *= lesion.inside * np.clip(0.8 + 0.5 * noise(lesion.shape, pitch, lesion.rng), 0, 1)
    lesion.brown += furrows * np.float32(depth)
    lesion.white = np.maximum(lesion.white, 0.1 * (lesion.inside - furrows))
    lesion.criteria.append("fissures_and_ridges")


@criterion
def fingerprint_lines(lesion: Lesion, depth: float = 0.35) -> None:
    """Fine parallel brown lines as of a fingerprint, in flat keratoses and solar lentigines
    [Braun 2002]."""
    pitch = 0.17 * lesion.mm
    lesion.criteria.append("fingerprint_lines")
    if pitch < 3:  # too fine for the picture
        return
    y, x = np.indices(lesion.shape, np.float32, sparse=True)
    turn = np.float32(2 * np.pi / pitch)
    angle = lesion.rng.uniform(0, np.pi)
    bend = np.float32(5) * noise(lesion.shape, 1.5 * lesion.mm, lesion.rng)
    wave = np.sin(turn * (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))) + bend)
    patches = np.clip(0.6 + 0.8 * noise(lesion.shape, 0.8 * lesion.mm, lesion.rng), 0, 1)
    lesion.brown += wave * patches * lesion.inside * np.float32(depth / 2)


@criterion
def sharp_border(lesion: Lesion, depth: float = 0.15) -> None:
    """A border cut off sharply and nibbled as by moths, a little darker [Braun 2002]."""
    bites = 0.16 * noise(lesion.shape, 0.35 * lesion.radius, lesion.rng)
    edge = smooth_step(lesion.reach + np.maximum(bites, 0), 1.02, 0.97)
    for name in ("brown", "blue", "white", "yellow"):
        setattr(lesion, name, getattr(lesion, name) * edge)
    lesion.brown += edge * smooth_step(lesion.reach, 0.75, 1.0) * np.float32(depth)
    lesion.criteria.append("sharp_border")


@criterion
def arborising_vessels(lesion: Lesion) -> None:
    """Bright red, sharp vessels that branch like a tree from a thick stem [Menzies 2000]."""
    rng = lesion.rng
    lines: list[np.ndarray] = []
    widths: list[float] = []

    def grow(start: np.ndarray, angle: float, length: float, width: float) -> None:
        line = winding(start, angle, length, 0.24, rng, 12)
        lines.append(line)
        widths.append(width)
        if width < 0.03 * lesion.mm:
            return
        for _ in range(rng.integers(2, 5)):
            turn = rng.choice([-1, 1]) * rng.uniform(0.4, 1.1)
            grow(
                line[rng.integers(3, 12)],
                angle + turn,
                length * rng.uniform(0.4, 0.75),
                width * 0.55,
            )

    for _ in range(rng.integers(2, 5)):
        angle = rng.uniform(-np.pi, np.pi)
        start = border_point(lesion, angle, rng.uniform(0.5, 1.1))
        length = lesion.radius * rng.uniform(0.5, 1.0)
        grow(start, angle + np.pi + rng.normal(0, 0.6), length, lesion.mm * rng.uniform(0.06, 0.12))
    vessels = blur(strokes(lesion.shape, lines, widths, taper=True), 0.02 * lesion.mm)
    lesion.red += vessels * np.float32(rng.uniform(0.5, 0.85))
    lesion.criteria.append("arborising_vessels")


@criterion
def ovoid_nests(lesion: Lesion) -> None:
    """Well-bounded blue-grey ovals and in-focus dots: pigmented tumour nests [Menzies 2000]."""
    rng = lesion.rng
    where = lesion.inside * (lesion.reach < 0.95)
    points = scatter(where, int(rng.integers(3, 13)), rng, 0.2 * lesion.radius)
    radii = lesion.radius * np.clip(np.exp(rng.normal(-2.3, 0.45, len(points))), 0.04, 0.22)
    nests = blur(discs(lesion.shape, points, radii, 1.9, rng), 0.07 * lesion.mm)
    nests *= 0.85 + 0.2 * noise(lesion.shape, 0.25 * lesion.mm, rng)
    dots = scatter(where * (patch(lesion, 0.5, 0.4) + 0.02), int(rng.integers(5, 40)), rng)
    dots = discs(lesion.shape, dots, lesion.mm * rng.uniform(0.03, 0.07, len(dots)))
    both = np.maximum(nests, 0.8 * blur(dots, 0.02 * lesion.mm))
    lesion.blue += both * np.float32(rng.uniform(0.4, 0.8))
    lesion.brown += both * np.float32(rng.uniform(0.0, 0.3))
    lesion.criteria.append("ovoid_nests")


@criterion
def leaf_like_areas(lesion: Lesion) -> None:
    """Brown to grey-blue bulbs joined at a base, like a maple leaf, at the border
    [Menzies 2000]."""
    rng = lesion.rng
    lines, widths = [], []
    for _ in range(rng.integers(2, 6)):
        angle = rng.uniform(-np.pi, np.pi)
        base = border_point(lesion, angle, 0.75)
        for turn in rng.uniform(-0.9, 0.9, rng.integers(3, 7)):
            length = lesion.radius * rng.uniform(0.12, 0.28)
            lines.append(winding(base, angle + turn, length, 0.08, rng, 5))
            widths.append(0.06 * lesion.radius * rng.uniform(0.7, 1.4))
    leaves = blur(strokes(lesion.shape, lines, widths), 0.09 * lesion.mm)
    lesion.brown += leaves * np.float32(rng.uniform(0.3, 0.6))
    lesion.blue += leaves * np.float32(rng.uniform(0.05, 0.25))
    lesion.criteria.append("leaf_like_areas")


@criterion
def ulceration(lesion: Lesion) -> None:
    """A raw patch, red-orange to brown-black by dried blood and serum, sharply bounded
    [Menzies 2000]."""
    raw = smooth_step(patch(lesion, 0.5, 0.09), 0.3, 0.6)
    crust = raw * smooth_step(clouds(lesion.shape, 0.35 * lesion.mm, lesion.rng), 0.0, 0.7)
    lesion.red += 0.55 * raw
    lesion.brown += 0.3 * raw + 0.6 * crust
    lesion.criteria.append("ulceration")


@criterion
def scale(lesion: Lesion) -> None:
    """White to yellow flakes of keratin on the surface [Zalaudek 2006]."""
    flakes = smooth_step(clouds(lesion.shape, 0.3 * lesion.mm, lesion.rng, 4), 0.25, 1.0)
    flakes *= patch(lesion, 0.5, 0.35)
    lesion.white = np.maximum(lesion.white, 0.6 * flakes)
    lesion.yellow = np.maximum(lesion.yellow, lesion.rng.uniform(0, 0.35) * flakes)
    lesion.criteria.append("scale")


@criterion
def strawberry_pattern(lesion: Lesion, depth: float = 0.35) -> None:
    """A red pseudonetwork around white-haloed, yellow-plugged follicles [Zalaudek 2006]."""
    rng = lesion.rng
    ground = np.maximum(0, 1 + 0.5 * clouds(lesion.shape, 0.5 * lesion.mm, rng, 4))
    lesion.red += ground * lesion.inside * np.float32(depth)
    number = int(np.clip((lesion.radius / (0.25 * lesion.mm)) ** 2, 10, 220))
    points = scatter(lesion.inside, number, rng, 0.3 * lesion.mm)
    radii = lesion.mm * 0.085 * np.exp(rng.normal(0, 0.3, len(points)))
    halo = blur(discs(lesion.shape, points, radii), 0.04 * lesion.mm) * lesion.inside
    plug = blur(discs(lesion.shape, points, radii * 0.45), 0.03 * lesion.mm) * lesion.inside
    for name in ("red", "brown"):
        setattr(lesion, name, getattr(lesion, name) * (1 - 0.8 * halo))
    lesion.white = np.maximum(lesion.white, 0.25 * halo)
    lesion.yellow = np.maximum(lesion.yellow, 0.45 * plug)
    lesion.criteria.append("strawberry_pattern")


@criterion
def glomerular_vessels(lesion: Lesion) -> None:
    """Clusters of red dots, coiled vessels: intraepidermal carcinoma [Kittler 2016]."""
    rng = lesion.rng
    points = scatter(patch(lesion, 0.5, 0.35), 150, rng, 0.13 * lesion.mm)
    coils = discs(lesion.shape, points, lesion.mm * rng.uniform(0.03, 0.06, len(points)))
    lesion.red += 0.6 * blur(coils, 0.02 * lesion.mm)
    lesion.criteria.append("glomerular_vessels")


@criterion
def lacunae(lesion: Lesion, dark: bool = False) -> None:
    """Sharply bounded red, red-blue or black round areas: widened vessels, clotted if black
    [Wolf 2002]."""
    rng = lesion.rng
    where = lesion.inside * (lesion.reach < 0.92)
    points = scatter(where, int(rng.integers(6, 32)), rng, 0.25 * lesion.radius)
    radii = lesion.radius * rng.uniform(0.1, 0.25, len(points))
    lakes = np.zeros(lesion.shape, np.float32)
    tint = np.zeros(lesion.shape, np.float32)
    for group in range(3):  # three groups of lakes, each with its own blue
        drawn = discs(lesion.shape, points[group::3], radii[group::3], 1.4, rng)
        tint = np.where(drawn > lakes, np.float32(rng.uniform(0, 0.7 if dark else 0.15)), tint)
        lakes = np.maximum(lakes, drawn)
    lakes = blur(lakes, 0.05 * lesion.mm) * lesion.inside
    lesion.red += lakes * np.float32(rng.uniform(0.4, 1.0))
    lesion.blue += lakes * tint
    if dark:  # clots
        clots = patch(lesion, 0.7, 0.45) * np.maximum(lakes, 0.4)
        lesion.blue += 0.9 * clots
        lesion.brown += 0.8 * clots
    else:  # pale septa between the lakes
        lesion.white = np.maximum(lesion.white, 0.12 * (lesion.inside - lakes))
    lesion.criteria.append("dark_lacunae" if dark else "red_lacunae")


@criterion
def central_white_patch(lesion: Lesion) -> None:
    """A white scar-like centre, often with shiny lines [Zaballos 2008]."""
    rng = lesion.rng
    size = rng.uniform(0.3, 0.55)
    wobble = 0.18 * clouds(lesion.shape, 0.4 * lesion.radius, rng)
    patch = smooth_step(lesion.reach + wobble, size + 0.2, size - 0.2)
    lesion.brown *= 1 - 0.85 * patch
    lesion.red *= 1 - 0.5 * patch
    lesion.white = np.maximum(lesion.white, rng.uniform(0.25, 0.5) * patch)
    starts = lesion.centre + rng.normal(0, 0.22 * lesion.radius, (12, 2))
    lines = [winding(p, rng.choice([0.3, 1.9]), 0.25 * lesion.radius, 0.05, rng, 5) for p in starts]
    shiny = blur(strokes(lesion.shape, lines, [0.05 * lesion.mm] * 12), 0.03 * lesion.mm)
    lesion.white = np.maximum(lesion.white, 0.5 * shiny * patch)
    lesion.criteria.append("central_white_patch")


@criterion
def peripheral_network(lesion: Lesion, depth: float = 0.3) -> None:
    """A delicate light-brown network around the centre [Zaballos 2008]."""
    ring = lesion.inside * smooth_step(lesion.reach, 0.3, 0.65)
    mesh = honeycomb(lesion.shape, 0.2 * lesion.mm, 0.35, lesion.rng, 0.8)
    lesion.brown += mesh * ring * np.float32(depth)
    lesion.criteria.append("peripheral_network")
