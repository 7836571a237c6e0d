/* SPDX-License-Identifier: ISC */
#include "conn/reason.h"

#include <assert.h>

#include "base/own.h"

static const struct {
        const char *name, *help;
        enum ended_by by;
} rows[] = {
#define R(id, name, by, help) [REASON_##id] = { name, help, by },
#include "conn/reasons.def"
#undef R
};

const char *reason_name(enum reason r)
{
        assert(r < REASONS);
        return rows[r].name;
}

const char *reason_help(enum reason r)
{
        assert(r < REASONS);
        return rows[r].help;
}

enum ended_by reason_by(enum reason r)
{
        assert(r < REASONS);
        return rows[r].by;
}

const char *ended_by_name(enum ended_by by)
{
        static const char *const names[] = {
                [BY_CLIENT] = "client",
                [BY_UPSTREAM] = "upstream",
                [BY_SPLICED] = "spliced",
        };
        assert(by < COUNTOF(names));
        return names[by];
}
