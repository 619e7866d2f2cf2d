/* SPDX-License-Identifier: MIT */
/*
 * config.h - what netcfg tells the others: the shared page, and the calls of its gate.
 *
 * The page is a read-only share (grant `netcfg`), written by netcfg only; readers copy or look up
 * under its sequence number.  The gate (grant `net-gate`) gives out NIC claims and resolves link
 * addresses; netcfg tells its callers apart by the badge of the gate they were given.
 */
#ifndef NET_CONFIG_H
#define NET_CONFIG_H

#include <exo/types.h>
#include <net/address.h>
#include <net/pattern.h>
#include <stdbool.h>
#include <stdint.h>

/* --- the shared page --- */

#define NET_PAGE_MAGIC      0x31676663746e78ul  /* "xntcfg1" */
#define NET_PAGE_ADDRESSES  8u
#define NET_PAGE_DNS        4u
#define NET_PAGE_NEIGHBOURS 64u

enum net_state {
	NET_STATE_STARTING = 0, /* netcfg has not looked yet */
	NET_STATE_NO_NIC,       /* this machine has none, or netcfg was given none */
	NET_STATE_NO_LINK,      /* the cable is out */
	NET_STATE_ASKING,       /* asking by DHCP, no answer yet */
	NET_STATE_READY,        /* there is an IPv4 address */
	NET_STATE_FAILED,       /* `notice` says why */
};

/* Where an address comes from. */
enum net_source {
	NET_FROM_NOBODY = 0, NET_FROM_FILE, NET_FROM_DHCP, NET_FROM_ROUTER, NET_FROM_LINK
};

struct net_page_address {
	struct net_addr addr;
	uint8_t  prefix;        /* bits */
	uint8_t  source;        /* enum net_source */
	uint8_t  tentative;     /* 1: IPv6, not yet found to be unique: not to be used */
	uint8_t  spare;
};
_Static_assert(sizeof(struct net_page_address) == 24, "shared layout: net_page_address");

struct net_page_neighbour {
	struct net_addr addr;
	uint8_t  mac[6];
	uint8_t  fresh;         /* 1: confirmed lately; 0: known, being confirmed */
	uint8_t  router;
};
_Static_assert(sizeof(struct net_page_neighbour) == 28, "shared layout: net_page_neighbour");

/* All fields are netcfg's to write; host byte order except addresses. */
struct net_page {
	uint64_t magic;         /* NET_PAGE_MAGIC */
	uint32_t sequence;      /* odd while netcfg writes; grows by 2 with each change */
	uint32_t generation;    /* grows when an address, gateway or name server changes */
	uint32_t state;         /* enum net_state */
	uint32_t source;        /* enum net_source of the IPv4 address */
	uint32_t nic;           /* index of the NIC that it speaks of */
	uint32_t link;          /* 1: the cable is in */
	uint32_t mtu;           /* bytes of an IP packet */
	uint8_t  mac[6];        /* of the NIC */
	uint16_t addresses;     /* in use of address[] */
	struct net_page_address address[NET_PAGE_ADDRESSES];    /* IPv4 first, if there is one */
	struct net_addr gateway4, gateway6;     /* family 0: none */
	struct net_addr dns[NET_PAGE_DNS];      /* family 0: none */
	struct net_addr dhcp_server;            /* of the lease; family 0: none */
	uint32_t lease_s;       /* seconds that the lease was given for, 0: none or for ever */
	uint32_t neighbours;    /* in use of neighbour[] */
	uint64_t lease_tsc;     /* time stamp at which it was given */
	uint64_t link_changes;  /* counters */
	uint64_t claims;        /* claims given out now */
	uint64_t calls;         /* gate calls taken */
	uint64_t refusals;      /* of these */
	uint64_t nic_flags;     /* EXO_NIC_*: what the NIC offers */
	uint64_t spare[7];
	char     notice[128];   /* what happened last that a person should know, NUL-terminated */
	struct net_page_neighbour neighbour[NET_PAGE_NEIGHBOURS];
};
_Static_assert(sizeof(struct net_page) <= EXO_PAGE_SIZE, "net_page is one page");

/*
 * For readers.  A page that stays odd (netcfg died while writing) is given up after a bounded
 * number of tries: false.
 */

/* Copy the whole page while nobody writes. false: not netcfg's page, or no quiet moment. */
bool net_page_read(const struct net_page *shared, struct net_page *copy);

/* The link address of a neighbour (not of what lies behind a gateway): true if it is listed. */
bool net_page_neighbour(const struct net_page *shared, const struct net_addr *addr,
			uint8_t mac[6]);

/* The first usable address of a family, in a copy; NULL: none. */
const struct net_page_address *net_page_address(const struct net_page *copy, uint32_t family);

/* The grant `netcfg`, mapped read-only on the first call; NULL if it was not granted. */
const struct net_page *net_page_granted(void);

/* For the writer. */
void net_page_write_begin(struct net_page *page);
void net_page_write_end(struct net_page *page);

/* --- the gate --- */

/*
 * The low byte of word 0 of a call is the operation.  The result is 0; a refusal is NET_REFUSED +
 * the number of an error, NET_E_* or EXO_E_* (the functions below make it a negative error again).
 */
enum net_op {
	/*
	 * Narrow a claim for the caller (net_claim_pack, net_claim_unpack).
	 * in:  word 0 = op | flags << 8 | protocol << 16 | family << 24 | local port << 32 |
	 *      remote port << 48; word 1 = ethertype | echo << 16 | local mask << 32 |
	 *      local family << 48 | remote family << 56; words 2 and 3: local address bytes;
	 *      words 4 and 5: remote address bytes
	 * out: the claim, passed back; word 0 = local port (or echo identifier); word 1 = number
	 *      for RELEASE; word 2 = family; words 3 and 4: local address
	 * A local port 0 of TCP or UDP, or an echo identifier 0xffff, asks for a free one.  A local
	 * address of family 0 means the machine's own of that family.
	 * The caller has called exos_gate_open before.
	 */
	NET_OP_CLAIM = 1,
	/* Take a claim back. in: word 1 = number. */
	NET_OP_RELEASE,
	/*
	 * The link address of a neighbour or of the gateway towards an address.
	 * in: word 1 = family; words 2 and 3: address.  out: word 0 = the 6 bytes, first in the low
	 * byte.  Not known: refusal NET_E_RESOLVING, and netcfg asks for it.
	 */
	NET_OP_RESOLVE,
};

#define NET_CLAIM_SHARE 0x01u   /* flag: a share that receives copies (EXO_SHARE), to capture */

#define NET_REFUSED 0x10000     /* results above: refusals */

/* A claim that netcfg narrowed. */
struct net_claim {
	exo_slot nic;           /* in the own table */
	uint32_t number;        /* for net_claim_release */
	uint16_t port;          /* local port, or echo identifier */
	struct net_flow flow;   /* the request with port and local address filled in */
};

/*
 * Ask netcfg for the claim of a flow; share: NET_CLAIM_SHARE.  0, -EXO_E_* or -NET_E_*
 * (PORT_USED, NO_PORT, LIMIT, DENIED, NO_ADDRESS, NO_NETWORK).
 */
int net_claim_get(exo_slot gate, const struct net_flow *flow, uint32_t flags,
		  struct net_claim *out);

/* Drop the claim and let netcfg use its number and port again. End rings bound to it before. */
void net_claim_release(exo_slot gate, struct net_claim *claim);

/* 0 and *mac; -NET_E_RESOLVING: not known yet, ask again in a while; else an error. */
int net_resolve(exo_slot gate, const struct net_addr *addr, uint8_t mac[6]);

/* For netcfg: what a CLAIM call asks for, and the words of a request (used on both sides). */
struct exos_gate_message;
void net_claim_pack(struct exos_gate_message *message, const struct net_flow *flow,
		    uint32_t flags);
void net_claim_unpack(const struct exos_gate_message *message, struct net_flow *flow,
		      uint32_t *flags);
/* An address in two words, and back. */
void net_addr_pack(const struct net_addr *addr, uint64_t word[2]);
struct net_addr net_addr_unpack(uint32_t family, const uint64_t word[2]);

#endif
