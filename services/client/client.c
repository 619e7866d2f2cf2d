/* SPDX-License-Identifier: MIT */
/*
 * client.c - starting the stack, and saying what went wrong.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/console.h>
#include <exos/event.h>
#include <exos/start.h>
#include <exos/time.h>
#include <net/error.h>
#include <net/socket.h>
#include <services/client.h>

#define LOOKUP_NS 10000000000ull
#define LOOK_NS   200000000ull  /* how often Ctrl-C is looked for */
#define WHAT_MAX  100u          /* bytes shown of a word that came from outside */

int client_fail(const char *who, const char *what, int64_t error)
{
	printf("%s: ", who);
	client_print(what, min_u64(strlen(what), WHAT_MAX), false);
	printf(": %s\n", net_error_text(error));
	return 1;
}

struct net_stack *client_start(const char *who)
{
	struct net_stack_config config;
	struct net_stack *stack = NULL;
	int error = net_stack_granted(&config);

	if (error >= 0 && config.gate == 0)
		error = -NET_E_NO_NETWORK;
	if (error >= 0)
		error = net_stack_create(&config, &stack);
	if (error >= 0)
		return stack;
	client_fail(who, "the network cannot be used", error);
	return NULL;
}

int client_lookup(const char *who, struct net_stack *stack, const char *host,
		  struct net_addr *out)
{
	int error = net_lookup(stack, host, exos_deadline(LOOKUP_NS), out);

	if (error < 0)
		client_fail(who, host, error);
	return error;
}

bool client_interrupted(void)
{
	const struct exos_grant *g = exos_grant("interrupt", 0);

	return g != NULL && exos_event_pending((uint32_t)g->lo) > 0;
}

void client_turn(struct net_stack *stack, uint64_t deadline_tsc)
{
	uint64_t look = exos_deadline(LOOK_NS);

	net_stack_run(stack, deadline_tsc != 0 && deadline_tsc < look ? deadline_tsc : look);
}

void client_rest(struct net_stack *stack, uint64_t deadline_tsc)
{
	while (!client_interrupted() && exos_tsc() < deadline_tsc)
		client_turn(stack, deadline_tsc);
}
