/* SPDX-License-Identifier: MIT */
/*
 * uart.c - the 16550A in batches: one kernel call for each FIFO's worth of bytes.
 *
 * Registers: National Semiconductor PC16550D, table II.  Invariant: bytes go out in order, and
 * none is sent twice when a batch stops half-way.
 */
#include "uart.h"

#include <base/util.h>
#include <exos/call.h>
#include <exos/time.h>

enum {
	DATA = 0, INTERRUPT_ENABLE = 1, FIFO_CONTROL = 2, LINE_CONTROL = 3, MODEM_CONTROL = 4,
	LINE_STATUS = 5,
	RECEIVED = 0x01,        /* interrupt enable: received data */
	FIFO_ON = 0x01,         /* FIFO control: on, receive trigger at one byte */
	LATCH = 0x80,           /* line control: the divisor is at DATA */
	EIGHT_BITS = 0x03,
	DTR_RTS_OUT2 = 0x0b,    /* OUT2 lets the interrupt through on a PC */
	READY = 0x01, OVERRUN = 0x02, EMPTY = 0x20,     /* line status */
	FIFO = 16,
};

#define STALL_NS 2000000000ull  /* a FIFO that does not empty for 2 s is stuck */

static struct exo_port_op uart_op(const struct uart *u, uint8_t op, int reg, uint32_t value)
{
	return (struct exo_port_op){
		.port = (uint16_t)(u->base + reg), .size = 1, .op = op, .value = value,
	};
}

static struct exo_port_op uart_until(const struct uart *u, uint16_t bit, uint32_t tries)
{
	struct exo_port_op op = uart_op(u, EXO_PORT_UNTIL, LINE_STATUS, 0);

	op.mask = op.want = bit;
	op.tries = tries;
	return op;
}

int uart_start(struct uart *u)
{
	const struct exo_port_op ops[] = {
		uart_op(u, EXO_PORT_OUT, INTERRUPT_ENABLE, 0),
		uart_op(u, EXO_PORT_OUT, LINE_CONTROL, LATCH | EIGHT_BITS),
		uart_op(u, EXO_PORT_OUT, DATA, 1),
		uart_op(u, EXO_PORT_OUT, INTERRUPT_ENABLE, 0),
		uart_op(u, EXO_PORT_OUT, LINE_CONTROL, EIGHT_BITS),
		uart_op(u, EXO_PORT_OUT, FIFO_CONTROL, FIFO_ON),
		uart_op(u, EXO_PORT_OUT, MODEM_CONTROL, DTR_RTS_OUT2),
		uart_op(u, EXO_PORT_OUT, INTERRUPT_ENABLE, RECEIVED),
	};
	int64_t done = exo_port_io(u->claim, (uint64_t)ops, ARRAY_LEN(ops));

	return done < 0 ? (int)done : 0;
}

/* Send at most a FIFO's worth: how many went. */
static size_t uart_batch(struct uart *u, const uint8_t *bytes, size_t count)
{
	struct exo_port_op ops[1 + FIFO];
	size_t n = min_u64(count, FIFO);
	int64_t done;

	ops[0] = uart_until(u, EMPTY, EXO_PORT_TRIES);
	for (size_t i = 0; i < n; i++)
		ops[1 + i] = uart_op(u, EXO_PORT_OUT, DATA, bytes[i]);
	done = exo_port_io(u->claim, (uint64_t)ops, n + 1);
	return done > 1 ? (size_t)done - 1 : 0;
}

void uart_send(struct uart *u, const uint8_t *bytes, size_t count)
{
	uint64_t deadline = u->stuck ? 0 : exos_deadline(STALL_NS);

	while (count > 0) {
		size_t sent = uart_batch(u, bytes, count);

		u->stuck = sent == 0 && exos_tsc() > deadline;
		if (u->stuck)
			return;
		bytes += sent;
		count -= sent;
		if (sent > 0)
			deadline = exos_deadline(STALL_NS);
	}
}

size_t uart_receive(struct uart *u, uint8_t *out, size_t room)
{
	struct exo_port_op ops[2 * FIFO];
	size_t n = min_u64(room, FIFO);
	int64_t done;

	for (size_t i = 0; i < n; i++) {
		ops[2 * i] = uart_until(u, READY, 1);
		ops[2 * i + 1] = uart_op(u, EXO_PORT_IN, DATA, 0);
	}
	done = n > 0 ? exo_port_io(u->claim, (uint64_t)ops, 2 * n) : 0;
	n = done > 0 ? (size_t)done / 2 : 0;
	for (size_t i = 0; i < n; i++) {
		u->overruns += (ops[2 * i].value & OVERRUN) != 0;
		out[i] = (uint8_t)ops[2 * i + 1].value;
	}
	return n;
}
