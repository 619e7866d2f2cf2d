/* SPDX-License-Identifier: MIT */
/*
 * uart.h - a 16550A serial port behind a PORT claim.
 */
#ifndef CONSOLE_UART_H
#define CONSOLE_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <exo/types.h>

struct uart {
	exo_slot claim;         /* PORT: its eight registers */
	uint16_t base;          /* the first of them */
	bool     stuck;         /* it stopped taking bytes: text is dropped until it goes on */
	uint32_t overruns;      /* bytes it lost because nobody took them in time */
};

/* Set it to 115,200 8N1 with both FIFOs and the receive interrupt on.  0 or -EXO_E_*. */
int uart_start(struct uart *u);

/* Send bytes as they are; waits for the FIFO as often as needed. */
void uart_send(struct uart *u, const uint8_t *bytes, size_t count);

/* Take at most `room` received bytes: how many. */
size_t uart_receive(struct uart *u, uint8_t *out, size_t room);

#endif
