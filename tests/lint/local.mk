# The layers and the headers are part of every check; `make lint` looks at everything.
EXTRA_DIST += tests/lint/all tests/lint/common.sh tests/lint/cppcheck tests/lint/cppcheck.suppress \
	tests/lint/format tests/lint/headers tests/lint/includes tests/lint/manuals tests/lint/metrics \
	tests/lint/reasons \
	tests/lint/scripts tests/lint/shape tests/lint/symbols tests/lint/units tests/lint/words

TESTS += tests/lint/includes tests/lint/headers

AM_TESTS_ENVIRONMENT = TOP_BUILDDIR='$(abs_builddir)'; export TOP_BUILDDIR;

lint: all
	TOP_BUILDDIR='$(abs_builddir)' $(srcdir)/tests/lint/all

.PHONY: lint
