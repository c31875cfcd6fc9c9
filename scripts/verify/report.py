"""One line for each comparison, and a count of those that failed."""

import numpy as np


class Report:
    def __init__(self):
        self.compared = self.failed = 0

    def _line(self, word, name, rest):
        print(f"{word:5} {name}: {rest}", flush=True)

    def check(self, name, ours, theirs, tolerance=1e-9, note=""):
        """Numbers or arrays that must agree to `tolerance`."""
        ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
        self.compared += 1
        if ours.shape != theirs.shape or not ours.size:
            self.failed += 1
            self._line("FAIL", name, f"shapes {ours.shape} and {theirs.shape}")
            return
        gap = np.abs(ours - theirs)
        largest = float(np.max(gap)) if np.all(np.isfinite(gap)) else float("inf")
        values = f"{ours.size} values" if ours.size > 1 else f"{ours.flat[0]:.6g}"
        text = f"{values}, largest difference {largest:.1e}"
        if largest <= tolerance:
            self._line("ok", name, text + (f"; {note}" if note else ""))
        else:
            self.failed += 1
            worst = int(np.argmax(np.where(np.isfinite(gap), gap, np.inf)))
            self._line(
                "FAIL", name,
                f"{text} above {tolerance:.0e}: ours {ours.flat[worst]!r}, theirs {theirs.flat[worst]!r}",
            )

    def close(self, name, ours, theirs, allowed, note=""):
        """What is random on either side: each pair must agree to its share of `allowed`."""
        gap = np.abs(np.asarray(ours, float) - np.asarray(theirs, float)) / np.asarray(allowed)
        self.check(name, gap, np.zeros_like(gap), 1.0, note or "in units of what chance allows")

    def note(self, name, text):
        """A definition that differs, or something that is not compared."""
        self._line("note", name, text)
