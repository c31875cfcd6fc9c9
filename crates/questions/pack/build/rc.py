"""Reading comprehension: short passages with several questions each.

In a frame, a plain line belongs to the passage, `?2 text` asks a question of level 2,
`+` is its right option and `-` a wrong one.
"""

from item import Item, SourceError
from source import frames, level


def items():
    """All items of the task."""
    for category, _, _, body in frames("rc"):
        passage = " ".join(text for _, text in body if text[0] not in "?+-")
        found = []
        for where, text in body:
            if text[0] == "?":
                grade, _, stem = text[1:].partition(" ")
                grade, example = level(grade, where)
                found.append((where, Item("rc", category, grade, stem, "", [], passage, example)))
            elif text[0] == "+":
                found[-1][1].right = text[1:].strip()
            elif text[0] == "-":
                found[-1][1].wrong.append(text[1:].strip())
        for where, item in found:
            if not item.right or len(item.wrong) != 3:
                raise SourceError(f"{where}: a question needs one + and three - options")
            yield item
