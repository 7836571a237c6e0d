# SPDX-License-Identifier: ISC
"""The plots of a report, in SVG; none where python3-matplotlib is not there."""
try:
    import matplotlib
    import matplotlib.ticker
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "spliced"})
    import matplotlib.pyplot as plt
except ImportError:
    plt = None

# One colour a peer in all plots, told apart by those who see few colours too.
COLOURS = {"spliced": "#d55e00", "haproxy": "#0072b2", "nginx": "#009e73", "hitch": "#cc79a7",
           "stunnel": "#999999", "rinetd": "#e69f00", "socket-proxyd": "#56b4e9", "direct": "#000000"}

# file, title, works: bars for each peer side by side
BARS = [
    ("bulk", "Plain bulk: CPU seconds a GB", ("bulk-1", "bulk-16", "bulk-256", "bulk-up-1", "bulk-up-16")),
    ("tls-bulk", "TLS 1.3 bulk: CPU seconds a GB",
     ("tls-encrypt-1", "tls-encrypt-4", "tls-encrypt-64", "tls-decrypt-1", "tls-decrypt-4", "tls-decrypt-64")),
    ("connections", "A connection: CPU µs", ("connect", "tls-full", "tls-resumed")),
    ("memory", "An idle connection: KiB of user space", ("idle", "tls-idle")),
    ("latency", "64-byte ping-pong, 1 connection: p50 in µs", ("latency", "latency-busy-poll")),
    ("two-workers", "Two workers: CPU seconds a GB", ("two-bulk-16", "two-tls-encrypt")),
    ("two-workers-operations", "Two workers: CPU µs an operation", ("two-pingpong", "two-connect", "two-tls-full")),
]


def of_peers(lines, names):
    """The proxies that have a number in one of these lines."""
    return [n for n in names if n != "direct" and any(line.value(n) is not None for line in lines)]


def plain_numbers(axis):
    """Numbers as people write them, on a logarithmic axis."""
    axis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axis.set_minor_formatter(matplotlib.ticker.FormatStrFormatter("%g"))


def beside(axes):
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


def bars(axes, lines, names):
    shown = of_peers(lines, names)
    width = 0.8 / len(shown)
    here = [of_peers([line], names) for line in lines]  # side by side without gaps
    for name in shown:
        found = [(x + (there.index(name) - (len(there) - 1) / 2) * width, lines[x].value(name))
                 for x, there in enumerate(here) if name in there]
        axes.bar(*zip(*found), width, label=name, color=COLOURS[name])
    axes.set_xticks(range(len(lines)), [line.work.name for line in lines])
    # One that is far behind must not hide how the others compare.
    values = sorted(v for line in lines for n in shown if (v := line.value(n)))
    if values[-1] > 4 * values[len(values) // 2]:
        axes.set_yscale("log", subs=(2, 5))
        plain_numbers(axes.yaxis)
    beside(axes)


def curves(axes, lines, names, x_of, x_label):
    for name in of_peers(lines, names):
        points = [(x_of(line.work), line.value(name)) for line in lines if line.value(name) is not None]
        axes.plot(*zip(*sorted(points)), marker="o", label=name, color=COLOURS[name])
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", subs=(2, 3, 5))
    plain_numbers(axes.yaxis)
    axes.set_xticks([x_of(line.work) for line in lines], [str(x_of(line.work)) for line in lines])
    axes.set_xlabel(x_label)
    axes.set_ylabel("CPU µs")
    beside(axes)


def ratios(axes, lines):
    """spliced ÷ best peer, work by work, with the goals."""
    shown = [line for line in lines if line.ratio() is not None][::-1]
    for y, line in enumerate(shown):
        axes.barh(y, line.ratio(), color=COLOURS["spliced"], height=0.6)
        if line.work.goal:
            axes.plot([line.work.goal] * 2, [y - 0.4, y + 0.4], color="black", linewidth=2)
    axes.set_yticks(range(len(shown)), [line.work.name for line in shown])
    axes.axvline(1, color="#999999", linewidth=1)
    axes.set_xscale("log", base=2)
    plain_numbers(axes.xaxis)
    axes.set_xlabel("below 1 spliced costs less; black: the goal")


def save(folder, name, title, height, paint):
    figure, axes = plt.subplots(figsize=(9, height))
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    paint(axes)
    figure.tight_layout()
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)
    return title, f"{name}.svg"


def draw(folder, lines, names):
    """Returns (title, file) of each plot."""
    if plt is None:
        return []
    by_name = {line.work.name: line for line in lines if any(line.value(n) is not None for n in names)}
    drawn = []
    compared = [line for line in lines if line.ratio() is not None]
    if compared:
        drawn.append(save(folder, "ratios", "spliced ÷ best peer", 1 + len(compared) * 0.25,
                          lambda axes: ratios(axes, compared)))
    for name, title, works in BARS:
        found = [by_name[w] for w in works if w in by_name]
        if of_peers(found, names):
            drawn.append(save(folder, name, title, 4, lambda axes, found=found: bars(axes, found, names)))
    for name, title, pattern, x_of, x_label in (
            ("sizes", "Ping-pong, 64 connections: CPU µs a message and its answer", "pingpong-",
             lambda w: w.size, "octets of a message"),
            ("growth", "64-byte ping-pong: CPU µs a message and its answer", "pingpong-of-",
             lambda w: w.links, "connections")):
        found = [line for key, line in by_name.items()
                 if key.startswith(pattern) and (pattern == "pingpong-of-" or key[len(pattern)].isdigit())]
        if len(found) > 1:
            drawn.append(save(folder, name, title, 4, lambda axes, found=found, x_of=x_of, x_label=x_label:
                              curves(axes, found, names, x_of, x_label)))
    return drawn
