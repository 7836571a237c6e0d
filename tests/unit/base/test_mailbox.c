/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/mailbox.h"
#include "base/own.h"

enum { SENDERS = 4, LETTERS = 20000 };

struct reader {
        struct event_base *base;
        struct mailbox *box;
        pthread_t thread;
        uintptr_t next[SENDERS]; /* what each sender has to say next */
        unsigned got, wanted;
};

static void reader_take(int what, void *data, void *arg)
{
        struct reader *r = arg;
        assert_true(pthread_equal(pthread_self(), r->thread));
        assert_int_equal((uintptr_t)data, r->next[what]);
        r->next[what]++;
        if (++r->got == r->wanted)
                event_base_loopbreak(r->base);
}

static void reader_init(struct reader *r, unsigned wanted)
{
        *r = (struct reader){ .thread = pthread_self(), .wanted = wanted };
        struct event_config *config = event_config_new();
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        r->base = event_base_new_with_config(config);
        event_config_free(config);
        /* Letters that never arrive make a test fail, not wait. */
        event_base_loopexit(r->base, &(struct timeval){ .tv_sec = 60 });
        r->box = mailbox_new(r->base, reader_take, r);
        assert_non_null(r->box);
}

static void reader_fini(struct reader *r)
{
        mailbox_free(r->box);
        event_base_free(r->base);
}

struct sender {
        struct mailbox *box;
        int who;
        pthread_t thread;
};

static void *sender_run(void *arg)
{
        struct sender *s = arg;
        for (uintptr_t i = 0; i < LETTERS; i++)
                if (!mailbox_post(s->box, s->who, (void *)i))
                        return s;
        return NULL;
}

static void every_letter_arrives_once_and_in_order(void **state)
{
        (void)state;
        struct reader r;
        struct sender senders[SENDERS];
        reader_init(&r, SENDERS * LETTERS);
        for (int i = 0; i < SENDERS; i++) {
                senders[i] = (struct sender){ .box = r.box, .who = i };
                assert_int_equal(pthread_create(&senders[i].thread, NULL, sender_run, &senders[i]),
                                 0);
        }
        event_base_dispatch(r.base);
        for (int i = 0; i < SENDERS; i++) {
                void *failed;
                pthread_join(senders[i].thread, &failed);
                assert_null(failed);
        }
        assert_int_equal(r.got, SENDERS * LETTERS);
        reader_fini(&r);
}

static void letters_wait_for_the_loop(void **state)
{
        (void)state;
        struct reader r;
        reader_init(&r, 2);
        assert_true(mailbox_post(r.box, 0, (void *)0));
        assert_true(mailbox_post(r.box, 0, (void *)1));
        assert_int_equal(r.got, 0);
        event_base_dispatch(r.base);
        assert_int_equal(r.got, 2);
        reader_fini(&r);
}

static void take_and_answer(int what, void *data, void *arg)
{
        struct reader *r = arg;
        (void)data;
        if (++r->got == r->wanted)
                event_base_loopbreak(r->base);
        else
                assert_true(mailbox_post(r->box, what, NULL));
}

static void a_letter_may_be_posted_while_one_is_read(void **state)
{
        (void)state;
        struct reader r;
        reader_init(&r, 1000);
        mailbox_free(r.box);
        r.box = mailbox_new(r.base, take_and_answer, &r);
        assert_true(mailbox_post(r.box, 0, NULL));
        event_base_dispatch(r.base);
        assert_int_equal(r.got, 1000);
        reader_fini(&r);
}

static void letters_nobody_read_are_dropped_with_the_box(void **state)
{
        (void)state;
        struct reader r;
        reader_init(&r, 0);
        for (uintptr_t i = 0; i < 10; i++)
                assert_true(mailbox_post(r.box, 0, (void *)i));
        reader_fini(&r);
        assert_int_equal(r.got, 0);
        mailbox_free(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_letter_arrives_once_and_in_order),
                cmocka_unit_test(letters_wait_for_the_loop),
                cmocka_unit_test(a_letter_may_be_posted_while_one_is_read),
                cmocka_unit_test(letters_nobody_read_are_dropped_with_the_box),
        };
        return cmocka_run_group_tests_name("base/mailbox", tests, NULL, NULL);
}
