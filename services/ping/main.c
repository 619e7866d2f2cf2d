/* SPDX-License-Identifier: MIT */
/*
 * main.c - ping: ICMP echo requests by a claim on an echo identifier of one's own.
 */
#include <base/format.h>
#include <base/string.h>
#include <exos/console.h>
#include <exos/start.h>
#include <exos/time.h>
#include <net/error.h>
#include <net/socket.h>
#include <services/client.h>

#include "stats.h"

#define SECOND_NS   1000000000ull
#define COUNT       4u          /* requests, if -c does not say otherwise */
#define COUNT_MAX   65535u      /* sequence numbers have 16 bits */
#define PAYLOAD     56u         /* bytes, as every ping's */
#define PAYLOAD_MAX 1400u

struct ping {
	const char *host;
	uint64_t count, payload;
	struct net_addr addr;
	char text[NET_ADDR_TEXT];
	struct ping_stats stats;
};

static int usage(void)
{
	printf("usage: ping [-c COUNT] [-s BYTES] HOST\n"
	       "    COUNT: 1 to %u requests, BYTES: 0 to %u of payload\n", COUNT_MAX, PAYLOAD_MAX);
	return 1;
}

static bool number_read(const char *word, uint64_t least, uint64_t most, uint64_t *out)
{
	const char *end;

	return word != NULL && parse_u64(word, &end, out) >= 0 && *end == '\0' && *out >= least &&
	       *out <= most;
}

static bool options_read(struct ping *p, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "-c") == 0) {
			if (!number_read(value, 1, COUNT_MAX, &p->count))
				return false;
			i++;
		} else if (strcmp(argv[i], "-s") == 0) {
			if (!number_read(value, 0, PAYLOAD_MAX, &p->payload))
				return false;
			i++;
		} else if (argv[i][0] == '-' || p->host != NULL) {
			return false;
		} else {
			p->host = argv[i];
		}
	}
	return p->host != NULL;
}

/* One request: false if there is no sense in another. */
static bool ping_once(struct ping *p, struct net_socket *echo, uint16_t sequence)
{
	struct net_echo reply;
	char time[STATS_TIME];
	int error = net_echo(echo, &p->addr, sequence, (uint32_t)p->payload,
			     exos_deadline(SECOND_NS), &reply);

	p->stats.sent++;
	if (error == -NET_E_TIMEOUT) {
		printf("seq %u: no answer within 1 s\n", sequence);
		return true;
	}
	if (error < 0) {
		printf("seq %u: %s\n", sequence, net_error_text(error));
		return error == -NET_E_PROTOCOL || error == -NET_E_RESOLVING;
	}
	stats_add(&p->stats, reply.round_trip_ns);
	printf("%u bytes from %s: seq %u, ", reply.bytes, p->text, sequence);
	if (reply.ttl > 0)
		printf("ttl %u, ", reply.ttl);
	printf("time %s ms\n", stats_time(reply.round_trip_ns, time));
	return true;
}

static void ping_all(struct ping *p, struct net_stack *stack, struct net_socket *echo)
{
	for (uint64_t n = 1; n <= p->count && !client_interrupted(); n++) {
		uint64_t next = exos_deadline(SECOND_NS);

		if (!ping_once(p, echo, (uint16_t)n))
			break;
		if (n < p->count)
			client_rest(stack, next);
	}
}

int main(int argc, char **argv)
{
	static struct ping p = { .count = COUNT, .payload = PAYLOAD };
	struct net_stack *stack;
	struct net_socket *echo;
	char summary[128];
	int error;

	if (!options_read(&p, argc, argv))
		return usage();
	stack = client_start("ping");
	if (stack == NULL || client_lookup("ping", stack, p.host, &p.addr) < 0)
		return 1;
	error = net_echo_open(stack, p.addr.family, &echo);
	if (error < 0)
		return client_fail("ping", p.host, error);
	printf("%s: %lu bytes of payload, %lu requests\n", net_addr_text(&p.addr, p.text),
	       (unsigned long)p.payload, (unsigned long)p.count);
	ping_all(&p, stack, echo);
	stats_text(&p.stats, summary, sizeof(summary));
	printf("%s: %s\n", p.text, summary);
	net_close(echo);
	net_stack_end(stack);
	return p.stats.answered > 0 ? 0 : 1;
}
