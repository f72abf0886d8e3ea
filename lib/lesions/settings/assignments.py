"""Parameters as one text, such as `EPOCHS=3 DATA_DIR=/my pictures`: where does one end?"""

import re

# A name at the beginning or after a space, and its equals sign.
_NAME = re.compile(r"(?:^|(?<=\s))([A-Za-z_]\w*)=")


def split_assignments(text: str) -> list[str]:
    """The single `NAME=value` parts of a text.

    A value reaches to the next name, so it may hold spaces, apostrophes and anything else. One that
    itself holds something like ` NAME=` stands in quotes, single or double; the quotes go.

    Args:
        text: such as `A=1 B=/my pictures C="x D=2"`, which has the parts A, B and C.

    Returns:
        each part without the quotes around its value; a text before the first name is a part, too.
    """
    parts, place = [], 0
    while place < len(text):
        name = _NAME.search(text, place)
        before = text[place : name.start() if name else len(text)].strip()
        if before:
            parts.append(before)
        if not name:
            break
        quoted = re.compile(r"""\s*(["'])(.*?)\1(?=\s|$)""", re.DOTALL).match(text, name.end())
        following = _NAME.search(text, name.end())
        end = following.start() if following else len(text)
        value = text[name.end() : end].strip()
        # An apostrophe may also be a letter of the value: only quotes around the whole count.
        if quoted and (quoted.end() >= end or not text[quoted.end() : end].strip()):
            value, end = quoted[2], quoted.end()
        parts.append(f"{name[1]}={value}")
        place = end
    return parts
