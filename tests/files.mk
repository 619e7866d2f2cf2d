# SPDX-License-Identifier: MIT
# The test program that runs inside exo; it is built with the others but not put into the archive.
programs += suite
guest := tests/guest
suite-src := $(wildcard $(guest)/*.c tests/evil/*.c) $(wildcard $(guest)/x86/*.S)
$(foreach f,$(wildcard tests/evil/*.c),$(eval cflags-$f := -Itests))
