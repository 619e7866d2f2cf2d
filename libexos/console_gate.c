/* SPDX-License-Identifier: MIT */
/*
 * console_gate.c - text by gate calls of the console service (exos/console_proto.h).
 *
 * Invariant: the program is attached as a reader from its first read to detach; its doorbell
 * claim is made once.
 */
#include "console.h"
#include "core.h"

#include <base/string.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console_proto.h>
#include <exos/event.h>
#include <exos/gate.h>

static exo_slot gate;
static exo_slot bell;           /* doorbell claim for input, 0: none yet */
static uint32_t bell_entry;     /* its event entry */
static bool attached;
static uint64_t lost;
static char left[EXOS_CONSOLE_TEXT];    /* input fetched and not asked for yet */
static size_t left_at, left_bytes;

void console_gate_use(exo_slot new_gate)
{
	gate = new_gate;
	attached = false;
}

uint64_t console_gate_lost(void)
{
	return __atomic_exchange_n(&lost, 0, __ATOMIC_RELAXED);
}

/* Text is dropped if the service is gone: there is no other place to say so. */
static void gate_write(const char *text, size_t bytes)
{
	while (bytes) {
		size_t some = min_u64(bytes, EXOS_CONSOLE_TEXT);
		struct exos_gate_message m = { .cap = 0 };

		m.word[0] = EXOS_CONSOLE_CALL(EXOS_CONSOLE_WRITE, some);
		memcpy(&m.word[1], text, some);
		if (exos_gate_call(gate, &m) < 0)
			return;
		text += some;
		bytes -= some;
	}
}

static int attach(void)
{
	struct exos_gate_message m = { .word = { EXOS_CONSOLE_CALL(EXOS_CONSOLE_ATTACH, 0) } };
	int64_t result;

	if (!bell) {
		bell_entry = exos_event_alloc();
		if (!bell_entry || exos_cap_doorbell(bell_entry, &bell) < 0)
			return -EXO_E_ROOM;
	}
	m.cap = bell;
	result = exos_gate_call(gate, &m);
	if (result < 0)
		return (int)result;
	if (result >= EXOS_CONSOLE_REFUSED)
		return -EXO_E_ROOM;
	attached = true;
	return 0;
}

void console_gate_detach(void)
{
	struct exos_gate_message m = { .word = { EXOS_CONSOLE_CALL(EXOS_CONSOLE_DETACH, 0) } };

	if (attached)
		exos_gate_call(gate, &m);
	attached = false;
}

/* Ask the service for what there is: bytes now in `left`, or -EXO_E_*. */
static int64_t fetch(void)
{
	struct exos_gate_message m = { .word = { EXOS_CONSOLE_CALL(EXOS_CONSOLE_READ, 0) } };
	int64_t result = exos_gate_call(gate, &m);

	if (result < 0)
		return result;
	if (result > (int64_t)EXOS_CONSOLE_TEXT)
		return -EXO_E_ARG;
	__atomic_fetch_add(&lost, m.word[0], __ATOMIC_RELAXED);
	memcpy(left, &m.word[1], (size_t)result);
	left_at = 0;
	left_bytes = (size_t)result;
	return result;
}

static int64_t take_left(char *buffer, size_t bytes)
{
	size_t some = min_u64(bytes, left_bytes);

	memcpy(buffer, left + left_at, some);
	left_at += some;
	left_bytes -= some;
	return (int64_t)some;
}

static int64_t gate_read(char *buffer, size_t bytes, uint64_t deadline_tsc)
{
	int64_t got;

	if (!attached && attach() < 0)
		return -EXO_E_ABSENT;
	for (;;) {
		if (left_bytes)
			return take_left(buffer, bytes);
		exos_event_take(bell_entry);    /* what is posted from here on is not lost */
		got = fetch();
		if (got < 0)
			return -EXO_E_ABSENT;
		if (got > 0)
			continue;
		if (exos_event_wait(bell_entry, deadline_tsc) == 0 && deadline_tsc)
			return 0;
	}
}

const struct exos_console_ops console_gate_ops = { gate_write, gate_read };
