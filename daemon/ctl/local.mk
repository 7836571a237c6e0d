sbin_PROGRAMS += splicectl
splicectl_SOURCES = \
	daemon/ctl/client.c \
	daemon/ctl/client.h \
	daemon/ctl/main.c \
	daemon/ctl/show.c \
	daemon/ctl/show.h
splicectl_CPPFLAGS = $(AM_CPPFLAGS) -DDEFAULT_CONTROL='"/run/spliced/control"'
