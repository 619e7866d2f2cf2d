/* SPDX-License-Identifier: MIT */
/*
 * serial.c - text on the first serial port, polled (16550: TI PC16550D data sheet, section 8).
 *
 * Invariant: printing ends in bounded time, on any CPU, in any state: a lock that stays taken and a
 * transmitter that stays busy are given up on.  Not a console.
 */
#include "dev/serial.h"

#include <base/format.h>

#include "kernel.h"
#include "lock.h"
#include "x86/insn.h"

enum {
	COM1 = 0x3f8,
	DATA = COM1,            /* divisor low with DLAB */
	INTERRUPTS = COM1 + 1,  /* divisor high with DLAB */
	FIFO = COM1 + 2,
	LINE = COM1 + 3,
	MODEM = COM1 + 4,
	STATUS = COM1 + 5,
	LINE_8N1 = 0x03,
	LINE_DLAB = 0x80,
	FIFO_ON = 0x07,         /* on, both emptied */
	MODEM_READY = 0x03,     /* DTR, RTS */
	STATUS_EMPTY = 0x20,    /* transmitter takes a byte */
	STATUS_NOBODY = 0xff,   /* what reads where no port is */
	DIVISOR = 1,            /* 115200 */
	SPINS_BYTE = 100000,    /* reads of the status: a byte takes 87 us */
	SPINS_LOCK = 10000000,
};

static uint32_t serial_taken;

void serial_start(void)
{
	out8(INTERRUPTS, 0);
	out8(LINE, LINE_DLAB);
	out8(DATA, DIVISOR);
	out8(INTERRUPTS, 0);
	out8(LINE, LINE_8N1);
	out8(FIFO, FIFO_ON);
	out8(MODEM, MODEM_READY);
}

static void put_byte(uint8_t byte)
{
	uint8_t status = in8(STATUS);

	if (status == STATUS_NOBODY)
		return;
	for (unsigned i = 0; i < SPINS_BYTE && !(status & STATUS_EMPTY); i++) {
		cpu_pause();
		status = in8(STATUS);
	}
	out8(DATA, byte);
}

static void serial_sink(void *context, const char *text, size_t bytes)
{
	(void)context;
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] == '\n')
			put_byte('\r');
		put_byte((uint8_t)text[i]);
	}
}

/* Last words matter more than order: after a while it goes on without the lock. */
static bool lock_try_long(void)
{
	for (unsigned i = 0; i < SPINS_LOCK; i++) {
		if (!__atomic_exchange_n(&serial_taken, 1, __ATOMIC_ACQUIRE))
			return true;
		cpu_pause();
	}
	return false;
}

void serial_print(const char *format, ...)
{
	bool locked = lock_try_long();
	va_list args;

	va_start(args, format);
	format_to(serial_sink, NULL, format, args);
	va_end(args);
	if (locked)
		__atomic_store_n(&serial_taken, 0, __ATOMIC_RELEASE);
}
