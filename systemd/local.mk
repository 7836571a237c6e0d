# The unit names the directories of this installation, so it is made by make.
EXTRA_DIST += systemd/spliced.service.in systemd/spliced.socket systemd/low-ports.conf \
	systemd/notify-reload.conf systemd/keep-connections.conf systemd/sysusers.conf systemd/tmpfiles.conf
CLEANFILES += systemd/spliced.service

systemd/spliced.service: $(srcdir)/systemd/spliced.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(SED) \
		-e 's|@sbindir[@]|$(sbindir)|g' -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
		$(srcdir)/systemd/spliced.service.in > $@.tmp && mv $@.tmp $@

if INSTALL_systemdsystemunitdir
systemdsystemunit_DATA = systemd/spliced.service systemd/spliced.socket
endif

install-sysusers:
if INSTALL_sysusersdir
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)'
	$(INSTALL_DATA) $(srcdir)/systemd/sysusers.conf '$(DESTDIR)$(sysusersdir)/spliced.conf'
endif

uninstall-sysusers:
if INSTALL_sysusersdir
	rm -f '$(DESTDIR)$(sysusersdir)/spliced.conf'
endif

install-tmpfiles:
if INSTALL_tmpfilesdir
	$(MKDIR_P) '$(DESTDIR)$(tmpfilesdir)'
	$(INSTALL_DATA) $(srcdir)/systemd/tmpfiles.conf '$(DESTDIR)$(tmpfilesdir)/spliced.conf'
endif

uninstall-tmpfiles:
if INSTALL_tmpfilesdir
	rm -f '$(DESTDIR)$(tmpfilesdir)/spliced.conf'
endif

.PHONY: install-sysusers uninstall-sysusers install-tmpfiles uninstall-tmpfiles
