/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "base/own.h"
#include "tls/memory.h"

enum { MB = 1024 * 1024, MESSAGE = 21848, CROWD = 3000 };

static size_t resident(void)
{
        size_t size, pages;
        FILE *statm = fopen("/proc/self/statm", "re");
        assert_non_null(statm);
        assert_int_equal(fscanf(statm, "%zu %zu", &size, &pages), 2);
        fclose(statm);
        return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Each is filled with an octet of its own, or has to be full of it still. */
static unsigned char *make(size_t n, size_t number)
{
        unsigned char *p = OPENSSL_malloc(n);
        assert_non_null(p);
        memset(p, (int)(number % 251), n);
        return p;
}

static bool is_whole(const unsigned char *p, size_t n, size_t number)
{
        for (size_t i = 0; i < n; i++)
                if (p[i] != number % 251)
                        return false;
        return true;
}

static void every_size_is_whole_and_its_own(void **state)
{
        (void)state;
        static const size_t sizes[] = { 1,     100,   12287, 12288, 16584,  21848,
                                        24575, 24576, 24577, 65536, 1000000 };
        unsigned char *p[COUNTOF(sizes) * 8];
        for (size_t i = 0; i < COUNTOF(p); i++)
                p[i] = make(sizes[i % COUNTOF(sizes)], i);
        for (size_t i = 0; i < COUNTOF(p); i++) {
                assert_true(is_whole(p[i], sizes[i % COUNTOF(sizes)], i));
                OPENSSL_free(p[i]);
        }
        OPENSSL_free(NULL);
        assert_null(OPENSSL_malloc(0));
}

static void what_grows_keeps_what_it_holds(void **state)
{
        (void)state;
        static const size_t steps[] = { 10, 13000, 20000, 24576, 24577, 100000, 14000, 10 };
        unsigned char *p = OPENSSL_realloc(NULL, 14000);
        for (size_t i = 0, had = 0; i < COUNTOF(steps); i++) {
                p = OPENSSL_realloc(p, steps[i]);
                assert_non_null(p);
                assert_true(is_whole(p, had < steps[i] ? had : steps[i], 7));
                memset(p, 7, steps[i]);
                had = steps[i];
        }
        assert_null(OPENSSL_realloc(p, 0));
}

/* Among them those that stay, which malloc(3) alone would leave between holes. */
static void what_a_crowd_had_goes_back_to_the_system(void **state)
{
        (void)state;
        static unsigned char *crowd[CROWD], *stay[CROWD];
        for (size_t i = 0; i < CROWD; i++) {
                crowd[i] = make(MESSAGE, i);
                stay[i] = make(7624, i);
        }
        size_t before = resident();
        for (size_t i = 0; i < CROWD; i++) {
                assert_true(is_whole(crowd[i], MESSAGE, i));
                if (i != CROWD - 4) /* one that is still busy, near the end */
                        OPENSSL_free(crowd[i]);
        }
        tls_memory_give_back();
        assert_in_range(before - resident(), 55 * MB, 75 * MB);
        assert_true(is_whole(crowd[CROWD - 4], MESSAGE, CROWD - 4));
        for (size_t i = 0; i < CROWD; i++) {
                assert_true(is_whole(stay[i], 7624, i));
                OPENSSL_free(stay[i]);
        }
        unsigned char *next = make(MESSAGE, 1); /* which is there again when it is needed */
        assert_true(is_whole(next, MESSAGE, 1));
        OPENSSL_free(next);
        OPENSSL_free(crowd[CROWD - 4]);
        tls_memory_give_back();
}

/* The lowest is taken first: what a few need stays where it is, and is soon all there is. */
static void few_take_no_more_than_they_need(void **state)
{
        (void)state;
        unsigned char *first = make(MESSAGE, 1), *second = make(MESSAGE, 2);
        OPENSSL_free(first);
        unsigned char *again = make(16584, 3);
        assert_ptr_equal(again, first);
        OPENSSL_free(second);
        OPENSSL_free(again);
}

static void *come_and_go(void *arg)
{
        unsigned char *mine[16] = { 0 };
        size_t number = (size_t)(uintptr_t)arg;
        bool whole = true;
        for (size_t i = 0; i < 20000; i++) {
                size_t slot = i * 7 % COUNTOF(mine);
                if (mine[slot] != NULL)
                        whole = whole && is_whole(mine[slot], 64, number);
                OPENSSL_free(mine[slot]);
                mine[slot] = OPENSSL_malloc(i % 3 == 0 ? 100 : MESSAGE);
                memset(mine[slot], (int)number, 64);
                if (i % 1000 == 0)
                        tls_memory_give_back();
        }
        for (size_t i = 0; i < COUNTOF(mine); i++)
                OPENSSL_free(mine[i]);
        return whole ? arg : NULL;
}

static void threads_do_not_share(void **state)
{
        (void)state;
        pthread_t threads[4];
        for (size_t i = 0; i < COUNTOF(threads); i++)
                assert_int_equal(
                        pthread_create(&threads[i], NULL, come_and_go, (void *)(uintptr_t)(i + 1)),
                        0);
        for (size_t i = 0; i < COUNTOF(threads); i++) {
                void *result;
                assert_int_equal(pthread_join(threads[i], &result), 0);
                assert_ptr_equal(result, (void *)(uintptr_t)(i + 1));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_size_is_whole_and_its_own),
                cmocka_unit_test(what_grows_keeps_what_it_holds),
                cmocka_unit_test(what_a_crowd_had_goes_back_to_the_system),
                cmocka_unit_test(few_take_no_more_than_they_need),
                cmocka_unit_test(threads_do_not_share),
        };
        tls_memory_init();
        return cmocka_run_group_tests_name("tls/memory", tests, NULL, NULL);
}
