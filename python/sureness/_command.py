"""The command `sureness`."""

import signal
import sys

from . import _sureness


def main() -> int:
    """Runs the command line of this process."""
    # The command handles interruptions by itself, and keeps all answers.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _sureness.main(["sureness", *sys.argv[1:]])
