"""libFuzzer, driven by atheris: `python drive.py TARGET OPTION...`. See fuzz.py."""

from __future__ import annotations

import shlex
import sys

import atheris

target = sys.argv[1]

with atheris.instrument_imports(include=["gwlint"]):
    from targets import TARGETS

    # Much is imported only when it is needed; what is imported out of here gives no coverage.
    TARGETS[target](b"")

# libFuzzer starts itself again to merge, through a shell, by what stands in place of its name.
own_name = shlex.join([sys.executable, __file__, target])
atheris.Setup([own_name, *sys.argv[2:]], TARGETS[target])
atheris.Fuzz()
