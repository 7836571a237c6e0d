/* SPDX-License-Identifier: ISC */
/* "Did you mean": the distance between two words in typing mistakes. */
#include "base/text.h"

#include <ctype.h>
#include <string.h>

/* Longer words are nobody's typing mistake of a name of ours. */
#define WORD_MAX 64

static char fold(char c)
{
        return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static size_t min(size_t a, size_t b)
{
        return a < b ? a : b;
}

/* Damerau and Levenshtein's distance, where no part is edited twice: three rows of the matrix are
 * enough. Lengths are at most WORD_MAX. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
        size_t rows[3][WORD_MAX + 1];
        size_t *before = rows[0], *above = rows[1], *here = rows[2];
        for (size_t j = 0; j <= b_len; j++)
                above[j] = j;
        for (size_t i = 1; i <= a_len; i++) {
                here[0] = i;
                for (size_t j = 1; j <= b_len; j++) {
                        char x = fold(a[i - 1]), y = fold(b[j - 1]);
                        here[j] = min(above[j - 1] + (x != y), min(above[j], here[j - 1]) + 1);
                        if (i > 1 && j > 1 && x == fold(b[j - 2]) && y == fold(a[i - 2]))
                                here[j] = min(here[j], before[j - 2] + 1);
                }
                size_t *spare = before;
                before = above;
                above = here;
                here = spare;
        }
        return above[b_len];
}

const char *text_nearest(const char *word, const char *(*candidate)(size_t i, void *arg), void *arg)
{
        size_t len = strlen(word);
        if (len > WORD_MAX)
                return NULL;
        /* One mistake in a short word, one in three letters of a longer one; never a whole word. */
        size_t limit = len < 6 ? 1 : len / 3;
        const char *best = NULL, *c;
        for (size_t i = 0; (c = candidate(i, arg)) != NULL; i++) {
                size_t c_len = strlen(c);
                if (c_len > WORD_MAX)
                        continue;
                size_t d = distance(word, len, c, c_len);
                if (d <= limit && d < len && d < c_len) {
                        best = c;
                        if (d == 0)
                                break;
                        limit = d - 1; /* from here on only a nearer one is better */
                }
        }
        return best;
}
