/* SPDX-License-Identifier: MIT */
/*
 * words.c - from words to a flow.
 */
#include "words.h"

#include <base/format.h>
#include <base/string.h>
#include <base/util.h>

static const struct protocol_word {
	const char *word;
	uint16_t ethertype;
	uint8_t  family, protocol;
} protocol_words[] = {
	{ "arp",   NET_ETHERTYPE_ARP,  0, 0 },
	{ "ip",    NET_ETHERTYPE_IPV4, 4, 0 },
	{ "ip6",   NET_ETHERTYPE_IPV6, 6, 0 },
	{ "tcp",   0, 0, NET_TCP },
	{ "udp",   0, 0, NET_UDP },
	{ "icmp",  0, 4, NET_ICMP },
	{ "icmp6", 0, 6, NET_ICMPV6 },
};

static const struct protocol_word *protocol_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(protocol_words); i++)
		if (strcmp(protocol_words[i].word, word) == 0)
			return &protocol_words[i];
	return NULL;
}

/* Two words that say different things of the same field contradict each other. */
static bool field_set(unsigned old, unsigned new)
{
	return new == 0 || old == 0 || old == new;
}

static const char *protocol_add(struct net_flow *flow, const struct protocol_word *p)
{
	if (!field_set(flow->ethertype, p->ethertype) || !field_set(flow->family, p->family) ||
	    !field_set(flow->protocol, p->protocol))
		return "contradicts a word before it";
	flow->ethertype = p->ethertype ? p->ethertype : flow->ethertype;
	flow->family = p->family ? p->family : flow->family;
	flow->protocol = p->protocol ? p->protocol : flow->protocol;
	return NULL;
}

static const char *port_add(uint16_t *port, const char *value)
{
	const char *end;
	uint64_t number;

	if (value == NULL || parse_u64(value, &end, &number) < 0 || *end != '\0' || number == 0 ||
	    number > 0xffff)
		return "needs a number from 1 to 65535 behind it";
	if (*port != 0)
		return "stands there twice";
	*port = (uint16_t)number;
	return NULL;
}

static const char *host_add(struct net_flow *flow, const char *value)
{
	if (flow->remote.family != 0)
		return "stands there twice";
	if (value == NULL || net_addr_parse(value, NULL, &flow->remote) < 0)
		return "needs an IPv4 or IPv6 address behind it";
	if (!field_set(flow->family, flow->remote.family))
		return "has an address of the other family";
	flow->family = (uint8_t)flow->remote.family;
	return NULL;
}

/* One word, with its value in `value` (NULL: none is left); *used: words taken. */
static const char *word_add(struct net_flow *flow, const char *word, const char *value, int *used)
{
	const struct protocol_word *p = protocol_find(word);

	*used = p != NULL ? 1 : 2;
	if (p != NULL)
		return protocol_add(flow, p);
	if (strcmp(word, "port") == 0)
		return port_add(&flow->local_port, value);
	if (strcmp(word, "remote") == 0)
		return port_add(&flow->remote_port, value);
	if (strcmp(word, "host") == 0)
		return host_add(flow, value);
	return "is not known; there are arp, ip, ip6, tcp, udp, icmp, icmp6, host, port, remote";
}

/* What only all words together show; the word it is about in *word. */
static const char *flow_check(const struct net_flow *flow, const char **word)
{
	bool ports = flow->local_port != 0 || flow->remote_port != 0;

	*word = flow->local_port != 0 ? "port" : "remote";
	if (ports && flow->protocol != NET_TCP && flow->protocol != NET_UDP)
		return "goes with tcp or udp";
	*word = "arp";
	if (flow->ethertype == NET_ETHERTYPE_ARP && (flow->family != 0 || flow->protocol != 0))
		return "goes with no other word";
	return NULL;
}

int words_read(int count, char **word, struct net_flow *flow, char *why)
{
	const char *wrong = NULL, *about = "";
	int used;

	memset(flow, 0, sizeof(*flow));
	for (int i = 0; i < count && wrong == NULL; i += used) {
		about = word[i];
		wrong = word_add(flow, word[i], i + 1 < count ? word[i + 1] : NULL, &used);
	}
	if (wrong == NULL)
		wrong = flow_check(flow, &about);
	if (wrong == NULL)
		return 0;
	format_buffer(why, WORDS_WHY, "\"%.30s\" %s", about, wrong);
	return -1;
}
