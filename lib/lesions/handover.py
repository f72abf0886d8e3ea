"""What notebook 03 leaves for 04 and 05: split rows, the pixel cache's place, folders of links."""

import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from lesions.errors import LesionsError
from lesions.files import atomic, write_json
from lesions.progress import track

# 04 and 05 must be given the same values as 03, or they would train on something else.
SHARED = ("DATASET", "LIMIT", "SEED", "PROTOCOL", "IMAGE_SIZE", "GEOMETRY", "RESAMPLE")


def link_folders(rows: pd.DataFrame, files: dict[str, Path], folder: Path) -> Path:
    """Lay images out as split/class/image.jpg, as links, for `image_dataset_from_directory`.

    Args:
        rows: image_id, label, split. Repeated images get one link.
        files: the real file of each image_id.
        folder: made anew, whole or not at all.
    """
    with atomic(folder) as partial:
        for split, label in rows[["split", "label"]].drop_duplicates().itertuples(index=False):
            (partial / split / label).mkdir(parents=True)
        unique = rows.drop_duplicates(["image_id", "split"])
        for row in track(unique.itertuples(), "links", len(unique)):
            source = Path(files[row.image_id])
            (partial / row.split / row.label / source.name).symlink_to(source.resolve())
    return folder


def save_splits(settings: SimpleNamespace, splits: dict[str, pd.DataFrame], pixels: Path) -> None:
    """Write what 04 and 05 read: `splits/<protocol>-<target>.csv`, then `data.json`.

    `data.json` comes last, so that its presence says that the splits are whole.
    """
    folder = settings.folder
    (folder / "data.json").unlink(missing_ok=True)
    for name, rows in splits.items():
        with atomic(folder / "splits" / f"{name}.csv") as partial:
            rows.to_csv(partial, index=False)
    about = {name: getattr(settings, name) for name in SHARED}
    write_json(folder / "data.json", about | {"pixels": str(pixels)})


def load_splits(settings: SimpleNamespace) -> tuple[dict[str, pd.DataFrame], Path]:
    """Read what 03 left: the split rows by `<protocol>-<target>`, and the pixel cache's folder.

    Raises:
        LesionsError: 03 has not run for this profile, or ran with other settings.
    """
    path = settings.folder / "data.json"
    again = f"run notebook 03 first (`make 03 PROFILE={settings.PROFILE}`)"
    if not path.exists():
        raise LesionsError(f"There are no splits in {settings.folder}: {again}.")
    about = json.loads(path.read_text(encoding="utf-8"))
    for name in SHARED:
        if about[name] != getattr(settings, name):
            raise LesionsError(
                f"The splits in {settings.folder} were made with {name}={about[name]!r}, and here "
                f"{name}={getattr(settings, name)!r} is set: {again} with the same value."
            )
    if not Path(about["pixels"]).is_dir():
        raise LesionsError(f"The pixel cache {about['pixels']} is gone: {again}.")
    files = sorted((settings.folder / "splits").glob("*.csv"))
    rows = {file.stem: pd.read_csv(file, keep_default_na=False) for file in files}
    return rows, Path(about["pixels"])
