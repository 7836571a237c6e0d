/* SPDX-License-Identifier: ISC */
/* Ownership in the open: values that move, and locals that release themselves. */
#ifndef BASE_OWN_H
#define BASE_OWN_H

#include <stdlib.h>
#include <unistd.h>

/* TAKE(p): the value of a pointer; the variable it was in is NULL afterwards. */
#define TAKE(pointer)                                      \
        ({                                                 \
                __typeof__(&(pointer)) from_ = &(pointer); \
                __typeof__(pointer) taken_ = *from_;       \
                *from_ = NULL;                             \
                taken_;                                    \
        })

/* TAKE_FD(fd): the same for a file descriptor; -1 stays behind. */
static inline int own_take_fd(int *fd)
{
        int taken = *fd;
        *fd = -1;
        return taken;
}
#define TAKE_FD(fd) own_take_fd(&(fd))

/* Close *fd if it is open and leave -1; errno is kept. */
void own_close(int *fd);

/* OWN(fn): at the end of the scope fn(&variable) runs. OWN_FD and OWN_FREE are the common ones. */
#define OWN(fn) __attribute__((cleanup(fn), unused)) /* some are held only to be released */
#define OWN_FD  OWN(own_close)
static inline void own_free(void *slot)
{
        free(*(void **)slot);
}
#define OWN_FREE OWN(own_free)

#define COUNTOF(array) (sizeof(array) / sizeof((array)[0]))

/* CONTAINER(p, type, member): the struct of that type in which p is that member. */
#define CONTAINER(pointer, type, member) \
        ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
