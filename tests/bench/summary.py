# SPDX-License-Identifier: ISC
"""From measurements to what the table says: medians and ratios."""
import statistics

FAILED = "FAILED: "  # begins what a cell says that must not be a number


def main_number(work, result):
    """What is compared, in the work's unit."""
    if work.main == "memory":
        return result["private"] / 1024
    if work.main == "p50":
        return result["p50"]
    return result["cpu"] / result["done"] * (1e9 if work.kind == "bulk" else 1e6)


class Cell:
    """A peer's share in a work: its rounds, or why there is no number."""

    def __init__(self, why=None):
        self.why = why
        self.rounds = []

    def median(self, key):
        values = [r[key] for r in self.rounds if key in r]
        return statistics.median(values) if values and not self.why else None

    def main(self, work):
        if self.why or not self.rounds:
            return None
        return statistics.median(main_number(work, r) for r in self.rounds)

    def spread(self, work):
        """How far rounds lie apart, as a part of the median."""
        values = [main_number(work, r) for r in self.rounds]
        return (max(values) - min(values)) / statistics.median(values) if values else 0

    def rate(self, work):
        """Text: what got through in a second."""
        if not self.rounds or "seconds" not in self.rounds[0]:
            return "–"
        per_second = statistics.median(r["done"] / r["seconds"] for r in self.rounds)
        return f"{per_second / 1e9:.2f} GB/s" if work.kind == "bulk" else f"{per_second:,.0f}/s"

    def load_bound(self):
        return sum(r.get("load_bound", False) for r in self.rounds) * 2 > len(self.rounds)


def significant(value):
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


class Line:
    """A work and all cells of it."""

    def __init__(self, work, peers):
        self.work = work
        self.cells = {p: Cell() for p in peers}

    def value(self, peer):
        cell = self.cells.get(peer)
        return cell.main(self.work) if cell else None

    def failed(self):
        return [p for p, c in self.cells.items() if c.why and c.why.startswith(FAILED)]

    def best_peer(self):
        others = {p: self.value(p) for p in self.cells if p not in ("spliced", "direct")}
        others = {p: v for p, v in others.items() if v}
        return min(others, key=others.get) if others else None

    def ratio(self):
        best = self.best_peer()
        ours = self.value("spliced")
        return ours / self.value(best) if best and ours is not None else None

    def growth(self, lines):
        """spliced's number here ÷ its number in the work this one is compared with."""
        if not self.work.goal_of:
            return None
        other = next((line for line in lines if line.work.name == self.work.goal_of[0]), None)
        base = other and other.value("spliced")
        ours = self.value("spliced")
        return ours / base if base and ours is not None else None

    def verdict(self, lines):
        """(text of the ratio, text of the goal, met: True, False or None)."""
        ratio, growth = self.ratio(), self.growth(lines)
        lost = False if "spliced" in self.failed() else None  # a goal without a number
        shown = f"{ratio:.2f}" if ratio is not None else "–"
        if self.work.goal_of:
            against, goal = self.work.goal_of
            grown = f", {growth:.2f} × {against}" if growth is not None else ""
            return shown + grown, f"≤ {goal} × {against}", lost if growth is None else growth <= goal
        if self.work.goal is None:
            return shown, "", None
        return shown, f"≤ {self.work.goal}", lost if ratio is None else ratio <= self.work.goal
