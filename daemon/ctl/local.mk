sbin_PROGRAMS += splicectl
splicectl_SOURCES = \
	daemon/ctl/client.c \
	daemon/ctl/client.h \
	daemon/ctl/format.c \
	daemon/ctl/format.h \
	daemon/ctl/main.c \
	daemon/ctl/show.c \
	daemon/ctl/show.h \
	daemon/ctl/top.c \
	daemon/ctl/top.h \
	daemon/ctl/top_model.c \
	daemon/ctl/top_model.h \
	daemon/ctl/top_page.c \
	daemon/ctl/top_page.h \
	daemon/ctl/top_screen.h
splicectl_LDADD = $(LDADD)
if HAVE_NCURSES
splicectl_SOURCES += daemon/ctl/top_screen.c
splicectl_LDADD += $(NCURSES_LIBS)
else
splicectl_SOURCES += daemon/ctl/top_no_screen.c
endif
EXTRA_DIST += daemon/ctl/top_screen.c daemon/ctl/top_no_screen.c
splicectl_CPPFLAGS = $(AM_CPPFLAGS) $(NCURSES_CFLAGS) \
	-DDEFAULT_CONTROL='"/run/spliced/control"'
