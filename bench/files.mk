# SPDX-License-Identifier: MIT
# files.mk - the measuring programs, of exo and of Linux; bench/run.py boots them.
programs += bench
bench-both := bench/measure.c bench/print.c $(wildcard bench/both/*.c)
# loops.S before bench.S: an address below that of the handler costs the kernel one compare less.
bench-src := bench/x86/loops.S bench/main.c bench/setup.c bench/profile.c bench/exo.c \
	bench/others.c bench/traps.c bench/rawdisk.c bench/calls.c bench/spaces.c bench/peers.c \
	bench/shared.c bench/peer.c bench/filters.c bench/claims.c bench/reclaim.c bench/vcpu.c \
	bench/classifier.c bench/programs.c bench/manyprogs.c bench/x86/bench.S $(bench-both)
bench-libs := libfs libnet
programs += bench-udp
bench-udp-src := bench/udp.c bench/setup.c bench/measure.c bench/print.c bench/x86/bench.S \
	bench/x86/loops.S
bench-udp-libs := libnet
programs += bench-net
bench-net-src := bench/net.c bench/setup.c bench/measure.c bench/print.c bench/x86/loops.S
bench-net-libs := libnet
programs += bench-other
bench-other-src := bench/other.c bench/x86/loops.S
programs += bench-small
bench-small-src := bench/small.c
# The kernel's classifier is measured by its own source.
cflags-bench/classifier.c := -Iexo
# So are its checker and compiler of programs.
cflags-bench/programs.c := -Iexo
cflags-bench/manyprogs.c := -Iexo
# Rows for both systems see what both have.
$(foreach f,$(wildcard bench/both/*.c),$(eval cflags-$f := -Ibench))

# Linux's first process: the same rows, static, with its own libc.  Rows for both systems are compiled
# alike for both.
linux-flags := -std=gnu11 -O2 -fno-pie -fno-strict-aliasing -fno-stack-protector \
	$(filter-out -Wframe-larger-than=%,$(WARN)) -Ibench -MMD -MP
linux-obj := $(patsubst %,$O/linux/%.o,$(basename $(wildcard bench/linux/*.c) $(bench-both) bench/x86/loops.S))
$O/linux/%.o: %.c
	$(call say,LINUX,$<)mkdir -p $(@D) && $(CC) $(linux-flags) $(linux-flags-$<) -c -o $@ $<
$O/linux/%.o: %.S
	$(call say,LINUX,$<)mkdir -p $(@D) && $(CC) $(linux-flags) -c -o $@ $<
$(foreach f,$(wildcard bench/both/*.c),$(eval linux-flags-$f := -mgeneral-regs-only -fno-omit-frame-pointer))
$O/bench/linux/init: $(linux-obj)
	$(call say,LD,$@)mkdir -p $(@D) && $(CC) -static -o $@ $^
$O/bench/linux/small: $O/linux/bench/small.o
	$(call say,LD,$@)mkdir -p $(@D) && $(CC) -static -o $@ $^
all: $O/bench/linux/init $O/bench/linux/small
-include $(linux-obj:.o=.d)
