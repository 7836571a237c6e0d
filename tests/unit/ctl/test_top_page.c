/* SPDX-License-Identifier: ISC */
/* What is on the screen, of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "ctl/top_page.h"
#include "polls.h"

static const struct top_view usual = { .version = "1.2.3", .pid = 42, .uptime_ms = 61000 };

static void open_model(struct top_model *m)
{
        top_model_init(m);
        POLL(m, 1000, { .id = 1 }, { .id = 2 });
        POLL(m, 2000, { .id = 1, .down = 2048 },
             { .id = 2, .half_closed = true, .client = "255.255.255.255:65535", .service = "ssh" },
             { .id = 3, .connecting = true, .upstream = "caf\xc3\xa9" });
}

static bool shows(const struct top_page *p, const char *part)
{
        for (size_t i = 0; i < p->n; i++)
                if (strstr(text_str(&p->lines[i].text), part) != NULL)
                        return true;
        return false;
}

static const struct top_line *line_with(const struct top_page *p, const char *part)
{
        for (size_t i = 0; i < p->n; i++)
                if (strstr(text_str(&p->lines[i].text), part) != NULL)
                        return &p->lines[i];
        fail_msg("no line has \"%s\"", part);
        abort();
}

static void all_of_it_on_80_by_24(void **state)
{
        (void)state;
        OWN(top_model_fini) struct top_model m;
        OWN(top_page_fini) struct top_page p;
        open_model(&m);
        assert_true(top_page_draw(&p, &m, &usual, 24, 80));
        assert_true(shows(&p, "spliced 1.2.3  pid 42  up 1m01s"));
        assert_true(shows(&p, "3 connections, 1 half-closed  up 0/s  down 2.0k/s"));
        assert_int_equal(line_with(&p, "draining")->look, TOP_MARKED);
        const struct top_line *half = line_with(&p, "<.255.255.255:65535");
        assert_int_equal(half->look, TOP_MARKED);
        assert_int_equal(half->text.s[half->text.len - 1], 'H');
        assert_true(shows(&p, "caf??")); /* ASCII is enough */
        assert_string_equal(text_str(&p.lines[23].text), "3 of 3 by rate   q quit  ? keys");
        assert_true(p.room > 5);
}

/* Whatever the size: nothing is wider or beyond, and there is no crash. */
static void on_every_screen(void **state)
{
        (void)state;
        OWN(top_model_fini) struct top_model m;
        open_model(&m);
        for (size_t rows = 0; rows < 60; rows += rows < 12 ? 1 : 7) {
                for (size_t columns = 0; columns < 300; columns += columns < 90 ? 9 : 50) {
                        OWN(top_page_fini) struct top_page p;
                        struct top_view v = usual;
                        for (int help = 0; help < 2; help++) {
                                v.help = help;
                                assert_true(top_page_draw(&p, &m, &v, rows, columns));
                                assert_int_equal(p.n, rows);
                                assert_true(p.room <= rows);
                                for (size_t i = 0; i < rows; i++)
                                        assert_true(p.lines[i].text.len <= columns);
                                if (help == 0)
                                        top_page_fini(&p);
                        }
                }
        }
}

static void a_wide_screen_cuts_nothing(void **state)
{
        (void)state;
        OWN(top_model_fini) struct top_model m;
        OWN(top_page_fini) struct top_page p;
        open_model(&m);
        assert_true(top_page_draw(&p, &m, &usual, 24, 120));
        assert_true(shows(&p, " 255.255.255.255:65535 "));
}

static void what_the_screen_is_up_to(void **state)
{
        (void)state;
        OWN(top_model_fini) struct top_model m;
        open_model(&m);
        static const struct {
                struct top_view view;
                const char *shown;
        } table[] = {
                { { .version = "1", .paused = true }, "PAUSED" },
                { { .version = "1", .typing = true }, "filter: web_" },
                { { .version = "1", .problem = "nobody is there" }, "no answer: nobody is there" },
                { { .version = "1", .help = true }, "Any key goes back." },
                { { .version = "1" }, "2 of 3 by rate, filter: web" },
        };
        top_model_filter(&m, "web");
        for (size_t i = 0; i < COUNTOF(table); i++) {
                OWN(top_page_fini) struct top_page p;
                assert_true(top_page_draw(&p, &m, &table[i].view, 24, 80));
                assert_true(shows(&p, table[i].shown));
        }
}

static void scrolled(void **state)
{
        (void)state;
        OWN(top_model_fini) struct top_model m;
        OWN(top_page_fini) struct top_page p;
        struct top_view v = usual;
        open_model(&m);
        v.first = 2;
        assert_true(top_page_draw(&p, &m, &v, 24, 80));
        assert_true(shows(&p, "      3 web"));
        assert_false(shows(&p, "      1 web"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_of_it_on_80_by_24),
                cmocka_unit_test(on_every_screen),
                cmocka_unit_test(a_wide_screen_cuts_nothing),
                cmocka_unit_test(what_the_screen_is_up_to),
                cmocka_unit_test(scrolled),
        };
        return cmocka_run_group_tests_name("ctl/top_page", tests, NULL, NULL);
}
