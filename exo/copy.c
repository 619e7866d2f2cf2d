/* SPDX-License-Identifier: MIT */
/*
 * copy.c - copying between user and kernel memory, with every address checked.
 *
 * What is not mapped ends the copy with an error: the kernel never waits for a pager.
 */
#include <exo/space.h>

#include "cpu.h"
#include "kernel.h"
#include "x86/trap.h"

int copy_in(void *dst, uint64_t user, uint64_t bytes)
{
	if (!range_fits(user, bytes, EXO_USER_TOP))
		return -EXO_E_FAULT;
	count_copied(bytes);
	return copy_user(dst, (const void *)user, bytes) ? -EXO_E_FAULT : 0;
}

int copy_out(uint64_t user, const void *src, uint64_t bytes)
{
	if (!range_fits(user, bytes, EXO_USER_TOP))
		return -EXO_E_FAULT;
	count_copied(bytes);
	return copy_user((void *)user, src, bytes) ? -EXO_E_FAULT : 0;
}
