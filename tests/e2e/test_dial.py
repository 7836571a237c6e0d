# SPDX-License-Identifier: ISC
"""Reaching an upstream: every address in turn, and the reason of each kept."""
import pytest

from harness import service
from test_cuts import refusing, silent  # noqa: F401 (a fixture)


def exchange(w, daemon, name, listener, **kwargs):
    client = daemon.connect(name, **kwargs)
    upstream = w.accept(listener, client)
    client.send(b"ping")
    upstream.until_received(4)
    upstream.send(b"pong").end()
    assert client.until_ended() == "end"
    client.end()
    assert upstream.until_ended() == "end"
    assert bytes(client.received) == b"pong"
    return daemon.record_of(client)


@pytest.mark.smoke
def test_refused_then_the_next(w):
    one, refused_1 = refusing()
    two, refused_2 = refusing()
    listener = w.listen()
    d = w.daemon(services={"path": service(connect=[refused_1, refused_2, listener.address], balance="first")})
    record = exchange(w, d, "path", listener)
    assert record["reason"] == "end" and record["upstream"] == listener.address
    assert [a["target"] for a in record["attempts"]] == [refused_1, refused_2, listener.address]
    assert [bool(a["error"]) for a in record["attempts"]] == [True, True, False]
    one.close(), two.close()


def test_all_refused(w):
    one, refused_1 = refusing()
    two, refused_2 = refusing()
    d = w.daemon(services={"path": service(connect=[refused_1, refused_2], balance="first")})
    client = d.connect("path")
    assert client.until_ended() == "reset"
    record = d.record_of(client)
    assert record["reason"] == "connect-refused"
    assert [a["target"] for a in record["attempts"]] == [refused_1, refused_2]
    one.close(), two.close()


def test_connect_timeout_covers_all_addresses(w, silent):  # noqa: F811
    listener = w.listen()
    d = w.daemon(services={"path": service(connect=[silent.address, listener.address], balance="first",
                                           connect_timeout="500ms")})
    client = d.connect("path")
    client.until_ended()
    record = d.record_of(client)
    # whether the second was still tried within the time is not promised; that time has a limit is
    assert record["reason"] == "connect-timeout", record
    assert record["attempts"][0]["address"] == silent.address and record["attempts"][0]["error"]


def test_a_name_with_two_addresses(w):
    """localhost is ::1 and 127.0.0.1 here; only one of them answers."""
    listener = w.listen()
    d = w.daemon(services={"path": service(connect=f"localhost:{listener.port}")})
    record = exchange(w, d, "path", listener)
    assert record["upstream"] == listener.address
    assert record["attempts"][-1]["address"] == listener.address and not record["attempts"][-1]["error"]
    assert all(a["target"] == f"localhost:{listener.port}" for a in record["attempts"])


def test_a_name_that_is_none(w):
    d = w.daemon(services={"path": service(connect="no-such-name.invalid:80", connect_timeout="5s")})
    client = d.connect("path")
    assert client.until_ended() == "reset"
    record = d.record_of(client)
    assert record["reason"] in ("resolve-failed", "connect-timeout"), record
    assert record["attempts"][0]["target"] == "no-such-name.invalid:80" and record["attempts"][0]["error"]


def test_a_name_that_is_none_then_the_next(w):
    listener = w.listen()
    d = w.daemon(services={"path": service(connect=["no-such-name.invalid:80", listener.address], balance="first",
                                           connect_timeout="60s")})
    record = exchange(w, d, "path", listener)
    assert record["attempts"][0]["error"] and record["upstream"] == listener.address


@pytest.mark.parametrize("balance, used", [("first", [6, 0, 0]), ("round-robin", [2, 2, 2])])
def test_balance(w, balance, used):
    listeners = [w.listen() for _ in range(3)]
    d = w.daemon({"workers": 1}, services={"path": service(connect=[x.address for x in listeners], balance=balance)})
    counts = [0, 0, 0]
    for _ in range(6):
        client = d.connect("path")
        w.until(lambda: any(x.waiting for x in listeners), "a connection to any upstream")
        which = next(i for i, x in enumerate(listeners) if x.waiting)
        counts[which] += 1
        upstream = w.accept(listeners[which], client)
        upstream.end(), client.end()
        assert client.until_ended() == "end" and upstream.until_ended() == "end"
        assert d.record_of(client)["upstream"] == listeners[which].address
    assert counts == used


def test_round_robin_over_all_workers(w):
    """However many workers there are, each upstream gets its share."""
    listeners = [w.listen() for _ in range(2)]
    d = w.daemon({"workers": 2}, services={"path": service(connect=[x.address for x in listeners])})
    for n in range(20):
        client = d.connect("path")
        w.until(lambda: any(x.waiting for x in listeners), "a connection to any upstream")
        which = next(i for i, x in enumerate(listeners) if x.waiting)
        listeners[which].used = getattr(listeners[which], "used", 0) + 1
        upstream = w.accept(listeners[which], client)
        upstream.end(), client.end()
        assert client.until_ended() == "end" and upstream.until_ended() == "end"
    assert all(5 <= getattr(x, "used", 0) <= 15 for x in listeners), [getattr(x, "used", 0) for x in listeners]


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_unix_upstream(w, kind):
    address = f"unix:{w.dir}/up.sock" if kind == "path" else f"unix:@spliced-e2e-{id(w)}"
    listener = w.listen(address)
    d = w.daemon(services={"path": service(connect=address)})
    client = d.connect("path")
    upstream = w.accept(listener, client)
    client.send(b"ping" * 100_000).end()
    assert upstream.until_ended() == "end"
    upstream.send(b"pong" * 100_000).end()
    assert client.until_ended() == "end"
    assert bytes(client.received) == b"pong" * 100_000 and bytes(upstream.received) == b"ping" * 100_000
    record = d.record_of(client)
    assert record["upstream"] == address and record["reason"] == "end"
    assert record["bytes_up"] == record["bytes_down"] == 400_000


def test_unix_upstream_that_is_not_there(w):
    d = w.daemon(services={"path": service(connect=f"unix:{w.dir}/nobody.sock")})
    client = d.connect("path")
    assert client.until_ended() == "reset"
    record = d.record_of(client)
    assert record["reason"] == "connect-failed"
    assert "No such file" in record["attempts"][0]["error"]


def test_ipv6_upstream(w):
    listener = w.listen("[::1]:0")
    d = w.daemon(services={"path": service(connect=listener.address)})
    assert exchange(w, d, "path", listener)["upstream"] == listener.address
