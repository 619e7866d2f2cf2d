/* SPDX-License-Identifier: MIT */
/*
 * main.c - the console service: one serial port for all programs.
 *
 * It owns the port and its interrupt, and nothing else.  Three gates lead to it: by the first two a
 * program may write and read, by the third only write.  The shell keeps the first for itself and
 * gives on the others, so that it and its children are never taken for each other.
 * Invariant: a gate call and the input handler never run at once, since calls enter only while
 * the service waits.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console_proto.h>
#include <exos/error.h>
#include <exos/event.h>
#include <exos/gate.h>
#include <exos/start.h>

#include "input.h"
#include "uart.h"

enum { MARK_SHELL = 1, MARK_CHILD, MARK_WRITER };

static struct uart uart;
static struct input input;
static exo_slot irq;
static bool irq_owed;           /* the source stays masked until there is room for more */

static bool bell_ring(uint64_t bell)
{
	return exo_env_notify(bell) >= 0;
}

static void bell_drop(uint64_t bell)
{
	exos_cap_end(bell);
}

/* Take what the port received, as long as there is room; what comes after waits in the port. */
static void receive(void)
{
	uint8_t bytes[16];
	size_t count;

	do {
		count = uart_receive(&uart, bytes, min_u64(sizeof(bytes), input_room(&input)));
		input_put(&input, bytes, count);
	} while (count > 0);
	input.lost += uart.overruns;
	uart.overruns = 0;
	input_wake(&input);
}

/* Unmask the interrupt unless the ring is full; look once more, since an edge may have passed. */
static void receive_again(void)
{
	irq_owed = input_room(&input) == 0;
	if (irq_owed)
		return;
	exo_irq_ack(irq);
	receive();
}

static void on_irq(uint32_t entry, uint32_t posts, void *argument)
{
	(void)entry;
	(void)posts;
	(void)argument;
	receive();
	receive_again();
}

static int64_t console_write(const struct exos_gate_message *m, uint64_t bytes)
{
	const uint8_t *text = (const uint8_t *)&m->word[1];
	uint8_t line[2 * EXOS_CONSOLE_TEXT];
	size_t n = 0;

	for (uint64_t i = 0; i < bytes; i++) {
		if (text[i] == '\n')
			line[n++] = '\r';
		line[n++] = text[i];
	}
	uart_send(&uart, line, n);
	return (int64_t)bytes;
}

static int64_t console_read(struct exos_gate_message *m, uint32_t mark, uint64_t bytes)
{
	size_t room = bytes > 0 ? bytes : EXOS_CONSOLE_TEXT;
	size_t count = input_take(&input, mark, (uint8_t *)&m->word[1], room);

	m->word[0] = input.lost;
	input.lost = 0;
	if (irq_owed)
		receive_again();
	return (int64_t)count;
}

static int64_t console_attach(struct exos_gate_message *m, uint32_t mark)
{
	const struct exo_cap *bell = exos_cap_look(m->cap);
	exo_slot claim = m->cap;

	if (mark == MARK_WRITER || bell == NULL || bell->kind != EXO_KIND_ENV ||
	    (bell->rights & EXO_R_NOTIFY) == 0)
		return EXOS_CONSOLE_REFUSED + EXOS_CONSOLE_NO_BELL;
	if (!input_attach(&input, mark, claim))
		return EXOS_CONSOLE_REFUSED + EXOS_CONSOLE_FULL;
	m->cap = 0;             /* kept */
	return 0;
}

static int64_t console_do(struct exos_gate_message *m, uint32_t mark)
{
	uint64_t bytes = EXOS_CONSOLE_BYTES(m->word[0]);

	if (bytes > EXOS_CONSOLE_TEXT)
		return EXOS_CONSOLE_REFUSED + EXOS_CONSOLE_NO_OP;
	switch (EXOS_CONSOLE_OP(m->word[0])) {
	case EXOS_CONSOLE_WRITE:
		return console_write(m, bytes);
	case EXOS_CONSOLE_READ:
		return console_read(m, mark, bytes);
	case EXOS_CONSOLE_ATTACH:
		return console_attach(m, mark);
	case EXOS_CONSOLE_DETACH:
		input_detach(&input, mark);
		return 0;
	default:
		return EXOS_CONSOLE_REFUSED + EXOS_CONSOLE_NO_OP;
	}
}

static int64_t console_call(struct exos_gate_service *service, uint32_t mark,
			    struct exos_gate_message *m)
{
	bool passed = m->cap != 0;
	int64_t result = console_do(m, mark);

	(void)service;
	if (m->cap != 0)
		exos_cap_end(m->cap);
	m->cap = 0;
	if (passed)
		exos_gate_open();
	return result;
}

/* Make the gates and give them to whoever started us, into the slots it opened for that. */
static int gates_give(struct exos_gate_service *service)
{
	const struct exos_grant *to = exos_grant("answer", 0);
	const struct exos_grant *env = exos_grant("starter", 0);

	if (to == NULL || env == NULL)
		return -EXO_E_ABSENT;
	for (uint32_t mark = MARK_SHELL; mark <= MARK_WRITER; mark++) {
		exo_slot gate;
		int64_t error = exos_gate_make(service, mark, &gate);

		if (error >= 0)
			error = exo_cap_give(gate, env->slot, to->lo + mark - MARK_SHELL,
					     EXO_R_CALL);
		if (error < 0)
			return (int)error;
	}
	return 0;
}

static int irq_start(void)
{
	const struct exos_grant *g = exos_grant("irq", 0);
	uint32_t entry = exos_event_alloc();
	int64_t error;

	if (g == NULL)
		return -EXO_E_ABSENT;
	irq = g->slot;
	exos_event_handle(entry, on_irq, NULL);
	error = exo_irq_bind(irq, entry);
	return error < 0 ? (int)error : 0;
}

int main(int argc, char **argv)
{
	static struct exos_gate_service service = { .call = console_call };
	const struct exos_grant *port = exos_grant("uart", 0);
	int error;

	(void)argc;
	(void)argv;
	if (port == NULL)
		return EXO_E_ABSENT;
	uart = (struct uart){ .claim = port->slot, .base = (uint16_t)port->lo };
	input.ring = bell_ring;
	input.drop = bell_drop;
	if ((error = uart_start(&uart)) < 0 || (error = irq_start()) < 0 ||
	    (error = exos_gate_open()) < 0 || (error = gates_give(&service)) < 0)
		return -error;
	exo_env_notify(exos_grant("parent", 0)->slot);
	receive_again();
	for (;;)
		exos_event_run(0);
}
