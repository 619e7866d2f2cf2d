/* SPDX-License-Identifier: MIT */
/*
 * page.c - netcfg's shared page: reading it while it may change, and writing it.
 *
 * A sequence lock (Lamport, 1977): odd while the writer is at work; a reader whose sequence number
 * changed reads again.
 */
#include <base/string.h>
#include <exos/space.h>
#include <exos/start.h>
#include <net/config.h>

#define READ_TRIES 1000u        /* a writer needs far less than this many reads */

static uint32_t read_begin(const struct net_page *page)
{
	return __atomic_load_n(&page->sequence, __ATOMIC_ACQUIRE);
}

static bool read_was_quiet(const struct net_page *page, uint32_t sequence)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return sequence % 2 == 0 &&
	       __atomic_load_n(&page->sequence, __ATOMIC_RELAXED) == sequence;
}

bool net_page_read(const struct net_page *shared, struct net_page *copy)
{
	for (uint32_t i = 0; i < READ_TRIES; i++) {
		uint32_t sequence = read_begin(shared);

		memcpy(copy, shared, sizeof *copy);
		if (!read_was_quiet(shared, sequence))
			continue;
		copy->notice[sizeof copy->notice - 1] = 0;
		if (copy->addresses > NET_PAGE_ADDRESSES)
			copy->addresses = NET_PAGE_ADDRESSES;
		if (copy->neighbours > NET_PAGE_NEIGHBOURS)
			copy->neighbours = NET_PAGE_NEIGHBOURS;
		return copy->magic == NET_PAGE_MAGIC;
	}
	return false;
}

static const struct net_page_neighbour *neighbour_find(const struct net_page *page,
						       const struct net_addr *addr)
{
	uint32_t count = page->neighbours;

	for (uint32_t i = 0; i < count && i < NET_PAGE_NEIGHBOURS; i++)
		if (net_addr_equal(&page->neighbour[i].addr, addr))
			return &page->neighbour[i];
	return NULL;
}

bool net_page_neighbour(const struct net_page *shared, const struct net_addr *addr,
			uint8_t mac[6])
{
	for (uint32_t i = 0; i < READ_TRIES; i++) {
		uint32_t sequence = read_begin(shared);
		const struct net_page_neighbour *n = neighbour_find(shared, addr);

		if (n)
			memcpy(mac, n->mac, 6);
		if (read_was_quiet(shared, sequence))
			return n != NULL;
	}
	return false;
}

const struct net_page_address *net_page_address(const struct net_page *copy, uint32_t family)
{
	for (uint32_t i = 0; i < copy->addresses && i < NET_PAGE_ADDRESSES; i++) {
		const struct net_page_address *a = &copy->address[i];

		if (a->addr.family == family && !a->tentative)
			return a;
	}
	return NULL;
}

const struct net_page *net_page_granted(void)
{
	static const struct net_page *mapped;
	const struct exos_grant *grant = exos_grant("netcfg", 0);

	if (!mapped && grant)
		mapped = exos_space_window(grant->slot, grant->lo, 1, EXO_R_READ, NULL);
	return mapped;
}

void net_page_write_begin(struct net_page *page)
{
	__atomic_store_n(&page->sequence, page->sequence + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

void net_page_write_end(struct net_page *page)
{
	__atomic_store_n(&page->sequence, page->sequence + 1, __ATOMIC_RELEASE);
}
