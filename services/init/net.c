/* SPDX-License-Identifier: MIT */
/*
 * net.c - starting the network service, saying what network there is, starting it again.
 *
 * The page that netcfg writes lies in a frame of init's and is given as a share: it is there, and
 * readable, whatever becomes of netcfg.
 * Invariant: a line is said when the network's state or address is another than was said last.
 */
#include <base/format.h>
#include <base/string.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/event.h>
#include <exos/frame.h>
#include <exos/space.h>
#include <exos/time.h>
#include <net/config.h>

#include "init.h"

#define WAIT_S 3u               /* how long the prompt waits for an address */
#define LINE   200u

exo_slot net_gate[NET_GATES];

static struct service netcfg = {
	.name = "netcfg", .who = FOR_NETCFG, .frames = 640, .answers = NET_GATES,
	.answer = net_gate,
};
static unsigned starts;

static struct net_page *page;           /* mapped; NULL: there is no memory for it */
static struct net_page seen;            /* a copy of it */
static exo_slot page_claim;
static char said[LINE], address[NET_ADDR_TEXT];
static bool had_address;

exo_slot net_page_claim(void)
{
	return page_claim;
}

/* The first NIC with its cable plugged in, or else the first. */
int net_nic(void)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_nic_info *nic = exos_machine_at(m->nics_off);

	for (uint32_t i = 0; i < m->nics; i++)
		if (nic[i].flags & EXO_NIC_LINK)
			return (int)i;
	return m->nics > 0 ? 0 : -1;
}

/* One frame, a claim of its own so that it can be shared, mapped and empty. */
static bool page_make(void)
{
	exo_slot memory;
	uint64_t pfn;

	if (page != NULL)
		return true;
	if (exos_frame_alloc(1, &pfn, &memory) < 0)
		return false;
	if (exos_cap_narrow(memory, pfn, pfn + 1, EXO_R_READ | EXO_R_WRITE, &page_claim) < 0) {
		exos_frame_free(pfn, 1);
		return false;
	}
	page = exos_space_window(page_claim, pfn, 1, EXO_R_READ | EXO_R_WRITE, NULL);
	if (page == NULL)
		return false;
	memset(page, 0, sizeof(*page));
	page->magic = NET_PAGE_MAGIC;
	return true;
}

/* What init itself has to show: netcfg does not run. */
static void page_state(enum net_state state, const char *notice)
{
	net_page_write_begin(page);
	page->state = (uint32_t)state;
	page->addresses = 0;
	page->neighbours = 0;
	page->link = 0;
	page->generation++;
	string_copy(page->notice, notice, sizeof(page->notice));
	net_page_write_end(page);
}

static bool page_look(void)
{
	const struct net_page_address *a;

	address[0] = '\0';
	if (page == NULL || !net_page_read(page, &seen))
		return false;
	a = seen.state == NET_STATE_READY ? net_page_address(&seen, 4) : NULL;
	if (a != NULL)
		net_addr_text(&a->addr, address);
	return true;
}

const char *net_address(void)
{
	return service_runs(&netcfg) && address[0] ? address : NULL;
}

static void text_ready(char *line)
{
	const struct net_page_address *a = net_page_address(&seen, 4);
	char gateway[NET_ADDR_TEXT];

	net_addr_text(&seen.gateway4, gateway);
	format_buffer(line, LINE, "network: %s/%u by %s, %s%s", address, a->prefix,
		      a->source == NET_FROM_DHCP ? "DHCP" : "net.conf",
		      seen.gateway4.family ? "gateway " : "no gateway",
		      seen.gateway4.family ? gateway : "");
}

static void text_now(char *line)
{
	if (address[0])
		text_ready(line);
	else if (seen.state == NET_STATE_NO_LINK)
		format_buffer(line, LINE, "network: the cable of NIC %u is unplugged", seen.nic);
	else if (seen.state == NET_STATE_FAILED)
		format_buffer(line, LINE, "network: %.*s", (int)sizeof(seen.notice), seen.notice);
	else if (had_address)
		format_buffer(line, LINE, "network: there is no address any more; asking by DHCP");
	else
		format_buffer(line, LINE, "network: no answer to DHCP within %u s; going on, it "
			      "keeps trying", WAIT_S);
}

static void net_say(void)
{
	char line[LINE];

	text_now(line);
	had_address |= address[0] != '\0';
	if (strcmp(line, said) == 0)
		return;
	string_copy(said, line, sizeof(said));
	puts(line);
}

/* Until it has an address, or will have none for now, or the time is over. */
static void net_wait(void)
{
	uint64_t deadline = exos_deadline(WAIT_S * 1000000000ull);

	while (page_look() &&
	       (seen.state == NET_STATE_STARTING || seen.state == NET_STATE_ASKING) &&
	       service_runs(&netcfg) && exos_tsc() < deadline)
		exos_event_wait(netcfg.child.bell, deadline);
}

static void on_event(uint32_t entry, uint32_t posts, void *argument)
{
	(void)entry;
	(void)posts;
	(void)argument;
}

static void netcfg_start(void)
{
	const struct exos_spawn_grant share = {
		.name = "netcfg", .slot = page_claim,
		.rights = EXO_R_READ | EXO_R_WRITE | EXO_SHARE,
	};

	starts++;
	netcfg.time = (struct exos_spawn_time){
		time_claim(0), SLOT_NETCFG, SLOT_SHELL, SLOT_SERVICE_STEP,
	};
	page_state(NET_STATE_STARTING, "");
	if (service_start(&netcfg, &share, 1) < 0) {
		starts = STARTS_MAX;
		page_state(NET_STATE_FAILED, "the network service could not be started");
		page_look();
		return;
	}
	net_wait();
	net_say();
	exos_event_handle(netcfg.child.event, on_event, NULL);
	exos_event_handle(netcfg.child.bell, on_event, NULL);
}

void net_start(void)
{
	if (!page_make()) {
		puts("network: there is no memory for it");
		return;
	}
	if (net_nic() >= 0) {
		netcfg_start();
		return;
	}
	page_state(NET_STATE_NO_NIC, "there is no NIC");
	page_look();
	puts("network: there is no NIC");
}

/* What it gave out is gone with it: the web server's claim too. */
static void netcfg_died(void)
{
	static struct exo_env_page last;

	web_end();
	service_end(&netcfg, &last);
	program_tell("netcfg", &last);
	page_state(NET_STATE_FAILED, "the network service ended");
	page_look();
	if (starts >= STARTS_MAX) {
		puts("init: netcfg ended too often; the network stays off");
		return;
	}
	puts("init: netcfg is started again; programs with claims on packets lose them");
	said[0] = '\0';
	netcfg_start();
}

void net_look(void)
{
	if (service_died(&netcfg))
		netcfg_died();
	if (service_runs(&netcfg) && page_look() && seen.state != NET_STATE_STARTING)
		net_say();
}

uint64_t net_frames(void)
{
	bool later = net_nic() >= 0 && starts < STARTS_MAX && !service_runs(&netcfg);

	return (later ? netcfg.frames : 0) + web_frames();
}
