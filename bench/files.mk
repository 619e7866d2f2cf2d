# SPDX-License-Identifier: MIT
# files.mk - the measuring program; bench/run.py boots it as `app`.
programs += bench
bench-src := bench/main.c bench/measure.c bench/calls.c bench/spaces.c bench/peers.c \
	bench/peer.c bench/x86/bench.S
