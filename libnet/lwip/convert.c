/* SPDX-License-Identifier: MIT */
/*
 * convert.c - addresses and errors between lwIP's forms and ours.
 */
#include <base/string.h>
#include <net/error.h>
#include <net/lwip.h>

void net_addr_to_lwip(const struct net_addr *from, ip_addr_t *to)
{
	memset(to, 0, sizeof *to);
	if (from->family == 4) {
		IP_SET_TYPE(to, IPADDR_TYPE_V4);
		memcpy(&ip_2_ip4(to)->addr, from->byte, 4);
	} else if (from->family == 6) {
		IP_SET_TYPE(to, IPADDR_TYPE_V6);
		memcpy(ip_2_ip6(to)->addr, from->byte, 16);
	} else {
		IP_SET_TYPE(to, IPADDR_TYPE_ANY);
	}
}

struct net_addr net_addr_from_lwip(const ip_addr_t *from)
{
	struct net_addr to = { .family = IP_IS_V6_VAL(*from) ? 6 : 4 };

	memcpy(to.byte, from, net_addr_bytes(to.family));
	return to;
}

int net_error_from_lwip(err_t error)
{
	switch (error) {
	case ERR_OK:         return 0;
	case ERR_MEM:
	case ERR_BUF:        return -NET_E_NOMEM;
	case ERR_TIMEOUT:    return -NET_E_TIMEOUT;
	case ERR_RTE:        return -NET_E_UNREACHABLE;
	case ERR_USE:        return -NET_E_PORT_USED;
	case ERR_RST:        return -NET_E_RESET;
	case ERR_CLSD:
	case ERR_CONN:       return -NET_E_CLOSED;
	case ERR_ABRT:       return -NET_E_ABORTED;
	default:             return -NET_E_STATE;
	}
}
