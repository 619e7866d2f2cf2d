/* SPDX-License-Identifier: MIT */
/*
 * timers.c - lwIP's timers, in place of core/timeouts.c's list.
 *
 * A program with narrow claims needs TCP's timer only, and that only while there are connections:
 * idle, it sleeps without end.  netcfg runs all the cyclic timers.
 *
 * Invariant: `due` of a timer that runs is never more than its interval ahead.  Times are
 * milliseconds modulo 2^32 (sys_now) and compared by their difference.
 */
#include <base/util.h>
#include <lwip/dhcp.h>
#include <lwip/dns.h>
#include <lwip/etharp.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/mld6.h>
#include <lwip/nd6.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/sys.h>
#include <lwip/timeouts.h>

#include "timers.h"

#define TIMEOUTS 8u             /* one-shot ones of programs */

/* The cyclic timers of core/timeouts.c, with the options of lwipopts.h; TCP's first. */
static const struct lwip_cyclic_timer cyclic[] = {
	{ TCP_TMR_INTERVAL, tcp_tmr },
	{ IP_TMR_INTERVAL, ip_reass_tmr },
	{ ARP_TMR_INTERVAL, etharp_tmr },
	{ DHCP_COARSE_TIMER_MSECS, dhcp_coarse_tmr },
	{ DHCP_FINE_TIMER_MSECS, dhcp_fine_tmr },
	{ DNS_TMR_INTERVAL, dns_tmr },
	{ ND6_TMR_INTERVAL, nd6_tmr },
	{ IP6_REASS_TMR_INTERVAL, ip6_reass_tmr },
	{ MLD6_TMR_INTERVAL, mld6_tmr },
};
#define TCP 0u                  /* place of TCP's timer */

static bool cyclic_all;         /* all of them run, not TCP's alone */
static bool tcp_runs;
static uint32_t cyclic_due[ARRAY_LEN(cyclic)];
static struct timeout {
	uint32_t due;
	sys_timeout_handler run;
	void *argument;
} timeouts[TIMEOUTS];

static bool is_due(uint32_t due, uint32_t now)
{
	return (int32_t)(due - now) <= 0;
}

static bool cyclic_runs(unsigned n)
{
	return n == TCP ? tcp_runs : cyclic_all;
}

void timers_start(bool all)
{
	uint32_t now = sys_now();

	cyclic_all = all;
	for (unsigned n = 0; n < ARRAY_LEN(cyclic); n++)
		cyclic_due[n] = now + cyclic[n].interval_ms;
}

void sys_timeouts_init(void)
{
	timers_start(false);
}

/* Called by lwIP whenever a connection begins. */
void tcp_timer_needed(void)
{
	if (tcp_runs || (!tcp_active_pcbs && !tcp_tw_pcbs))
		return;
	tcp_runs = true;
	cyclic_due[TCP] = sys_now() + TCP_TMR_INTERVAL;
}

void sys_timeout(u32_t msecs, sys_timeout_handler handler, void *arg)
{
	for (unsigned i = 0; i < TIMEOUTS; i++) {
		if (timeouts[i].run)
			continue;
		timeouts[i] = (struct timeout){ sys_now() + msecs, handler, arg };
		return;
	}
	LWIP_ASSERT("room for one more timeout", 0);
}

void sys_untimeout(sys_timeout_handler handler, void *arg)
{
	for (unsigned i = 0; i < TIMEOUTS; i++) {
		if (timeouts[i].run != handler || timeouts[i].argument != arg)
			continue;
		timeouts[i].run = NULL;
		return;
	}
}

/* Run one cyclic timer; what was missed (the program had no CPU) is not made up for. */
static void cyclic_run(unsigned n, uint32_t now)
{
	cyclic_due[n] += cyclic[n].interval_ms;
	if (is_due(cyclic_due[n], now))
		cyclic_due[n] = now + cyclic[n].interval_ms;
	cyclic[n].handler();
	if (n == TCP)
		tcp_runs = tcp_active_pcbs || tcp_tw_pcbs;
}

void sys_check_timeouts(void)
{
	uint32_t now = sys_now();

	for (unsigned n = 0; n < ARRAY_LEN(cyclic); n++)
		if (cyclic_runs(n) && is_due(cyclic_due[n], now))
			cyclic_run(n, now);
	for (unsigned i = 0; i < TIMEOUTS; i++) {
		sys_timeout_handler run = timeouts[i].run;

		if (!run || !is_due(timeouts[i].due, now))
			continue;
		timeouts[i].run = NULL;
		run(timeouts[i].argument);
	}
}

static void sooner(uint32_t *sleep, uint32_t due, uint32_t now)
{
	uint32_t wait = is_due(due, now) ? 0 : due - now;

	if (wait < *sleep)
		*sleep = wait;
}

u32_t sys_timeouts_sleeptime(void)
{
	uint32_t now = sys_now(), sleep = SYS_TIMEOUTS_SLEEPTIME_INFINITE;

	for (unsigned n = 0; n < ARRAY_LEN(cyclic); n++)
		if (cyclic_runs(n))
			sooner(&sleep, cyclic_due[n], now);
	for (unsigned i = 0; i < TIMEOUTS; i++)
		if (timeouts[i].run)
			sooner(&sleep, timeouts[i].due, now);
	return sleep;
}

void sys_restart_timeouts(void)
{
	timers_start(cyclic_all);
}
