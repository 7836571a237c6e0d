libspliced_a_SOURCES += \
	daemon/control/admin.c \
	daemon/control/admin.h \
	daemon/control/admin_http.c \
	daemon/control/admin_http.h \
	daemon/control/admin_internal.h \
	daemon/control/admin_metrics.c \
	daemon/control/admin_process.c \
	daemon/control/admin_process.h \
	daemon/control/admin_request.c \
	daemon/control/admin_request.h \
	daemon/control/admin_status.c \
	daemon/control/command.c \
	daemon/control/command.h \
	daemon/control/command_certificates.c \
	daemon/control/command_drain.c \
	daemon/control/command_internal.h \
	daemon/control/bundle.c \
	daemon/control/bundle.h \
	daemon/control/channel.c \
	daemon/control/channel.h \
	daemon/control/command_upgrade.c \
	daemon/control/daemon_internal.h \
	daemon/control/succession.c \
	daemon/control/command_log.c \
	daemon/control/command_reload.c \
	daemon/control/command_sessions.c \
	daemon/control/command_show.c \
	daemon/control/commands.def \
	daemon/control/control.c \
	daemon/control/control.h \
	daemon/control/handover.c \
	daemon/control/handover.h \
	daemon/control/heritage.c \
	daemon/control/heritage.h \
	daemon/control/inquiry.c \
	daemon/control/inquiry.h \
	daemon/control/manager.c \
	daemon/control/manager.h \
	daemon/control/launcher.c \
	daemon/control/launcher.h \
	daemon/control/predecessor.c \
	daemon/control/predecessor.h \
	daemon/control/store.c \
	daemon/control/store.h \
	daemon/control/upgrade.c \
	daemon/control/upgrade.h \
	daemon/control/watchdog.c \
	daemon/control/watchdog.h \
	daemon/control/reply.c \
	daemon/control/reply.h \
	daemon/control/server.c \
	daemon/control/session_filter.c \
	daemon/control/session_filter.h \
	daemon/control/server.h \
	daemon/control/daemon.c \
	daemon/control/daemon.h \
	daemon/control/gates.c \
	daemon/control/gates.h \
	daemon/control/given.c \
	daemon/control/given.h \
	daemon/control/notify.c \
	daemon/control/notify.h \
	daemon/control/landlock.c \
	daemon/control/landlock.h \
	daemon/control/privileges.c \
	daemon/control/privileges.h \
	daemon/control/reload.c \
	daemon/control/reload.h \
	daemon/control/sandbox.c \
	daemon/control/sandbox.h \
	daemon/control/sandbox_paths.c \
	daemon/control/sandbox_paths.h \
	daemon/control/sandbox_ports.c \
	daemon/control/sandbox_ports.h \
	daemon/control/seccomp.c \
	daemon/control/seccomp.h \
	daemon/control/seccomp_calls.def \
	daemon/control/seccomp_refused.c \
	daemon/control/seccomp_refused.h \
	daemon/control/retired.c \
	daemon/control/retired.h \
	daemon/control/renewal.c \
	daemon/control/renewal.h

# The page's files, as strings in the program.
admin_files = daemon/control/admin/index.html daemon/control/admin/style.css \
	daemon/control/admin/script.js
EXTRA_DIST += $(admin_files)
CLEANFILES += daemon/control/admin_files.inc
daemon/control/admin.$(OBJEXT): daemon/control/admin_files.inc
daemon/control/admin_files.inc: $(admin_files)
	$(AM_V_at)$(MKDIR_P) daemon/control
	$(AM_V_GEN)for file in $(admin_files); do \
		name=`basename $$file | tr . _`; \
		echo "static const char $$name[] ="; \
		$(SED) -e 's/[\\"]/\\&/g' -e 's/^/"/' -e 's/$$/\\n"/' $(srcdir)/$$file && echo ";" || exit 1; \
	done >$@.new && mv $@.new $@
