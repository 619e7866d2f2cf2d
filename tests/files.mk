# SPDX-License-Identifier: MIT
# The test program that runs inside exo; it is built with the others but not put into the archive.
programs += suite
guest := tests/guest
suite-libs := libfs libnet
suite-src := $(wildcard $(guest)/*.c) $(wildcard $(guest)/x86/*.S)
