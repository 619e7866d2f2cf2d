/* SPDX-License-Identifier: MIT */
/*
 * pattern.c - flows of the Internet protocols as masked bytes.
 *
 * Offsets are from the start of the Ethernet header.
 */
#include "pattern.h"

#include <base/string.h>
#include <exo/errors.h>
#include <net/pattern.h>

void net_pattern_set(struct exo_pattern *pattern, uint32_t at, uint32_t bytes, const void *value,
		     const void *mask)
{
	uint8_t *to_mask = (uint8_t *)pattern->mask, *to_value = (uint8_t *)pattern->value;

	if (at > EXO_NIC_HEADER || bytes > EXO_NIC_HEADER - at)
		return;
	to_mask += at;
	to_value += at;
	for (uint32_t i = 0; i < bytes; i++) {
		uint8_t bits = mask ? ((const uint8_t *)mask)[i] : 0xff;
		uint8_t new = ((const uint8_t *)value)[i] & bits;

		to_mask[i] |= bits;
		to_value[i] = (uint8_t)((to_value[i] & ~bits) | new);
	}
}

static void set_byte(struct exo_pattern *p, uint32_t at, uint8_t value, uint8_t mask)
{
	net_pattern_set(p, at, 1, &value, &mask);
}

/* 16 bits in network order. */
static void set_word(struct exo_pattern *p, uint32_t at, uint16_t value, uint16_t mask)
{
	uint8_t v[2] = { (uint8_t)(value >> 8), (uint8_t)value };
	uint8_t m[2] = { (uint8_t)(mask >> 8), (uint8_t)mask };

	net_pattern_set(p, at, 2, v, m);
}

bool net_pattern_match(const struct exo_pattern *pattern, const void *header)
{
	uint64_t word, differ = 0;

	for (uint32_t i = 0; i < EXO_NIC_WORDS; i++) {
		memcpy(&word, (const uint8_t *)header + 8 * i, sizeof word);
		differ |= (word & pattern->mask[i]) ^ pattern->value[i];
	}
	return differ == 0;
}

/* The family that a flow speaks of; 0: none; -1: it contradicts itself. */
static int flow_family(const struct net_flow *f)
{
	uint32_t family = f->local.family ? f->local.family : f->remote.family;

	if (f->local.family && f->remote.family && f->local.family != f->remote.family)
		return -1;
	if (!family)
		family = f->family;
	if (!family && f->ethertype == NET_ETHERTYPE_IPV6)
		family = 6;
	if (!family && (f->protocol || f->ethertype == NET_ETHERTYPE_IPV4))
		family = 4;
	if (family && f->ethertype &&
	    f->ethertype != (family == 4 ? NET_ETHERTYPE_IPV4 : NET_ETHERTYPE_IPV6))
		return -1;
	return family == 0 || family == 4 || family == 6 ? (int)family : -1;
}

static bool flow_names_ports(const struct net_flow *f)
{
	return f->local_port || f->local_mask || f->remote_port;
}

static int flow_check(const struct net_flow *f, int family)
{
	bool icmp = f->protocol == (family == 6 ? NET_ICMPV6 : NET_ICMP);

	if (family < 0)
		return -EXO_E_ARG;
	if (flow_names_ports(f) && f->protocol != NET_TCP && f->protocol != NET_UDP)
		return -EXO_E_ARG;
	if (f->echo && !icmp)
		return -EXO_E_ARG;
	return 0;
}

/* One side's address, as source or destination. */
static void set_address(struct exo_pattern *p, int family, bool source,
			const struct net_addr *addr)
{
	uint32_t at4 = source ? PATTERN_IP4_SOURCE : PATTERN_IP4_DEST;
	uint32_t at6 = source ? PATTERN_IP6_SOURCE : PATTERN_IP6_DEST;

	if (addr->family)
		net_pattern_set(p, family == 4 ? at4 : at6,
				(uint32_t)net_addr_bytes(addr->family), addr->byte, NULL);
}

/* What must hold for the transport header to stand where ports are looked for. */
static void set_plain(struct exo_pattern *p, int family)
{
	if (family == 6) {
		set_byte(p, PATTERN_IP, 0x60, 0xf0);
		return;
	}
	set_byte(p, PATTERN_IP, 0x45, 0xff);
	set_word(p, PATTERN_IP4_FRAGMENT, 0, PATTERN_IP4_FRAGMENT_BITS);
}

static void set_flow(struct exo_pattern *p, const struct net_flow *f, int family, bool send)
{
	uint32_t ports = family == 6 ? PATTERN_IP6_PORTS : PATTERN_IP4_PORTS;
	uint16_t mask = f->local_mask ? f->local_mask : f->local_port ? 0xffff : 0;

	set_word(p, PATTERN_TYPE, family == 6 ? NET_ETHERTYPE_IPV6 : NET_ETHERTYPE_IPV4, 0xffff);
	if (f->protocol)
		set_byte(p, family == 6 ? PATTERN_IP6_NEXT : PATTERN_IP4_PROTOCOL, f->protocol,
			 0xff);
	set_address(p, family, send, &f->local);
	set_address(p, family, !send, &f->remote);
	if (flow_names_ports(f) || f->echo)
		set_plain(p, family);
	set_word(p, send ? ports : ports + 2, f->local_port, mask);
	set_word(p, send ? ports + 2 : ports, f->remote_port, f->remote_port ? 0xffff : 0);
	if (!f->echo)
		return;
	if (family == 6)
		set_byte(p, ports, send ? PATTERN_ECHO6_REQUEST : PATTERN_ECHO6_REPLY, 0xff);
	else
		set_byte(p, ports, send ? PATTERN_ECHO4_REQUEST : PATTERN_ECHO4_REPLY, 0xff);
	set_word(p, ports + PATTERN_ECHO_ID, f->echo, 0xffff);
}

int net_pattern_flow(struct exo_nic_spec *spec, const struct net_flow *flow, const uint8_t *mac)
{
	int family = flow_family(flow), err = flow_check(flow, family);

	if (err < 0)
		return err;
	if (mac)
		net_pattern_set(&spec->send, PATTERN_MAC_SOURCE, NET_MAC_BYTES, mac, NULL);
	if (family == 0) {
		if (flow->ethertype) {
			set_word(&spec->receive, PATTERN_TYPE, flow->ethertype, 0xffff);
			set_word(&spec->send, PATTERN_TYPE, flow->ethertype, 0xffff);
		}
		return 0;
	}
	set_flow(&spec->receive, flow, family, false);
	set_flow(&spec->send, flow, family, true);
	return 0;
}
