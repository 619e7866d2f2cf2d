/* SPDX-License-Identifier: MIT */
/*
 * time.h - time from the time stamp counter.
 */
#ifndef EXOS_TIME_H
#define EXOS_TIME_H

#include <stdint.h>

/*
 * Time stamps a second; 0 only where the starter did not say and the export area is not granted.
 */
uint64_t exos_tsc_hz(void);

/* Time stamp now. */
uint64_t exos_tsc(void);

/* Nanoseconds since the processor's counter was 0. */
uint64_t exos_ns(void);

/* Lengths of time, saturating. */
uint64_t exos_ns_to_tsc(uint64_t ns);
uint64_t exos_tsc_to_ns(uint64_t tsc);

/* The time stamp `ns` from now: a deadline. */
uint64_t exos_deadline(uint64_t ns);

/* Wait at least this long; other environments and threads run. */
void exos_sleep(uint64_t ns);

#endif
