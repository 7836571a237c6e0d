# SPDX-License-Identifier: ISC
"""splicectl, as the tests call it."""
import json
import pathlib

import pytest

from harness import SPLICED

SPLICECTL = pathlib.Path(SPLICED).parent / "splicectl"
NEEDS_SPLICECTL = pytest.mark.skipif(not SPLICECTL.exists(), reason="there is no splicectl beside the daemon")


class Result:
    def __init__(self, program):
        self.status = program.until_exit()
        self.out = program.out.read_text()
        self.err = program.err.read_text()


def ask(w, d, *words, flags=(), **kwargs):
    """One run of splicectl."""
    return Result(w.run(str(SPLICECTL), "-s", str(d.dir / "ctl"), *flags, *words, name="splicectl", **kwargs))


def lines(w, d, *words):
    result = ask(w, d, *words, flags=["--json"])
    assert result.status == 0, result.out
    return [json.loads(line) for line in result.out.splitlines()]


def daemon(w, settings=None, **kwargs):
    """One with a control socket."""
    d = w.daemon(start=False)
    d.start({"control": str(d.dir / "ctl"), **(settings or {}), **kwargs})
    return d
