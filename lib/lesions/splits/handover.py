"""What notebook 03 leaves for 04 and 05: split rows, the pixel cache's place, folders of links."""

import json
import shutil
from pathlib import Path

import pandas as pd

from lesions.core import tables
from lesions.core.errors import LesionsError
from lesions.core.files import atomic, write_json
from lesions.core.names import inside, safe_names
from lesions.core.progress import track
from lesions.data.metadata import COLUMNS
from lesions.settings.parameters import Settings

# 04 and 05 must be given the same values as 03, or they would train on something else.
SHARED = ("DATASET", "LIMIT", "SEED", "PROTOCOL", "IMAGE_SIZE", "GEOMETRY", "RESAMPLE")
ROWS = tables.Schema("table of split rows", text=("image_id", "lesion_id", "label", "split"))
TABLE = tables.Schema(
    "table of the images",
    text=tuple(name for name in COLUMNS if name != "age"),
    numbers=("age",),
    optional=("dx_type", "age", "sex", "localization", "dataset"),
)
NAMES = tables.Schema("table of names", text=("kind", "name", "text"))


def link_folders(rows: pd.DataFrame, files: dict[str, Path], folder: Path) -> Path:
    """Lay images out as split/class/image.jpg, as links, for `image_dataset_from_directory`.

    Folders and files get names that are safe on every system; `names.csv` beside them says which
    label or image each stands for, where it is not the name itself. Where no links can be made the
    files are copied.

    Args:
        rows: image_id, label, split. Repeated images get one link.
        files: the real file of each image_id.
        folder: made anew, whole or not at all.
    """
    labels, ids = safe_names(rows["label"]), safe_names(rows["image_id"])
    parts = safe_names(rows["split"])
    with atomic(folder) as partial:
        for split, label in rows[["split", "label"]].drop_duplicates().itertuples(index=False):
            inside(partial, partial / parts[split] / labels[label]).mkdir(parents=True)
        unique = rows.drop_duplicates(["image_id", "split"])
        for row in track(unique.itertuples(), "links", len(unique)):
            source = Path(files[row.image_id]).resolve()
            name = f"{ids[row.image_id]}{source.suffix}"
            _link(source, partial / parts[row.split] / labels[row.label] / name)
        other = [("label", name, text) for text, name in labels.items()]
        other += [("image", name, text) for text, name in ids.items()]
        other = [line for line in other if line[1] != line[2]]
        if other:
            lines = pd.DataFrame(other, columns=["kind", "name", "text"], dtype=str)
            tables.write(lines, partial / "names.csv", NAMES)
    return folder


def _link(source: Path, place: Path) -> None:
    try:
        place.symlink_to(source)
    except (OSError, NotImplementedError):  # Windows without the right, exFAT
        shutil.copyfile(source, place)


def save_splits(
    settings: Settings,
    splits: dict[str, pd.DataFrame],
    pixels: dict[str, Path],
    table: pd.DataFrame,
) -> None:
    """Write what the later notebooks read; `data.json` comes last and says that all is whole.

    Args:
        splits: rows of each `<protocol>-<target>`; become `splits/<protocol>-<target>.csv`.
        pixels: the pixel cache's folder of each protocol.
        table: the dataset; all columns but the path become `table.csv`.
    """
    folder = settings.folder
    (folder / "data.json").unlink(missing_ok=True)
    for name, rows in splits.items():
        tables.write(rows[list(ROWS.text)], folder / "splits" / f"{name}.csv", ROWS)
    known = [name for name in COLUMNS if name in table]
    tables.write(table[known], folder / "table.csv", TABLE)
    about = {name: getattr(settings, name) for name in SHARED}
    places = {protocol: str(place) for protocol, place in pixels.items()}
    write_json(folder / "data.json", about | {"pixels": places})


def load_splits(settings: Settings) -> tuple[dict[str, pd.DataFrame], dict[str, Path]]:
    """Read what 03 left: the split rows by `<protocol>-<target>`, the pixel caches by protocol.

    Raises:
        LesionsError: 03 has not run for this profile, or ran with other settings.
    """
    again = f"run notebook 03 first (`make 03 PROFILE={settings.PROFILE}`)"
    about = _left(settings.folder, again)
    for name in SHARED:
        if about[name] != getattr(settings, name):
            raise LesionsError(
                f"The splits in {settings.folder} were made with {name}={about[name]!r}, and here "
                f"{name}={getattr(settings, name)!r} is set: {again} with the same value."
            )
    return splits_in(settings.folder)


def _left(folder: Path, again: str) -> dict:
    """What `data.json` says, the last thing that `save_splits` writes."""
    path = folder / "data.json"
    if not path.exists():
        raise LesionsError(f"There are no splits in {folder}: {again}.")
    return json.loads(path.read_text(encoding="utf-8"))


def splits_in(folder: Path) -> tuple[dict[str, pd.DataFrame], dict[str, Path]]:
    """As `load_splits`, whatever settings 03 ran with.

    Args:
        folder: the profile's build folder.

    Raises:
        LesionsError: 03 has not run for this profile, or its pixel cache is gone.
    """
    again = f"run notebook 03 first (`make 03 PROFILE={folder.name}`)"
    pixels = {protocol: Path(place) for protocol, place in _left(folder, again)["pixels"].items()}
    for place in pixels.values():
        if not place.is_dir():
            raise LesionsError(f"The pixel cache {place} is gone: {again}.")
    files = sorted((folder / "splits").glob("*.csv"))
    return {file.stem: tables.read(file, ROWS, again) for file in files}, pixels


def rows_of(splits: dict[str, pd.DataFrame], protocol: str, target: str) -> pd.DataFrame:
    """The split rows of one protocol and target, out of what `load_splits` gives.

    Raises:
        LesionsError: 03 made none, because the images have no two classes of this target.
    """
    name = f"{protocol}-{target}"
    if name not in splits:
        raise LesionsError(
            f"There is no split {name}: these images have no two values of {target}. "
            f"Name runs of other targets; there are: {', '.join(sorted(splits))}."
        )
    return splits[name]


def load_table(folder: Path) -> pd.DataFrame:
    """The dataset's table as 03 left it under a profile's folder: no paths, all images.

    Raises:
        LesionsError: 03 has not run for this profile.
    """
    again = f"run notebook 03 first (`make 03 PROFILE={folder.name}`)"
    return tables.read(folder / "table.csv", TABLE, again)
