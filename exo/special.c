/* SPDX-License-Identifier: MIT */
/*
 * special.c - spaces of devices: nobody uses them yet, so nothing is cached.
 */
#include "tlb.h"

void devices_flush(void)
{
}
