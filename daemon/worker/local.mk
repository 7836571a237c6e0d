libspliced_a_SOURCES += \
	daemon/worker/acceptor.c \
	daemon/worker/acceptor.h \
	daemon/worker/batch.h \
	daemon/worker/budget.c \
	daemon/worker/budget.h \
	daemon/worker/crew.c \
	daemon/worker/crew.h \
	daemon/worker/worker.c \
	daemon/worker/worker.h
