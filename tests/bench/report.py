# SPDX-License-Identifier: ISC
"""What is said of the measurements: lines and a table on standard output, and a folder with the report."""
import dataclasses
import json
import shlex
import time
import unicodedata

import plots
from summary import FAILED, significant

BOUND = "*"
FOOTNOTE = (f"CPU of the proxy for each unit of work, user and system, all its processes; memory: private dirty. "
            f"Medians. {BOUND}: the load generator's CPU was the bottleneck, not the proxy's. –: takes no part.")


def pinned(bench):
    proxy, clients = bench.proxy_cpus(1), bench.load_cpus(1)
    shared = "" if bench.load_cpus(2) != bench.cpus else \
        "; with two workers the load shares their CPUs"
    return (f"the proxy on CPU {', '.join(map(str, proxy))}, clients and server on "
            f"{', '.join(map(str, clients))}{shared}")


def cell_text(line, peer):
    cell = line.cells[peer]
    if cell.why:
        return "FAILED" if line.cells[peer].why.startswith(FAILED) else "–"
    value = line.value(peer)
    if peer == "direct" and line.work.main == "cpu":
        return cell.rate(line.work)
    return significant(value) + (BOUND if cell.load_bound() else "")


def details(line, peer):
    """The columns of the long table."""
    cell, work = line.cells[peer], line.work
    if cell.why or not cell.rounds:
        return None
    if work.kind == "hold":
        descriptors = f"{cell.median('descriptors'):.0f} descriptors"
        return [cell_text(line, peer), descriptors, "", "", "", "",
                f"{cell.spread(work) * 100:.0f} %"]
    cpu = cell.median("cpu")
    share = f"{cell.median('user') / cpu * 100:.0f} %" if cpu else "–"
    percentiles = [significant(cell.median(p)) if work.kind != "bulk" else "" for p in ("p50", "p99")]
    value = "–" if peer == "direct" and work.main == "cpu" else cell_text(line, peer)
    spread = f"{cell.spread(work) * 100:.0f} %" if value != "–" else ""
    return [value, cell.rate(work), *percentiles, share, f"{cell.median('load_share') * 100:.0f} %", spread]


def print_line(line, lines):
    ratio, goal, met = line.verdict(lines)
    word = {True: ": met", False: ": missed", None: ""}[met]
    print(f"\n{line.work.name}: {line.work.title} [{line.work.unit}]"
          f"   spliced ÷ best peer {ratio}{' (' + goal + word + ')' if goal else ''}")
    for peer in line.cells:
        found = details(line, peer)
        if found:
            value, rate, p50, p99, user, load, spread = found
            latency = f"p50 {p50:>6} p99 {p99:>6} µs" if p50 else ""
            more = f"user {user:>5}  load's CPU {load:>5}" if user else ""
            print(f"  {peer:14} {value:>8}  {rate:>18}  {latency:27} {more}  ± {spread}", flush=True)


def width(text):
    return sum(0 if unicodedata.combining(c) else 1 for c in text)


def table(lines, names):
    rows = [["work", "unit", *names, "spliced ÷ best", "goal", ""]]
    for line in lines:
        ratio, goal, met = line.verdict(lines)
        rows.append([line.work.title, line.work.unit, *(cell_text(line, n) for n in names), ratio, goal,
                     {True: "met", False: "missed", None: ""}[met]])
    return rows


def short_table(lines):
    """The works with a goal, for a README."""
    rows = [["", "unit", "spliced", "best peer", "ratio", "goal"]]
    for line in lines:
        ratio, goal, _ = line.verdict(lines)
        if goal and "spliced" in line.cells:
            best = line.best_peer()
            rows.append([line.work.title, line.work.unit, cell_text(line, "spliced"),
                         f"{best} {cell_text(line, best)}" if best else "–", ratio, goal])
    return rows


def print_table(lines, names):
    rows = table(lines, names)
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    print()
    for row in rows:
        print("  ".join(text + " " * (w - width(text)) for text, w in zip(row, widths)).rstrip())
    print(FOOTNOTE)


def markdown(rows):
    head, *body = rows
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in body:
        yield "| " + " | ".join(row) + " |"


def write(folder, lines, running, about, arguments):
    folder.mkdir(parents=True, exist_ok=True)
    names = [p.name for p in running]
    drawn = plots.draw(folder, lines, names)
    text = ["# What spliced costs beside others", "",
            f"Made by `tests/bench/run{' ' * bool(arguments)}{shlex.join(arguments)}` on "
            f"{time.strftime('%Y-%m-%d')}.", "",
            *markdown(table(lines, names)), "", FOOTNOTE, "", "## The machine", "",
            *(f"- {name}: {value}" for name, value in about.items()), "", "## The programs", "",
            *(f"- {p.name}: {p.version()}" for p in running), ""]
    if drawn:
        text += ["## Plots", "", *(f"![{title}]({name})" for title, name in drawn), ""]
    text += ["## Each work", "",
             "CPU in user space, and of the CPUs that the load had, in percent; how far the rounds lie apart.", ""]
    for line in lines:
        rows = [[peer, *found] for peer in names if (found := details(line, peer))]
        skipped = [f"{peer}: {c.why}" for peer, c in line.cells.items() if c.why]
        text += [f"### {line.work.title}", "",
                 *markdown([["", line.work.unit, "rate", "p50 µs", "p99 µs", "user", "load", "±"], *rows]),
                 "", *(f"- {s}" for s in skipped), ""]
    (folder / "report.md").write_text("\n".join(text))
    (folder / "short.md").write_text("\n".join(markdown(short_table(lines))) + "\n")
    raw = {"about": about, "programs": {p.name: p.version() for p in running},
           "works": [{**dataclasses.asdict(line.work),
                      "peers": {p: {"why": c.why, "rounds": c.rounds} for p, c in line.cells.items()}}
                     for line in lines]}
    (folder / "raw.json").write_text(json.dumps(raw, indent=1))
