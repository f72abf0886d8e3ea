"""One exercise of a notebook: check an answer, keep a prediction, give a hint or the solution."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from course import gradebook
from course.feedback import NotTriedError, WrongError, expect_text, show

TODO = "Put your code in place of the stub and run it, then ask again."
TO_WRITE = 'Write your answer in place of None, between """ and """, and run the cell again.'
KINDS = ("predict", "fill in", "find the flaw", "think")


@dataclass(frozen=True)
class Exercise:
    """An exercise; its text and its solution stand in the notebook, under its number.

    `judge` takes an answer and returns a sentence of praise, or raises WrongError or NotTriedError.
    A prediction with a `unit` is a number from 0 on; percent end at 100, others at `most`.
    """

    number: str
    kind: str
    title: str
    hints: tuple[str, ...]
    judge: Callable[[Any], str] | None = None
    unit: str = ""
    most: float | None = None

    def verdict(self, answer: Any) -> tuple[str, str]:
        """The state that an answer earns ("open", "tried" or "done") and what is said of it."""
        try:
            if self.judge is None:
                expect_text(answer)
                return "done", "your answer is kept. Now hold it against `.solution()`."
            return "done", f"right. {self.judge(answer)}"
        except NotTriedError:
            return "open", f"not tried yet. {TODO if self.judge else TO_WRITE}"
        except WrongError as error:
            return "tried", f"not yet. {error}"

    def check(self, answer: Any) -> None:
        """Say what is right and what is off, and note it in the student's record."""
        state, says = self.verdict(answer)
        kept = {"answer": str(answer)} if self.judge is None and state == "done" else {}
        if state != "open":
            gradebook.note(self.number, state, **kept)
        print(f"{self.number}: {says}")

    def predict(self, value: Any) -> None:
        """Keep the first prediction, a number or a text, until `compare` shows it by the result."""
        if value is None or value is ... or (isinstance(value, str) and not value.strip()):
            print(f"{self.number}: not tried yet. Write your prediction in place of None.")
            return
        value = value.item() if isinstance(value, np.generic) else value
        if self.unit and (says := self._odd(value)):
            print(f"{self.number}: not yet. {says}")
            return
        value = value if isinstance(value, int | float | str) else str(value)
        first = gradebook.read().get(self.number, {}).get("prediction")
        if first is not None and first != value:
            print(f"{self.number}: your first prediction stays: {self._with_unit(first)}.")
            return
        gradebook.note(self.number, "tried", prediction=value)
        print(f"{self.number}: kept: {self._with_unit(value)}. Now run the next cell.")

    def _odd(self, value: Any) -> str:
        """What is wrong with a predicted number; empty if it may be right."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "Write a number without a sign or a word, such as 12."
        if not math.isfinite(value) or value < 0:
            return f"It cannot be {show(value)}: write a number from 0 on."
        if self.unit == "%" and 0 < value < 1:
            return f"Write it in percent: {100 * value:g}, not {value:g}."
        most = self.most if self.most is not None else 100 if self.unit == "%" else math.inf
        if value > most:
            return f"It cannot be more than {show(most)}."
        return ""

    def compare(self, result: Any) -> None:
        """Show the prediction that was kept beside the result; without one, show neither."""
        guess = gradebook.read().get(self.number, {}).get("prediction")
        if guess is None:
            print(f"{self.number}: not tried yet. Predict first: the cell above wants your number.")
            return
        gradebook.note(self.number, "done", result=show(result))
        print(
            f"{self.number}: you predicted {self._with_unit(guess)}; "
            f"the result is {self._with_unit(result)}."
        )
        if isinstance(guess, int | float) and not isinstance(result, str):
            gap = abs(float(result) - guess)
            points = f"{show(gap)} percentage points"
            print(f"Difference: {points if self.unit == '%' else self._with_unit(gap)}.")
            if min(guess, result) > 0 and max(guess, result) >= 10 * min(guess, result):
                print(f"That is a factor of {max(guess, result) / min(guess, result):.0f}.")

    def hint(self, which: int = 1) -> None:
        """Print a hint; `hint(2)` gives the next one, where there is one."""
        which = min(max(int(which), 1), len(self.hints))
        more = f" (hint({which + 1}) says more)" if which < len(self.hints) else ""
        print(f"{self.number}: {self.hints[which - 1]}{more}")

    def solution(self) -> None:
        """Show the solution: the one in the notebook with solutions, so there is one source."""
        from IPython.display import Markdown, display

        from course import editions  # it reads notebooks, whose library is slow to import

        display(Markdown(editions.solution(self.number)))

    def _with_unit(self, value: Any) -> str:
        return f"{show(value)} {self.unit}".rstrip()
