/* SPDX-License-Identifier: MIT */
/*
 * port_holder.c - who holds each I/O port.
 *
 * Invariant: a port is held by one PORT claim that covers it, or by nobody.  Ports are few, so each
 * has a word.
 */
#include "x86/port.h"

#include "lock.h"

#define PORTS_WINDOW 1024      /* ports between two windows for interrupts */

exo_sid *port_holder;

bool ports_held(uint64_t lo, uint64_t hi, exo_sid sid)
{
	unsigned steps = 0;

	for (; lo < hi; lo++) {
		if (port_holder[lo] != sid)
			return false;
		window_every(&steps, 1, PORTS_WINDOW);
	}
	return true;
}

void ports_move(uint64_t lo, uint64_t hi, exo_sid from, exo_sid to)
{
	unsigned steps = 0;

	for (; lo < hi; lo++) {
		if (port_holder[lo] == from)
			port_holder[lo] = to;
		window_every(&steps, 1, PORTS_WINDOW);
	}
}
