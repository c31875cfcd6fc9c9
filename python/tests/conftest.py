"""What several tests need: made-up models, and real data where they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def made_up(questions: int, options: int, skill: float, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Logits of a model that is right more often the larger `skill`, and the right options."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, options, questions)
    logits = rng.normal(size=(questions, options))
    logits[np.arange(questions), labels] += skill
    return logits, labels


@pytest.fixture
def shared() -> Path:
    """The folder of real data; skips without it, except in CI."""
    folder = Path(os.environ.get("SURENESS_SHARED", Path(__file__).parents[3] / "shared"))
    if not (folder / "paper").is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"CI is set, but {folder}/paper is not there")
        pytest.skip(f"no {folder}/paper")
    return folder
