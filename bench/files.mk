# SPDX-License-Identifier: MIT
# files.mk - the measuring program; bench/run.py boots it as `app`.
programs += bench
bench-src := bench/main.c bench/setup.c bench/measure.c bench/calls.c bench/spaces.c bench/peers.c \
	bench/peer.c bench/filters.c bench/vcpu.c bench/claims.c bench/reclaim.c bench/classifier.c \
	bench/programs.c bench/x86/bench.S
bench-libs := libnet
programs += bench-udp
bench-udp-src := bench/udp.c bench/setup.c bench/measure.c bench/x86/bench.S
bench-udp-libs := libnet
# The kernel's classifier is measured by its own source.
cflags-bench/classifier.c := -Iexo
# So are its checker and compiler of programs.
cflags-bench/programs.c := -Iexo
