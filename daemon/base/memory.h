/* SPDX-License-Identifier: ISC */
/* What malloc(3) does with memory: set once, for the whole process; and giving it back to the
 * system when a crowd has left. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

struct event_base;
struct memory_tide;

/* Before anything is allocated by the thousand: the first thing in main(). */
void memory_init(void);

/* One a thread that frees by the thousand. It gives memory back a second or two after a crowd has
 * left, and every quarter of a minute while there is no end of coming and going: pages that are
 * given back and wanted again are dear. also() is called as well (may be NULL). NULL: memory is
 * short. */
struct memory_tide *memory_tide_new(struct event_base *base, void (*also)(void));
void memory_tide_free(struct memory_tide *t); /* NULL is fine */

/* So many octets, about, were taken for long, are free again, or were both in no time. t may be
 * NULL: nothing is given back then. */
void memory_took(struct memory_tide *t, size_t octets);
void memory_freed(struct memory_tide *t, size_t octets);
void memory_passed(struct memory_tide *t, size_t octets);

#endif
