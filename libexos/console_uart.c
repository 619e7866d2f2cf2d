/* SPDX-License-Identifier: MIT */
/*
 * console_uart.c - text by the serial port's own registers (16550), in batched port calls.
 *
 * For the program that has no console service: the first one.  Reading polls; the service uses the
 * interrupt.
 */
#include "console.h"
#include "core.h"

#include <exos/call.h>
#include <exos/time.h>

#define DATA   0x3f8
#define STATUS 0x3fd            /* line status */
#define STATUS_INPUT 0x01u
#define STATUS_SPACE 0x20u      /* the send register is empty */
#define POLL_NS 5000000ul       /* how often input is looked for */
#define PATIENCE_NS 2000000000ul /* without progress, after which text is dropped */

static exo_slot ports;

void console_uart_use(exo_slot claim)
{
	ports = claim;
}

/* Wait for space, then send; a batch that stops early sent `done / 2` bytes. */
static size_t uart_send(const char *text, size_t bytes)
{
	struct exo_port_op op[32];
	size_t some = min_u64(bytes, ARRAY_LEN(op) / 2);
	int64_t done;

	for (size_t i = 0; i < some; i++) {
		op[2 * i] = (struct exo_port_op){
			.port = STATUS, .size = 1, .op = EXO_PORT_UNTIL,
			.mask = STATUS_SPACE, .want = STATUS_SPACE, .tries = EXO_PORT_TRIES,
		};
		op[2 * i + 1] = (struct exo_port_op){
			.port = DATA, .size = 1, .op = EXO_PORT_OUT, .value = (uint8_t)text[i],
		};
	}
	done = exo_port_io(ports, (uintptr_t)op, 2 * some);
	return done > 0 ? (size_t)done / 2 : 0;
}

static void uart_send_all(const char *text, size_t bytes)
{
	uint64_t give_up = exos_deadline(PATIENCE_NS);

	while (bytes && exos_tsc() < give_up) {
		size_t sent = uart_send(text, bytes);

		if (sent)
			give_up = exos_deadline(PATIENCE_NS);
		text += sent;
		bytes -= sent;
	}
}

/* LF is sent as CR LF, as the service does. */
static void uart_write(const char *text, size_t bytes)
{
	while (bytes) {
		size_t line = 0;

		while (line < bytes && text[line] != '\n')
			line++;
		uart_send_all(text, line);
		if (line < bytes) {
			uart_send_all("\r\n", 2);
			line++;
		}
		text += line;
		bytes -= line;
	}
}

/* A byte, -1 if there is none, -2 if the claim does not hold. */
static int uart_byte(void)
{
	struct exo_port_op op[2] = {
		{ .port = STATUS, .size = 1, .op = EXO_PORT_UNTIL,
		  .mask = STATUS_INPUT, .want = STATUS_INPUT, .tries = 1 },
		{ .port = DATA, .size = 1, .op = EXO_PORT_IN },
	};
	int64_t done = exo_port_io(ports, (uintptr_t)op, ARRAY_LEN(op));

	if (done < 0)
		return -2;
	return done == ARRAY_LEN(op) ? (int)(op[1].value & 0xff) : -1;
}

static int64_t uart_read(char *buffer, size_t bytes, uint64_t deadline_tsc)
{
	size_t got = 0;

	for (;;) {
		int byte = uart_byte();
		uint64_t wake = exos_deadline(POLL_NS);

		if (byte == -2)
			return got ? (int64_t)got : -EXO_E_ABSENT;
		if (byte >= 0)
			buffer[got++] = (char)byte;
		if (got == bytes || (got && byte < 0))
			return (int64_t)got;
		if (byte >= 0)
			continue;
		if (deadline_tsc && insn_tsc() >= deadline_tsc)
			return 0;
		if (deadline_tsc)
			wake = min_u64(wake, deadline_tsc);
		exo_env_wait(exos_page()->event_head, wake);
	}
}

const struct exos_console_ops console_uart_ops = { uart_write, uart_read };
