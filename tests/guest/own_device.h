/* SPDX-License-Identifier: MIT */
/*
 * own_device.h - for tests of drivers in libraries: finding a function, what the kernel was asked.
 */
#ifndef GUEST_OWN_DEVICE_H
#define GUEST_OWN_DEVICE_H

#include "guest.h"

/*
 * The PCI claim of the first function with this class (if not 0) and vendor << 16 | device (if not
 * 0), which must be one that can be driven by a program; else the test ends as skipped, saying why.
 */
exo_slot own_device_find(uint32_t class_code, uint32_t id, const char *name);

/* Times this environment has entered the kernel so far: system calls and faults. */
uint64_t own_device_entries(void);

#endif
