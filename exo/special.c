/* SPDX-License-Identifier: MIT */
/*
 * special.c - spaces that no environment runs in: nobody uses them yet, so nothing is cached.
 */
#include "tlb.h"

void guests_flush(void)
{
}

void devices_flush(void)
{
}
