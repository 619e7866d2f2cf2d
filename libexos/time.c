/* SPDX-License-Identifier: MIT */
/*
 * time.c - lengths and points of time from the time stamp counter.
 */
#include "core.h"

#include <exo/machine.h>
#include <exos/call.h>
#include <exos/event.h>
#include <exos/time.h>

#define NS_PER_S 1000000000ul

uint64_t exos_tsc_hz(void)
{
	static uint64_t hz;
	const struct exos_start *start = exos_started();

	if (!hz && start)
		hz = start->tsc_hz;
	if (!hz && exos_machine())
		hz = exos_machine()->tsc_hz;
	return hz;
}

uint64_t exos_tsc(void)
{
	return insn_tsc();
}

/* a * b / c, saturating; without 128-bit division: c < 2^34 for both units here. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t whole, rest;

	if (c == 0 || !mul_u64(a / c, b, &whole))
		return c ? UINT64_MAX : 0;
	rest = c >> 32 ? (a % c >> 2) * b / (c >> 2) : a % c * b / c;
	return add_u64(whole, rest, &whole) ? whole : UINT64_MAX;
}

uint64_t exos_ns_to_tsc(uint64_t ns)
{
	return scale(ns, exos_tsc_hz(), NS_PER_S);
}

uint64_t exos_tsc_to_ns(uint64_t tsc)
{
	return scale(tsc, NS_PER_S, exos_tsc_hz());
}

uint64_t exos_ns(void)
{
	return exos_tsc_to_ns(insn_tsc());
}

uint64_t exos_deadline(uint64_t ns)
{
	uint64_t end;

	return add_u64(insn_tsc(), exos_ns_to_tsc(ns), &end) ? end : UINT64_MAX;
}

void exos_sleep(uint64_t ns)
{
	uint64_t end = exos_deadline(ns);

	while (insn_tsc() < end) {
		if (exos_wait_hook && !exos_page()->upcalls_off)
			exos_wait_hook(0, end);
		else
			exo_env_wait(exos_page()->event_head, end);
	}
}
