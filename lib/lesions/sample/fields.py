"""Random fields and strokes that everything drawn is made of. All are float32 (h, w)."""

import cv2
import numpy as np


def smooth_step(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, a smooth ramp between; `low` > `high` turns it round."""
    ramp = np.clip((values - low) * np.float32(1 / (high - low)), 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def noise(shape: tuple[int, int], cell: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise about 0, of standard deviation about 0.7; `cell` pixels from bump to bump.

    Bumps smaller than a pixel are averaged by the pixel, so that the noise is weaker.
    """
    height, width = shape
    strength, cell = np.float32(min(cell, 1.0)), max(cell, 1.0)
    # Large bumps are drawn small and enlarged: eight points a bump are enough, and much quicker.
    step = max(1, int(cell // 8))
    rows, columns, scale = -(-height // step), -(-width // step), cell / step
    grid = rng.standard_normal((int(rows / scale) + 4, int(columns / scale) + 4), np.float32)
    grid *= strength
    # At the grid's edge the interpolation is flat, so one cell around is left out.
    whole = (round(grid.shape[1] * scale), round(grid.shape[0] * scale))
    field = cv2.resize(grid, whole, interpolation=cv2.INTER_CUBIC)
    field = field[round(scale) :, round(scale) :][:rows, :columns]
    return cv2.resize(field, (width, height)) if step > 1 else field


def clouds(
    shape: tuple[int, int], cell: float, rng: np.random.Generator, octaves: int = 3
) -> np.ndarray:
    """Noise with finer and weaker noise on it, as clouds have; standard deviation about 0.8."""
    total = noise(shape, cell, rng)
    for octave in range(1, octaves):
        total = total + noise(shape, cell / 2**octave, rng) * np.float32(0.5**octave)
    return total


def honeycomb(
    shape: tuple[int, int],
    pitch: float,
    disorder: float,
    rng: np.random.Generator,
    width: float = 1.0,
) -> np.ndarray:
    """A mesh of lines around holes: about 1 on the lines, 0 in the holes.

    Three waves at 120 degrees add up to a hexagonal pattern of spots. Their valleys are the mesh;
    noise bends it, by `disorder` in units of the pitch. Below 3 pixels a pitch there is nothing to
    see and the field is even.

    Args:
        pitch: from hole to hole, in pixels.
        width: of the lines; 1 makes them about as wide as the holes.
    """
    if pitch < 3:
        return np.full(shape, 0.4 * width, np.float32)
    x = np.arange(shape[1], dtype=np.float32)[None, :]
    y = np.arange(shape[0], dtype=np.float32)[:, None]
    x = x + noise(shape, 2 * pitch, rng) * np.float32(disorder * pitch)
    y = y + noise(shape, 2 * pitch, rng) * np.float32(disorder * pitch)
    frequency = 4 * np.pi / (np.sqrt(3) * pitch)
    turn = rng.uniform(0, np.pi)
    total = np.zeros(shape, np.float32)
    for angle in turn + np.array([0, 2, 4]) * np.pi / 3:
        along, across = np.float32(frequency * np.cos(angle)), np.float32(frequency * np.sin(angle))
        total += np.cos(x * along + y * across)
    return smooth_step(total, 2 * width - 1.1, -1.2)


def scatter(
    where: np.ndarray, number: int, rng: np.random.Generator, apart: float = 0.0
) -> np.ndarray:
    """Up to `number` random points (x, y), likelier where `where` is high, `apart` pixels apart.

    Args:
        where: float (h, w), not below 0.

    Returns:
        float array (n, 2); n may be smaller than `number` where there is no room.
    """
    # A coarse grid is enough for choosing, and quick.
    step = max(1, min(where.shape) // 64)
    weights = np.maximum(where[::step, ::step], 0).astype(np.float64)
    if not weights.sum():
        return np.empty((0, 2))
    tries = number * 3 if apart else number
    chosen = rng.choice(weights.size, size=tries, p=(weights / weights.sum()).ravel())
    points = np.stack([chosen % weights.shape[1], chosen // weights.shape[1]], 1) * step
    points = points + rng.uniform(0, step, points.shape)
    if not apart:
        return points
    kept = np.empty((number, 2))
    count = 0
    for point in points:
        if count < number and (((kept[:count] - point) ** 2).sum(1) >= apart**2).all():
            kept[count] = point
            count += 1
    return kept[:count]


def _fixed(values: np.ndarray) -> np.ndarray:
    """Coordinates in sixteenths of a pixel, which OpenCV's drawing takes with shift=4."""
    return np.round(np.asarray(values) * 16).astype(np.int32)


def discs(
    shape: tuple[int, int],
    points: np.ndarray,
    radii: np.ndarray,
    stretch: float = 1.0,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Filled discs, or ellipses up to `stretch` times as long as wide, as a map from 0 to 1.

    Discs smaller than a pixel are drawn fainter instead.
    """
    drawn = np.zeros(shape, np.uint8)
    for point, radius in zip(points, radii, strict=True):
        centre = _fixed(point).tolist()
        grey = int(255 * min(1.0, (radius / 0.6) ** 2))
        if rng is None or stretch == 1:
            cv2.circle(drawn, centre, int(radius * 16), grey, -1, cv2.LINE_AA, 4)
        else:
            long = radius * rng.uniform(1, stretch)
            axes = _fixed([long, radius]).tolist()
            cv2.ellipse(drawn, centre, axes, rng.uniform(0, 180), 0, 360, grey, -1, cv2.LINE_AA, 4)
    return drawn.astype(np.float32) / 255


def strokes(
    shape: tuple[int, int], lines: list[np.ndarray], widths: list[float], taper: bool = False
) -> np.ndarray:
    """Polylines, each (n, 2) of x and y, as a map from 0 to 1.

    Lines thinner than a pixel are drawn fainter instead. With `taper` they end at half the width.
    """
    drawn = np.zeros(shape, np.uint8)
    for line, width in zip(lines, widths, strict=True):
        pieces = ((line, width),)
        if taper:
            third = len(line) // 3
            pieces = (
                (line[2 * third :], width / 2),
                (line[third : 2 * third + 1], width * 0.75),
                (line[: third + 1], width),
            )
        for piece, thick in pieces:
            grey = int(255 * np.clip(thick, 0.2, 1))
            cv2.polylines(drawn, [_fixed(piece)], False, grey, max(1, round(thick)), cv2.LINE_AA, 4)
    return drawn.astype(np.float32) / 255


def winding(
    start: np.ndarray,
    angle: float,
    length: float,
    bend: float,
    rng: np.random.Generator,
    points: int = 12,
    curl: float = 0.0,
) -> np.ndarray:
    """A winding line (points, 2) from `start`, heading for `angle`.

    Args:
        length: in pixels.
        bend: standard deviation of the turn at each point, in radians.
        curl: the even turn over the whole line, in radians.
    """
    angles = angle + np.cumsum(rng.normal(0, bend, points - 1)) + np.linspace(0, curl, points - 1)
    steps = np.stack([np.cos(angles), np.sin(angles)], 1) * (length / (points - 1))
    return np.vstack([start, start + np.cumsum(steps, 0)])


def blur(field: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur; below 0.3 pixels nothing happens."""
    return field if sigma < 0.3 else cv2.GaussianBlur(field, (0, 0), sigma)
