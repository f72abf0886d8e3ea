"""Small made-up datasets for the tests: the layouts that people have, and faulty images."""

import io
import os
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from hypothesis import strategies as st
from PIL import Image

from lesions.data.pixel_store import to_square
from lesions.duplicates.groups import groups_of
from lesions.experiments import search_data
from lesions.settings.parameters import Settings
from lesions.splits import handover
from lesions.training import run_records

COLUMNS = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "dataset"]
CLASSES = ["nv", "mel", "bkl", "bcc", "akiec", "vasc", "df"]


def pixels(seed: int, width: int = 40, height: int = 30) -> np.ndarray:
    """A smooth coloured picture, RGB uint8 (height, width, 3), another one for each seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def jpeg(seed: int, **size: int) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(pixels(seed, **size), cv2.COLOR_RGB2BGR))[1].tobytes()


def saved(image: Image.Image, kind: str, **options) -> bytes:
    """The bytes of a Pillow image saved as `kind`."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def rows(count: int) -> list[dict[str, str]]:
    """Table rows: images 2k and 2k+1 show one lesion; half of the lesions are nv."""
    made = []
    for number in range(count):
        lesion = number // 2
        dx = "nv" if lesion % 2 else CLASSES[lesion // 2 % len(CLASSES)]
        made.append(
            {
                "lesion_id": f"HAM_{lesion:07d}",
                "image_id": f"ISIC_{24000 + number:07d}",
                "dx": dx,
                "dx_type": "histo",
                "age": str(float(5 * (number % 17))) if number % 9 else "",
                "sex": ["male", "female"][lesion % 2],
                "localization": "back",
                "dataset": "rosendahl",
            }
        )
    return made


def as_csv(table: list[dict[str, str]], columns: list[str] = COLUMNS, separator: str = ",") -> str:
    lines = [separator.join(columns)]
    lines += [separator.join(row[column] for column in columns) for row in table]
    return "\n".join(lines) + "\n"


def dataset(folder: Path, count: int = 12, layout: str = "flat") -> Path:
    """Write a dataset in one of the layouts that people have; returns its folder.

    Layouts: zips (the record as downloaded), kaggle (unpacked in two folders, 7 columns), lower
    (the same in lower case), flat (all in the folder), images (in images/), nested (in archive/,
    two folders deep), one_zip (everything in one unopened zip), mixed (one zip unpacked, one not).
    """
    table = rows(count)
    half = count // 2
    parts = {"HAM10000_images_part_1": table[:half], "HAM10000_images_part_2": table[half:]}
    table_name = "HAM10000_metadata"
    columns = COLUMNS
    contents: dict[str, bytes] = {}
    for part, members in parts.items():
        for row in members:
            name = f"{row['image_id']}.jpg"
            place = {
                "kaggle": f"{part}/{name}",
                "lower": f"{part.lower()}/{name}",
                "images": f"images/{name}",
                "nested": f"archive/{part}/{part}/{name}",
                "one_zip": f"{part}/{name}",
                "mixed": f"{part}/{name}" if part.endswith("1") else "",
            }.get(layout, name if layout == "flat" else "")
            if place:
                contents[place] = jpeg(int(row["image_id"][5:]))
    if layout in ("kaggle", "lower"):
        table_name, columns = "HAM10000_metadata.csv", COLUMNS[:-1]
    if layout == "lower":
        table_name = table_name.lower()
    if layout == "nested":
        table_name = "archive/metadata.csv"
    contents[table_name] = as_csv(table, columns).encode()
    folder.mkdir(parents=True, exist_ok=True)
    if layout in ("zips", "mixed"):
        for part, members in parts.items():
            if layout == "zips" or part.endswith("2"):
                with zipfile.ZipFile(folder / f"{part}.zip", "w") as archive:
                    for row in members:
                        data = jpeg(int(row["image_id"][5:]))
                        archive.writestr(f"{row['image_id']}.jpg", data)
    if layout == "one_zip":
        with zipfile.ZipFile(folder / "skin-cancer.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in contents.items():
                archive.writestr(name, data)
        return folder
    for name, data in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


LAYOUTS = ["zips", "kaggle", "lower", "flat", "images", "nested", "one_zip", "mixed"]

CLASSES_OF = {
    "sex": ["female", "male"],
    "dx": ["bkl", "mel", "nv"],
    "dx_type": ["consensus", "histo"],
    "localization": ["back", "face"],
}


def made_table(images: int, seed: int = 0, classes: int = 7) -> pd.DataFrame:
    """Lesions of one to six images with skewed classes, as in HAM10000; rows in random order."""
    rng = np.random.default_rng(seed)
    sizes = rng.choice([1, 2, 3, 4, 6], images, p=[0.7, 0.18, 0.08, 0.03, 0.01])
    lesion = np.repeat(np.arange(images), sizes)[:images]
    shares = 0.5 ** np.arange(classes)
    label = rng.choice(classes, images, p=shares / shares.sum())[lesion]
    table = pd.DataFrame(
        {
            "lesion_id": [f"L{number}" for number in lesion],
            "image_id": [f"I{number}" for number in range(images)],
            "dx": [f"class {number}" for number in label],
            "dataset": rng.choice(["a", "b", "c"], images)[lesion],
        }
    )
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)


def made_groups(table: pd.DataFrame, pairs: int, seed: int = 0) -> pd.Series:
    """Duplicates between random images."""
    rng = np.random.default_rng(seed)
    ids = table["image_id"].to_numpy()
    chosen = pd.DataFrame(
        {"image_a": rng.choice(ids, pairs), "image_b": rng.choice(ids, pairs)}, dtype=str
    )
    return groups_of(ids, chosen)


def about_run(**changes) -> run_records.About:
    """What a run record says of itself; given with other values where they matter."""
    told = {"model": "cnn", "target": "dx", "protocol": "honest", "init": "scratch",
            "classes": CLASSES_OF["dx"], "weights": 10, "train_rows": 70, "epochs": 1,
            "seconds": 1.0, "settings": Settings().deciding()}  # fmt: skip
    return run_records.About(**told | changes)


def write_record(folder, model, target, protocol, right: float, init="scratch"):
    """A record whose predictions are right for this share of the test rows."""
    classes = CLASSES_OF[target]
    truth = np.array(classes)[np.arange(100) % len(classes)]
    wrong = np.roll(truth, 1)
    answer = np.where(np.arange(100) < 100 * right, truth, wrong)
    table = pd.DataFrame({"image_id": [f"I{n}" for n in range(100)], "truth": truth})
    table["lesion_id"], table["split"] = table["image_id"], "test"
    for name in classes:
        table[f"p_{name}"] = np.where(answer == name, 0.8, 0.2 / (len(classes) - 1))
    about = about_run(
        model=model, target=target, protocol=protocol, init=init, classes=classes,
        settings=Settings(EPOCHS=3, EPOCH_SAMPLES=1500).deciding(),
    )  # fmt: skip
    history = pd.DataFrame({"epoch": [1], "loss": [1.0], "val_loss": [1.0]})
    record = run_records.folder_of(folder, protocol, target, model, 0)
    return run_records.write(record, "key", about, table, history)


# Labels and ids as people have them, and as nobody should.
HARD_TEXTS = [
    "0", "1", "01", "1.0", "1e3", "1000", "TRUE", "False", "N/A", "NULL", "nan", "None", "NaT",
    "2020-01-01", "-", "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'=1", "''", "'", "a,b", 'a"b', '"',
    "a;b", "a\nb", "a\r\nb", "a\rb", " a", "a ", "é", "e\u0301", "\u202eabc", "日本", "\U0001f600",
    "..", ".", "../../x", "/etc/passwd", "C:\\x", "a/b", "a\\b", "CON", "con.txt", "LPT1", "aux .x",
    "x.", "x ", ".hidden", "-rf", "<script>alert(1)</script>", "&amp;", "a" * 300, "ü" * 300,
    "a\0b",
    "\x1b[31m", "mel", "Mel", "MEL", "all", "unknown", "train", "x.zip", "\u0130", "ß", "ss", "¹",
    "COM\u00b9", "%s", "{0}", "$HOME", "`x`", "*", "?", "|", "inf", "1_000", "\u0661",
]  # fmt: skip


def texts(least: int = 0) -> st.SearchStrategy[str]:
    """Any text that a file can hold, and often one of `HARD_TEXTS`."""
    any_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=least, max_size=20)
    return st.one_of(st.sampled_from([t for t in HARD_TEXTS if len(t) >= least]), any_text)


def grey_images(folder: Path) -> pd.DataFrame:
    """Ten images of 40 x 30 pixels in a folder; image number n has the grey value 20 n."""
    rows = []
    for number in range(10):
        path = folder / f"IMG_{number}.png"
        cv2.imwrite(str(path), np.full((30, 40, 3), 20 * number, np.uint8))
        rows.append({"image_id": f"IMG_{number}", "path": str(path), "dx": "nv"})
    return pd.DataFrame(rows)


# A small profile, made without any training.
PROFILE_SIZE, PROFILE_IMAGES = 32, 120
PROFILE_CLASSES = {3: ["=a|b <i>", "mel", "nv"], 2: ["mel", "nv"]}


def plain_network(classes: int):
    """An untrained network with one dense layer, for images of PROFILE_SIZE."""
    from lesions.networks.backend import keras

    keras.utils.set_random_seed(classes)
    images = keras.Input((PROFILE_SIZE, PROFILE_SIZE, 3))
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(8)(images))
    last = {"units": 1, "activation": "sigmoid"} if classes == 2 else {
        "units": classes, "activation": "softmax"}  # fmt: skip
    return keras.Model(images, keras.layers.Dense(**last)(x))


def profile(folder, classes: int = 3, geometry: str = "squash", protocol: str = "honest"):
    """A profile's folder with splits, pixels, photographs and one record; the record's folder."""
    from lesions.training import fitting

    names, ids = PROFILE_CLASSES[classes], [f"IMG_{n}" for n in range(PROFILE_IMAGES)]
    settings = Settings(
        IMAGE_SIZE=PROFILE_SIZE, GEOMETRY=geometry, PROFILE="t", folder=folder / "t"
    )
    (folder / "pictures").mkdir(parents=True)
    squares = []
    for number, name in enumerate(ids):
        image = pixels(number, width=64, height=48)
        Image.fromarray(image).save(folder / "pictures" / f"{name}.png")
        squares.append(to_square(image, PROFILE_SIZE, geometry))
    cache = folder / "pixels-key"
    cache.mkdir()
    np.save(cache / "pixels.npy", np.stack(squares))
    pd.DataFrame({"image_id": ids}).to_csv(cache / "image_ids.csv", index=False)
    rows = pd.DataFrame({"image_id": ids, "lesion_id": ids})
    rows["label"] = np.array(names, dtype=object)[np.arange(PROFILE_IMAGES) % classes]
    rows["split"] = ["train"] * 60 + ["validation"] * 30 + ["test"] * 30
    rows = pd.concat([rows, rows[:20]], ignore_index=True)  # resampled: some stand there twice
    known = rows[:PROFILE_IMAGES].assign(dx=rows["label"], sex="female", age=50.0)
    handover.save_splits(settings, {f"{protocol}-dx": rows}, {protocol: cache}, known)
    model, asked = plain_network(classes), rows[rows["split"] != "train"].reset_index(drop=True)
    p = fitting.probabilities(model, np.float32(squares[60:]) / 255)
    asked["truth"] = asked.pop("label")
    table = pd.concat([asked, pd.DataFrame(p, columns=[f"p_{n}" for n in names])], axis=1)
    about = about_run(model="cnn", classes=names, protocol=protocol,
                      settings=settings.deciding() | {"DATASET": "sample"})  # fmt: skip
    record = run_records.folder_of(settings.folder, protocol, "dx", "cnn", 0)
    return run_records.write(record, "key", about, table, None, {"model": model})


def development(count: int = 96, size: int = 16, seed: int = 0) -> search_data.Development:
    """Small images of three classes by colour, to search with; two images a lesion."""
    rng = np.random.default_rng(seed)
    labels = np.array(["bkl", "mel", "nv"])[np.arange(count) // 2 % 3]
    images = rng.integers(0, 200, (count, size, size, 3), dtype=np.uint8)
    for column, label in enumerate(("bkl", "mel", "nv")):
        images[labels == label, :, :, column] += 25
    ids = pd.Index([f"I{n}" for n in range(count)])
    split = np.array(["train", "train", "validation", "test"])[np.arange(count) // 6 % 4]
    rows = pd.DataFrame({"image_id": ids, "label": labels, "split": split})
    rows["lesion_id"] = [f"L{n // 2}" for n in range(count)]
    groups = rows.set_index("image_id")["lesion_id"]
    return search_data.development(rows, images, ids, groups)


def noted_and_slow(task: int, folder: str) -> int:
    """A task for a cluster: says in a file of the folder who does it, waits for `go`, squares."""
    (Path(folder) / f"{task}-{os.getpid()}").touch()
    while not (Path(folder) / "go").exists():
        time.sleep(0.02)
    return task * task
