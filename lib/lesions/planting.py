"""The sample's planted truth: which pictures are copies, look-alikes, misfiled or broken."""

import cv2
import numpy as np
import pandas as pd

from lesions.population import make_lesions

# Columns of truth.csv, one row a picture or table row.
TRUTH = [
    "image_id", "file", "in_table", "readable", "lesion_id", "lesion", "dx", "plant", "source",
    "view", "criteria", "artefacts",
]  # fmt: skip
COPIES = ("exact_copy", "reencoded", "resized", "cropped", "brightness", "mirrored")
# In this order, so that the smallest samples have the first two.
BROKEN = ("truncated", "no_file", "empty", "wrong_format", "not_an_image", "wrong_name")


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
    each = max(1, round(images * 0.005))  # copies of each kind, look-alikes, misfiled lesions
    orphans = max(1, images // 500)
    lesions = make_lesions(images - each * (len(COPIES) + 1) + orphans, rng)
    lesions["form"] = lesions["detail"] = np.arange(len(lesions))
    lesions["plant"] = lesions["like"] = ""
    lesions = _add_look_alikes(lesions, each, rng)
    lesions["lesion"] = [f"L{number:06d}" for number in range(len(lesions))]

    rows = lesions.loc[lesions.index.repeat(lesions["photographs"])].reset_index(drop=True)
    rows["view"] = rows.groupby("lesion").cumcount()
    rows["lesion_id"] = rows["lesion"].map(_shuffled_ids("SYNL", lesions["lesion"], rng))
    rows["key"] = np.arange(len(rows))
    rows["source"] = -1
    rows = _add_copies(rows, each, rng)
    rows = _misfile(rows, each, rng)
    rows["image_id"] = rows["key"].map(_shuffled_ids("SYN", rows["key"], rng))
    names = rows.set_index("key")["image_id"]
    rows["source"] = rows["source"].map(names).fillna("")
    look_alike = rows["plant"] == "look_alike"
    firsts = rows[rows["view"] == 0].drop_duplicates("detail").set_index("detail")["image_id"]
    rows.loc[look_alike, "source"] = rows.loc[look_alike, "form"].map(firsts)
    rows = _break(rows, images, orphans, rng)
    order = rows["lesion"].map({name: i for i, name in enumerate(lesions["lesion"])})
    return rows.iloc[np.lexsort([rows["key"], order])].reset_index(drop=True)


def _shuffled_ids(prefix: str, keys: pd.Series, rng: np.random.Generator) -> dict:
    """A made-up id for each key; ids say nothing about what they name, as in HAM10000."""
    numbers = rng.permutation(len(keys)) + 1
    return {key: f"{prefix}_{number:07d}" for key, number in zip(keys, numbers, strict=True)}


def _add_look_alikes(lesions: pd.DataFrame, number: int, rng: np.random.Generator) -> pd.DataFrame:
    """Other nevi of the same form, colour and view, but with details of their own."""
    single = lesions.index[(lesions["photographs"] == 1) & (lesions["dx"] == "nv")]
    chosen = lesions.loc[rng.choice(single, number, replace=False)].copy()
    chosen["detail"] = len(lesions) + np.arange(number)
    chosen["plant"] = "look_alike"
    return pd.concat([lesions, chosen], ignore_index=True)


def _add_copies(rows: pd.DataFrame, each: int, rng: np.random.Generator) -> pd.DataFrame:
    """Copies of pictures: of each kind, every other one under a lesion_id of its own."""
    sources = rows[rows["plant"] == ""].sample(each * len(COPIES), random_state=rng)
    copies = sources.copy()
    copies["plant"] = np.tile(COPIES, each)
    copies["source"] = sources["key"]
    copies["key"] = len(rows) + np.arange(len(copies))
    for turn, row in enumerate(copies.index):
        if turn // len(COPIES) % 2:
            copies.loc[row, "lesion_id"] = f"SYNL_{900_000 + turn:07d}"
    return pd.concat([rows, copies], ignore_index=True)


def _misfile(rows: pd.DataFrame, number: int, rng: np.random.Generator) -> pd.DataFrame:
    """One photograph of some lesions stands under a second lesion_id."""
    again = rows.index[(rows["view"] == 1) & (rows["plant"] == "")]
    chosen = rng.choice(again, min(number, len(again)), replace=False)
    rows.loc[chosen, "plant"] = "two_lesion_ids"
    rows.loc[chosen, "lesion_id"] = [f"SYNL_{950_000 + turn:07d}" for turn in range(len(chosen))]
    firsts = rows[rows["view"] == 0].drop_duplicates("lesion").set_index("lesion")["key"]
    rows.loc[chosen, "source"] = rows.loc[chosen, "lesion"].map(firsts)
    return rows


def _break(rows: pd.DataFrame, images: int, orphans: int, rng: np.random.Generator) -> pd.DataFrame:
    """Break about one file in a hundred, and take some pictures out of the table.

    Only single photographs of nevi with nothing else planted are broken: there are plenty.
    """
    rows["file"] = rows["image_id"] + ".jpg"
    rows["in_table"] = rows["readable"] = True
    taken = set(rows["source"])
    free = rows[(rows["plant"] == "") & (rows["dx"] == "nv") & (rows["photographs"] == 1)]
    free = free[~free["image_id"].isin(taken)]
    broken = -(-images // 100)
    chosen = rng.choice(free.index, broken + orphans, replace=False)
    rows.loc[chosen[:broken], "plant"] = [BROKEN[i % len(BROKEN)] for i in range(broken)]
    rows.loc[chosen[broken:], "plant"] = "no_row"
    rows.loc[chosen[broken:], "in_table"] = False
    rows.loc[rows["plant"] == "no_file", "file"] = ""
    wrong = rows["plant"] == "wrong_name"
    rows.loc[wrong, "file"] = rows.loc[wrong, "image_id"] + "_edited.jpg"
    rows.loc[rows["plant"].isin(["truncated", "no_file", "empty", "not_an_image"]), "readable"] = (
        False
    )
    return rows


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
