"""What a checker needs: ways to call a student's function and to say what is off."""

from collections.abc import Callable
from typing import Any

import numpy as np


class NotTriedError(Exception):
    """The cell still has its stub."""


class WrongError(Exception):
    """The answer is off; the message says how, and where to look again."""


def show(value: Any) -> str:
    """A value as a reader writes it: 1,234 or 0.123, and no `np.float64(…)`."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def require(right: bool, otherwise: str) -> None:
    """Raise `WrongError` with a sentence unless something is right."""
    if not right:
        raise WrongError(otherwise)


def call(function: Callable, *arguments: Any, shown: str) -> Any:
    """What a student's function returns.

    Args:
        function: anything; a stub raises NotImplementedError.
        shown: the call as the student would write it, for the message.

    Raises:
        NotTriedError: there is no function yet, or its body is still the stub.
        WrongError: it is no function, it raises, or it returns nothing.
    """
    if function is None or function is ...:
        raise NotTriedError
    require(callable(function), f"Give the function itself, not {show(function)}: no parentheses.")
    try:
        result = function(*arguments)
    except NotImplementedError as error:
        raise NotTriedError from error
    except (Exception, SystemExit) as error:
        said = f": {error}" if str(error) else ""
        raise WrongError(f"{shown} raises {type(error).__name__}{said}.") from error
    require(result is not None, f"{shown} gives None. Does every way through end with a return?")
    return result


def number(value: Any, shown: str) -> float:
    """`value` as a number; WrongError if it is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise WrongError(
            f"{shown} should give one number, but gives {type(value).__name__}."
        ) from None


def expect_number(function: Callable, arguments: tuple, shown: str, right: float, why: str) -> None:
    """Call a function and compare its number with the right one; `why` goes into the message."""
    got = number(call(function, *arguments, shown=shown), shown)
    require(not off_by_form(got, right), f"{shown}: {off_by_form(got, right)}")
    require(abs(got - right) < 1e-6, f"{shown} gives {show(got)}, not {show(right)}. {why}")


def off_by_form(got: float, right: float) -> str:
    """What to say of a right number in a wrong form, rounded or in percent; else empty."""
    if abs(got - right) < 1e-6:
        return ""
    if right and abs(got - 100 * right) < 1e-4:
        return f"you give {show(got)}, which is in percent. Give the share, {show(right)}."
    if any(got == round(right, digits) for digits in (2, 3, 4)):
        return f"you give {got:g}, which is rounded. Leave all digits; round when you print."
    return ""


def expect_text(answer: Any, words: int = 12) -> str:
    """Check that a written answer is there; nobody marks its content.

    Raises:
        NotTriedError: it is empty.
        WrongError: it has fewer words.
    """
    if answer is None or answer is ... or not str(answer).strip():
        raise NotTriedError
    found = len(str(answer).split())
    require(found >= words, f"{found} words are a start. Give the reason as well: what, and why?")
    return str(answer).strip()
