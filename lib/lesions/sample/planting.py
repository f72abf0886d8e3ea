"""The sample's planted truth: which pictures are copies, look-alikes, misfiled or broken."""

import cv2
import numpy as np
import pandas as pd

from lesions.sample.population import make_lesions

# Columns of truth.csv, one row a picture, in the table or not:
#   image_id, lesion_id, dx   as in the table
#   file                      its name in images/, empty if there is none
#   in_table                  False for a picture without a row
#   readable                  False if there is no file, or no whole image in it
#   lesion                    the lesion that was drawn, whatever the lesion_id says
#   view                      0 for its first photograph, 1, 2 … for the others
#   plant                     what was planted: one of PLANTS, or empty
#   source                    what it copies, resembles, or shows again: an image_id, or empty
#   criteria, artefacts       names of what was drawn, with spaces between
TRUTH = [
    "image_id", "file", "in_table", "readable", "lesion_id", "lesion", "dx", "view", "plant",
    "source", "criteria", "artefacts",
]  # fmt: skip
COPIES = ("exact_copy", "reencoded", "resized", "cropped", "brightness", "mirrored")
# In this order, so that the smallest samples have the first two.
BROKEN = ("truncated", "no_file", "empty", "wrong_format", "not_an_image", "wrong_name")
PLANTS = (*COPIES, "look_alike", "two_lesion_ids", *BROKEN, "no_row")


def plan(images: int, seed: int) -> pd.DataFrame:
    """Which pictures there will be, before anything is drawn.

    Args:
        images: rows in the table.

    Returns:
        one row a picture: the table's columns, those of `TRUTH` but the last two, and the seeds
        `form` and `detail` of its lesion. A lesion's rows stand together, copies after their
        sources.
    """
    rng = np.random.default_rng([seed, 0, images])
    each = max(1, round(images / 200))  # copies of each kind, look-alikes, misfiled photographs
    orphans = max(1, images // 500)
    lesions = make_lesions(images + orphans - each * (len(COPIES) + 1), rng)
    lesions = _with_look_alikes(lesions, each, rng)
    rows = lesions.loc[lesions.index.repeat(lesions["photographs"])].reset_index(drop=True)
    rows["view"] = rows.groupby("lesion").cumcount()
    # Until the pictures have their ids, they are known by their row number.
    rows["filed"], rows["source"] = rows["lesion"], -1
    _link_look_alikes(rows)
    rows = _with_copies(rows, each, rng)
    _misfile(rows, each, rng)
    _break(rows, images, orphans, rng)
    rows["lesion_id"] = rows["filed"].map(_shuffled_ids("SYNL", rows["filed"].unique(), rng))
    ids = _shuffled_ids("SYN", rows.index, rng)
    rows["image_id"] = rows.index.map(ids)
    rows["source"] = rows["source"].map(ids).fillna("")
    rows["file"] = (
        rows["image_id"] + rows["plant"].map({"wrong_name": "_edited"}).fillna("") + ".jpg"
    )
    rows.loc[rows["plant"] == "no_file", "file"] = ""
    return rows.sort_values("lesion", kind="stable").reset_index(drop=True)


def _shuffled_ids(prefix: str, keys: pd.Index, rng: np.random.Generator) -> dict:
    """A made-up id for each key; ids say nothing about what they name, as in HAM10000."""
    numbers = rng.permutation(len(keys)) + 1
    return {key: f"{prefix}_{number:07d}" for key, number in zip(keys, numbers, strict=True)}


def _with_look_alikes(lesions: pd.DataFrame, number: int, rng: np.random.Generator) -> pd.DataFrame:
    """Add nevi of the same form, colour and view as another one, with details of their own."""
    lesions["plant"] = ""
    lesions["form"] = lesions["detail"] = np.arange(len(lesions))
    single = lesions.index[(lesions["photographs"] == 1) & (lesions["dx"] == "nv")]
    chosen = lesions.loc[rng.choice(single, number, replace=False)].copy()
    chosen["detail"] = len(lesions) + np.arange(number)
    chosen["plant"] = "look_alike"
    lesions = pd.concat([lesions, chosen], ignore_index=True)
    lesions["lesion"] = [f"lesion{number:06d}" for number in lesions["detail"]]
    return lesions


def _link_look_alikes(rows: pd.DataFrame) -> None:
    """Name the picture that each look-alike resembles: that of the lesion with its form."""
    alike = rows["plant"] == "look_alike"
    originals = {form: row for row, form in rows.loc[~alike, "form"].items()}
    rows.loc[alike, "source"] = rows.loc[alike, "form"].map(originals)


def _with_copies(rows: pd.DataFrame, each: int, rng: np.random.Generator) -> pd.DataFrame:
    """Add copies of pictures: of each kind, every other one under a lesion_id of its own."""
    copies = rows[rows["plant"] == ""].sample(each * len(COPIES), random_state=rng)
    copies["source"] = copies.index
    copies["plant"] = np.tile(COPIES, each)
    apart = np.arange(len(copies)) // len(COPIES) % 2 == 1
    copies.loc[apart, "filed"] = [f"copy{turn}" for turn in range(apart.sum())]
    return pd.concat([rows, copies], ignore_index=True)


def _misfile(rows: pd.DataFrame, number: int, rng: np.random.Generator) -> None:
    """File the second photograph of some lesions under another lesion_id."""
    second = rows.index[(rows["view"] == 1) & (rows["plant"] == "")]
    chosen = rng.choice(second, min(number, len(second)), replace=False)
    rows.loc[chosen, "plant"] = "two_lesion_ids"
    rows.loc[chosen, "filed"] = [f"again{turn}" for turn in range(len(chosen))]
    rows.loc[chosen, "source"] = chosen - 1  # the row before is the first photograph


def _break(rows: pd.DataFrame, images: int, orphans: int, rng: np.random.Generator) -> None:
    """Break about one file in a hundred, and take some pictures out of the table.

    Only single photographs of nevi with nothing else planted are broken: there are plenty.
    """
    free = (rows["plant"] == "") & (rows["dx"] == "nv") & (rows["photographs"] == 1)
    free &= ~rows.index.isin(rows["source"])
    broken = -(-images // 100)
    chosen = rng.choice(rows.index[free], broken + orphans, replace=False)
    rows.loc[chosen[:broken], "plant"] = [BROKEN[turn % len(BROKEN)] for turn in range(broken)]
    rows.loc[chosen[broken:], "plant"] = "no_row"
    rows["in_table"] = rows["plant"] != "no_row"
    rows["readable"] = ~rows["plant"].isin(["truncated", "no_file", "empty", "not_an_image"])


def encode(picture: np.ndarray, quality: int) -> bytes:
    """The JPEG file of an RGB picture, uint8 (h, w, 3)."""
    bgr = np.ascontiguousarray(picture[..., ::-1])
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def copy(
    kind: str, content: bytes, mask: np.ndarray, rng: np.random.Generator
) -> tuple[bytes, np.ndarray]:
    """A copy of a JPEG file and its mask, changed as `kind` (one of `COPIES`) says."""
    if kind == "exact_copy":
        return content, mask
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    height, width = mask.shape
    if kind == "reencoded":
        return encode(picture, 75), mask
    if kind == "resized":
        smaller = (round(width * 0.7), round(height * 0.7))
        picture = cv2.resize(np.ascontiguousarray(picture), smaller, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, smaller, interpolation=cv2.INTER_NEAREST)
    elif kind == "cropped":
        top, bottom = (rng.uniform(0.01, 0.05, 2) * height).astype(int) + 1
        left, right = (rng.uniform(0.01, 0.05, 2) * width).astype(int) + 1
        picture = picture[top:-bottom, left:-right]
        mask = mask[top:-bottom, left:-right]
    elif kind == "brightness":
        gain = rng.choice([0.8, 0.88, 1.1])
        picture = np.clip(picture * gain, 0, 255).astype(np.uint8)
    elif kind == "mirrored":
        picture, mask = picture[:, ::-1], np.ascontiguousarray(mask[:, ::-1])
    return encode(picture, 92), mask


def damage(plant: str, content: bytes) -> bytes:
    """The file's bytes, broken as `plant` says; other plants leave them as they are."""
    if plant == "truncated":
        return content[: len(content) * 2 // 5]
    if plant == "empty":
        return b""
    if plant == "not_an_image":
        return b"<html><body>503 Service Unavailable</body></html>\n"
    if plant == "wrong_format":
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        return cv2.imencode(".png", picture)[1].tobytes()
    return content
