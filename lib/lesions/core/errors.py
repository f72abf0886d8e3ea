"""The one kind of error that a user of the course is meant to read."""


class LesionsError(ValueError):
    """Something the user can put right: one sentence on what is wrong, where, what to do."""

    def _render_traceback_(self) -> list[str]:
        """In a notebook IPython shows these lines in place of a traceback through the library."""
        return [f"{type(self).__name__}: {self}"]


def shorten(names: list[str], most: int = 3) -> str:
    """Name the first few of a long list, and say how many more there are: `a, b, c and 7 more`."""
    shown = ", ".join(str(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
