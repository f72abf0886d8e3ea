"""Read a split that somebody else made: from folders, or from CSV files."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from lesions.core import tables
from lesions.core.errors import LesionsError, shorten
from lesions.data.contents import contents_of
from lesions.data.findings import Findings
from lesions.data.images import IMAGE_SUFFIXES, is_image, list_files
from lesions.data.matching import stem, steps
from lesions.data.rows import IMAGE_COLUMNS, read_rows
from lesions.splits.handover import NAMES

PART_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
LABEL_COLUMNS = ["dx", "label", "class", "target"]


def rows_from_folders(folder: Path, pattern: str | None = None) -> pd.DataFrame:
    """Read a split laid out as train/class/image, validation/class/image, test/class/image.

    Args:
        folder: its folders may also be called training, val, valid, dev or testing.
        pattern: a regular expression for the image id within a file's name, such as r"ISIC_\\d+"
            where copies are called ISIC_0024306_copy2.jpg. Without it the name is the id.

    Returns:
        image_id, lesion_id ("unknown"), label, split; and `content`, by which one image under two
        names is known. Images of one name that hold other things are called by their path.

    Raises:
        LesionsError: there is no such folder, no train or test folder in it, or no image in one.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise LesionsError(f"{folder} is no folder; give the one that holds train and test.")
    present = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_dir()}
    lines = []
    for part, names in PART_NAMES.items():
        place = next((present[name] for name in names if name in present), None)
        if place is None and part == "validation":
            continue
        if place is None:
            raise LesionsError(f"{folder} has no folder {part}; it has {shorten(list(present))}.")
        for kind in sorted(path for path in place.iterdir() if path.is_dir()):
            images = filter(is_image, list_files(kind))
            lines += [(path, "unknown", kind.name, part) for path in images]
        if not lines or lines[-1][3] != part:
            raise LesionsError(f"{place} has no images in folders named after their classes.")
    rows = pd.DataFrame(lines, columns=["image_id", "lesion_id", "label", "split"], dtype=str)
    texts = _texts(folder)
    rows["label"] = [texts.get(("label", label), label) for label in rows["label"]]
    paths = rows["image_id"].tolist()
    if pattern:
        names = [stem(steps(path)[-1]) for path in paths]
        return _ids_by_pattern(rows.assign(image_id=pd.Series(names, dtype=str)), pattern)
    below = [os.path.relpath(path, folder).replace(os.sep, "/") for path in paths]
    rows = _identified(rows, below, paths)
    rows["image_id"] = [texts.get(("image", name), name) for name in rows["image_id"]]
    return rows


def _texts(folder: Path) -> dict[tuple[str, str], str]:
    """What the names of folders and files stand for, where `handover.link_folders` made them."""
    path = folder / "names.csv"
    if not path.is_file():
        return {}
    try:
        names = tables.read(path, NAMES)
    except LesionsError:  # somebody else's file of that name
        return {}
    lines = zip(names["kind"], names["name"], names["text"], strict=True)
    return {(kind, name): text for kind, name, text in lines}


def _identified(rows: pd.DataFrame, given: Sequence[str], files: Sequence[str]) -> pd.DataFrame:
    """Give each row an image id that is one image's only, and what is known of its content.

    Args:
        rows: the split.
        given: what each row calls its image: an id, a name or a path.
        files: the file of each row, empty where there is none.

    Returns:
        `rows` with image_id: the name, or the path where other images bear the name, too. Two paths
        are one image if their content is. With two more columns where they are of use: `content`
        (what the file holds, empty where not known), and `name_only` (the name, where images of it
        could not be compared).
    """
    known = contents_of([path for path in dict.fromkeys(files) if path])
    content_of = {
        path: "" if found is None else f"{found.size}-{found.crc:08x}-{found.sha256}"
        for path, found in zip((p for p in dict.fromkeys(files) if p), known, strict=True)
    }
    content = [content_of.get(path, "") for path in files]
    plain = ["/".join(steps(text)) for text in given]
    bearers: dict[str, dict[str, str]] = defaultdict(dict)  # name -> path -> content
    for path, held in zip(plain, content, strict=True):
        bearers[stem(path.rpartition("/")[2])][path] = held
    ids, name_only = [], []
    for path in plain:
        name = stem(path.rpartition("/")[2])
        others = bearers[name]
        held = set(others.values())
        alone = len(others) == 1 or (len(held) == 1 and "" not in held)
        if alone:
            ids.append(name)
        else:
            first = next((one for one, of in others.items() if of and of == others[path]), path)
            ids.append(stem(first) if "/" in first else first)
        name_only.append("" if alone or "" not in held else name)
    rows = rows.assign(image_id=pd.Series(ids, rows.index, dtype=str))
    if any(content):
        rows["content"] = pd.Series(content, rows.index, dtype=str)
    if any(name_only):
        rows["name_only"] = pd.Series(name_only, rows.index, dtype=str)
    return rows


def rows_from_csvs(
    parts: Mapping[str, Path] | Path,
    image: str | None = None,
    label: str | None = None,
    split: str = "split",
    pattern: str | None = None,
) -> pd.DataFrame:
    """Read a split that another project keeps as CSV.

    Args:
        parts: {"train": file, "validation": file, "test": file}, or one file with a column that
            says which part a row belongs to.
        image: the column with image ids, file names or paths; found by itself when it is called
            image_id, image, filename, file, path or id.
        label: the column with the class; found when it is called dx, label, class or target.
        split: the column that names the part, in a single file.
        pattern: as in `rows_from_folders`.

    Returns:
        image_id, lesion_id ("unknown" without such a column), label, split. Files that lie beside
        the CSV are looked at: see `_identified` for the two columns that may be added.

    Raises:
        LesionsError: a file or a column is missing, a file is no CSV, or a part has another name.
    """
    if isinstance(parts, Mapping):
        tables = [
            _read_csv(path, image, label, part=name).assign(split=name)
            for name, path in parts.items()
        ]
    else:
        tables = [_read_csv(parts, image, label, split)]
    rows = pd.concat(tables, ignore_index=True)
    known = {name: part for part, names in PART_NAMES.items() for name in names}
    named = rows["split"].str.strip().str.lower().map(known)
    if named.isna().any():
        wrong = sorted(set(rows.loc[named.isna(), "split"].astype(str)))
        raise LesionsError(
            f"A part of a split is called train, validation or test; got {shorten(wrong)}."
        )
    rows = rows.assign(split=named.astype(str))
    if pattern:
        names = rows["image_id"].str.replace("\\", "/").str.rpartition("/")[2].map(stem)
        rows = _ids_by_pattern(rows.assign(image_id=names.astype(str)), pattern)
        return rows.drop(columns="file")
    given = [file or name for file, name in zip(rows["file"], rows["image_id"], strict=True)]
    return _identified(rows.drop(columns="file"), given, rows["file"].tolist())


def _read_csv(
    path: Path, image: str | None, label: str | None, split: str = "", part: str = ""
) -> pd.DataFrame:
    findings: Findings = []
    table = read_rows(str(path), findings)
    broken = [finding["file"] for finding in findings if finding["severity"] == "error"]
    if broken:
        raise LesionsError(f"Lines of another length than the first: {shorten(broken)}; mend them.")
    choices = {
        "image_id": [image.lower()] if image else list(IMAGE_COLUMNS),
        "label": [label.lower()] if label else LABEL_COLUMNS,
    }
    if split:
        choices["split"] = [split.lower()]
    rows = {}
    for name, columns in choices.items():
        column = next((column for column in columns if column in table), None)
        if column is None:
            raise LesionsError(
                f"{path} has no column {' or '.join(columns)}; it has "
                f"{shorten(list(table.columns), 8)}: say which one is the {name}."
            )
        rows[name] = table[column].str.strip()
    order = ["image_id", "lesion_id", "label", *(["split"] if split else []), "file"]
    rows["lesion_id"] = table.get("lesion_id", pd.Series("", table.index)).replace("", "unknown")
    said = rows["split"] if split else pd.Series(part, table.index)
    rows["file"] = [
        _file(Path(path).parent, name, of, kind)
        for name, of, kind in zip(rows["image_id"], said, rows["label"], strict=True)
    ]
    return pd.DataFrame(rows)[order].astype(str)


def _file(folder: Path, name: str, part: str, label: str) -> str:
    """The file that a row of a CSV in `folder` means, empty if it is not here."""
    if not name.lower().endswith(IMAGE_SUFFIXES):
        return ""
    path = Path(os.path.expanduser(name.replace("\\", "/")))
    if path.is_absolute():
        return str(path) if path.is_file() else ""
    places = (folder, folder / part, folder / part / label)
    # A label is text, and no way out of the folder.
    tried = (place / path for place in places if place.is_relative_to(folder))
    return next((str(one) for one in tried if _is_file(one)), "")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, or with characters that no path may have
        return False


def _ids_by_pattern(rows: pd.DataFrame, pattern: str | None) -> pd.DataFrame:
    if pattern is None:
        return rows
    ids = rows["image_id"].str.extract(f"({pattern})")[0]
    if ids.isna().any():
        missing = list(rows.loc[ids.isna(), "image_id"])
        raise LesionsError(f"The pattern {pattern} finds no image id in {shorten(missing)}.")
    return rows.assign(image_id=ids.astype(str))
