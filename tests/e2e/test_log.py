# SPDX-License-Identifier: ISC
"""Records by the thousand: sampled where all went well, told by number where too much went wrong, none lost."""
import errno
import json
import os
import re
import socket
import threading
import urllib.request

import pytest

from harness import echoes, ends_well, service


def metric(at, name):
    text = urllib.request.urlopen(f"http://{at}/metrics", timeout=10).read().decode()
    return sum(map(int, re.findall(rf"^{name}\{{[^}}]*\}} (\d+)$", text, re.M)))


def visit(at, n):
    """n connections one after the other, each until its other side has ended or cut it."""
    host, port = at.rsplit(":", 1)
    for _ in range(n):
        try:
            with socket.create_connection((host, int(port)), timeout=20) as s:
                s.shutdown(socket.SHUT_WR)
                while s.recv(4096):
                    pass
        except OSError as e:
            if e.errno not in (errno.ECONNRESET, errno.ENOTCONN):  # cut before it could end, or since
                raise


def test_one_in_ten(w):
    """Of 35 that ended well the 1st, 11th, 21st and 31st have a record; what went wrong always has."""
    d = w.daemon({"workers": 1, "log": {"sample": 10}},
                 services={"loop": service(connect="echo")})
    d.strangers = True
    visit(d.at("loop"), 35)
    for _ in range(3):
        client = w.net.connect(d.at("loop"))
        echoes(client)
        client.reset()
    w.until(lambda: sum(r["reason"] == "client-reset" for r in d.records()) == 3, "the records of 3 resets")
    d.stop()
    assert [r["id"] for r in d.records() if r["reason"] == "end"] == [1, 11, 21, 31]


@pytest.mark.parametrize("access", ["json", "text"])
def test_a_flood_of_errors_is_told_by_number(w, access):
    """A hundred at once have records, then one a second; the log has the number of the others."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        d = w.daemon({"workers": 1, "admin": "127.0.0.1:0", "log": {"errors-per-second": 1, "access": access}},
                     services={"x": service(connect="127.0.0.1:%d" % nobody.getsockname()[1]),
                               "y": service(connect="echo")})
        d.strangers = True
        at = re.search(r"admin: listening on (\S+)", d.messages()).group(1)
        visit(d.at("x"), 300)
        client = w.net.connect(d.at("y"))  # another service's has its record
        echoes(client)
        client.reset()
        w.until(lambda: "client-reset" in d.messages(), "the record of the other service's")
        left_out = metric(at, "spliced_records_left_out_total")
        d.stop()
    told = sum(int(n) for n in re.findall(r"service x: (\d+) more connections? ended by connect-refused", d.messages()))
    written = len(re.findall(r"(?m)^.*127\.0\.0\.1.*connect-refused.*$", d.messages()))
    assert written + told == 300 and told == left_out
    assert 100 <= written < 200, written


def test_every_error_where_there_is_no_bound(w):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        d = w.daemon({"workers": 1, "log": {"errors-per-second": "off"}},
                     services={"x": service(connect="127.0.0.1:%d" % nobody.getsockname()[1])})
        d.strangers = True
        visit(d.at("x"), 150)
        d.stop()
    assert [r["reason"] for r in d.records()] == ["connect-refused"] * 150


def test_no_record_is_lost_at_the_end(w):
    """1,000 records of half a kilobyte at once for a reader that takes its time, through a pipe of 64 KiB; and all of
    them, though the bound on errors is one a second: an administrator asked for it."""
    pipe = w.dir / "pipe"
    os.mkfifo(pipe)
    got = bytearray()
    begun, slowly = threading.Event(), threading.Event()

    def read():
        with open(pipe, "rb", buffering=0) as f:
            begun.set()
            while data := f.read(16384):
                got.extend(data)
                if slowly.is_set():
                    pause.wait(0.02)
    pause = threading.Event()  # never set: a wait that lasts
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    d = w.daemon({"log": {"target": str(pipe), "errors-per-second": 1}, "drain-timeout": "300ms"},
                 services={"loop": service(connect="echo")}, start=False)
    d.log = w.dir / "copy"
    d.strangers = True
    d.start(ready=False)
    w.until(lambda: b"ready: 1 service" in got, "readiness")
    d.log.write_bytes(bytes(got))
    clients = [w.net.connect(d.at("loop")) for _ in range(1000)]
    for c in clients:
        c.send(b"x")
    for c in clients:
        c.until_received(1)
    slowly.set()
    d.process.terminate()
    assert d.until_exit() == 0
    reader.join(20)
    d.log.write_bytes(bytes(got))
    records = [json.loads(line) for line in got.decode().splitlines() if line.startswith("{")]
    assert len(records) == 1000 and {r["reason"] for r in records} == {"drained"}
    assert b"could not be written" not in got and b"without a record" not in got
