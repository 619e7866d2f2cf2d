/* SPDX-License-Identifier: MIT */
/*
 * panic.c - the kernel's last words: why, where, how it came there.
 *
 * Reached only by a defect of the kernel or of the machine, or by the boot line's `panic=boot`.
 * Frame pointers give the way; the member exo.symbols of the boot archive gives the names.
 */
#include <base/format.h>

#include "cpu.h"
#include "kernel.h"
#include "x86/enter.h"
#include "x86/lapic.h"
#include "x86/trap.h"

#define DEBUG_EXIT_PORT 0xf4
#define PANIC_EXIT 0x7f         /* told to the debug-exit device, if the boot line has one */

extern char text_end[];

/* The symbol that an address lies in, or "?". */
static const char *symbol_name(uint64_t va, uint64_t *offset)
{
	const uint32_t *table =
		boot_info && boot_info->symbols_pa ? phys_to_virt(boot_info->symbols_pa) : NULL;
	uint32_t found = 0, at = va - EXO_KERNEL_VA;

	*offset = 0;
	if (!table || !table[0] || va < EXO_KERNEL_VA)
		return "?";
	for (uint32_t i = 0; i < table[0] && table[1 + 2 * i] <= at; i++)
		found = i;
	*offset = at - table[1 + 2 * found];
	return (const char *)table + table[2 + 2 * found];
}

static void print_where(uint64_t rip)
{
	uint64_t offset;
	const char *name = symbol_name(rip, &offset);

	serial_print("  %016lx %s+0x%lx\n", rip, name, offset);
}

static bool is_text(uint64_t va)
{
	return va >= EXO_KERNEL_VA && va < (uint64_t)text_end;
}

static void print_backtrace(uint64_t rip, uint64_t frame)
{
	print_where(rip);
	for (unsigned i = 0; i < 32 && frame >= EXO_DIRECT_VA && frame % 8 == 0; i++) {
		const uint64_t *f = (const uint64_t *)frame;

		if (!is_text(f[1]))
			return;
		print_where(f[1]);
		if (f[0] <= frame)
			return;
		frame = f[0];
	}
}

static _Noreturn void last_words(uint64_t rip, uint64_t frame, const char *format, va_list args)
{
	char text[200];

	lapic_halt_others();
	format_buffer_v(text, sizeof(text), format, args);
	serial_print("\nexo: panic: %s\n", text);
	print_backtrace(rip, frame);
	if (boot_word("debug-exit"))
		out32(DEBUG_EXIT_PORT, PANIC_EXIT);
	halt_forever();
}

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	last_words((uint64_t)__builtin_return_address(0), read_frame_pointer(), format, args);
}

void panic_regs(const struct regs *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	last_words(r->rip, r->rbp, format, args);
}
