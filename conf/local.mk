# The manual of the configuration: its text with the directives from their rows. It is made where it
# is built, so it always fits the daemon beside it.
man_MANS = conf/spliced.conf.5
EXTRA_DIST += conf/spliced.conf.5.in
CLEANFILES += conf/spliced.conf.5
noinst_PROGRAMS = daemon/config/manual
daemon_config_manual_SOURCES = daemon/config/manual.c

conf/spliced.conf.5: $(srcdir)/conf/spliced.conf.5.in daemon/config/manual$(EXEEXT)
	$(AM_V_at)$(MKDIR_P) conf
	$(AM_V_GEN)daemon/config/manual$(EXEEXT) <$(srcdir)/conf/spliced.conf.5.in >$@.new && mv $@.new $@
