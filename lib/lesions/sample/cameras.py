"""Photographs a drawn lesion: view, light, and the look of the four source cohorts' cameras."""

from dataclasses import dataclass

import cv2
import numpy as np

from lesions.sample.fields import noise, smooth_step


@dataclass(frozen=True)
class Camera:
    """The look of one source cohort.

    Attributes:
        skin: mean colour of plain skin, in red, green and blue, from 0 to 255.
        response: how strongly it shows densities in each channel; 1 is neutral.
        tone: standard deviation of its brightness, as a share.
        cast: standard deviation of each channel besides, as a share.
        field: width of the picture in millimetres, lowest and highest.
        circle: chance of the dark corners of a round field of view.
        ruler, bubbles: chances of a ruler's ticks and of gel bubbles.
        blur: standard deviation in pixels of a picture 600 wide.  grain: of noise, in grey levels.
    """

    skin: tuple[float, float, float]
    response: tuple[float, float, float]
    tone: float
    cast: float
    field: tuple[float, float]
    circle: float
    ruler: float
    bubbles: float
    blur: float
    grain: float


CAMERAS = {
    "rosendahl": Camera(
        (206, 171, 176), (0.85, 0.9, 1.0), 0.10, 0.07, (9, 16), 0.05, 0.3, 0.08, 0.6, 2.0),
    "vidir_modern": Camera(
        (202, 171, 186), (1.1, 1.0, 0.95), 0.10, 0.07, (10, 20), 0.33, 0.02, 0.08, 0.8, 1.6),
    "vidir_molemax": Camera(
        (228, 160, 167), (0.8, 1.15, 0.85), 0.06, 0.08, (9, 15), 0.0, 0.0, 0.06, 1.6, 1.0),
    "vienna_dias": Camera(
        (226, 174, 184), (1.45, 1.1, 1.05), 0.08, 0.08, (8, 13), 0.02, 0.05, 0.35, 1.0, 4.0),
}  # fmt: skip


def view_matrix(
    canvas: tuple[int, int], size: tuple[int, int], rng: np.random.Generator, first: bool
) -> np.ndarray:
    """The affine map (2, 3) from a canvas to a picture of `size` (height, width).

    The first photograph is straight; the others are turned, shifted and zoomed, as when the
    dermatoscope is set on the lesion again.
    """
    height, width = size
    turn = rng.normal(0, 3 if first else 14)
    zoom = 1.0 if first else float(np.exp(rng.normal(0.05, 0.18)))
    shift = rng.normal(0, 0.01 if first else 0.05, 2) * width
    matrix = cv2.getRotationMatrix2D((canvas[1] / 2, canvas[0] / 2), turn, np.clip(zoom, 0.8, 1.5))
    matrix[:, 2] += np.array([width - canvas[1], height - canvas[0]]) / 2 + shift
    return matrix


def photograph(
    density: np.ndarray,
    mask: np.ndarray,
    size: tuple[int, int],
    camera: Camera,
    mm: float,
    rng: np.random.Generator,
    first: bool = True,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """One photograph of a canvas.

    Args:
        density: float32 (H, W, 3), see `drawing.Canvas`.  mask: uint8 (H, W).
        size: height and width of the picture.  mm: pixels a millimetre.
        first: the lesion's first photograph, or another one.

    Returns:
        picture uint8 (h, w, 3) RGB, mask uint8 (h, w) of 0 and 255, names of the artefacts.
    """
    height, width = size
    matrix = view_matrix(density.shape[:2], size, rng, first)
    frame = (width, height)
    mirror = cv2.BORDER_REFLECT_101
    picture = cv2.warpAffine(density, matrix, frame, flags=cv2.INTER_LINEAR, borderMode=mirror)
    mask = cv2.warpAffine(mask, matrix, frame, flags=cv2.INTER_LINEAR)
    picture = cv2.exp(picture * -np.array(camera.response, np.float32))
    tone = 1 + rng.normal(0, camera.tone)
    # Green and blue vary together: pictures are more or less pink, seldom green or yellow.
    cast = 1 + camera.cast * (rng.normal(0, [0.3, 0.35, 0.45]) + rng.normal() * np.array([0, 1, 1]))
    skin = np.array(camera.skin) * tone * cast
    picture *= np.minimum(skin, 248).astype(np.float32)
    artefacts = []
    picture *= lighting(size, rng)[..., None]
    if rng.random() < camera.bubbles:
        gel_bubbles(picture, mm, rng)
        artefacts.append("gel_bubbles")
    if rng.random() < camera.ruler:
        ruler(picture, mm, rng)
        artefacts.append("ruler")
    sigma = camera.blur * width / 600 * rng.uniform(0.5, 1.5)
    if sigma > 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    if rng.random() < camera.circle:
        picture *= round_field(size, rng)[..., None]
        artefacts.append("vignette")
    grain = np.float32(camera.grain * min(1, width / 600))
    picture += noise(size, 1, rng)[..., None] * grain
    return (
        np.clip(picture, 0, 255).astype(np.uint8),
        (mask > 127).astype(np.uint8) * 255,
        artefacts,
    )


def lighting(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Uneven light: a slope across the picture and a fall-off from its centre, (h, w)."""
    height, width = size
    y, x = np.meshgrid(
        np.linspace(-0.75, 0.75, height, dtype=np.float32),
        np.linspace(-1, 1, width, dtype=np.float32), indexing="ij",
    )  # fmt: skip
    slope = rng.normal(0, 0.04, 2).astype(np.float32)
    fall = np.float32(abs(rng.normal(0, 0.08)))
    return 1 + slope[0] * x + slope[1] * y - fall * (x * x + y * y - 0.3)


def round_field(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The round field of view of a contact plate: dark outside a circle, (h, w)."""
    height, width = size
    y, x = np.indices(size, np.float32, sparse=True)
    centre = np.array([width, height]) * (0.5 + rng.normal(0, 0.02, 2))
    distance = np.hypot(x - centre[0], y - centre[1]) / (width / 2)
    edge = rng.uniform(0.97, 1.22)
    return (
        smooth_step(distance, edge + rng.uniform(0.02, 0.1), edge - rng.uniform(0.01, 0.15)) * 0.96
        + 0.04
    )


def ruler(picture: np.ndarray, mm: float, rng: np.random.Generator) -> None:
    """The millimetre ticks that a dermatoscope's scale leaves in a corner; drawn in place."""
    height, width = picture.shape[:2]
    right = rng.random() < 0.5
    for tick in range(rng.integers(2, 7)):
        x = (0.9 - 1.2 * tick / width * mm * 0.83) * width if right else mm * (0.5 + tick)
        y = 0.02 * height + (0.3 * mm * tick if not right else 0.25 * mm * (6 - tick) / 6)
        end = (round(x + 0.45 * mm), round(y + 0.5 * mm))
        cv2.line(
            picture, (round(x), round(y)), end, (40, 32, 38), max(1, round(0.08 * mm)), cv2.LINE_AA
        )


def gel_bubbles(picture: np.ndarray, mm: float, rng: np.random.Generator) -> None:
    """Air in the immersion gel: rings, bright on one side and dark on the other; in place."""
    height, width = picture.shape[:2]
    for _ in range(rng.integers(2, 14)):
        x, y = round(rng.uniform(0, width)), round(rng.uniform(0, height))
        radius = max(1, round(mm * abs(rng.normal(0.12, 0.12)) + 1))
        turn, thick = rng.uniform(0, 360), max(1, round(0.03 * mm))
        cv2.ellipse(
            picture, (x, y), (radius, radius), turn, 0, 170, (235, 230, 232), thick, cv2.LINE_AA
        )
        cv2.ellipse(
            picture, (x, y), (radius, radius), turn, 180, 350, (130, 95, 100), thick, cv2.LINE_AA
        )
        cv2.circle(
            picture,
            (x - radius // 3, y - radius // 3),
            max(1, radius // 4),
            (250, 250, 250),
            -1,
            cv2.LINE_AA,
        )
