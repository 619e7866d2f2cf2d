# SPDX-License-Identifier: MIT
# files.mk - programs that the documentation shows; not in the boot archive: make run APP=...
programs += own
own-src  := docs/own-libos/own.c
