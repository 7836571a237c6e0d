# SPDX-License-Identifier: ISC
"""The harness tested: a right connection passes the closing table, each wrong one is caught."""
import pytest

import closing
import reference

BY_NAME = {row.name: row for row in closing.ROWS}

# Rows that hold with nothing in between (a fatal alert reaches the other side as an alert there).
DIRECT = [name for name in BY_NAME if name in (
    "end_then_answer", "end_before_it_is_read", "data_and_end_together", "ends_at_once", "nothing_at_all",
    "one_octet_at_a_time", "question_and_answer", "every_size", "slow_reader_of_an_end",
    "reset_midstream", "reset_at_once",
    "reset_by_who_does_not_read", "reset_after_own_end", "reset_after_others_end", "stopped")]


@pytest.mark.parametrize("kind", closing.KINDS)
@pytest.mark.parametrize("name", DIRECT)
def test_directly_connected(w, name, kind):
    closing.play(BY_NAME[name], w, kind, kind, "client", reference.DirectPath)


def quick_cases():
    for row in closing.ROWS:
        for client, upstream, by in row.combinations():
            if row.quick and (client, upstream) in (("plain", "plain"), ("tls13", "tls12")):
                yield pytest.param(row, client, upstream, by, id=f"{row.name}-{client}-{upstream}-by-{by}")


@pytest.mark.parametrize("row, client, upstream, by", quick_cases())
def test_right_forwarder(w, row, client, upstream, by):
    closing.play(row, w, client, upstream, by, reference.ReferencePath)


@pytest.mark.parametrize("flaw, row, client, upstream", [
    ("rst-becomes-end", "reset_midstream", "plain", "plain"),
    ("rst-becomes-end", "reset_midstream", "tls13", "plain"),
    ("rst-becomes-end", "reset_at_once", "plain", "tls12"),
    ("rst-becomes-end", "reset_by_who_does_not_read", "plain", "plain"),
    ("cut-loses-tail", "reset_behind_megabytes", "plain", "plain"),
    ("cut-loses-tail", "reset_while_held_up", "plain", "plain"),
    ("cut-loses-tail", "fatal_alert_held_up", "tls13", "plain"),
    ("end-loses-tail", "end_before_it_is_read", "plain", "plain"),
    ("first-end-closes-both", "end_then_answer", "plain", "plain"),
    ("first-end-closes-both", "hold", "plain", "plain"),
    ("end-is-not-passed-on", "end_then_answer", "plain", "plain"),
    ("end-is-not-passed-on", "close", "plain", "plain"),
    ("truncation-becomes-end", "truncated", "tls12", "plain"),
    ("truncation-becomes-end", "truncated_at_once", "tls13", "plain"),
    ("no-close-notify", "end_then_answer", "plain", "tls13"),
    ("no-close-notify", "nothing_at_all", "plain", "tls12"),
    ("close-notify-without-fin", "end_then_answer", "plain", "tls13"),
    ("no-back-pressure", "stopped", "plain", "plain"),
    ("changes-an-octet", "end_then_answer", "plain", "plain"),
    ("drops-an-octet", "question_and_answer", "plain", "plain"),
    ("doubles-an-octet", "every_size", "plain", "plain"),
    ("cut-waits-for-ever", "reset_midstream", "plain", "plain"),
    ("alert-becomes-end", "fatal_alert", "tls13", "plain"),
    ("alert-becomes-end", "bad_record", "tls12", "plain"),
    ("holds-back-small-writes", "question_and_answer", "plain", "plain"),
])
def test_wrong_forwarder_is_caught(w, flaw, row, client, upstream):
    w.net.deadline = 2
    with pytest.raises(AssertionError):
        closing.play(BY_NAME[row], w, client, upstream, "client", reference.wrong(flaw))


@pytest.mark.parametrize("version", ["tls12", "tls13"])
def test_a_tls_peer_reads_on_after_its_close_notify(w, version):
    """The peers' own half-close: close_notify and FIN are sent, reading goes on, and what the other
    sends meanwhile is no error."""
    path = reference.DirectPath(w, (version, version))
    p = path.open((version, version), "client")
    p.b.send(closing.noise(500_000))
    p.a.send(b"q").end().flush()
    p.b.send(closing.noise(500_000, 1)).end()
    assert p.a.until_ended() == "end"
    closing.same(p.a.received, closing.noise(500_000) + closing.noise(500_000, 1), "a")
    assert p.b.until_ended() == "end"


@pytest.mark.parametrize("how, seen", [
    (lambda a: a.end(), "end"),
    (lambda a: a.fin(), "truncated"),
    (lambda a: a.flush().reset(), "reset"),
    (lambda a: a.alert(), "alert bad_record_mac"),
    (lambda a: a.bad_record(), "error decryption_failed_or_bad_record_mac"),
    (lambda a: a.close_notify().flush().reset(), "end, then reset before FIN"),
], ids=["end", "fin", "reset", "alert", "bad-record", "close_notify-rst"])
@pytest.mark.parametrize("version", ["tls12", "tls13"])
def test_a_tls_peer_tells_ends_apart(w, version, how, seen):
    p = reference.DirectPath(w, (version, version)).open((version, version), "client")
    p.a.send(closing.noise(50_000)).drain()
    p.b.until_received(50_000)
    how(p.a)
    if seen.startswith(("alert", "error")):
        w.until(lambda: p.b.tls_end, "b's verdict")
        assert p.b.tls_end == seen
    else:
        assert p.b.until_ended() == seen
    closing.same(p.b.received, closing.noise(50_000), "b")
