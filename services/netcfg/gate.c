/* SPDX-License-Identifier: MIT */
/*
 * gate.c - the calls of the gate (net/config.h).
 *
 * Three gates, which differ in their mark: init's, the shell's, and the one that the shell gives to
 * programs it starts.  Invariant: a call is answered at once; what takes time (finding a
 * neighbour) is begun and said to be under way.
 */
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/gate.h>
#include <exos/start.h>
#include <net/error.h>

#include "netcfg.h"

/* The family that a flow speaks of; 0: it names no Internet protocol. */
static uint8_t flow_family(const struct net_flow *f)
{
	if (f->local.family || f->remote.family)
		return (uint8_t)(f->local.family ? f->local.family : f->remote.family);
	if (f->family)
		return f->family;
	return f->protocol == NET_ICMPV6 ? 6 : f->protocol ? 4 : 0;
}

/* Fill in what follows from the rest; an error number if it contradicts itself. */
static int flow_complete(struct net_flow *f)
{
	const uint8_t family = flow_family(f);
	const uint16_t ethertype = family == 4 ? NET_ETHERTYPE_IPV4 : NET_ETHERTYPE_IPV6;

	if (family == 0)
		return 0;
	if (family != 4 && family != 6)
		return EXO_E_ARG;
	if ((f->family && f->family != family) || (f->ethertype && f->ethertype != ethertype))
		return EXO_E_ARG;
	f->family = family;
	f->ethertype = ethertype;
	return 0;
}

/* A claim on packets is on those to an address of ours. */
static int flow_local(struct net_flow *f)
{
	if (f->family == 0)
		return 0;
	if (f->local.family == 0)
		return address_own(f->family, &f->local) ? 0 : NET_E_NO_ADDRESS;
	return address_is_own(&f->local) ? 0 : NET_E_DENIED;
}

static int call_claim(uint32_t mark, struct exos_gate_message *m)
{
	struct net_flow flow;
	uint32_t flags, number;
	exo_slot claim;
	bool share;
	int error;

	net_claim_unpack(m, &flow, &flags);
	if (flags & ~NET_CLAIM_SHARE)
		return EXO_E_ARG;
	share = flags & NET_CLAIM_SHARE;
	if ((error = flow_complete(&flow)) == 0 && !share)
		error = flow_local(&flow);
	if (error == 0)
		error = claims_get(mark, &flow, share, &claim, &number);
	if (error != 0)
		return error;
	m->word[0] = flow.protocol == NET_ICMP || flow.protocol == NET_ICMPV6 ? flow.echo
									      : flow.local_port;
	m->word[1] = number;
	m->word[2] = flow.local.family;
	net_addr_pack(&flow.local, &m->word[3]);
	m->cap = claim;
	return 0;
}

static int call_resolve(struct exos_gate_message *m)
{
	struct net_addr to = net_addr_unpack((uint32_t)m->word[1], &m->word[2]);
	uint8_t mac[6];
	int error;

	if (m->word[1] != 4 && m->word[1] != 6)
		return EXO_E_ARG;
	error = neighbour_resolve(&to, mac);
	m->word[0] = 0;
	for (unsigned i = 0; error == 0 && i < sizeof(mac); i++)
		m->word[0] |= (uint64_t)mac[i] << 8 * i;
	return error;
}

static int call_do(uint32_t mark, struct exos_gate_message *m)
{
	if (netcfg.stack == NULL)
		return NET_E_NO_NETWORK;
	switch (m->word[0] & 0xff) {
	case NET_OP_CLAIM:
		return call_claim(mark, m);
	case NET_OP_RELEASE:
		if (m->word[1] <= UINT32_MAX)
			claims_release(mark, (uint32_t)m->word[1]);
		return 0;
	case NET_OP_RESOLVE:
		return call_resolve(m);
	default:
		return EXO_E_ARG;
	}
}

static int64_t on_call(struct exos_gate_service *service, uint32_t mark,
		       struct exos_gate_message *m)
{
	int error;

	(void)service;
	if (m->cap) {           /* no call brings a claim */
		exos_page()->gate_open = 0;     /* its slot is freed, not open any more */
		exos_cap_end(m->cap);
		m->cap = 0;
		exos_gate_open();
	}
	error = call_do(mark, m);
	page_calls++;
	page_refusals += error != 0;
	return error == 0 ? 0 : NET_REFUSED + error;
}

int gate_start(void)
{
	static struct exos_gate_service service = { .call = on_call };
	const struct exos_grant *to = exos_grant("answer", 0);
	const struct exos_grant *env = exos_grant("starter", 0);

	if (to == NULL || env == NULL || to->hi - to->lo != BOOK_CLIENTS)
		return -EXO_E_ABSENT;
	for (uint32_t mark = 0; mark < BOOK_CLIENTS; mark++) {
		exo_slot gate;
		int64_t error = exos_gate_make(&service, mark, &gate);

		if (error >= 0)
			error = exo_cap_give(gate, env->slot, to->lo + mark, EXO_R_CALL);
		if (error < 0)
			return (int)error;
	}
	return 0;
}
