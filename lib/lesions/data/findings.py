"""What is found wrong with data: a table with a row for each fault, and one kind of error."""

from pathlib import Path

import pandas as pd

from lesions.core.errors import LesionsError

FINDING_COLUMNS = ["file", "rule", "severity", "action"]
Findings = list[dict[str, str]]


class DataError(LesionsError):
    """A fault in the data; `rule` names it in a few fixed words, `findings` may list its parts."""

    def __init__(self, rule: str, message: str, findings: pd.DataFrame | None = None) -> None:
        super().__init__(message)
        self.rule = rule
        self.findings = findings


def note(findings: Findings, file: str | Path, rule: str, severity: str, action: str) -> None:
    """Add one finding.

    Args:
        findings: the list that it is added to.
        file: the file that it is about, and the line and value if it is a table.
        rule: what is wrong, in a few fixed words.
        severity: "error" (an image is lost), "warning" (a value is changed, a file ignored) or
            "info" (read as it is meant).
        action: what was done about it, in a few fixed words.
    """
    findings.append({"file": str(file), "rule": rule, "severity": severity, "action": action})


def as_table(findings: Findings, folder: str | Path = "") -> pd.DataFrame:
    """The findings as a table of text: file (as seen from `folder`), rule, severity, action."""
    table = pd.DataFrame(findings, columns=FINDING_COLUMNS, dtype=str)
    table["file"] = table["file"].str.removeprefix(f"{folder}/")
    return table


def stop_if_too_bad(findings: pd.DataFrame, left: int, max_bad: float, where: str | Path) -> None:
    """Refuse a dataset when more than the share `max_bad` of its images is lost.

    One bad image never stops a run, however small the dataset.

    Args:
        findings: from `as_table`; those of severity "error" count.
        left: the number of images that are left.
        max_bad: the share of all images that may be lost, 0 to 1.
        where: the dataset, for the message.

    Raises:
        DataError: too many are bad; its attribute `findings` holds the table.
    """
    errors = findings[findings["severity"] == "error"]
    if len(errors) <= 1 or len(errors) <= max_bad * (left + len(errors)):
        return
    counts = errors["rule"].value_counts().items()
    raise DataError(
        "too many faults",
        f"{where} has too many faults ({', '.join(f'{count} {rule}' for rule, count in counts)}; "
        f"the first: {errors['file'].iloc[0]}; images left: {left}): mend them, "
        f"datasets.validate lists them, or raise max_bad above {max_bad:g}.",
        findings,
    )
