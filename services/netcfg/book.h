/* SPDX-License-Identifier: MIT */
/*
 * book.h - which ports and packets have been given to whom.
 *
 * The kernel refuses overlapping claims; the book says so beforehand and in words, finds free
 * ports, and keeps one client from taking them all.  Only numbers: the claims are made elsewhere.
 */
#ifndef NETCFG_BOOK_H
#define NETCFG_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include <exo/types.h>
#include <net/pattern.h>

/* Marks of the gates: who calls. */
enum book_client {
	BOOK_INIT,              /* init, for the services it starts */
	BOOK_SHELL,             /* the shell and what it vouches for */
	BOOK_CHILD,             /* programs that were started by the shell */
	BOOK_CLIENTS
};

#define BOOK_ENTRIES   128u     /* claims given out at once */
#define BOOK_SHARES    8u       /* of these, shares: as many as the kernel lets one filter have */
#define BOOK_FREE_LO   49152u   /* first port that may be given for "any" (RFC 6335, section 6) */
#define BOOK_ANY_ECHO  0xffffu  /* echo identifier that means "any" */

struct book_entry {
	bool     used;
	bool     share;
	uint8_t  client;        /* enum book_client */
	uint32_t times;         /* used before: part of the number by which it is released */
	struct net_flow flow;   /* with local address and port filled in */
	exo_slot claim;         /* the narrowed claim; its child is the client's */
	exo_slot filter;        /* the entry's FILTER object: made once, used again and again */
};

struct book {
	struct book_entry entry[BOOK_ENTRIES];
	uint32_t used[BOOK_CLIENTS];
	uint32_t shares;
	uint16_t port_next;     /* where the search for a free port or identifier begins */
};

/* start: any number; free ports are given from a place that depends on it. */
void book_init(struct book *book, uint32_t start);

/*
 * May this client have this flow?  Chooses a port or echo identifier where the flow leaves it open
 * and stores it there.  0; NET_E_PORT_USED, NET_E_NO_PORT, NET_E_LIMIT, NET_E_DENIED; EXO_E_ARG.
 * Changes nothing but the flow.
 */
int book_ask(struct book *book, uint32_t client, struct net_flow *flow, bool share);

/* A free entry, now taken.  After book_ask said 0 there is one. */
struct book_entry *book_take(struct book *book, uint32_t client, const struct net_flow *flow,
			     bool share);
void book_drop(struct book *book, struct book_entry *entry);

/* The number that stands for an entry until it is dropped, and back; NULL: not this client's. */
uint32_t book_number(const struct book *book, const struct book_entry *entry);
struct book_entry *book_find(struct book *book, uint32_t client, uint32_t number);

/* Has somebody a claim (no share) on packets of this protocol to this local port? */
bool book_has_port(const struct book *book, uint8_t family, uint8_t protocol, uint16_t port);

#endif
