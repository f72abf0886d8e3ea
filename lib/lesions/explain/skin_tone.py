"""How light is the skin in an image? The individual typology angle, from the skin outside the mask.

ITA = arctan((L* - 50) / b*) in degrees (Chardon and others 1991); the six groups are those of Del
Bino and Bernerd (2013). On dermatoscopic images it is a rough guess: lamp, filter and gel are not
calibrated, and the skin around a lesion is not the patient's tone. So it counts, and does not
measure (Kinyanjui and others 2020 use it so on ISIC's images).
"""

import cv2
import numpy as np
import pandas as pd

from lesions.explain.shift import Chosen, scores_of

# From this angle up, in degrees.
GROUPS = {"very light": 55, "light": 41, "intermediate": 28, "tan": 10, "brown": -30, "dark": -91}
MARGIN = 0.04  # of the width, left out around the lesion
DARK_CORNER = 12  # L* below is the plate, or a hair; the darkest skin has some 18
LEAST_SKIN = 0.02  # share of the image that must be skin
LEAST_LESIONS = 10  # fewer get no interval
COLUMNS = ("tone", "images", "lesions", "metric", "value", "low", "high")


def angle(image: np.ndarray, mask: np.ndarray) -> float:
    """The ITA of an image in degrees, by the median skin pixel; NaN where no skin is left.

    Args:
        image: uint8 (height, width, 3), RGB.
        mask: bool (height, width), True in the lesion.
    """
    reach = 2 * max(1, round(MARGIN * image.shape[1])) + 1
    near = cv2.dilate(mask.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    lab = cv2.cvtColor(np.float32(image) / 255, cv2.COLOR_RGB2LAB)
    skin = lab[~near & (lab[..., 0] > DARK_CORNER)]
    if len(skin) < LEAST_SKIN * mask.size or not mask.any():
        return np.nan
    lightness, blue_to_yellow = np.median(skin[:, 0]), np.median(skin[:, 2])
    # Skin is yellowish; bluish light would turn the angle round.
    return float(np.degrees(np.arctan2(lightness - 50, max(blue_to_yellow, 1e-3))))


def angles(pixels: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """`angle` of each image, float64 (n,)."""
    return np.array([angle(image, mask) for image, mask in zip(pixels, masks, strict=True)])


def groups(angles: np.ndarray) -> pd.Series:
    """The names of the groups that angles fall in; "unknown" where there is none."""
    edges = [91, *GROUPS.values()]
    found = pd.cut(pd.Series(angles), edges[::-1], right=False, labels=list(GROUPS)[::-1])
    return found.astype(object).where(found.notna(), "unknown")


def by_tone(found: pd.DataFrame, tones: pd.Series, chosen: Chosen, n: int = 500) -> pd.DataFrame:
    """Scores by group of skin tone, with counts; all groups are listed, the empty ones too.

    Args:
        found: answers to the images as they are, from `shift.answered`.
        tones: from `groups`, one an image.

    Returns:
        tone, images, lesions, metric, value, low, high; no score for an empty group, no interval
        for one of fewer than ten lesions.
    """
    lines = []
    for tone in [*GROUPS, "unknown"]:
        part = found[(tones == tone).to_numpy()]
        size = len(part), part["lesion_id"].nunique()
        if part.empty:
            lines.append((tone, 0, 0, "accuracy", np.nan, np.nan, np.nan))
            continue
        for name, (value, low, high) in scores_of(part, chosen, n).items():
            limits = (low, high) if size[1] >= LEAST_LESIONS else (np.nan, np.nan)
            lines.append((tone, *size, name, value, *limits))
    return pd.DataFrame(lines, columns=list(COLUMNS))
