# Folders go into the distribution as they are, without what running them left behind.
EXTRA_DIST += tests/run tests/step tests/install tests/lsan.supp tests/valgrind.supp \
	tests/e2e tests/fuzz tests/systemd tests/package tests/ktls tests/bench .ci/run

dist-hook:
	find '$(distdir)' -name __pycache__ -prune -exec rm -rf {} +

# The unit tests alone, for example under another program: make check-units LOG_COMPILER=valgrind
check-units: $(check_PROGRAMS)
	$(MAKE) check-TESTS TESTS='$(check_PROGRAMS)'

.PHONY: check-units
