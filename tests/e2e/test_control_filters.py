# SPDX-License-Identifier: ISC
"""splicectl sessions with options: which connections are shown."""
import pytest

from control import NEEDS_SPLICECTL, ask, daemon, lines
from harness import echoes, ends_well, service

pytestmark = NEEDS_SPLICECTL


def clients(found):
    return sorted(line["client"] for line in found)


def test_by_service_address_age_and_half_closed(w):
    upstream = w.listen("127.0.0.9:0")
    path = w.listen(f"unix:{w.dir}/up")
    d = daemon(w, {"workers": 2}, services={"echo": service(connect="echo"), "up": service(connect=upstream.address),
                                            "path": service(connect=f"unix:{w.dir}/up")})
    plain, half, unix = d.connect("echo"), d.connect("up"), d.connect("path")
    echoes(plain)
    server, local = w.accept(upstream, half), w.accept(path, unix)
    half.send(b"question").end()
    assert server.until_ended() == "end"
    everyone = sorted([plain.address, half.address, unix.address])
    table = [
        ([], everyone),
        (["--service", "echo"], [plain.address]),
        (["--service=echo"], [plain.address]),
        (["--address", "127.0.0.0/29"], everyone),
        (["--address", "127.0.0.9"], [half.address]),
        (["--address", "10.0.0.0/8"], []),
        (["--address", f"unix:{w.dir}/up"], [unix.address]),
        (["--half-closed"], [half.address]),
        (["--half-closed", "--service", "echo"], []),
        (["--older", "1ms", "up"], [half.address]),
        (["up", "--older", "1h"], []),
        (["--address", "127.0.0.9", "--half-closed", "--older", "1ms", "--service", "up"], [half.address]),
    ]
    for words, expected in table:
        assert clients(lines(w, d, "sessions", *words)) == expected, words
    shown = ask(w, d, "sessions", "--half-closed").out
    assert half.address in shown and plain.address not in shown
    assert ask(w, d, "sessions", "--half-closed", "--json").out.startswith("{")
    server.end()
    local.end()
    assert half.until_ended() == "end"
    ends_well(plain)
    ends_well(unix)


@pytest.mark.parametrize("words, said", [
    (["--service", "nobody"], "no service of that name"), (["--service", "x", "x"], "named twice"),
    (["--address", "host.example"], '"host.example" is not an address or a range'),
    (["--address", "10.0.0.0/33"], "is not an address or a range"), (["--address"], "--address needs a value"),
    (["--older", "10 apples"], '"10 apples" is not a duration'), (["--older", "5"], "--older: \"5\" needs a unit"),
    (["--half-closed", "--half-closed"], "--half-closed is given twice"),
    (["--young"], 'there is no option "--young"; usage: sessions [SERVICE] [--service NAME] [--address ADDRESS]'),
    (["--half-closed=x"], 'there is no option "--half-closed=x"'),
])
def test_mistakes_are_told(w, words, said):
    d = daemon(w, services={"x": service(connect="echo")})
    result = ask(w, d, "sessions", *words)
    assert result.status == 1 and said in result.err, result.err


def test_a_command_without_options_takes_none(w):
    d = daemon(w, services={"x": service(connect="echo")})
    result = ask(w, d, "status", "--older", "1h")
    assert result.status == 1 and 'there is no option "--older"; usage: status' in result.err
