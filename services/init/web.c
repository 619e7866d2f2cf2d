/* SPDX-License-Identifier: MIT */
/*
 * web.c - the web server: started once the machine has an address, and again if it dies.
 *
 * init asks netcfg for the packets of TCP port 80 and gives them on; httpd itself has no gate.
 * Invariant: while httpd runs, the claim of `port` is the one it was given; if that claim ends
 * (the address changed), httpd is ended too.
 */
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/event.h>
#include <exos/frame.h>
#include <net/config.h>
#include <net/error.h>

#include "init.h"

#define HTTP_PORT    80u
#define FRAMES_USUAL 1408u      /* 5.5 MiB: stack and rings, 128 connections, a small cache */

static struct service httpd = { .name = "httpd", .who = FOR_HTTPD };
static struct net_claim port;
static unsigned starts;
uint64_t web_more;

/* Little, so that memory is the programs'; the boot line may grant more for a larger cache. */
static uint64_t frames_wanted(void)
{
	return web_more ? web_more : FRAMES_USUAL;
}

uint64_t web_frames(void)
{
	bool later = net_nic() >= 0 && starts < STARTS_MAX && httpd.child.memory == 0;

	return later ? frames_wanted() : 0;
}

/* Block sizes are in the list of disks, which httpd does not see: it is told the numbers. */
static uint32_t grants_more(struct exos_spawn_grant *out)
{
	const struct exo_disk_info *disk = exos_machine_at(exos_machine()->disks_off);
	uint32_t n = 0;

	out[n++] = (struct exos_spawn_grant){
		.name = "nic", .slot = port.nic, .rights = EXO_R_READ | EXO_R_WRITE,
	};
	out[n++] = (struct exos_spawn_grant){
		.name = "netcfg", .slot = net_page_claim(), .rights = EXO_R_READ | EXO_SHARE,
	};
	for (uint32_t i = 0; i < exos_machine()->disks && n < SERVICE_MORE; i++)
		out[n++] = (struct exos_spawn_grant){
			.name = "block-bytes", .lo = disk[i].block_bytes, .unit = i,
		};
	return n;
}

static void on_event(uint32_t entry, uint32_t posts, void *argument)
{
	(void)entry;
	(void)posts;
	(void)argument;
}

static void port_release(void)
{
	if (port.nic != 0)
		net_claim_release(net_gate[0], &port);
	port.nic = 0;
}

static bool port_get(void)
{
	const struct net_flow flow = { .family = 4, .protocol = NET_TCP, .local_port = HTTP_PORT };
	int error = net_claim_get(net_gate[0], &flow, 0, &port);

	exos_page()->gate_open = 0;     /* the slot is the claim's now, not open any more */
	if (error >= 0)
		return true;
	port.nic = 0;
	starts = STARTS_MAX;
	printf("web server: it cannot have TCP port %u: %s\n", HTTP_PORT, net_error_text(error));
	return false;
}

static void web_start(void)
{
	const uint32_t cpu = time_cpus() > 1 ? 1 : 0;
	struct exos_spawn_grant more[SERVICE_MORE];

	starts++;
	if (!port_get())
		return;
	httpd.frames = frames_wanted();
	httpd.time = (struct exos_spawn_time){
		time_claim(cpu), SLOT_HTTPD, SLOTS_A_CPU, SLOT_HTTPD_STEP,
	};
	if (service_start(&httpd, more, grants_more(more)) < 0) {
		starts = STARTS_MAX;
		port_release();
		return;
	}
	exos_event_handle(httpd.child.event, on_event, NULL);
	printf("web server: http://%s/\n", net_address());
}

void web_end(void)
{
	service_end(&httpd, NULL);
	port_release();
}

static void web_died(void)
{
	static struct exo_env_page last;

	service_end(&httpd, &last);
	port_release();
	program_tell("httpd", &last);
	if (starts >= STARTS_MAX)
		puts("init: httpd ended too often; it is not started again");
}

void web_look(void)
{
	if (service_died(&httpd))
		web_died();
	if (service_runs(&httpd) && exos_cap_look(port.nic) == NULL) {
		puts("web server: the address it was for is gone");
		web_end();
		starts = 0;
	}
	if (httpd.child.memory == 0 && starts < STARTS_MAX && net_address() != NULL)
		web_start();
}
