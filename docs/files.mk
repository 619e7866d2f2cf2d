# SPDX-License-Identifier: MIT
# files.mk - programs that the documentation shows; not in the boot archive: make run APP=...
programs += own udp-echo
own-src  := docs/own-libos/own.c

udp-echo-src  := docs/udp-echo/udp_echo.c
udp-echo-libs := libnet
