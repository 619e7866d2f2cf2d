/* SPDX-License-Identifier: MIT */
/*
 * console.c - which way text goes, and formatted output.
 *
 * Formatted text is collected in pieces of one gate call and sent when a piece is full or the call
 * ends.
 */
#include "console.h"
#include "core.h"

#include <base/format.h>
#include <base/string.h>
#include <exo/errors.h>
#include <exos/console_proto.h>

static void none_write(const char *text, size_t bytes)
{
	(void)text;
	(void)bytes;
}

static int64_t none_read(char *buffer, size_t bytes, uint64_t deadline_tsc)
{
	(void)buffer;
	(void)bytes;
	(void)deadline_tsc;
	return -EXO_E_ABSENT;
}

static const struct exos_console_ops none_ops = { none_write, none_read };
static const struct exos_console_ops *ops, *default_ops;

/* By the grants: found at the first use. */
static void console_choose(void)
{
	const struct exos_grant *gate = exos_grant("console", 0);
	const struct exos_grant *uart = exos_grant("uart", 0);

	default_ops = &none_ops;
	if (gate) {
		console_gate_use(gate->slot);
		default_ops = &console_gate_ops;
	} else if (uart) {
		console_uart_use(uart->slot);
		default_ops = &console_uart_ops;
	}
}

static const struct exos_console_ops *console_ops(void)
{
	if (ops)
		return ops;
	if (!default_ops)
		console_choose();
	return default_ops;
}

void exos_console_ops_set(const struct exos_console_ops *new_ops)
{
	ops = new_ops;
}

void exos_console_gate_set(uint64_t gate)
{
	if (gate) {
		console_gate_use(gate);
		default_ops = &console_gate_ops;
	} else {
		default_ops = NULL;
	}
}

void exos_console_write(const void *text, size_t bytes)
{
	console_ops()->write(text, bytes);
}

int64_t exos_console_read(void *buffer, size_t bytes, uint64_t deadline_tsc)
{
	return bytes ? console_ops()->read(buffer, bytes, deadline_tsc) : 0;
}

uint64_t exos_console_lost(void)
{
	return console_gate_lost();
}

void exos_console_detach(void)
{
	if (console_ops() == &console_gate_ops)
		console_gate_detach();
}

struct piece {
	size_t used;
	char text[EXOS_CONSOLE_TEXT];
};

static void piece_send(struct piece *p)
{
	if (p->used)
		exos_console_write(p->text, p->used);
	p->used = 0;
}

static void piece_add(void *context, const char *text, size_t bytes)
{
	struct piece *p = context;

	while (bytes) {
		size_t some = min_u64(bytes, sizeof(p->text) - p->used);

		memcpy(p->text + p->used, text, some);
		p->used += some;
		text += some;
		bytes -= some;
		if (p->used == sizeof(p->text))
			piece_send(p);
	}
}

int vprintf(const char *format, va_list args)
{
	struct piece p = { .used = 0 };
	size_t bytes = format_to(piece_add, &p, format, args);

	piece_send(&p);
	return (int)bytes;
}

int printf(const char *format, ...)
{
	va_list args;
	int bytes;

	va_start(args, format);
	bytes = vprintf(format, args);
	va_end(args);
	return bytes;
}

int puts(const char *text)
{
	struct piece p = { .used = 0 };

	piece_add(&p, text, strlen(text));
	piece_add(&p, "\n", 1);
	piece_send(&p);
	return 0;
}

int putchar(int byte)
{
	char c = (char)byte;

	exos_console_write(&c, 1);
	return (unsigned char)c;
}
