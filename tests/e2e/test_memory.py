# SPDX-License-Identifier: ISC
"""What an idle connection costs in memory of the daemon's own, on both legs together, after a burst:
all of them come at once, exchange something, and then say nothing."""
import pytest

from harness import INSTRUMENTED, service

KB = 1024
COUNT, FEW = 2000, 20
PATIENCE = 120
# What is measured takes whole pages and what malloc keeps for itself with it.
TOLERANCE = 1.15

pytestmark = [pytest.mark.alone, pytest.mark.timeout(600),
              pytest.mark.skipif(INSTRUMENTED, reason="a sanitizer or a wrapper has memory of its own")]

# Octets of user space for each idle connection.
BUDGET = {"plain": 0.95 * KB, "tls": 15 * KB}


@pytest.mark.parametrize("leg", BUDGET)
def test_an_idle_connection(w, load, leg):
    server = w.run(load, "serve", name="serve")
    port = server.until_says(r"port (\d+)").group(1)
    s = service("127.0.0.1:0", connect=[f"127.0.0.{i}:{port}" for i in range(1, 5)], handshake_timeout="5m",
                connect_timeout="5m")
    if leg == "tls":
        s["listen-tls"] = {"certificate": w.certs.path("server.pem")}
    d = w.daemon({"max-connections": 20000, "workers": 1}, services={"path": s})
    d.strangers = True
    ours = d.at("path").rsplit(":", 1)[1]
    descriptors, limit = d.descriptors(), BUDGET[leg] * TOLERANCE

    def come(count):
        clients = w.run(load, "hold", leg, count, ours, name="hold")
        clients.until_says(rf"held {count}\n", PATIENCE)
        return clients

    def leave(clients):
        clients.feed(b"go\n")
        assert clients.until_exit(PATIENCE) == 0, clients.out.read_text()
        w.until(lambda: d.descriptors() <= descriptors, "the descriptors to come back", PATIENCE)

    leave(come(FEW))  # what is made once is there: code, pools, caches
    empty = d.rss()
    clients = come(COUNT)
    # what the burst needed for itself goes back when it is over, not before
    each = (d.rss() - empty) / COUNT
    for _ in range(100):
        each = min(each, (d.rss() - empty) / COUNT)
        if each <= limit:
            break
        w.net.run(0.1)
    print(f"{leg}: {each / KB:.2f} KB for each idle connection")
    leave(clients)
    assert each <= limit, f"{each / KB:.2f} KB for each, {limit / KB:.2f} at most"
