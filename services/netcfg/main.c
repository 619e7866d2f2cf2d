/* SPDX-License-Identifier: MIT */
/*
 * main.c - the network service: addresses, neighbours, claims for others.
 *
 * Its grants: `nic` (all packets of one NIC), `netcfg` (the page it writes), `answer` and `starter`
 * (where its gates go), `archive` (for net.conf), `export` (the NIC's link).
 * Invariant: when it rings its starter first, the gates are given and the page is sound.
 */
#include <base/format.h>
#include <base/string.h>
#include <exos/archive.h>
#include <exos/call.h>
#include <exos/error.h>
#include <exos/gate.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include <net/error.h>

#include "netcfg.h"

#define TICK_NS        500000000ull     /* how often link, claims and gateway are looked at */
#define ETHERNET_BYTES 14u
#define RING_FRAMES    64u              /* data frames: 64 buffers each way; its packets are few */

struct netcfg netcfg;

static bool archive_has(const struct exos_archive *archive, const char *name)
{
	for (uint32_t i = 0; i < archive->count; i++)
		if (strcmp(archive->entry[i].name, name) == 0)
			return true;
	return false;
}

/* No archive, or no such file, is no error: addresses come from the network then. */
static void conf_read(void)
{
	static struct exos_archive archive;
	static char why[120], text[128];
	const char *problem;
	const void *file;
	size_t bytes;

	if (exos_archive_open(&archive) != NULL || !archive_has(&archive, "net.conf"))
		return;
	problem = exos_archive_find(&archive, "net.conf", &file, &bytes);
	if (problem == NULL && conf_parse(file, bytes, &netcfg.conf, why, sizeof(why)) < 0)
		problem = why;
	if (problem == NULL)
		return;
	format_buffer(text, sizeof(text), "net.conf: %s", problem);
	netcfg.failed = text;
}

static int nic_find(void)
{
	const struct exo_machine *m = exos_machine();
	const struct exos_grant *g = exos_grant("nic", 0);

	if (g == NULL || m == NULL || g->unit >= m->nics)
		return -EXO_E_ABSENT;
	netcfg.nic = g->slot;
	netcfg.unit = g->unit;
	netcfg.info = (const struct exo_nic_info *)exos_machine_at(m->nics_off) + g->unit;
	return 0;
}

/* Start the stack on all packets of the NIC. */
static int stack_start(void)
{
	struct net_stack_config config = {
		.full = true, .mtu = (uint16_t)(netcfg.info->bytes_max - ETHERNET_BYTES),
	};
	int error;

	net_stack_offload(&config, netcfg.info->flags);
	for (unsigned i = 0; i < sizeof(config.mac); i++)
		config.mac[i] = netcfg.info->mac[i];
	error = net_stack_create(&config, &netcfg.stack);
	if (error < 0)
		return error;
	error = net_stack_add(netcfg.stack, netcfg.nic, NULL, RING_FRAMES, NULL);
	if (error < 0)
		return error;
	netcfg.netif = net_stack_netif(netcfg.stack);
	stray_start();
	return 0;
}

int main(int argc, char **argv)
{
	int error;

	(void)argc;
	(void)argv;
	if ((error = nic_find()) < 0 || (error = page_start()) < 0)
		return -error;
	claims_start();
	conf_read();
	if ((error = stack_start()) < 0)
		return -error;
	if (!netcfg.failed)
		address_start();
	if ((error = exos_gate_open()) < 0 || (error = gate_start()) < 0)
		return -error;
	page_publish();
	exo_env_notify(exos_grant("parent", 0)->slot);
	for (;;) {
		net_stack_run(netcfg.stack, exos_deadline(TICK_NS));
		address_tick();
		page_publish();
	}
}
