"""One exercise of a notebook: check an answer, keep a prediction, give a hint or the solution."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from course import gradebook
from course.feedback import NotTriedError, WrongError, expect_text, show

TODO = "Put your code in place of the stub, run its cell, then run this one again."
TO_WRITE = 'Write your answer in place of None, between """ and """, and run the cell again.'
KINDS = ("predict", "fill in", "find the flaw", "think")


@dataclass(frozen=True)
class Exercise:
    """An exercise; its text and its solution stand in the notebook, under its number.

    `judge` takes an answer and returns a sentence of praise, or raises WrongError or NotTriedError.
    """

    number: str
    kind: str
    title: str
    hints: tuple[str, ...]
    judge: Callable[[Any], str] | None = None
    unit: str = ""

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
        """Keep a prediction, a number or a text, until `compare` shows it beside the result."""
        if value is None or value is ... or (isinstance(value, str) and not value.strip()):
            print(f"{self.number}: not tried yet. Write your prediction in place of None.")
            return
        value = value.item() if isinstance(value, np.generic) else value
        if self.unit and (isinstance(value, bool) or not isinstance(value, int | float)):
            print(f"{self.number}: not yet. Write a number without a sign or a word, such as 12.")
            return
        if self.unit == "%" and 0 < value < 1:
            print(f"{self.number}: not yet. Write it in percent: {100 * value:g}, not {value:g}.")
            return
        value = value if isinstance(value, int | float | str) else str(value)
        gradebook.note(self.number, "tried", prediction=value)
        print(f"{self.number}: kept: {self._with_unit(value)}. Now run the next cell.")

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
            print(f"Difference: {self._with_unit(abs(float(result) - guess))}.")
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
