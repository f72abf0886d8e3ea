"""`make predict` and `make card`: ask a trained network about photographs; say what it is."""

import sys
from pathlib import Path

import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.files import BUILD, IDS, ROOT, write_text
from lesions.core.tables import write_for_people
from lesions.predict import answers, cards, export
from lesions.splits import handover

MOST = 3  # classes to name for an image
SHOWN = 20  # images to show; the table has them all


def file_of(model: str, profile: str) -> Path:
    """The file that answers: the one named, or made from the record named, or the profile's best.

    Args:
        model: a .keras file, the folder of a run, or empty.
        profile: whose best record on dx is taken where none is named.

    Raises:
        LesionsError: there is no such thing.
    """
    if not model:
        return export.export(export.best_record(BUILD / profile))
    given = Path(model).expanduser()
    path = given if given.exists() else ROOT / given
    return export.export(path) if path.is_dir() else path


def line_of(row: pd.Series, classes: list[str]) -> str:
    """What is said of one image: the answer, the likeliest classes, and the flag."""
    likely = sorted(classes, key=lambda name: -row[f"p_{name}"])[:MOST]
    shares = ", ".join(f"{name} {row[f'p_{name}']:.0%}" for name in likely)
    doubt = "   NOT LIKE THE TRAINING IMAGES" if row["unlike"] else ""
    return f"{Path(row['image']).name}: {row['answer']}   ({shares}){doubt}"


def predict(images: str, model: str = "", profile: str = "sample") -> Path:
    """Print a line an image; returns the table with everything.

    Args:
        images: a file or a folder.
        model, profile: as `file_of`.

    Raises:
        LesionsError: nothing is there to ask, or nothing to be asked.
    """
    if not images:
        raise LesionsError("Say which: IMAGES=photo.jpg, or a folder of images.")
    answers.images_in(images)  # before anything slow
    path = file_of(model, profile)
    asked = answers.load(path)
    table = answers.ask(asked, images)
    target = BUILD / profile / "predict" / "answers.csv"
    write_for_people(table, target)
    for _, row in table.head(SHOWN).iterrows():
        print(line_of(row, asked.classes))
    for fault in table.attrs["unreadable"]:
        print(f"No answer: {fault}")
    if len(table) > SHOWN:
        print(f"… and {len(table) - SHOWN} more in the table.")
    print()
    print(words_of(asked))
    print(f"Table: {target}\nNetwork: {path}")
    return target


def words_of(asked: answers.Answering) -> str:
    """How an answer is to be read: the rule, the flag, and that it is no diagnosis."""
    about = asked.about
    false, test = about["unlike"]["false_alarms"]["value"], about["test"]["balanced_accuracy"]
    drawn = about["record"]["settings"].get("DATASET") == "sample"
    lines = [
        f"Answers of {about['network']} on {about['target']}: {about['decision']['rule']}. So it "
        "need not be the likeliest class.",
        f"Its balanced accuracy on the test part: {test[0]:.2f} ({test[1]:.2f} to {test[2]:.2f}).",
        f"The flag is a false alarm for {false:.1%} of the test images; what it lets pass may "
        "still be no lesion.",
        *(["It has learnt from images that a program drew, so of a photograph it knows nothing."]
          if drawn else []),
        about["notice"],
    ]  # fmt: skip
    return "\n".join(lines)


def write_cards(model: str = "", profile: str = "sample") -> list[Path]:
    """Write the model card and the datasheet beside the file that answers; returns their paths.

    Args:
        model, profile: as `file_of`; a .keras file from elsewhere gets a model card alone.
    """
    path = file_of(model, profile)
    about = answers.load(path).about
    made = [write_text(path.with_name("model_card.md"), cards.model_card(about))]
    folder = path.absolute().parents[2]
    if (folder / "table.csv").is_file():
        keep, kept = folder / "keep.csv", None
        if keep.is_file():
            kept = int(pd.read_csv(keep, dtype=IDS)["keep_honest"].sum())
        sheet = cards.datasheet(handover.load_table(folder), about, kept)
        made.append(write_text(path.with_name("datasheet.md"), sheet))
    return made


def main(command: str, images: str, given: dict[str, str]) -> int:
    """Behind `make predict` and `make card`, with the options MODEL and PROFILE; exit status."""
    model, profile = given.get("MODEL", ""), given.get("PROFILE", "sample")
    try:
        if command == "predict":
            predict(images, model, profile)
        else:
            print("\n".join(str(path) for path in write_cards(model, profile)))
    except LesionsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
