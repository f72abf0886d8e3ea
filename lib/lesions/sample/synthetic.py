"""Makes the sample: a folder that reads like HAM10000, drawn from scratch, with its truth known."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from lesions.core import cache, files
from lesions.core.errors import LesionsError
from lesions.core.progress import track
from lesions.sample import cameras, drawing, planting, population

JPEG_QUALITY = 92


def recipe(images: int, width: int, height: int, seed: int) -> dict:
    """What a sample is made from. Equal recipes make equal bytes (on one machine)."""
    counts = population.COUNTS.read_text(encoding="utf-8")
    made_by = {"code": cache.code_key(make_sample), "counts": cache.digest(counts)}
    return {"images": images, "width": width, "height": height, "seed": seed, **made_by}


def sample_folder(images: int = 1500, width: int = 300, height: int = 225, seed: int = 0) -> Path:
    """The folder of this sample in the cache (`data/cache/samples`), made first if need be."""
    name = cache.digest(recipe(images, width, height, seed))
    return make_sample(files.CACHE / "samples" / name, images, width, height, seed)


def is_made(folder: Path, wanted: dict) -> bool:
    """True if `folder` holds a whole sample made by the recipe `wanted`."""
    try:
        found = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
        count = sum(1 for _ in (folder / "images").iterdir())
    except (OSError, ValueError):
        return False
    return found.get("recipe") == wanted and found.get("files") == count


def make_sample(
    folder: Path, images: int = 1500, width: int = 300, height: int = 225, seed: int = 0
) -> Path:
    """Make the sample in `folder`, unless it is there already; returns `folder`.

    The folder holds `HAM10000_metadata.csv` (HAM10000's eight columns), `images/<image_id>.jpg`,
    `masks/<image_id>_segmentation.png` (uint8, 0 or 255), `truth.csv` (see `planting.TRUTH`) and
    `recipe.json`. It is written whole or not at all. The number of threads changes nothing in it.

    Args:
        folder: where to; it must not exist, or be empty, or hold an older sample.
        images: rows of the table, at least 120.
        width, height: of the pictures, in pixels, at least 32.
        seed: another seed, other patients.

    Raises:
        LesionsError: a number is too small, the folder holds something else, or the disk is full.
    """
    folder = Path(folder)
    if images < 120 or min(width, height) < 32:
        raise LesionsError(
            f"A sample needs at least 120 images of at least 32 x 32 pixels; got {images} of "
            f"{width} x {height}."
        )
    wanted = recipe(images, width, height, seed)
    if is_made(folder, wanted):
        return folder
    if folder.exists() and not (folder / "recipe.json").exists() and any(folder.iterdir()):
        raise LesionsError(
            f"{folder} holds other files, and a sample would take their place; give another folder."
        )
    with files.atomic(folder) as partial:
        _write_sample(partial, planting.plan(images, seed), (height, width), seed)
        count = sum(1 for _ in (partial / "images").iterdir())
        note = {"recipe": wanted, "files": count, "note": "Drawn, not photographed."}
        files.write_json(partial / "recipe.json", note)
    return folder


def _write_sample(folder: Path, plan: pd.DataFrame, size: tuple[int, int], seed: int) -> None:
    """Draw all pictures of the plan and write them with their tables."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    by_lesion = [rows for _, rows in plan.groupby("lesion", sort=False)]
    pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1))
    try:
        # NumPy and OpenCV let go of Python's lock while they work, so threads are enough.
        done = pool.map(lambda rows: _draw_lesion(folder, rows, size, seed), by_lesion)
        drawn = pd.concat(track(done, "Drawing the sample", len(by_lesion)))
    finally:
        pool.shutdown(cancel_futures=True)
    plan = plan.join(drawn)
    table = plan[plan["in_table"]].sort_values("image_id")[population.COLUMNS]
    table.to_csv(folder / "HAM10000_metadata.csv", index=False)
    plan.sort_values("image_id")[planting.TRUTH].to_csv(folder / "truth.csv", index=False)


def canvas_of(
    lesion: pd.Series, size: tuple[int, int], seed: int, places: bool = False
) -> tuple[drawing.Canvas, float]:
    """The canvas of a lesion, and pixels a millimetre: the same for the same row and seed.

    Args:
        lesion: a row of `planting.plan`.
        size: height and width of its pictures.
        seed: of the sample.
        places: whether to note where each criterion is drawn.
    """
    form = np.random.default_rng([seed, 1, lesion["form"]])
    detail = np.random.default_rng([seed, 2, lesion["detail"]])
    mm = size[1] / form.uniform(*cameras.CAMERAS[lesion["dataset"]].field)
    shape = (int(size[0] * drawing.MARGIN), int(size[1] * drawing.MARGIN))
    skin = drawing.skin_of(lesion["sex"], lesion["age"], lesion["localization"], form)
    return drawing.draw_canvas(lesion["dx"], shape, mm, skin, form, detail, places), mm


def view_seed(seed: int, picture: pd.Series) -> np.random.Generator:
    """The random numbers of one photograph of a lesion."""
    return np.random.default_rng([seed, 3, picture.form, picture.view])


def _draw_lesion(
    folder: Path, rows: pd.DataFrame, size: tuple[int, int], seed: int
) -> pd.DataFrame:
    """Draw and write all pictures of one lesion; returns their criteria and artefacts."""
    canvas, mm = canvas_of(rows.iloc[0], size, seed)
    camera = cameras.CAMERAS[rows["dataset"].iloc[0]]
    pictures: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    notes = {}
    for row in rows.itertuples():
        if row.plant in planting.COPIES:
            rng = np.random.default_rng([seed, 4, row.detail, row.Index])
            content, mask = planting.copy(row.plant, *pictures[row.source], rng)
        else:
            rng = view_seed(seed, row)
            picture, mask, artefacts = cameras.photograph(
                canvas.density, canvas.mask, size, camera, mm, rng, row.view == 0
            )
            content = planting.encode(picture, JPEG_QUALITY)
        pictures[row.image_id] = content, mask
        notes[row.Index] = " ".join(canvas.criteria), " ".join(artefacts)
        content = planting.damage(row.plant, content)
        if row.file:
            (folder / "images" / row.file).write_bytes(content)
        cv2.imwrite(str(folder / "masks" / f"{row.image_id}_segmentation.png"), mask)
    return pd.DataFrame.from_dict(notes, orient="index", columns=["criteria", "artefacts"])
