/* SPDX-License-Identifier: ISC */
#include "stats/handshakes.h"

#include <stddef.h>
#include <strings.h>

#include "base/own.h"

/* The first stands for none, the last for all others. */
static const char *const versions[] = { "none", "TLSv1.2", "TLSv1.3", "other" };
static const char *const groups[] = {
        "none",      "x25519",         "secp256r1",         "secp384r1",
        "secp521r1", "x448",           "brainpoolP256r1",   "ffdhe2048",
        "ffdhe3072", "x25519mlkem768", "secp256r1mlkem768", "other",
};

_Static_assert(COUNTOF(versions) == HANDSHAKE_VERSIONS, "a name for each version");
_Static_assert(COUNTOF(groups) == HANDSHAKE_GROUPS, "a name for each group");

static size_t find(const char *name, const char *const *names, size_t n)
{
        if (name == NULL)
                return 0;
        for (size_t i = 1; i < n - 1; i++)
                if (strcasecmp(name, names[i]) == 0)
                        return i;
        return n - 1;
}

void handshakes_count(struct handshakes *h, enum handshake_side side, const char *version,
                      const char *group, enum handshake_result result)
{
        size_t v = find(version, versions, COUNTOF(versions));
        size_t g = find(group, groups, COUNTOF(groups));
        counter_add(&h->n[side][v][g][result], 1);
}

void handshakes_sum(struct handshakes *h, const struct handshakes *more)
{
        for (int s = 0; s < HANDSHAKE_SIDES; s++)
                for (int v = 0; v < HANDSHAKE_VERSIONS; v++)
                        for (int g = 0; g < HANDSHAKE_GROUPS; g++)
                                for (int r = 0; r < HANDSHAKE_RESULTS; r++)
                                        counter_add(&h->n[s][v][g][r],
                                                    counter_get(&more->n[s][v][g][r]));
}

const char *handshake_side_name(enum handshake_side side)
{
        return side == HANDSHAKE_CLIENT ? "client" : "upstream";
}

const char *handshake_result_name(enum handshake_result result)
{
        static const char *const names[] = {
                [HANDSHAKE_FULL] = "full",
                [HANDSHAKE_RESUMED] = "resumed",
                [HANDSHAKE_FAILED] = "failed",
        };
        return names[result];
}

const char *handshake_version_name(int version)
{
        return versions[version];
}

const char *handshake_group_name(int group)
{
        return groups[group];
}
