# The sample becomes the configuration where there is none yet; what people wrote is left alone.
dist_man_MANS += conf/spliced.8 conf/splicectl.8
EXTRA_DIST    += conf/spliced.conf conf/examples conf/grafana-spliced.json

install-sample:
	$(MKDIR_P) '$(DESTDIR)$(sysconfdir)/spliced' '$(DESTDIR)$(docdir)/examples'
	$(INSTALL_DATA) $(srcdir)/conf/spliced.conf $(srcdir)/conf/examples/*.conf \
		$(srcdir)/conf/grafana-spliced.json $(srcdir)/systemd/low-ports.conf \
		$(srcdir)/systemd/notify-reload.conf $(srcdir)/systemd/keep-connections.conf \
		'$(DESTDIR)$(docdir)/examples'
	test -e '$(DESTDIR)$(sysconfdir)/spliced/spliced.conf' || \
		$(INSTALL_DATA) $(srcdir)/conf/spliced.conf '$(DESTDIR)$(sysconfdir)/spliced'

uninstall-sample:
	rm -rf '$(DESTDIR)$(docdir)/examples'
	if cmp -s $(srcdir)/conf/spliced.conf '$(DESTDIR)$(sysconfdir)/spliced/spliced.conf'; then \
		rm -f '$(DESTDIR)$(sysconfdir)/spliced/spliced.conf'; fi

.PHONY: install-sample uninstall-sample
