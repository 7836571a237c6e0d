# SPDX-License-Identifier: ISC
"""Plots, where python3-matplotlib is there."""


def draw(folder, lines, names):
    return []
