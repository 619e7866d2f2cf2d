/* SPDX-License-Identifier: MIT */
/*
 * claim.c - calls of netcfg's gate, and how a request is packed into eight words.
 */
#include <base/string.h>
#include <exos/cap.h>
#include <exos/gate.h>
#include <net/config.h>
#include <net/error.h>

void net_addr_pack(const struct net_addr *addr, uint64_t word[2])
{
	memcpy(word, addr->byte, sizeof addr->byte);
}

struct net_addr net_addr_unpack(uint32_t family, const uint64_t word[2])
{
	struct net_addr addr = { .family = family };

	if (net_addr_bytes(family) == 0)
		addr.family = 0;
	memcpy(addr.byte, word, net_addr_bytes(family));
	return addr;
}

void net_claim_pack(struct exos_gate_message *message, const struct net_flow *flow,
		    uint32_t flags)
{
	memset(message, 0, sizeof *message);
	message->word[0] = NET_OP_CLAIM | (uint64_t)(flags & 0xff) << 8 |
			   (uint64_t)flow->protocol << 16 | (uint64_t)flow->family << 24 |
			   (uint64_t)flow->local_port << 32 | (uint64_t)flow->remote_port << 48;
	message->word[1] = flow->ethertype | (uint64_t)flow->echo << 16 |
			   (uint64_t)flow->local_mask << 32 |
			   (uint64_t)(flow->local.family & 0xff) << 48 |
			   (uint64_t)(flow->remote.family & 0xff) << 56;
	net_addr_pack(&flow->local, &message->word[2]);
	net_addr_pack(&flow->remote, &message->word[4]);
}

void net_claim_unpack(const struct exos_gate_message *message, struct net_flow *flow,
		      uint32_t *flags)
{
	const uint64_t *word = message->word;

	*flags = (uint32_t)(word[0] >> 8) & 0xff;
	*flow = (struct net_flow){
		.ethertype = (uint16_t)word[1],
		.family = (uint8_t)(word[0] >> 24),
		.protocol = (uint8_t)(word[0] >> 16),
		.local_port = (uint16_t)(word[0] >> 32),
		.local_mask = (uint16_t)(word[1] >> 32),
		.remote_port = (uint16_t)(word[0] >> 48),
		.echo = (uint16_t)(word[1] >> 16),
		.local = net_addr_unpack((uint8_t)(word[1] >> 48), &word[2]),
		.remote = net_addr_unpack((uint8_t)(word[1] >> 56), &word[4]),
	};
}

/* A call: 0 or a count, or the refusal as a negative error. */
static int64_t gate_call(exo_slot gate, struct exos_gate_message *message)
{
	int64_t result = exos_gate_call(gate, message);

	return result > NET_REFUSED ? NET_REFUSED - result : result;
}

int net_claim_get(exo_slot gate, const struct net_flow *flow, uint32_t flags,
		  struct net_claim *out)
{
	struct exos_gate_message message;
	int64_t result;

	if (!gate)
		return -NET_E_NO_NETWORK;
	result = exos_gate_open();
	if (result < 0)
		return (int)result;
	net_claim_pack(&message, flow, flags);
	result = gate_call(gate, &message);
	if (result < 0)
		return (int)result;
	if (!message.cap)
		return -NET_E_PROTOCOL;
	*out = (struct net_claim){ .nic = message.cap, .number = (uint32_t)message.word[1],
				   .port = (uint16_t)message.word[0], .flow = *flow };
	out->flow.local = net_addr_unpack((uint32_t)message.word[2], &message.word[3]);
	if (flow->echo)
		out->flow.echo = out->port;
	else if (flow->protocol == NET_TCP || flow->protocol == NET_UDP)
		out->flow.local_port = out->port;
	return 0;
}

void net_claim_release(exo_slot gate, struct net_claim *claim)
{
	struct exos_gate_message message = { .word = { NET_OP_RELEASE, claim->number } };

	exos_cap_end(claim->nic);
	if (gate)
		gate_call(gate, &message);
	memset(claim, 0, sizeof *claim);
}

int net_resolve(exo_slot gate, const struct net_addr *addr, uint8_t mac[6])
{
	struct exos_gate_message message = { .word = { NET_OP_RESOLVE, addr->family } };
	int64_t result;

	if (!gate)
		return -NET_E_RESOLVING;
	net_addr_pack(addr, &message.word[2]);
	result = gate_call(gate, &message);
	if (result < 0)
		return (int)result;
	memcpy(mac, message.word, 6);
	return 0;
}
