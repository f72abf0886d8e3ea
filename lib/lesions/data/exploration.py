"""A first look: sizes, brightness and colour of images; photographs a lesion, cohort by cohort."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.progress import track
from lesions.data import datasets
from lesions.sample import population

TOGETHER = "all together"


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


def lesions_of(table: pd.DataFrame) -> pd.DataFrame:
    """One row a lesion: images (how many), dx and dataset, the source cohort; by lesion_id."""
    groups = table.groupby("lesion_id")
    return groups.agg(images=("image_id", "size"), dx=("dx", "first"), dataset=("dataset", "first"))


def counted_lesions() -> pd.DataFrame:
    """The 7,470 lesions of HAM10000 as `lesions_of` gives them, from the counts in the course.

    Their order means nothing, and nothing but these three columns is known of each.
    """
    rows = []
    for place, counted in population.counts()["photographs by dx / dx_type / dataset"].items():
        dx, _, dataset = place.split(" / ")
        for images, lesions in counted.items():
            rows += [(int(images), dx, dataset)] * lesions
    return pd.DataFrame(rows, columns=["images", "dx", "dataset"])


def several_within(lesions: pd.DataFrame) -> pd.DataFrame:
    """Which share of the lesions has several images, in percent: of all, and of each cohort.

    Args:
        lesions: from `lesions_of` or `counted_lesions`.

    Returns:
        a column a diagnosis; the first row is TOGETHER, then a row a cohort, the largest first.
        NaN where a cohort has no lesion of a diagnosis.
    """
    several = 100.0 * (lesions["images"] > 1)
    together = several.groupby(lesions["dx"]).mean().rename(TOGETHER).to_frame().T
    within = several.groupby([lesions["dataset"], lesions["dx"]]).mean().unstack()
    within = within.loc[lesions["dataset"].value_counts().index]
    return pd.concat([together, within]).rename_axis(index="cohort", columns="dx")
