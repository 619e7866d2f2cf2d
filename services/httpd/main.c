/* SPDX-License-Identifier: MIT */
/*
 * main.c - httpd: the web server that shows the disk, with its own TCP/IP and file system in it.
 *
 * Holds: a share of the disk's blocks to read (`disk`, their sizes: `block-bytes`), a NIC claim for
 * its port (`nic`), netcfg's page (`netcfg`), memory and time.  No console: whoever started it
 * learns by exit codes why it ended.  httpd [PORT], 80 if not said; the claim must be for the same
 * port.
 *
 * One thread: packets, then connections, then waiting.  Reading from the disk waits inside a turn;
 * meanwhile packets stand in the ring.
 */
#include <base/format.h>
#include <base/util.h>
#include <exos/frame.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include <net/stack.h>

#include "disk.h"
#include "tcp.h"

enum httpd_exit {
	HTTPD_NO_NETWORK = 2,   /* no page of netcfg, or no NIC claim was granted */
	HTTPD_NO_STACK,         /* the stack or its rings could not be made */
	HTTPD_NO_PORT,          /* nothing listens: the port is wrong, or memory is out */
};

static struct site site;
static struct server server;

/* Free memory in bytes, and a part of it between two bounds. */
static uint64_t memory_free(void)
{
	struct exos_frame_stats stats;

	exos_frame_stats(&stats);
	return stats.free * EXO_PAGE_SIZE;
}

static uint64_t between(uint64_t value, uint64_t least, uint64_t most)
{
	return min_u64(max_u64(value, least), most);
}

/* Share out what memory there is: nothing that clients do makes httpd take more. */
static void site_start(void)
{
	uint64_t memory = memory_free();

	site.page_most = between(memory / 16, 64u << 10, 4u << 20);
	disk_mount(&site, between(memory / 4, 256u << 10, 32u << 20));
	server_init(&server, &site,
		    (uint32_t)between(memory / 2 / SERVER_CONN_BYTES, 8, SERVER_CONNS));
}

/* Pages of the cache go when memory is asked for, and come again elsewhere. */
static void cache_page(const void *page, exo_slot *slot, uint64_t *pfn)
{
	*pfn = exos_space_frame((uint64_t)page);
	*slot = exos_frame_claim(*pfn);
}

/* Let blocks of the cache be sent from where they are. */
static void cache_register(struct net_stack *stack)
{
	/* If not: they are copied into the ring. */
	if (site.cache != NULL)
		net_memory_register_loose(stack, site.cache->data,
					  site.cache->data_pages * EXO_PAGE_SIZE, cache_page);
}

static int stack_start(struct net_stack **stack)
{
	const struct exos_grant *nic = exos_grant("nic", 0);
	struct net_stack_config config;

	if (nic == NULL || net_stack_granted(&config) < 0)
		return HTTPD_NO_NETWORK;
	if (net_stack_create(&config, stack) < 0 ||
	    net_stack_add(*stack, nic->slot, NULL, NET_STACK_FRAMES, NULL) < 0)
		return HTTPD_NO_STACK;
	return 0;
}

static _Noreturn void serve(struct net_stack *stack)
{
	for (;;) {
		bool more = server_round(&server, exos_ns());
		uint64_t next = server_next(&server);

		net_stack_flush(stack);
		if (more)
			net_stack_poll(stack);
		else
			net_stack_run(stack, next ? exos_ns_to_tsc(next) : 0);
	}
}

int main(int argc, char **argv)
{
	struct net_stack *stack;
	uint64_t port = 80;
	int error;

	if (argc > 1 && (parse_u64(argv[1], NULL, &port) < 0 || port == 0 || port > 65535))
		return HTTPD_NO_PORT;
	error = stack_start(&stack);
	if (error != 0)
		return error;
	site_start();
	cache_register(stack);
	if (tcp_serve(&server, (uint16_t)port) < 0)
		return HTTPD_NO_PORT;
	serve(stack);
}
