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


@pytest.mark.parametrize("row, client, upstream, by", cases())
def test_row(w, row, client, upstream, by):
    closing.play(row, w, client, upstream, by)
