"""Tables as HTML that anybody can read: numbers right, words left, intervals in one cell."""

import html

import numpy as np
import pandas as pd

from lesions.core import numbers

LONG = 40  # letters from which a cell is prose and wants room


def _number(value: object) -> str:
    """A number with as many digits as it bears; a dash where there is none."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "-"
    if isinstance(value, float | np.floating):
        if float(value).is_integer() and abs(value) >= 2:
            return f"{value:,.0f}"
        return numbers.shown(value) if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int | np.integer) else str(value)


def _between(low: object, high: object) -> str:
    """A range in brackets; nothing where there is none, or where both ends are one number."""
    if pd.isna(low) or pd.isna(high) or low == high:
        return ""
    return f" ({numbers.shown(low, 2)} to {numbers.shown(high, 2)})"


def with_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Put each number and its interval in one cell; leave out columns that hold nothing.

    `x`, `x_low`, `x_high` become one column, and so do `value` (or `difference`, `minus_colours`),
    `low`, `high`. A range over one seed is no range, and is left out.
    """
    table = table.dropna(axis=1, how="all")
    shown, done = {}, set()
    for name in table:
        low, high = f"{name}_low", f"{name}_high"
        if name in ("value", "difference", "minus_colours") and {"low", "high"} <= set(table):
            low, high = "low", "high"
        if {low, high} <= set(table):
            cells = zip(table[name], table[low], table[high], strict=True)
            shown[name] = [
                "-" if pd.isna(value) else numbers.shown(value, 2) + _between(a, b)
                for value, a, b in cells
            ]
            done |= {low, high}
        elif name not in done:
            shown[name] = table[name].tolist()
    kept = {name: cells for name, cells in shown.items() if name not in done}
    return pd.DataFrame(kept, index=table.index)


def _is_number(cells: pd.Series) -> bool:
    """Whether a column holds numbers, or numbers with intervals."""
    if pd.api.types.is_bool_dtype(cells):
        return False
    if pd.api.types.is_numeric_dtype(cells):
        return True
    text = cells.dropna().astype(str)
    return len(text) > 0 and text.str.fullmatch(r"[-+]?[\d.,]*( \([-\d.]+ to [-\d.]+\))?").all()


def as_html(table: pd.DataFrame, label: str) -> str:
    """A table in a box that scrolls and can be reached by keyboard; all text is escaped.

    Args:
        table: no row is left out. The first column heads its rows.
        label: what the box is called for who cannot see it.
    """
    numbers = {name: _is_number(table[name]) for name in table}
    heads = "".join(
        f'<th scope="col"{" class=n" if numbers[name] else ""}>'
        f"{html.escape(str(name).replace('_', ' '))}</th>"
        for name in table
    )
    rows = []
    for values in table.itertuples(index=False, name=None):
        cells = []
        for place, (name, value) in enumerate(zip(table, values, strict=True)):
            text = html.escape(_number(value))
            kind = " class=n" if numbers[name] else " class=long" if len(text) > LONG else ""
            tag = "th" if place == 0 else "td"
            scope = ' scope="row"' if place == 0 else ""
            cells.append(f"<{tag}{scope}{kind}>{text}</{tag}>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    box = f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(label)}">'
    body = f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f"{box}<table>{body}</table></div>"
