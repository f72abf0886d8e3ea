"""A first look at images: their sizes, brightness and colour."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.progress import track
from lesions.data import datasets


def image_statistics(table: pd.DataFrame) -> pd.DataFrame:
    """Decode every image once and measure it.

    Args:
        table: with the columns image_id and path.

    Returns:
        one row an image that can be read: image_id, width and height in pixels, brightness (mean
        of all pixels, 0 to 255), and the means of red, green and blue, 0 to 255.
    """

    def measure(image_id: str, path: str) -> tuple | None:
        try:
            image = datasets.read_image(path)
        except LesionsError:
            return None  # `datasets.validate` reports it
        red, green, blue = image.reshape(-1, 3).mean(axis=0)
        height, width = image.shape[:2]
        return image_id, width, height, np.mean([red, green, blue]), red, green, blue

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(measure, table["image_id"], table["path"])
        found = [row for row in track(results, "measuring images", len(table)) if row]
    columns = ["image_id", "width", "height", "brightness", "red", "green", "blue"]
    return pd.DataFrame(found, columns=columns)
