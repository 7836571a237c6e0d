# SPDX-License-Identifier: ISC
"""Every row of the closing table on every combination of legs, whoever acts."""
import pytest

import closing


def cases():
    for row in closing.ROWS:
        for client, upstream, by in row.combinations():
            marks = [pytest.mark.smoke] if (client, upstream, by) in row.smoke else []
            yield pytest.param(row, client, upstream, by, marks=marks,
                               id=f"{row.name}-{client}-{upstream}-by-{by}")


OFTEN = (("plain", "plain"), ("tls13", "plain"), ("tls12", "tls13"))


def pumps():
    """The rows above take the fast pumps by themselves. The buffer pump on all combinations takes longer."""
    for param in cases():
        row, client, upstream, by = param.values
        marks = [] if (client, upstream) in OFTEN else [pytest.mark.long]
        yield pytest.param(row, client, upstream, by, marks=marks, id="buffer-" + param.id)


@pytest.mark.parametrize("row, client, upstream, by", cases())
def test_row(w, row, client, upstream, by):
    closing.play(row, w, client, upstream, by)


@pytest.mark.parametrize("row, client, upstream, by", pumps())
def test_row_over_the_buffer_pump(w, row, client, upstream, by):
    closing.play(row, w, client, upstream, by, pump="buffer")
