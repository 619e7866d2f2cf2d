/* SPDX-License-Identifier: MIT */
/*
 * power.c - switching the machine off, by the ports that ACPI names.
 *
 * The ACPI tables are mapped as they were granted; only those frames are shown to the reader of
 * the tables.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/console.h>
#include <exos/error.h>
#include <exos/space.h>
#include <exos/time.h>

#include "acpi.h"
#include "init.h"

#define DEBUG_EXIT_PORT 0xf4u
#define DEBUG_EXIT_OK   0x10u
#define DEBUG_EXIT_FAIL 0x11u
#define POWER_WAIT_NS   3000000000ull

/* Runs of ACPI frames, mapped. */
#define ACPI_RUNS 16u
static struct acpi_run {
	uint64_t lo, hi;        /* physical addresses */
	const uint8_t *at;
} run[ACPI_RUNS];
static unsigned runs;

static struct acpi_off off;
static const char *off_missing = "it was not looked for";

static void runs_map(void)
{
	const struct exos_grant *g;

	for (unsigned n = 0; runs < ACPI_RUNS && (g = exos_grant("acpi", n)) != NULL; n++) {
		const void *at = exos_space_window(g->slot, g->lo, g->hi - g->lo, EXO_R_READ, NULL);

		if (at != NULL)
			run[runs++] = (struct acpi_run){
				g->lo * EXO_PAGE_SIZE, g->hi * EXO_PAGE_SIZE, at,
			};
	}
}

static const void *runs_view(void *context, uint64_t address, uint64_t bytes)
{
	(void)context;
	for (unsigned i = 0; i < runs; i++)
		if (address >= run[i].lo && range_fits(address, bytes, run[i].hi))
			return run[i].at + (address - run[i].lo);
	return NULL;
}

const char *power_find(void)
{
	runs_map();
	off_missing = acpi_find_off(runs_view, NULL, exos_machine()->rsdp, &off);
	return off_missing;
}

/* The claim that covers [port, port + size), or 0. */
static exo_slot port_claim(uint16_t port, uint16_t size)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("port", n)) != NULL; n++)
		if (port >= g->lo && range_fits(port, size, g->hi))
			return g->slot;
	return 0;
}

static int port_do(uint16_t port, uint8_t size, uint8_t op, uint32_t *value)
{
	struct exo_port_op io = { .port = port, .size = size, .op = op, .value = *value };
	int64_t done = exo_port_io(port_claim(port, size), (uint64_t)&io, 1);

	*value = io.value;
	return done == 1 ? 0 : done < 0 ? (int)done : -EXO_E_DEVICE;
}

/* Or the sleep type and its enable bit into a PM1 control register. */
static int sleep_write(uint16_t port, uint16_t value)
{
	uint32_t now = 0;
	int error;

	if (port == 0)
		return 0;
	if ((error = port_do(port, 2, EXO_PORT_IN, &now)) < 0)
		return error;
	now = (now & ACPI_CONTROL_KEEP) | value;
	return port_do(port, 2, EXO_PORT_OUT, &now);
}

static int acpi_off_write(void)
{
	int error = sleep_write(off.port_a, off.value_a);

	return error < 0 ? error : sleep_write(off.port_b, off.value_b);
}

_Noreturn void power_off(bool debug_exit, int code)
{
	uint32_t value = code == 0 ? DEBUG_EXIT_OK : DEBUG_EXIT_FAIL;
	int error = 0;

	if (debug_exit) {
		error = port_do(DEBUG_EXIT_PORT, 1, EXO_PORT_OUT, &value);
		printf("init: there is no debug-exit port: %s\n", exo_error_text(error));
	}
	if (off_missing == NULL && (error = acpi_off_write()) >= 0) {
		exos_sleep(POWER_WAIT_NS);
		off_missing = "the registers were written, and nothing happened";
	}
	printf("init: cannot switch this machine off: %s\n"
	       "init: everything has ended; you may switch it off yourself\n",
	       off_missing ? off_missing : exo_error_text(error));
	for (;;)
		exo_env_wait(exos_page()->event_head, 0);
}
