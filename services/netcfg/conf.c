/* SPDX-License-Identifier: MIT */
/*
 * conf.c - static configuration: the text file net.conf.
 *
 * Invariant: a configuration is taken as a whole or not at all; the file comes from outside, so
 * that only its printable bytes are repeated in messages.
 */
#include "conf.h"

#include <stdarg.h>

#include <base/format.h>
#include <base/string.h>
#include <base/util.h>

#define SHOWN 48u               /* bytes of a word that a message repeats */

struct word {
	const char *at;
	size_t      bytes;
	char        shown[SHOWN + 4];
};

struct reader {
	struct conf *conf;
	unsigned line;
	unsigned gateway_line;  /* where it stood */
	char  *why;
	size_t why_bytes;
};

__attribute__((format(printf, 2, 3)))
static bool refuse(const struct reader *r, const char *format, ...)
{
	int n = format_buffer(r->why, r->why_bytes, "line %u: ", r->line);
	va_list args;

	va_start(args, format);
	if ((size_t)n < r->why_bytes)
		format_buffer_v(r->why + n, r->why_bytes - (size_t)n, format, args);
	va_end(args);
	return false;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word before `end`, with a copy that is fit to be shown; false: there is none. */
static bool word_next(const char **at, const char *end, struct word *w)
{
	size_t shown;

	while (*at < end && blank(**at))
		++*at;
	w->at = *at;
	while (*at < end && !blank(**at))
		++*at;
	w->bytes = (size_t)(*at - w->at);
	shown = min_u64(w->bytes, SHOWN);
	for (size_t i = 0; i < shown; i++)
		w->shown[i] = w->at[i] > ' ' && w->at[i] < 0x7f ? w->at[i] : '?';
	string_copy(w->shown + shown, w->bytes > SHOWN ? "..." : "", 4);
	return w->bytes > 0;
}

static bool word_is(const struct word *w, const char *name)
{
	return w->bytes == strlen(name) && memcmp(w->at, name, w->bytes) == 0;
}

/* An address of a host: not unspecified, loopback, multicast or of no use. */
static bool host_usable(const struct net_addr *a)
{
	static const uint8_t zero[12];
	const uint8_t *b = a->byte;

	if (a->family == 4)
		return b[0] != 0 && b[0] != 127 && b[0] < 224;
	return b[0] != 0xff && memcmp(b, zero, 12) != 0;
}

/* The first `bytes` bytes of a word as an address.  What is not shown as it is cannot be one. */
static bool host_read(const struct reader *r, const struct word *w, size_t bytes,
		      struct net_addr *out)
{
	char text[SHOWN + 4];

	string_copy(text, w->shown, sizeof(text));
	if (bytes < sizeof(text))
		text[bytes] = '\0';
	memset(out, 0, sizeof(*out));
	if (net_addr_parse(text, NULL, out) < 0)
		return refuse(r, "%s is not an IPv4 or IPv6 address", w->shown);
	if (!host_usable(out))
		return refuse(r, "%s is not the address of one host", w->shown);
	return true;
}

/* The number behind the slash: 1 to `most`. */
static bool prefix_read(const char *text, size_t bytes, unsigned most, uint8_t *out)
{
	unsigned value = 0;

	if (bytes == 0 || bytes > 3)
		return false;
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	*out = (uint8_t)value;
	return value >= 1 && value <= most;
}

/* The first and the last address of an IPv4 network are no host's (RFC 1122, 3.2.1.3). */
static bool is_edge(const struct conf_address *a)
{
	const uint8_t *b = a->addr.byte;
	uint32_t ip = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	uint32_t host = a->prefix < 32 ? ~0u >> a->prefix : 0;

	return a->addr.family == 4 && a->prefix < 31 && ((ip & host) == 0 || (ip & host) == host);
}

static bool address_keep(const struct reader *r, const struct word *w,
			 const struct conf_address *a)
{
	struct conf *c = r->conf;
	bool four = a->addr.family == 4;

	if (is_edge(a))
		return refuse(r, "%s is the network itself or its broadcast, not a host", w->shown);
	if (four ? c->ipv4.addr.family != 0 : c->ipv6s == CONF_IPV6)
		return refuse(r, "%s is one IPv%u address too many; there may be %u", w->shown,
			      a->addr.family, four ? 1 : CONF_IPV6);
	if (four)
		c->ipv4 = *a;
	else
		c->ipv6[c->ipv6s++] = *a;
	return true;
}

static bool address_take(struct reader *r, const struct word *w)
{
	const char *slash = memchr(w->at, '/', w->bytes);
	size_t bytes = slash ? (size_t)(slash - w->at) : w->bytes;
	struct conf_address a;
	unsigned likely, most;

	if (!host_read(r, w, bytes, &a.addr))
		return false;
	likely = a.addr.family == 4 ? 24 : 64;
	most = a.addr.family == 4 ? 32 : 128;
	if (!slash)
		return refuse(r, "%s has no prefix length; write %s/%u if its network has one of "
			      "%u bits", w->shown, w->shown, likely, likely);
	if (!prefix_read(slash + 1, w->bytes - bytes - 1, most, &a.prefix))
		return refuse(r, "in %s the prefix length is not a number from 1 to %u", w->shown,
			      most);
	return address_keep(r, w, &a);
}

static bool gateway_take(struct reader *r, const struct word *w)
{
	struct net_addr a;

	if (!host_read(r, w, w->bytes, &a))
		return false;
	if (a.family != 4)
		return refuse(r, "%s: only an IPv4 gateway can be set; IPv6 routers announce "
			      "themselves", w->shown);
	if (r->conf->gateway.family != 0)
		return refuse(r, "%s is a second gateway; there may be one", w->shown);
	r->conf->gateway = a;
	r->gateway_line = r->line;
	return true;
}

static bool dns_take(struct reader *r, const struct word *w)
{
	struct net_addr a;

	if (!host_read(r, w, w->bytes, &a))
		return false;
	if (r->conf->dnses == CONF_DNS)
		return refuse(r, "%s is one name server too many; there may be %u", w->shown,
			      CONF_DNS);
	r->conf->dns[r->conf->dnses++] = a;
	return true;
}

static bool line_take(struct reader *r, const char *at, const char *end)
{
	struct word key, value, more;

	if (memchr(at, '\0', (size_t)(end - at)))
		return refuse(r, "it holds a NUL byte: this is no text");
	if (!word_next(&at, end, &key))
		return true;
	if (!word_is(&key, "address") && !word_is(&key, "gateway") && !word_is(&key, "dns"))
		return refuse(r, "%s is unknown; known are address, gateway and dns", key.shown);
	if (!word_next(&at, end, &value))
		return refuse(r, "%s is not followed by an address", key.shown);
	if (word_next(&at, end, &more))
		return refuse(r, "%s is too much: one address a line", more.shown);
	return word_is(&key, "address") ? address_take(r, &value) :
	       word_is(&key, "gateway") ? gateway_take(r, &value) : dns_take(r, &value);
}

/* A router must be reachable without a router: on the network of our address. */
static bool gateway_check(struct reader *r)
{
	const struct conf *c = r->conf;

	r->line = r->gateway_line;
	if (!c->gateway.family)
		return true;
	if (!c->ipv4.addr.family)
		return refuse(r, "the gateway needs an IPv4 address line beside it");
	if (net_addr_equal(&c->gateway, &c->ipv4.addr))
		return refuse(r, "the gateway has this machine's own address");
	if (!net_addr_within(&c->gateway, &c->ipv4.addr, c->ipv4.prefix))
		return refuse(r, "the gateway is outside the network of the IPv4 address");
	return true;
}

static bool lines_take(struct reader *r, const char *text, const char *end)
{
	while (text < end) {
		const char *next = memchr(text, '\n', (size_t)(end - text));
		const char *stop = next ? next : end;
		const char *comment = memchr(text, '#', (size_t)(stop - text));

		r->line++;
		if (!line_take(r, text, comment ? comment : stop))
			return false;
		text = next ? next + 1 : end;
	}
	return gateway_check(r);
}

int conf_parse(const char *text, size_t bytes, struct conf *out, char *why, size_t why_bytes)
{
	struct reader r = { .conf = out, .why = why, .why_bytes = why_bytes };

	memset(out, 0, sizeof(*out));
	if (bytes > CONF_BYTES) {
		format_buffer(why, why_bytes, "line 1: the file is longer than %u bytes",
			      CONF_BYTES);
		return -1;
	}
	if (lines_take(&r, text, text + bytes))
		return 0;
	memset(out, 0, sizeof(*out));
	return -1;
}
