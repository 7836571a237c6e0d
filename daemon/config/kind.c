/* SPDX-License-Identifier: ISC */
#include "config/kind.h"

#include <stdio.h>
#include <string.h>

#include "config/kinds.h"

static const char *no_number(int64_t value, char buf[static TEXT_QUANTITY_MAX])
{
        snprintf(buf, TEXT_QUANTITY_MAX, "%lld", (long long)value);
        return buf;
}

/* A count above 0, or the word that stands for 0. */
static const char *count_or(const char *word, const char *complaint, const char *s, int64_t *out)
{
        if (strcmp(s, word) == 0) {
                *out = 0;
                return NULL;
        }
        return text_to_count(s, out) == NULL && *out > 0 ? NULL : complaint;
}

static const char *limit_from_text(const char *s, int64_t *out)
{
        return count_or("off", "is not a number above 0, such as 100 or \"10k\", or \"off\"", s,
                        out);
}

static const char *workers_from_text(const char *s, int64_t *out)
{
        return count_or("auto", "is not a number above 0, such as 4, or \"auto\"", s, out);
}

static const char *mode_from_text(const char *s, int64_t *out)
{
        size_t n = strlen(s);
        if (n < 1 || n > 5 || strspn(s, "01234567") != n)
                return "is not a file mode in octal, such as \"0660\"";
        *out = 0;
        for (; *s != '\0'; s++)
                *out = *out * 8 + (*s - '0');
        return NULL;
}

static const char *mode_to_text(int64_t value, char buf[static TEXT_QUANTITY_MAX])
{
        snprintf(buf, TEXT_QUANTITY_MAX, "%04llo", (unsigned long long)value);
        return buf;
}

const struct kind kind_BOOL = {
        .name = "true or false",
        .expects = "true or false, without quotes",
        .storage = STORE_TRUTH,
        .takes = NODE_TRUTH,
};
const struct kind kind_COUNT = {
        .name = "number",
        .expects = "a number",
        .storage = STORE_NUMBER,
        .takes = NODE_NUMBER | NODE_TEXT,
        .from_text = text_to_count,
        .to_text = no_number,
};
const struct kind kind_LIMIT = {
        .name = "number, or \"off\"",
        .expects = "a number, or \"off\"",
        .storage = STORE_NUMBER,
        .takes = NODE_NUMBER | NODE_TEXT,
        .from_text = limit_from_text,
        .to_text = no_number,
        .zero = "off",
};
const struct kind kind_WORKERS = {
        .name = "number, or \"auto\"",
        .expects = "a number, or \"auto\"",
        .storage = STORE_NUMBER,
        .takes = NODE_NUMBER | NODE_TEXT,
        .from_text = workers_from_text,
        .to_text = no_number,
        .zero = "auto",
};
const struct kind kind_DURATION = {
        .name = "duration",
        .expects = "a duration with its unit, in quotes, such as \"250ms\", \"5s\" or \"10m\"",
        .storage = STORE_NUMBER,
        .takes = NODE_TEXT,
        .from_text = text_to_duration,
        .to_text = text_from_duration,
};
const struct kind kind_MICROSECONDS = {
        .name = "duration",
        .expects = "a duration with its unit, in quotes, such as \"50us\"",
        .storage = STORE_NUMBER,
        .takes = NODE_TEXT,
        .from_text = text_to_microseconds,
        .to_text = text_from_microseconds,
};
const struct kind kind_SIZE = {
        .name = "size",
        .expects = "a size, such as 4096, \"64k\" or \"1M\"",
        .storage = STORE_NUMBER,
        .takes = NODE_NUMBER | NODE_TEXT,
        .from_text = text_to_size,
        .to_text = text_from_size,
};
/* A bare 0660 would be read as decimal. */
const struct kind kind_MODE = {
        .name = "file mode",
        .expects = "a file mode in quotes, such as \"0660\"",
        .storage = STORE_NUMBER,
        .takes = NODE_TEXT,
        .from_text = mode_from_text,
        .to_text = mode_to_text,
        .empty = -1,
};
const struct kind kind_STRING = {
        .name = "text",
        .expects = "text in quotes",
        .storage = STORE_TEXT,
        .takes = NODE_TEXT,
};
const struct kind kind_FILE = {
        .name = "file",
        .expects = "the path of a file, in quotes",
        .storage = STORE_TEXT,
        .takes = NODE_TEXT,
        .path = true,
};
const struct kind kind_STRINGS = {
        .name = "one or more texts",
        .expects = "text in quotes, or several in [ ]",
        .storage = STORE_TEXTS,
        .takes = NODE_TEXT,
};
const struct kind kind_FILES = {
        .name = "one or more files",
        .expects = "the path of a file in quotes, or several in [ ]",
        .storage = STORE_TEXTS,
        .takes = NODE_TEXT,
        .path = true,
};
const struct kind kind_LISTEN_ADDRS = {
        .name = "one or more addresses",
        .expects = "an address in quotes, such as \"*:443\" or \"unix:/path\", or several in [ ]",
        .storage = STORE_ADDRS,
        .takes = NODE_TEXT,
        .use = ADDR_FOR_LISTEN,
};
const struct kind kind_CONNECT_ADDRS = {
        .name = "one or more addresses, or a built-in service",
        .expects = "an address in quotes, such as \"10.0.0.5:22\", \"unix:/path\" or \"echo\", or "
                   "several in [ ]",
        .storage = STORE_ADDRS,
        .takes = NODE_TEXT,
        .use = ADDR_FOR_CONNECT,
};

#define WORDS(K)                 static const struct word words_##K[] = {
#define WORD(K, constant, word)  { word, CONFIG_##K##_##constant, false },
#define ALIAS(K, constant, word) { word, CONFIG_##K##_##constant, true },
#define END(K)                         \
        {                              \
                NULL, 0, false         \
        }                              \
        }                              \
        ;                              \
        const struct kind kind_##K = { \
                .name = "word",        \
                .storage = STORE_WORD, \
                .takes = NODE_TEXT,    \
                .words = words_##K,    \
        };
#include "config/kinds.def"
#undef WORDS
#undef WORD
#undef ALIAS
#undef END

void kind_expects(const struct kind *k, struct text *out)
{
        if (k->expects != NULL) {
                text_add(out, k->expects);
                return;
        }
        size_t n = 0;
        while (k->words[n].word != NULL && !k->words[n].alias)
                n++;
        for (size_t i = 0; i < n; i++)
                text_addf(out, "%s\"%s\"",
                          i == 0       ? ""
                          : i + 1 == n ? " or "
                                       : ", ",
                          k->words[i].word);
}
