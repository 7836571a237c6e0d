/* SPDX-License-Identifier: ISC */
/* Kinds of values: how each is written, kept, copied and printed. The tables of directives name
 * them (DURATION is kind_DURATION); the C types are in kinds.h. */
#ifndef CONFIG_KIND_H
#define CONFIG_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/diag.h"
#include "base/text.h"
#include "config/tree.h"

enum storage {
        STORE_NUMBER, /* int64_t */
        STORE_WORD,   /* int, one of words */
        STORE_TRUTH,  /* bool */
        STORE_TEXT,   /* char *, NULL: not set */
        STORE_TEXTS,  /* struct string_list */
        STORE_ADDRS,  /* struct addr_list */
};

struct word {
        const char *word; /* NULL: the end of the list */
        int value;
        bool alias; /* understood, but not how it is written */
};

struct kind {
        const char *name;    /* for the manual: "duration" */
        const char *expects; /* for messages: "a duration in quotes, such as \"5s\"" */
        enum storage storage;
        unsigned takes; /* node_type bits of one value */

        /* STORE_NUMBER */
        const char *(*from_text)(const char *s, int64_t *out);
        const char *(*to_text)(int64_t value, char buf[static TEXT_QUANTITY_MAX]);
        int64_t empty;    /* before anything is set */
        const char *zero; /* the word for 0, which is outside every range; NULL: none */

        const struct word *words; /* STORE_WORD */
        bool path;                /* STORE_TEXT(S): relative to the directory of its file */
        enum addr_use use;        /* STORE_ADDRS */
};

extern const struct kind kind_BOOL, kind_COUNT, kind_LIMIT, kind_WORKERS, kind_DURATION,
        kind_MICROSECONDS, kind_SIZE, kind_MODE, kind_STRING, kind_FILE, kind_STRINGS, kind_FILES,
        kind_LISTEN_ADDRS, kind_CONNECT_ADDRS;
#define WORDS(K) extern const struct kind kind_##K;
#define WORD(...)
#define ALIAS(...)
#define END(...)
#include "config/kinds.def"
#undef WORDS
#undef WORD
#undef ALIAS
#undef END

/* Whether one directive may have several values. */
static inline bool kind_is_list(const struct kind *k)
{
        return k->storage == STORE_TEXTS || k->storage == STORE_ADDRS;
}

/* What a message says the kind expects: its own words, or the list of words it knows. */
void kind_expects(const struct kind *k, struct text *out);

/* A value's memory; value points to the member. init makes it empty. copy is into an empty one and
 * returns false when memory is short. */
void value_init(const struct kind *k, void *value);
void value_fini(const struct kind *k, void *value);
bool value_copy(const struct kind *k, void *to, const void *from);

/* Set an empty value to a row's default. Returns false when memory is short. */
bool value_preset(const struct kind *k, const char *preset, void *value);

/* What a value is read with. */
struct value_reader {
        const char *file; /* for origins; borrowed for ever */
        const char *dir;  /* absolute: what paths are relative to */
        /* Says what is wrong with one written value; the format ends a sentence that begins with
         * the directive's name. */
        void (*wrong)(const struct node *at, const char *what, void *arg);
        void *arg;
};

/* Set an empty value from what is written: a scalar, or a list of them where the kind has several.
 * Each mistake is said by wrong(). Returns whether there was none. */
bool value_read(const struct kind *k, const struct value_reader *r, const struct node *n,
                const char *lo, const char *hi, void *value);

/* The value as it is written, "…" and […] included; false: there is none to write. */
bool value_print(const struct kind *k, const void *value, struct text *out);

/* s in quotes, as libconfig reads it. */
void value_quote(const char *s, struct text *out);

#endif
