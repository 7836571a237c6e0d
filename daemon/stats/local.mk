libspliced_a_SOURCES += \
	daemon/stats/counter.h \
	daemon/stats/handshakes.c \
	daemon/stats/handshakes.h \
	daemon/stats/histogram.c \
	daemon/stats/histogram.h \
	daemon/stats/loop_stats.c \
	daemon/stats/loop_stats.h \
	daemon/stats/metrics.c \
	daemon/stats/metrics.def \
	daemon/stats/metrics.h \
	daemon/stats/service_stats.c \
	daemon/stats/service_stats.h
