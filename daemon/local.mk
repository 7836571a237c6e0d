sbin_PROGRAMS += spliced
spliced_SOURCES  = daemon/main.c daemon/options.c daemon/options.h
spliced_CPPFLAGS = $(AM_CPPFLAGS) -DDEFAULT_CONFIG='"$(sysconfdir)/spliced/spliced.conf"'
