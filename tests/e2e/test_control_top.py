# SPDX-License-Identifier: ISC
"""splicectl top, in a real terminal."""
import os
import shutil
import subprocess

import pytest

from control import NEEDS_SPLICECTL, SPLICECTL, daemon
from harness import echoes, ends_well, service

pytestmark = [NEEDS_SPLICECTL, pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")]


class Terminal:
    """A terminal of that size with one program in it."""

    def __init__(self, w, columns, rows, *command):
        self.w = w
        self.socket = w.dir / "tmux"
        env = {k: v for k, v in os.environ.items() if k != "TMUX"}
        self.command = ["tmux", "-S", str(self.socket), "-f", "/dev/null"]
        subprocess.run([*self.command, "new-session", "-d", "-x", str(columns), "-y", str(rows), *map(str, command)],
                       check=True, env={**env, "TERM": "xterm", "LC_ALL": "C"})

    def tell(self, *words, check=True):
        return subprocess.run([*self.command, *words], check=check, capture_output=True, text=True).stdout

    def lines(self):
        return self.tell("capture-pane", "-p").splitlines()

    def keys(self, *keys):
        self.tell("send-keys", *keys)

    def until(self, find, what):
        try:
            return self.w.until(lambda: find(self.lines()), what)
        except AssertionError as e:
            raise AssertionError(f"{e}\n" + "\n".join(self.lines())) from None

    def until_shows(self, part):
        return self.until(lambda lines: next((line for line in lines if part in line), None), f"{part!r} on the screen")

    def close(self):
        self.tell("kill-server", check=False)


@pytest.fixture
def terminal(w):
    opened = []

    def open_it(d, columns=80, rows=24):
        opened.append(Terminal(w, columns, rows, SPLICECTL, "-s", d.dir / "ctl", "top"))
        return opened[0]
    yield open_it
    for one in opened:
        one.close()


def order(lines, names):
    """In which order these stand in the list of connections."""
    start = next((i for i, line in enumerate(lines) if "CLIENT" in line), len(lines))
    return [name for line in lines[start + 1:] for name in names if name in line]


def test_top(w, terminal):
    listener = w.listen()
    d = daemon(w, {"workers": 2}, services={"busy": service(connect="chargen"), "calm": service(connect="echo"),
                                            "half": service(connect=listener.address)})
    calm, half = d.connect("calm"), d.connect("half")
    echoes(calm)
    server = w.accept(listener, half)
    half.send(b"question").end()
    assert server.until_ended() == "end"
    busy = d.connect("busy")
    busy.until_received(1)
    t = terminal(d)
    t.until_shows("3 connections, 1 half-closed")
    assert t.until_shows(half.address).endswith(" H")
    assert t.until_shows("q quit").startswith("3 of 3 by rate")
    # rates: who moves most comes first, and is seen to move
    addresses = [calm.address, half.address, busy.address]
    t.until(lambda lines: order(lines, addresses)[:1] == [busy.address] and
            any(busy.address in line and line.split()[-1] != "0" for line in lines), "the busy one first, with a rate")
    t.keys("s")
    t.until(lambda lines: order(lines, addresses) == [busy.address, calm.address, half.address], "by service")
    t.keys("r")
    t.until(lambda lines: order(lines, addresses) == [half.address, calm.address, busy.address], "turned around")
    t.keys("h")
    t.until(lambda lines: order(lines, addresses) == [half.address], "half-closed only")
    t.keys("h", "/", "calm")
    t.until_shows("filter: calm_")
    t.keys("Enter")
    t.until(lambda lines: order(lines, addresses) == [calm.address], "the filter")
    t.keys("Space")
    t.until_shows("PAUSED")
    t.keys("/", "Escape")
    t.until(lambda lines: len(order(lines, addresses)) == 3, "all again")
    ends_well(calm)
    d.record_of(calm)
    assert len(order(t.lines(), addresses)) == 3, "it is paused"
    t.keys("Space")
    t.until(lambda lines: len(order(lines, addresses)) == 2, "two left")
    t.keys("?")
    t.until_shows("Any key goes back")
    t.keys("x")
    # another size
    t.tell("resize-window", "-x", "130", "-y", "40")
    t.until(lambda lines: len(lines) >= 40 and "q quit" in lines[39], "a foot at the bottom of the larger screen")
    t.tell("resize-window", "-x", "60", "-y", "12")
    t.until(lambda lines: "q quit" in lines[11] and max(map(len, lines)) <= 60, "the smaller one")
    t.keys("q")
    w.until(lambda: not t.tell("list-sessions", check=False), "the end of top, and its terminal's")
    server.send(b"answer").end()
    assert half.until_ended() == "end"
    busy.reset()


def test_a_daemon_that_goes_and_comes_back(w, terminal):
    d = daemon(w, services={"x": service(connect="echo")})
    t = terminal(d)
    t.until_shows(f"pid {d.pid}")
    d.stop()
    t.until_shows("no answer: there is no such socket")
    d.process = None
    d.start()
    t.until_shows(f"pid {d.pid}")


def test_without_a_terminal(w):
    d = daemon(w, services={"x": service(connect="echo")})
    result = subprocess.run([SPLICECTL, "-s", d.dir / "ctl", "top"], stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, check=False)
    assert result.returncode == 1 and "top needs a terminal" in result.stderr
    result = subprocess.run([SPLICECTL, "top", "x"], capture_output=True, text=True, check=False)
    assert result.returncode == 2 and "usage:" in result.stderr
