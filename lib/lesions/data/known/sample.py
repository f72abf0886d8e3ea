"""The sample: drawn by a program, with its truth known."""

from pathlib import Path

from lesions.data.known import Source
from lesions.settings.parameters import Settings


def draw(settings: Settings) -> Path:
    """The folder of the sample that SAMPLE_IMAGES, SAMPLE_WIDTH and SAMPLE_SEED name."""
    from lesions.sample import synthetic  # slow to import, and not needed to list the datasets

    return synthetic.sample_folder(
        images=settings.SAMPLE_IMAGES,
        width=settings.SAMPLE_WIDTH,
        height=settings.SAMPLE_WIDTH * 3 // 4,
        seed=settings.SAMPLE_SEED,
    )


SOURCE = Source("drawn images, with HAM10000's columns and statistics", draw=draw)
