"""Where the criteria of a drawn picture lie: drawn again, with each criterion's change noted."""

from collections.abc import Collection

import cv2
import numpy as np

from lesions.core.progress import track
from lesions.sample import cameras, planting, synthetic
from lesions.settings.parameters import Settings

# What counts as most of a change: this quantile of it, where there is any.
STRONG = 0.99


def places_of(image_ids: Collection[str], settings: Settings) -> dict[str, dict[str, np.ndarray]]:
    """How strongly each criterion was drawn at each pixel of some pictures of the sample.

    Args:
        image_ids: their names. Copies of other pictures, and names that are not in the sample, are
            left out.
        settings: SAMPLE_IMAGES, SAMPLE_WIDTH and SAMPLE_SEED say which sample.

    Returns:
        by image_id and criterion, uint8 (height, width): 0 where it changed nothing, 255 where it
        changed the colours most. A criterion too fine for the picture is not there.
    """
    plan = planting.plan(settings.SAMPLE_IMAGES, settings.SAMPLE_SEED)
    drawn = plan[plan["image_id"].isin(image_ids) & ~plan["plant"].isin(planting.COPIES)]
    size = settings.SAMPLE_WIDTH * 3 // 4, settings.SAMPLE_WIDTH
    found: dict[str, dict[str, np.ndarray]] = {}
    lesions = drawn.groupby("lesion", sort=False)
    for _, rows in track(lesions, "drawing again", lesions.ngroups):
        canvas, _ = synthetic.canvas_of(rows.iloc[0], size, settings.SAMPLE_SEED, places=True)
        for row in rows.itertuples():
            rng = synthetic.view_seed(settings.SAMPLE_SEED, row)
            view = cameras.view_matrix(canvas.mask.shape, size, rng, row.view == 0)
            seen = {name: _seen(change, view, size) for name, change in canvas.places.items()}
            found[row.image_id] = {name: grey for name, grey in seen.items() if grey.any()}
    return found


def _seen(change: np.ndarray, view: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A criterion's change as a photograph shows it, uint8 (height, width)."""
    seen = cv2.warpAffine(np.float32(change), view, size[::-1], flags=cv2.INTER_LINEAR)
    there = seen[seen > 1e-6]
    most = np.quantile(there, STRONG) if there.size else 1.0
    return (255 * np.clip(seen / most, 0, 1)).astype(np.uint8)
