"""Where the kernels of llama.cpp are in a wheel for any processor: it holds those of each kind."""

import os
import pathlib

_folder = pathlib.Path(__file__).parent / "lib"
if _folder.is_dir():
    os.environ.setdefault("SURENESS_KERNELS", str(_folder))
