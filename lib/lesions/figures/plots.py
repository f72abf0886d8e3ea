"""One function a figure; each returns the matplotlib Figure. `show` displays and keeps it."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import display
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from lesions.core.errors import LesionsError
from lesions.core.files import atomic, write_text
from lesions.data.images import read_image
from lesions.duplicates.hashes import perceptual_hashes
from lesions.figures.captions import ALTERNATIVE_TEXT

sns.set_theme(style="whitegrid", palette="colorblind", font_scale=0.9)
plt.rcParams["figure.dpi"] = 90
plt.rcParams["text.parse_math"] = False  # a `$` in a label is a `$`
COLOURS = sns.color_palette("colorblind")
SHADES = "cividis"  # reads the same in grey and for colour-blind eyes
ORDER = ["nv", "mel", "bkl", "bcc", "akiec", "vasc", "df"]


def keep(figure: Figure, name: str, folder: Path) -> Path:
    """Keep a figure as `figures/<name>.png`, its alternative text as `.txt`, and close it.

    Args:
        name: the file's name without suffix; `captions` holds the alternative text under it.
        folder: the profile's build folder.

    Returns:
        the picture's path.
    """
    if name not in ALTERNATIVE_TEXT:
        raise LesionsError(
            f"The figure {name} has no text for those who cannot see it: add one to "
            "ALTERNATIVE_TEXT in lib/lesions/figures/captions.py."
        )
    alt = ALTERNATIVE_TEXT[name]
    path = Path(folder) / "figures" / f"{name}.png"
    with atomic(path) as partial:
        figure.savefig(partial, dpi=100, bbox_inches="tight", metadata={"Description": alt})
    write_text(path.with_suffix(".txt"), alt + "\n")
    plt.close(figure)
    return path


def small_png(picture: str | Path | io.BytesIO) -> str:
    """A picture as PNG of 256 colours, in base64: notebooks keep their figures, and photographs as
    PNG are large.
    """
    small = io.BytesIO()
    with Image.open(picture) as opened:
        opened.convert("RGB").quantize(256).save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def nothing_to_show(why: str) -> Figure:
    """A small figure that says why there is none."""
    figure, axis = plt.subplots(figsize=(6, 0.8))
    axis.text(0.5, 0.5, f"Nothing to show here: {why}.", ha="center", va="center")
    axis.set_axis_off()
    return figure


def show(figure: Figure, name: str, folder: Path) -> None:
    """Display a figure with its alternative text, and keep it as `keep` does."""
    # The file is shown, since drawing the figure again would take as long again.
    png = small_png(keep(figure, name, folder))
    shown = {"image/png": png, "text/plain": f"<figure {name}>"}
    display(shown, raw=True, metadata={"image/png": {"alt": ALTERNATIVE_TEXT[name]}})


def _present(values: pd.Series) -> list[str]:
    """The diagnoses that occur, most frequent in HAM10000 first."""
    known = [dx for dx in ORDER if dx in set(values)]
    return known + sorted(set(values) - set(ORDER))


# ---------------------------------------------------------------- exploration


def class_counts(table: pd.DataFrame, columns: Sequence[str]) -> Figure:
    """A bar for each value of each column, with its count of images."""
    figure, axes = plt.subplots(2, (len(columns) + 1) // 2, figsize=(10, 7.5))
    for axis, column in zip(axes.flat, columns, strict=False):
        counts = table[column].value_counts()
        bars = axis.barh(counts.index[::-1], counts.to_numpy()[::-1], color=COLOURS[0])
        axis.bar_label(bars, fontsize=8, padding=2)
        axis.set(xlabel="images", title=column)
        axis.margins(x=0.14)
        axis.grid(axis="y", visible=False)
    figure.tight_layout()
    return figure


def age_by_diagnosis(table: pd.DataFrame) -> Figure:
    """A box of the ages for each diagnosis; one age a lesion."""
    lesions = table.drop_duplicates("lesion_id")
    lesions = lesions[lesions["age"].notna()]  # images of your own may come without any
    order = _present(lesions["dx"])
    figure, axis = plt.subplots(figsize=(8, 3.6))
    if order:
        sns.boxplot(lesions, x="dx", y="age", order=order, color=COLOURS[0], ax=axis)
    axis.set(xlabel="diagnosis", ylabel="age (years)")
    return figure


def shares(table: pd.DataFrame, rows: str, columns: str, title: str) -> Figure:
    """For each value of `rows`, which share of its images has each value of `columns`."""
    share = pd.crosstab(table[rows], table[columns], normalize="index") * 100
    share = share.loc[:, share.mean().sort_values(ascending=False).index]
    if rows == "dx":
        share = share.loc[_present(table["dx"])]
    figure, axis = plt.subplots(figsize=(max(5, 0.75 * share.shape[1] + 2), 0.4 * len(share) + 1.6))
    sns.heatmap(share, annot=True, fmt=".0f", cmap=SHADES, ax=axis, annot_kws={"size": 8},
                cbar_kws={"label": "% of the row"})  # fmt: skip
    axis.set(xlabel=columns, ylabel=rows, title=title)
    axis.tick_params(axis="y", rotation=0)
    axis.set_xticks(axis.get_xticks(), axis.get_xticklabels(), rotation=35, ha="right")
    return figure


def images_per_lesion(table: pd.DataFrame) -> Figure:
    """Left: how many lesions have 1, 2, 3 … images. Right: the share with several, by diagnosis."""
    lesions = table.groupby("lesion_id").agg(images=("image_id", "size"), dx=("dx", "first"))
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
    counts = lesions["images"].value_counts().sort_index()
    left.bar_label(left.bar(counts.index, counts, color=COLOURS[0]), fontsize=8)
    left.set(xlabel="images of one lesion", ylabel="lesions", xticks=counts.index)
    several = (lesions["images"] > 1).groupby(lesions["dx"]).mean().mul(100)
    several = several.loc[_present(lesions["dx"])]
    right.bar_label(right.bar(several.index, several, color=COLOURS[1]), fmt="%.0f", fontsize=8)
    right.set(xlabel="diagnosis", ylabel="lesions with several images (%)")
    figure.tight_layout()
    return figure


def brightness(statistics: pd.DataFrame, table: pd.DataFrame, by: str) -> Figure:
    """How bright the images of each group are, and how red against blue."""
    joined = statistics.merge(table[["image_id", by]], on="image_id")
    joined["redness"] = joined["red"] / joined["blue"].clip(lower=1)
    order = _present(joined[by]) if by == "dx" else sorted(joined[by].unique())
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.4))
    labels = {"brightness": "mean brightness (0 to 255)", "redness": "mean red / mean blue"}
    for axis, (column, label) in zip(axes, labels.items(), strict=True):
        sns.boxplot(joined, x=by, y=column, order=order, color=COLOURS[0], ax=axis, fliersize=2)
        axis.set(xlabel=by, ylabel=label)
        axis.tick_params(axis="x", rotation=20)
    figure.tight_layout()
    return figure


def image_grid(table: pd.DataFrame, by: str = "dx", each: int = 8, seed: int = 0) -> Figure:
    """A row of images for each class, each of another lesion, drawn at random."""
    classes = _present(table[by]) if by == "dx" else sorted(table[by].unique())
    figure, axes = plt.subplots(
        len(classes), each, figsize=(1.25 * each, 0.98 * len(classes)), squeeze=False
    )
    for line, label in zip(axes, classes, strict=True):
        lesions = table[table[by] == label].drop_duplicates("lesion_id")
        chosen = lesions.sample(min(each, len(lesions)), random_state=seed)
        for axis in line:
            axis.set(xticks=[], yticks=[])
        for axis, path in zip(line, chosen["path"], strict=False):
            axis.imshow(read_image(path))
            axis.grid(False)
        line[0].set_ylabel(label, rotation=0, ha="right", va="center")
    figure.subplots_adjust(wspace=0.04, hspace=0.04)
    return figure


def picture_row(images: Sequence[np.ndarray], titles: Sequence[str], columns: int = 6) -> Figure:
    """Images side by side, `columns` in a row, each under its title."""
    if not len(images):
        figure, axis = plt.subplots(figsize=(3, 0.6))
        axis.text(0.5, 0.5, "There is none to show.", ha="center", va="center")
        axis.axis("off")
        return figure
    lines = -(-len(images) // columns)
    width = min(columns, len(images))
    figure, axes = plt.subplots(lines, width, figsize=(1.75 * width, 1.95 * lines), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        axis.imshow(image)
        axis.set_title(title, fontsize=10)
    figure.tight_layout()
    return figure


# ---------------------------------------------------------------- training


def learning_curves(histories: dict[str, pd.DataFrame]) -> Figure:
    """Loss by epoch for each run: on the training part, and on the validation part."""
    columns = min(3, len(histories))
    lines = -(-len(histories) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(3.5 * columns, 2.5 * lines), squeeze=False)
    for axis in axes.flat[len(histories) :]:
        axis.axis("off")
    for axis, (name, history) in zip(axes.flat, histories.items(), strict=False):
        axis.plot(history["epoch"], history["loss"], "o-", ms=3, label="training")
        axis.plot(history["epoch"], history["val_loss"], "s--", ms=3, label="validation")
        axis.set_title(name, fontsize=9)
        axis.set(xlabel="epoch", ylabel="loss", xlim=(0.5, len(history) + 0.5))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.flat[0].legend(fontsize=8)
    figure.tight_layout()
    return figure


def confusion_matrices(matrices: dict[str, pd.DataFrame], columns: int = 0) -> Figure:
    """A confusion matrix for each run, in % of the true class; rows true, columns predicted.

    Args:
        matrices: counts, from `evaluation.confusion`, by what stands above each.
        columns: matrices in a row; 0: three small ones, two of those with more than four classes.

    The figure is as wide as a notebook's column on a small screen, so that it is not made smaller
    there. A share below half a percent is left empty.
    """
    most = max((len(matrix) for matrix in matrices.values()), default=1)
    columns = columns or (3 if most <= 4 else 2)
    lines = max(1, -(-len(matrices) // columns))
    side = 9.6 / columns
    high = side * (0.92 if most <= 4 else 1.0)
    figure, axes = plt.subplots(lines, columns, figsize=(9.6, high * lines), squeeze=False)
    for axis in axes.flat[len(matrices) :]:
        axis.axis("off")
    for axis, (name, matrix) in zip(axes.flat, matrices.items(), strict=False):
        images = matrix.sum(axis=1)
        share = matrix.div(images.where(images > 0), axis=0) * 100  # no image, no share: left white
        words = share.map(lambda value: f"{value:.0f}" if value >= 0.5 else "")
        sns.heatmap(share, annot=words, fmt="", cmap=SHADES, vmin=0, vmax=100, cbar=False, ax=axis,
                    annot_kws={"size": 11 if len(share) <= 8 else 8}, square=True,
                    xticklabels=True, yticklabels=True)  # fmt: skip
        axis.set_title(name, fontsize=10.5)
        axis.set_xlabel("predicted", fontsize=10)
        axis.set_ylabel("true (each row: 100 %)", fontsize=10)
        axis.tick_params(labelsize=10 if len(share) <= 8 else 8.5)
        axis.tick_params(axis="x", rotation=0 if len(share) <= 2 else 90)
        axis.tick_params(axis="y", rotation=0)
    figure.tight_layout()
    return figure


# ---------------------------------------------------------------- duplicates


def hash_views(images: Sequence[np.ndarray], method: str) -> list[np.ndarray]:
    """For each image: the image, 8 x 8 pixels of grey, and the 64 bits of its hash as a board."""
    views = []
    for image, value in zip(images, perceptual_hashes(images, method), strict=True):
        grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (8, 8), interpolation=3)
        bits = np.array([int(bit) for bit in f"{int(value):064b}"], np.uint8).reshape(8, 8)
        views += [image, np.dstack([grey] * 3), np.dstack([60 + bits * 150] * 3)]
    return views
