/* SPDX-License-Identifier: MIT */
/*
 * devices.c - interrupts, disks, PCI functions, ports and screen, as the kernel lists them.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/console.h>
#include <exos/start.h>

#include "machine.h"
#include "shell.h"

int irq_run(int argc, char **argv)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_irq_info *irq = exos_machine_at(m->irqs_off);
	struct env_list envs;
	char name[ENV_NAME];
	uint32_t silent = 0;

	if (argc > 1)
		return commands_usage(argv[0]);
	env_list_take(&envs);
	printf("%-5s %12s  %s\n", "IRQ", "COUNT", "RECEIVER");
	for (uint32_t i = 0; i < m->irqs && !term_interrupted(); i++) {
		if (irq[i].count == 0 && irq[i].bound_env == 0) {
			silent++;
			continue;
		}
		printf("%-5u %12lu  %s\n", irq[i].gsi, (unsigned long)irq[i].count,
		       irq[i].bound_env ? env_list_name(&envs, irq[i].bound_env, name) : "-");
	}
	printf("%u others never came and have no receiver\n", silent);
	env_list_free(&envs);
	return 0;
}

/* Base classes of PCI functions (PCI Code and ID Assignment Specification, 1.1). */
static const char *class_text(uint32_t class_code)
{
	static const char *const text[] = {
		"old device", "storage", "network", "display", "multimedia", "memory", "bridge",
		"communication", "system", "input", "docking station", "processor", "serial bus",
		"wireless", "intelligent I/O", "satellite", "encryption", "signal processing",
	};

	return class_code >> 16 < ARRAY_LEN(text) ? text[class_code >> 16] : "other";
}

static void pcis_print(const struct exo_machine *m)
{
	const struct exo_pci_info *p = exos_machine_at(m->pcis_off);

	for (uint32_t i = 0; i < m->pcis; i++)
		printf("pci %04x:%02x:%02x.%u  %04x:%04x  %s%s\n", p[i].where >> 16,
		       p[i].where >> 8 & 0xff, p[i].where >> 3 & 0x1f, p[i].where & 7,
		       p[i].vendor, p[i].device, class_text(p[i].class_code),
		       p[i].used ? ", shared by the kernel" : "");
}

static void disks_print(const struct exo_machine *m)
{
	const struct exo_disk_info *d = exos_machine_at(m->disks_off);

	for (uint32_t i = 0; i < m->disks; i++)
		printf("disk %u  %lu blocks of %u bytes%s, queue of %u, pci %02x:%02x.%u\n", i,
		       (unsigned long)d[i].blocks, d[i].block_bytes,
		       d[i].flags & EXO_DISK_RO ? ", read-only" : "", d[i].queue,
		       d[i].pci >> 8, d[i].pci >> 3 & 0x1f, d[i].pci & 7);
}

static void ports_print(const struct exo_machine *m)
{
	const struct exo_port_info *p = exos_machine_at(m->ports_off);

	for (uint32_t i = 0; i < m->ports; i++)
		printf("ports 0x%x-0x%x  %.*s\n", p[i].lo, p[i].lo + p[i].count - 1,
		       (int)strnlen(p[i].name, sizeof(p[i].name)), p[i].name);
}

int dev_run(int argc, char **argv)
{
	const struct exo_machine *m = exos_machine();

	if (argc > 1)
		return commands_usage(argv[0]);
	pcis_print(m);
	disks_print(m);
	ports_print(m);
	if (m->screen.base != 0)
		printf("screen %u x %u, %u pixels a line, at 0x%lx\n", m->screen.width,
		       m->screen.height, m->screen.stride, (unsigned long)m->screen.base);
	else
		printf("screen none\n");
	return 0;
}
