/* SPDX-License-Identifier: MIT */
/*
 * book.c - which ports and packets have been given to whom.
 *
 * Invariant: used[] and shares count the entries that are in use; no two entries that are not
 * shares name the same packets as far as their ports say.
 */
#include "book.h"

#include <base/string.h>
#include <exo/errors.h>
#include <net/error.h>

/* What one client may hold at once.  All together is no more than BOOK_ENTRIES. */
static const uint32_t limit[BOOK_CLIENTS] = {
	[BOOK_INIT] = 16, [BOOK_SHELL] = 48, [BOOK_CHILD] = 64,
};
_Static_assert(16 + 48 + 64 <= BOOK_ENTRIES, "every client can reach its limit");

#define PORT_DHCP_CLIENT   68u          /* RFC 2131, section 4.1: netcfg's own */
#define PORT_DHCPV6_CLIENT 546u         /* RFC 8415, section 7.2 */
#define ECHO_FREE_LO       0x8000u      /* first echo identifier that is given for "any" */

void book_init(struct book *book, uint32_t start)
{
	memset(book, 0, sizeof(*book));
	book->port_next = (uint16_t)(BOOK_FREE_LO + start % (0x10000u - BOOK_FREE_LO));
}

static bool has_ports(const struct net_flow *f)
{
	return f->protocol == NET_TCP || f->protocol == NET_UDP;
}

static bool is_echo(const struct net_flow *f)
{
	return f->protocol == NET_ICMP || f->protocol == NET_ICMPV6;
}

static uint16_t port_mask(const struct net_flow *f)
{
	return f->local_mask ? f->local_mask : 0xffff;
}

/* Do both name the other side, and differently? */
static bool remotes_differ(const struct net_flow *a, const struct net_flow *b)
{
	if (a->remote_port && b->remote_port && a->remote_port != b->remote_port)
		return true;
	return a->remote.family && b->remote.family && !net_addr_equal(&a->remote, &b->remote);
}

static bool locals_differ(const struct net_flow *a, const struct net_flow *b)
{
	return a->local.family && b->local.family && !net_addr_equal(&a->local, &b->local);
}

/* Is there a packet that both flows name? */
static bool flows_meet(const struct net_flow *a, const struct net_flow *b)
{
	if (a->ethertype != b->ethertype || a->protocol != b->protocol)
		return false;
	if (a->protocol && a->family != b->family)
		return false;
	if (locals_differ(a, b) || remotes_differ(a, b))
		return false;
	if (has_ports(a))
		return !((a->local_port ^ b->local_port) & port_mask(a) & port_mask(b));
	return !is_echo(a) || a->echo == b->echo;
}

static bool is_taken(const struct book *book, const struct net_flow *flow)
{
	for (uint32_t i = 0; i < BOOK_ENTRIES; i++) {
		const struct book_entry *e = &book->entry[i];

		if (e->used && !e->share && flows_meet(&e->flow, flow))
			return true;
	}
	return false;
}

static bool is_netcfgs(const struct net_flow *f)
{
	uint16_t mask = port_mask(f);

	return f->protocol == NET_UDP && (!((f->local_port ^ PORT_DHCP_CLIENT) & mask) ||
					  !((f->local_port ^ PORT_DHCPV6_CLIENT) & mask));
}

/*
 * A port or identifier in [lo, hi) that nobody has; *field is a field of *flow.  The search goes on
 * where the last one ended: what was given back rests before it is given again.
 */
static int free_find(struct book *book, struct net_flow *flow, uint16_t *field, uint32_t lo,
		     uint32_t hi)
{
	uint32_t at = book->port_next, room = hi - lo;

	for (uint32_t i = 0; i < room; i++) {
		*field = (uint16_t)(lo + (at + i) % room);
		if (!is_taken(book, flow)) {
			book->port_next = (uint16_t)(at + i + 1);
			return 0;
		}
	}
	return NET_E_NO_PORT;
}

/* The flows that netcfg gives out: ports, echo identifiers, protocols of one's own. */
static int flow_check(const struct net_flow *f, uint32_t client)
{
	if (has_ports(f)) {
		if (port_mask(f) != 0xffff && client == BOOK_CHILD)
			return NET_E_DENIED;
		return is_netcfgs(f) ? NET_E_PORT_USED : 0;
	}
	if (is_echo(f) && f->echo)      /* without an identifier: all of ICMP, which is netcfg's */
		return 0;
	if (f->protocol || f->family || f->local.family || f->remote.family)
		return NET_E_DENIED;
	if (f->ethertype < 0x600 || f->ethertype == NET_ETHERTYPE_IPV4 ||
	    f->ethertype == NET_ETHERTYPE_IPV6 || f->ethertype == NET_ETHERTYPE_ARP)
		return NET_E_DENIED;
	return 0;
}

static int share_check(const struct book *book, uint32_t client)
{
	if (client == BOOK_CHILD)
		return NET_E_DENIED;
	return book->shares >= BOOK_SHARES ? NET_E_LIMIT : 0;
}

int book_ask(struct book *book, uint32_t client, struct net_flow *flow, bool share)
{
	struct net_flow with = *flow;
	int error;

	if (client >= BOOK_CLIENTS)
		return NET_E_DENIED;
	if (book->used[client] >= limit[client])
		return NET_E_LIMIT;
	if (share)
		return share_check(book, client);
	if ((error = flow_check(flow, client)) != 0)
		return error;
	if (has_ports(flow) && flow->local_port == 0 && flow->local_mask)
		return EXO_E_ARG;
	if (has_ports(flow) && flow->local_port == 0)
		error = free_find(book, &with, &with.local_port, BOOK_FREE_LO, 0x10000);
	else if (is_echo(flow) && flow->echo == BOOK_ANY_ECHO)
		error = free_find(book, &with, &with.echo, ECHO_FREE_LO, BOOK_ANY_ECHO);
	else if (is_taken(book, flow))
		error = NET_E_PORT_USED;
	if (error == 0)
		*flow = with;
	return error;
}

struct book_entry *book_take(struct book *book, uint32_t client, const struct net_flow *flow,
			     bool share)
{
	for (uint32_t i = 0; i < BOOK_ENTRIES; i++) {
		struct book_entry *e = &book->entry[i];

		if (e->used)
			continue;
		e->used = true;
		e->share = share;
		e->client = (uint8_t)client;
		e->flow = *flow;
		e->claim = 0;
		book->used[client]++;
		book->shares += share;
		return e;
	}
	return NULL;
}

void book_drop(struct book *book, struct book_entry *entry)
{
	if (!entry->used)
		return;
	entry->used = false;
	entry->times++;
	book->used[entry->client]--;
	book->shares -= entry->share;
}

uint32_t book_number(const struct book *book, const struct book_entry *entry)
{
	return entry->times * BOOK_ENTRIES + (uint32_t)(entry - book->entry);
}

struct book_entry *book_find(struct book *book, uint32_t client, uint32_t number)
{
	struct book_entry *e = &book->entry[number % BOOK_ENTRIES];

	if (!e->used || e->client != client || book_number(book, e) != number)
		return NULL;
	return e;
}

bool book_has_port(const struct book *book, uint8_t family, uint8_t protocol, uint16_t port)
{
	for (uint32_t i = 0; i < BOOK_ENTRIES; i++) {
		const struct book_entry *e = &book->entry[i];

		if (e->used && !e->share && has_ports(&e->flow) && e->flow.family == family &&
		    e->flow.protocol == protocol &&
		    !((e->flow.local_port ^ port) & port_mask(&e->flow)))
			return true;
	}
	return false;
}
