libspliced_a_SOURCES += \
	daemon/base/addr.c daemon/base/addr.h \
	daemon/base/cidr.c daemon/base/cidr.h \
	daemon/base/clock.c daemon/base/clock.h \
	daemon/base/diag.c daemon/base/diag.h \
	daemon/base/log.c daemon/base/log.h \
	daemon/base/log_fd.c daemon/base/log_fd.h \
	daemon/base/log_journal.c daemon/base/log_journal.h \
	daemon/base/mailbox.c daemon/base/mailbox.h \
	daemon/base/memory.c daemon/base/memory.h \
	daemon/base/nearest.c \
	daemon/base/own.c daemon/base/own.h \
	daemon/base/printable.c \
	daemon/base/pulse.c daemon/base/pulse.h \
	daemon/base/quantity.c \
	daemon/base/ref.h \
	daemon/base/sockaddress.c \
	daemon/base/text.c daemon/base/text.h \
	daemon/base/throttle.h
