# SPDX-License-Identifier: ISC
"""The works: a row is a line of the table that comes out."""
import dataclasses

GB = 1_000_000_000


@dataclasses.dataclass(frozen=True)
class Work:
    name: str
    title: str
    kind: str                 # bulk, pingpong, connect, hold
    links: int = 1
    count: int = 0            # octets of bulk, connections held, else operations
    unit: str = ""            # of the main number
    size: int = 0             # of a message
    up: bool = False
    tls: bool = False
    resume: bool = False
    workers: int = 1
    services: int = 1
    busy_poll: bool = False   # where it is an option; others run as they are
    main: str = "cpu"         # what is compared: cpu (per unit), memory or p50
    goal: float = None        # spliced ÷ best peer, at most
    goal_of: tuple = ()       # (work, ratio): at most so many times spliced's own number there
    quick: bool = False       # a part of --quick
    group: str = ""           # works of one group take turns with each other, to be compared well


def bulk(name, title, links, size, **more):
    return Work(name, title, "bulk", links=links, count=size, unit="s/GB", **more)


def pingpong(name, title, size, links, count, **more):
    return Work(name, title, "pingpong", size=size, links=links, count=count, unit="µs", **more)


def connect(name, title, count, **more):
    return Work(name, title, "connect", links=16, count=count, unit="µs", **more)


def hold(name, title, count, **more):
    return Work(name, title, "hold", links=200, count=count, unit="KiB", main="memory", **more)


def size_name(n):
    return f"{n} B" if n < 1024 else f"{n // 1024} KB"


WORKS = [
    bulk("bulk-1", "plain bulk, 1 connection", 1, GB, goal=0.5, quick=True),
    bulk("bulk-16", "plain bulk, 16 connections", 16, GB, goal=0.5),
    # Of 1 GB each connection would have 4 MB, and a socket's buffer holds as much.
    bulk("bulk-256", "plain bulk, 256 connections", 256, 4 * GB, goal=0.6),
    bulk("bulk-up-1", "plain bulk to the server, 1 connection", 1, GB, up=True),
    bulk("bulk-up-16", "plain bulk to the server, 16 connections", 16, GB, up=True),
    *(pingpong(f"pingpong-{size}", f"ping-pong of {size_name(size)}, 64 connections", size, 64, count,
               goal=0.95 if size == 64 else None, quick=size in (64, 16384))
      for size, count in ((64, 20000), (1024, 20000), (4096, 20000), (16384, 12000),
                          (65536, 6000), (262144, 3000))),
    *(pingpong(f"pingpong-of-{links}", f"64-byte ping-pong, {links} connection{'s'[:links > 1]}", 64, links,
               count, goal_of=("pingpong-of-100", 1.3) if links == 4000 else (), quick=links in (100, 4000),
               group="growth")
      for links, count in ((1, 6000), (16, 20000), (100, 20000), (1000, 20000), (4000, 24000))),
    connect("connect", "connect, one byte each way, close", 3000, goal=0.95, quick=True),
    hold("idle", "idle plain connection, memory", 2000, goal=0.3, quick=True),

    bulk("tls-encrypt-4", "TLS 1.3 encrypting, 4 connections", 4, GB, tls=True, goal=0.5, quick=True),
    bulk("tls-encrypt-1", "TLS 1.3 encrypting, 1 connection", 1, GB, tls=True),
    bulk("tls-encrypt-64", "TLS 1.3 encrypting, 64 connections", 64, GB, tls=True),
    bulk("tls-decrypt-4", "TLS 1.3 decrypting, 4 connections", 4, GB, tls=True, up=True, goal=0.85, quick=True),
    bulk("tls-decrypt-1", "TLS 1.3 decrypting, 1 connection", 1, GB, tls=True, up=True),
    bulk("tls-decrypt-64", "TLS 1.3 decrypting, 64 connections", 64, GB, tls=True, up=True),
    pingpong("tls-pingpong-64", "TLS 1.3 ping-pong of 64 B, 64 connections", 64, 64, 20000, tls=True),
    pingpong("tls-pingpong-16384", "TLS 1.3 ping-pong of 16 KB, 64 connections", 16384, 64, 10000, tls=True),
    connect("tls-full", "TLS 1.3 full handshake, one byte each way, close", 1500, tls=True, goal=0.9, quick=True),
    connect("tls-resumed", "TLS 1.3 resumed handshake, one byte each way, close", 2000, tls=True, resume=True,
            goal=0.97, quick=True),
    hold("tls-idle", "idle TLS connection, memory", 1000, tls=True, goal=0.85, quick=True),

    pingpong("latency", "64-byte ping-pong, 1 connection, p50", 64, 1, 10000, main="p50", group="latency"),
    pingpong("latency-busy-poll", "the same with busy-poll (spliced)", 64, 1, 10000, main="p50", busy_poll=True,
             goal=0.6, group="latency"),

    bulk("two-bulk-16", "two workers: plain bulk, 16 connections", 16, GB, workers=2),
    pingpong("two-pingpong", "two workers: 64-byte ping-pong, 64 connections", 64, 64, 20000, workers=2),
    connect("two-connect", "two workers: connect, one byte each way, close", 3000, workers=2),
    bulk("two-tls-encrypt", "two workers: TLS 1.3 encrypting, 16 connections", 16, GB, tls=True, workers=2),
    connect("two-tls-full", "two workers: TLS 1.3 full handshake", 1500, tls=True, workers=2),

    pingpong("services-1", "64-byte ping-pong, 64 connections, 1 service", 64, 64, 20000, group="services"),
    pingpong("services-10000", "the same with 10,000 services", 64, 64, 20000, services=10000,
             goal_of=("services-1", 1.1), group="services"),
    connect("connect-services-1", "connect, one byte each way, close, 1 service", 3000, group="services"),
    connect("connect-services-10000", "the same with 10,000 services", 3000, services=10000,
            goal_of=("connect-services-1", 1.1), group="services"),
]


def groups(works):
    """Lists of works, in the table's order."""
    found = {}
    for work in works:
        found.setdefault(work.group or work.name, []).append(work)
    return list(found.values())
