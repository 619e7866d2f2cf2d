/* SPDX-License-Identifier: MIT */
/*
 * timers.h - which of lwIP's timers run.
 */
#ifndef LIBNET_LWIP_TIMERS_H
#define LIBNET_LWIP_TIMERS_H

#include <stdbool.h>

/* From now on all cyclic timers (`all`: netcfg), or TCP's alone; each a whole interval away. */
void timers_start(bool all);

#endif
