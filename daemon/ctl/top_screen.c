/* SPDX-License-Identifier: ISC */
#include "ctl/top_screen.h"

#include <curses.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"

enum {
        POLL_MS = 1000,
        EARLY_MOST = 20, /* times without a key before its time: nobody is there any more */
        ESCAPE_MS = 50,  /* after which an Esc is a key and no longer the beginning of one */
};

static int key_of(int c)
{
        static const struct {
                int curses, key;
        } keys[] = {
                { ERR, TOP_KEY_NONE },
                { KEY_RESIZE, TOP_KEY_NONE },
                { KEY_UP, TOP_KEY_UP },
                { KEY_DOWN, TOP_KEY_DOWN },
                { KEY_PPAGE, TOP_KEY_PAGE_UP },
                { KEY_NPAGE, TOP_KEY_PAGE_DOWN },
                { KEY_HOME, TOP_KEY_HOME },
                { KEY_END, TOP_KEY_END },
                { KEY_BACKSPACE, TOP_KEY_BACKSPACE },
                { '\b', TOP_KEY_BACKSPACE },
                { '\177', TOP_KEY_BACKSPACE },
                { KEY_ENTER, TOP_KEY_ENTER },
                { '\n', TOP_KEY_ENTER },
                { '\r', TOP_KEY_ENTER },
                { '\033', TOP_KEY_ESCAPE },
        };
        for (size_t i = 0; i < COUNTOF(keys); i++)
                if (keys[i].curses == c)
                        return keys[i].key;
        return c < TOP_KEY_NONE ? c : TOP_KEY_NONE;
}

static attr_t attributes_of(enum top_look look)
{
        static const attr_t attributes[] = {
                [TOP_PLAIN] = A_NORMAL,
                [TOP_TITLE] = A_REVERSE,
                [TOP_MARKED] = A_BOLD,
                [TOP_ALARM] = A_BOLD | A_REVERSE,
        };
        return attributes[look];
}

/* A title reaches to the edge. */
static void put_line(int row, const struct top_line *l)
{
        attr_t attributes = attributes_of(l->look);
        move(row, 0);
        attrset(attributes);
        addnstr(text_str(&l->text), (int)l->text.len);
        if (l->look == TOP_TITLE)
                for (int column = (int)l->text.len; column < COLS; column++)
                        addch(' ');
        attrset(A_NORMAL);
}

/* Returns how many connections there is room for. */
static size_t draw(const struct top *t)
{
        OWN(top_page_fini) struct top_page page = { 0 };
        erase();
        if (top_page_draw(&page, &t->model, &t->view, (size_t)LINES, (size_t)COLS))
                for (size_t i = 0; i < page.n; i++)
                        put_line((int)i, &page.lines[i]);
        refresh();
        return page.room;
}

static void loop(struct top *t)
{
        int64_t next = clock_ms();
        unsigned early = 0;
        while (!t->over) {
                int64_t now = clock_ms();
                if (now >= next) {
                        if (!t->view.paused)
                                top_poll(t);
                        next = clock_ms() + POLL_MS;
                }
                size_t room = draw(t);
                timeout((int)(next - now));
                int key = getch();
                early = key == ERR && clock_ms() < next - ESCAPE_MS ? early + 1 : 0;
                t->over = early > EARLY_MOST;
                top_key(t, key_of(key), room);
        }
}

int top_screen_run(struct top *t)
{
        setlocale(LC_CTYPE, "");
        if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
                fputs("splicectl: top needs a terminal; \"sessions\" and \"services\" do not\n",
                      stderr);
                return EXIT_FAILURE;
        }
        SCREEN *screen = newterm(NULL, stdout, stdin);
        if (screen == NULL) {
                fputs("splicectl: top: nothing is known about this terminal: set TERM\n", stderr);
                return EXIT_FAILURE;
        }
        cbreak();
        noecho();
        keypad(stdscr, TRUE);
        set_escdelay(ESCAPE_MS);
        curs_set(0);
        loop(t);
        endwin();
        delscreen(screen);
        return EXIT_SUCCESS;
}
