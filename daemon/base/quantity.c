/* SPDX-License-Identifier: ISC */
/* The notations people write quantities in. */
#include "base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"

struct unit {
        const char *name;
        int64_t factor;
};

enum number_result { NUMBER_OK, NUMBER_NONE, NUMBER_TOO_LARGE };

/* The digits s begins with. *rest is what follows them. No sign, no space: people who write those
 * mean something else than we would read. */
static enum number_result read_number(const char *s, int64_t *out, const char **rest)
{
        bool fits = true;
        *out = 0;
        for (*rest = s; **rest >= '0' && **rest <= '9'; ++*rest) {
                fits = fits && !__builtin_mul_overflow(*out, 10, out) &&
                       !__builtin_add_overflow(*out, **rest - '0', out);
        }
        if (*rest == s)
                return NUMBER_NONE;
        return fits ? NUMBER_OK : NUMBER_TOO_LARGE;
}

static const struct unit *find_unit(const struct unit *units, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(units[i].name, name) == 0)
                        return &units[i];
        return NULL;
}

/* NUMBER directly followed by one of the units. *out is set on NUMBER_OK only. */
static enum number_result read_quantity(const char *s, const struct unit *units, size_t n,
                                        int64_t *out)
{
        const char *rest;
        int64_t number, value;
        enum number_result result = read_number(s, &number, &rest);
        if (result == NUMBER_NONE)
                return NUMBER_NONE;
        const struct unit *unit = find_unit(units, n, rest);
        if (unit == NULL)
                return NUMBER_NONE;
        if (result == NUMBER_TOO_LARGE || __builtin_mul_overflow(number, unit->factor, &value))
                return NUMBER_TOO_LARGE;
        *out = value;
        return NUMBER_OK;
}

static const struct unit duration_units[] = {
        { "ms", 1 },
        { "s", 1000 },
        { "m", 60 * 1000 },
        { "h", 60 * 60 * 1000 },
        { "d", 24 * 60 * 60 * 1000 },
};

static const struct unit short_units[] = {
        { "us", 1 },
        { "ms", 1000 },
        { "s", 1000 * 1000 },
};

/* What people are told is in the words of one notation; zero is said by "off" in all. */
struct duration_words {
        const char *no_unit, *no_duration, *zero;
};

static const char *read_duration(const char *s, const struct unit *units, size_t n,
                                 const struct duration_words *words, int64_t *out)
{
        int64_t value;
        if (strcmp(s, "off") == 0) {
                *out = 0;
                return NULL;
        }
        switch (read_quantity(s, units, n, &value)) {
        case NUMBER_TOO_LARGE:
                return "is too long a duration";
        case NUMBER_NONE:
                if (s[0] != '\0' && s[strspn(s, "0123456789")] == '\0')
                        return words->no_unit;
                return words->no_duration;
        case NUMBER_OK:
                break;
        }
        /* 0 would read as "at once" and mean "never": whoever wants that says so. */
        if (value == 0)
                return words->zero;
        *out = value;
        return NULL;
}

const char *text_to_duration(const char *s, int64_t *out_ms)
{
        static const struct duration_words words = {
                "needs a unit: \"250ms\", \"5s\", \"10m\", \"1h\", \"7d\"",
                "is not a duration such as \"250ms\", \"5s\", \"10m\", \"1h\", \"7d\" or "
                "\"off\"",
                "is no duration at all: write \"off\" for none, \"1ms\" for the shortest",
        };
        return read_duration(s, duration_units, COUNTOF(duration_units), &words, out_ms);
}

const char *text_to_microseconds(const char *s, int64_t *out_us)
{
        static const struct duration_words words = {
                "needs a unit: \"50us\", \"1ms\"",
                "is not a duration such as \"50us\", \"1ms\" or \"off\"",
                "is no duration at all: write \"off\" for none, \"1us\" for the shortest",
        };
        return read_duration(s, short_units, COUNTOF(short_units), &words, out_us);
}

#define KIBI (INT64_C(1) << 10)
#define MEBI (INT64_C(1) << 20)
#define GIBI (INT64_C(1) << 30)
#define TEBI (INT64_C(1) << 40)

/* The capital or small letter that is written comes first of its pair. */
static const struct unit size_units[] = {
        { "", 1 },     { "k", KIBI }, { "K", KIBI }, { "M", MEBI }, { "m", MEBI },
        { "G", GIBI }, { "g", GIBI }, { "T", TEBI }, { "t", TEBI },
};
static const struct unit rate_units[] = {
        { "/s", 1 },     { "k/s", KIBI }, { "K/s", KIBI }, { "M/s", MEBI }, { "m/s", MEBI },
        { "G/s", GIBI }, { "g/s", GIBI }, { "T/s", TEBI }, { "t/s", TEBI },
};
static const struct unit count_units[] = {
        { "", 1 },        { "k", 1000 },       { "K", 1000 },       { "M", 1000000 },
        { "m", 1000000 }, { "G", 1000000000 }, { "g", 1000000000 },
};

const char *text_to_size(const char *s, int64_t *out_octets)
{
        switch (read_quantity(s, size_units, COUNTOF(size_units), out_octets)) {
        case NUMBER_TOO_LARGE:
                return "is too large a size";
        case NUMBER_NONE:
                return "is not a size such as \"4096\", \"64k\", \"1M\" or \"2G\"";
        case NUMBER_OK:
                break;
        }
        return NULL;
}

const char *text_to_rate(const char *s, int64_t *out_octets_per_second)
{
        switch (read_quantity(s, rate_units, COUNTOF(rate_units), out_octets_per_second)) {
        case NUMBER_TOO_LARGE:
                return "is too large a rate";
        case NUMBER_NONE:
                return "is not a rate such as \"64k/s\" or \"10M/s\"";
        case NUMBER_OK:
                break;
        }
        return NULL;
}

const char *text_to_count(const char *s, int64_t *out)
{
        switch (read_quantity(s, count_units, COUNTOF(count_units), out)) {
        case NUMBER_TOO_LARGE:
                return "is too large a number";
        case NUMBER_NONE:
                return "is not a number such as \"100\", \"10k\" or \"1M\"";
        case NUMBER_OK:
                break;
        }
        return NULL;
}

/* In the largest unit that needs no fraction; of two names for it, the first. */
static const char *write_quantity(int64_t value, const struct unit *units, size_t n,
                                  char buf[static TEXT_QUANTITY_MAX])
{
        assert(value >= 0);
        const struct unit *best = &units[0];
        for (size_t i = 1; i < n && value > 0; i++)
                if (units[i].factor > best->factor && value % units[i].factor == 0)
                        best = &units[i];
        snprintf(buf, TEXT_QUANTITY_MAX, "%" PRId64 "%s", value / best->factor, best->name);
        return buf;
}

const char *text_from_duration(int64_t ms, char buf[static TEXT_QUANTITY_MAX])
{
        if (ms == 0)
                return strcpy(buf, "off");
        return write_quantity(ms, duration_units, COUNTOF(duration_units), buf);
}

const char *text_from_microseconds(int64_t us, char buf[static TEXT_QUANTITY_MAX])
{
        if (us == 0)
                return strcpy(buf, "off");
        return write_quantity(us, short_units, COUNTOF(short_units), buf);
}

const char *text_from_size(int64_t octets, char buf[static TEXT_QUANTITY_MAX])
{
        return write_quantity(octets, size_units, COUNTOF(size_units), buf);
}

const char *text_from_rate(int64_t octets_per_second, char buf[static TEXT_QUANTITY_MAX])
{
        return write_quantity(octets_per_second, rate_units, COUNTOF(rate_units), buf);
}
