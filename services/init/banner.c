/* SPDX-License-Identifier: MIT */
/*
 * banner.c - the first lines: what this machine has and what the kernel keeps of it.
 */
#include <base/string.h>
#include <exo/machine.h>
#include <exos/console.h>
#include <exos/time.h>

#include "init.h"

/* Frames as MiB with one digit behind the point. */
#define MIB(frames)  ((frames) / 256), ((frames) % 256 * 10 / 256)

static void banner_memory(const struct exo_machine *m)
{
	printf("memory: %lu.%lu MiB, of which the kernel keeps %lu.%lu MiB (itself, its tables, "
	       "the archive's kernel)\n", MIB(m->ram_frames), MIB(m->kept_frames));
	printf("        %lu.%lu MiB are free\n", MIB(m->free_frames));
}

static void banner_disks(const struct exo_machine *m)
{
	const struct exo_disk_info *d = exos_machine_at(m->disks_off);

	for (uint32_t i = 0; i < m->disks; i++)
		printf("disk %u: %lu MiB, blocks of %u bytes%s\n", i,
		       d[i].blocks * d[i].block_bytes >> 20, d[i].block_bytes,
		       d[i].flags & EXO_DISK_RO ? ", read-only" : "");
	if (m->disks == 0)
		printf("disk:   none\n");
}

static void banner_nics(const struct exo_machine *m)
{
	const struct exo_nic_info *n = exos_machine_at(m->nics_off);

	for (uint32_t i = 0; i < m->nics; i++)
		printf("nic %u:  %02x:%02x:%02x:%02x:%02x:%02x, %u queue%s, the cable is %s\n", i,
		       n[i].mac[0], n[i].mac[1], n[i].mac[2], n[i].mac[3], n[i].mac[4], n[i].mac[5],
		       n[i].queues, n[i].queues == 1 ? "" : "s",
		       n[i].flags & EXO_NIC_LINK ? "in" : "out");
	if (m->nics == 0)
		printf("nic:    none\n");
}

static void banner_devices(const struct exo_machine *m)
{
	if (m->screen.base != 0)
		printf("screen: %u x %u\n", m->screen.width, m->screen.height);
	else
		printf("screen: none\n");
	printf("pci:    %u functions, see dev; power-off: ", m->pcis);
}

/* The kernel's notices: one line each. */
static void banner_notices(const struct exo_machine *m)
{
	const char *at = m->notice;
	const char *end = at + strnlen(at, sizeof(m->notice));

	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));
		size_t bytes = (size_t)((line ? line : end) - at);

		if (bytes > 0)
			printf("notice: %.*s\n", (int)bytes, at);
		at += bytes + 1;
	}
	if (!m->volume)
		printf("notice: booted without a volume: nothing was read from \\exo\\\n");
}

void banner_print(const char *power)
{
	const struct exo_machine *m = exos_machine();

	printf("\nexo %.*s (ABI %u.%u), %u CPU%s at %lu MHz\n", (int)sizeof(m->version), m->version,
	       m->abi_major, m->abi_minor, m->cpus, m->cpus == 1 ? "" : "s",
	       m->tsc_hz / 1000000);
	banner_memory(m);
	banner_disks(m);
	banner_nics(m);
	banner_devices(m);
	if (power != NULL)
		printf("none: %s\n", power);
	else
		printf("by ACPI\n");
	banner_notices(m);
}
