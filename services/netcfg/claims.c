/* SPDX-License-Identifier: MIT */
/*
 * claims.c - NIC claims narrowed for callers.
 *
 * Invariant: an entry that is used has a claim of ours, and below it the caller's, the only one of
 * its filter that receives.  Once there is none below it any more, because the caller dropped it
 * or ended, the entry is free again; that is seen in our own table, without a call.
 */
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/frame.h>
#include <exos/slot.h>
#include <exos/time.h>
#include <net/error.h>

#include "netcfg.h"

static struct book book;

void claims_start(void)
{
	book_init(&book, (uint32_t)(exos_tsc() >> 4));
}

/* The entry's filter, made of a frame of ours when it is first needed; 0 or -EXO_E_*. */
static int filter_make(struct book_entry *e)
{
	exo_slot memory;
	uint64_t pfn;
	int error;

	if (e->filter)
		return 0;
	if ((error = exos_frame_alloc(EXO_FRAMES_FILTER, &pfn, &memory)) < 0)
		return error;
	error = exos_cap_retype(memory, pfn, EXO_KIND_FILTER, 0, &e->filter);
	if (error < 0)
		exos_frame_free(pfn, EXO_FRAMES_FILTER);
	return error;
}

static int narrow(struct book_entry *e)
{
	const uint64_t rights = EXO_R_READ | EXO_R_WRITE | (e->share ? EXO_SHARE : 0);
	struct exo_nic_spec spec = { .receive = { .mask = { 0 } } };
	int error = filter_make(e);
	exo_sid slot;
	int64_t made;

	if (error == 0)
		error = net_pattern_flow(&spec, &e->flow, e->share ? NULL : netcfg.info->mac);
	if (error < 0)
		return error;
	if ((slot = exos_slot_alloc()) == 0)
		return -EXO_E_SLOT;
	made = exo_nic_narrow(netcfg.nic, slot, e->filter, (uintptr_t)&spec, rights);
	if (made < 0) {
		exos_slot_free(slot);
		return (int)made;
	}
	e->claim = (exo_slot)made;
	return 0;
}

static void entry_end(struct book_entry *e)
{
	if (e->claim)
		exos_cap_end(e->claim);
	e->claim = 0;
	book_drop(&book, e);
}

uint32_t claims_sweep(void)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < BOOK_ENTRIES; i++) {
		struct book_entry *e = &book.entry[i];
		const struct exo_cap *c = e->used ? exos_cap_look(e->claim) : NULL;
		bool lost = !e->share && e->flow.local.family && !address_is_own(&e->flow.local);

		if (!e->used)
			continue;
		if (c == NULL || c->child == 0 || lost)
			entry_end(e);
		else
			left++;
	}
	return left;
}

int claims_get(uint32_t client, struct net_flow *flow, bool share, exo_slot *claim,
	       uint32_t *number)
{
	struct book_entry *e;
	int error;

	claims_sweep();
	if ((error = book_ask(&book, client, flow, share)) != 0)
		return error;
	if ((e = book_take(&book, client, flow, share)) == NULL)
		return NET_E_LIMIT;
	error = narrow(e);
	if (error < 0) {
		entry_end(e);
		return error == -EXO_E_SPLIT ? NET_E_PORT_USED :
		       error == -EXO_E_ROOM ? NET_E_LIMIT : -error;
	}
	*claim = e->claim;
	*number = book_number(&book, e);
	return 0;
}

void claims_release(uint32_t client, uint32_t number)
{
	struct book_entry *e = book_find(&book, client, number);

	if (e != NULL)
		entry_end(e);
}

bool claims_has_port(uint8_t family, uint8_t protocol, uint16_t port)
{
	return book_has_port(&book, family, protocol, port);
}
