# SPDX-License-Identifier: MIT
# The test program that runs inside exo; it is built with the others but not put into the archive.
programs += suite
guest := tests/guest
suite-libs := libfs libnet
suite-src := $(wildcard $(guest)/*.c tests/evil/*.c) $(wildcard $(guest)/x86/*.S)
# What each call of a test returned is counted.
$(foreach f,$(wildcard $(guest)/*.c),$(eval cflags-$f := -include $(guest)/pairs.h))
$(foreach f,$(wildcard tests/evil/*.c),$(eval cflags-$f := -Itests -include $(guest)/pairs.h))

# Runs one downloaded program on this machine, by the convention of eBPF's conformance suite.
bpf-plugin-src := tests/tools/bpf_plugin.c exo/prog/check.c exo/prog/interpret.c exo/x86/prog_compile.c
all: $O/tools/bpf_plugin
$O/tools/bpf_plugin: $(bpf-plugin-src) $(wildcard exo/prog/*.h) exo/x86/prog_compile.h \
		exo/x86/prog_emit.h exo/include/exo/prog.h tests/host/prog_host.h
	$(call say,HOST,$@)mkdir -p $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE -O2 $(WARN) -Iexo -Iexo/include \
		-Itests/host -o $@ $(bpf-plugin-src)
