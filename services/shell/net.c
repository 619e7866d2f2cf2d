/* SPDX-License-Identifier: MIT */
/*
 * net.c - net: the NICs as the kernel lists them, and then what the other files of it show.
 */
#include "net.h"

#include <exos/console.h>
#include <exos/start.h>

#include "machine.h"
#include "shell.h"

static void nic_print(uint32_t index, const struct exo_nic_info *n)
{
	printf("NIC %u  %02x:%02x:%02x:%02x:%02x:%02x, link %s, packets up to %u bytes, %u pair%s "
	       "of queues, pci %02x:%02x.%u\n", index, n->mac[0], n->mac[1], n->mac[2], n->mac[3],
	       n->mac[4], n->mac[5], n->flags & EXO_NIC_LINK ? "up" : "down", n->bytes_max,
	       n->queues, n->queues == 1 ? "" : "s", n->pci >> 8, n->pci >> 3 & 0x1f, n->pci & 7);
	printf("  offloads %s%s%s%s, interrupts %lu, rounds of sending %lu\n",
	       n->flags & EXO_NIC_CHECKSUM ? "checksum" : "none",
	       n->flags & EXO_NIC_SEGMENT4 ? " segments-ipv4" : "",
	       n->flags & EXO_NIC_SEGMENT6 ? " segments-ipv6" : "",
	       n->flags & EXO_NIC_JOINS ? " joins" : "",
	       (unsigned long)n->interrupts, (unsigned long)n->rounds);
	printf("  received %lu packets, %lu bytes, %lu dropped; sent %lu packets, %lu bytes, %lu "
	       "refused\n", (unsigned long)n->received, (unsigned long)n->received_bytes,
	       (unsigned long)n->dropped, (unsigned long)n->sent, (unsigned long)n->sent_bytes,
	       (unsigned long)n->refused);
}

int net_run(int argc, char **argv)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_nic_info *nic = exos_machine_at(m->nics_off);

	if (argc > 1)
		return commands_usage(argv[0]);
	for (uint32_t i = 0; i < m->nics; i++)
		nic_print(i, &nic[i]);
	if (m->nics == 0)
		printf("there is no NIC that exo can use (dev lists what the machine has)\n");
	net_config_print();
	if (m->nics > 0)
		net_claims_print();
	return 0;
}
