/* SPDX-License-Identifier: MIT */
/*
 * init.h - what the files of the first program share.
 *
 * init holds every claim that the kernel did not keep.  It starts the console, the network service,
 * the shell (or the program `app`) and the web server, gives them what grants.c says, watches them,
 * and switches the machine off.
 */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include <stdbool.h>
#include <stdint.h>

#include <exos/spawn.h>

/* Who a claim is for: bits of struct policy.who. */
#define FOR_CONSOLE 0x01u
#define FOR_SHELL   0x02u
#define FOR_APP     0x04u
#define FOR_NETCFG  0x08u
#define FOR_HTTPD   0x10u

/*
 * Slots of CPU 0 that init keeps: its own, and those it names others in.  The services stand in
 * every so-many-th, so that they get their turn however busy the others are.  httpd stands in
 * CPU 1 if there is one.
 */
#define SLOT_SERVICE_STEP 16u
#define SLOT_CONSOLE      0u    /* slots 0, 16, 32, 48 */
#define SLOT_NETCFG       8u    /* slots 8, 24, 40, 56 */
#define SLOT_HTTPD_STEP   8u
#define SLOT_HTTPD        4u    /* slots 4, 12, ..., 60 */
#define SLOT_SHELL        62u
#define SLOT_INIT         63u
#define SLOTS_A_CPU       64u

#define UART_IRQ          4u    /* the global interrupt of the first serial port */

#define STARTS_MAX 4u           /* of a program that keeps dying */

/* bootline.c: words of the boot line. */
struct bootline {
	bool app;               /* `app`: start the program app instead of the shell */
	bool debug_exit;        /* `debug-exit`: end through QEMU's debug-exit port */
	uint64_t web_frames;    /* `web=MIB`: memory of the web server; 0: the usual */
};
void bootline_read(struct bootline *out);

/* banner.c */
void banner_print(const char *power);

/* grants.c: claims for a program; how many.  At most GRANTS_MAX. */
#define GRANTS_MAX 256u
uint32_t grants_for(uint32_t who, struct exos_spawn_grant *out);
/* Does init keep this slot for somebody else than the program it starts as `who`? */
bool grants_keep_slot(uint32_t who, uint64_t cpu, uint64_t slot);

/* service.c: a service of the system. */
#define SERVICE_MORE 8u         /* claims beyond the policy's, at most */
struct service {
	const char *name;       /* of the program in the boot archive */
	uint32_t    who;        /* FOR_* */
	uint64_t    frames;     /* its memory */
	uint32_t    answers;    /* claims that it gives us when it has started */
	exo_slot   *answer;     /* these; 0: none */
	struct exos_spawn_time time;
	struct exos_child child;
};
/* Start it and wait for its answers; 0 or an error, which it has told. */
int  service_start(struct service *service, const struct exos_spawn_grant *more, uint32_t mores);
bool service_runs(const struct service *service);
/* It was started, and runs no more; it is not ended yet. */
bool service_died(const struct service *service);
/* Take everything back; its last environment page in *last, if not NULL. */
void service_end(struct service *service, struct exo_env_page *last);

/* memory.c: nearly all memory for one program.  start comes before all that takes memory. */
void memory_start(void);
uint64_t memory_lend(struct exos_spawn_grant *out, uint32_t *count, uint32_t room);
void memory_back(void);

/* console.c: start and end the console service; 0 or an error, which it has told. */
int  console_start(void);
void console_end(void);
bool console_runs(void);
uint32_t console_event(void);    /* posted when it stops; 0: it was not started */
/* Its gates: two to write and read, one only to write; 0: none. */
#define CONSOLE_GATES 3u
extern exo_slot console_gate[CONSOLE_GATES];

/* net.c: the network service.  start: says what network there is, after 3 s at most. */
void net_start(void);
/* Look at what has happened to it: says it, and starts it again if it died. */
void net_look(void);
/* The NIC that it is given; its index, or -1: there is none. */
int  net_nic(void);
/* Its page, to be given as a share; 0: there is none. */
exo_slot net_page_claim(void);
/* Its gates: ours, the shell's, that of programs the shell starts; 0: none. */
#define NET_GATES 3u
extern exo_slot net_gate[NET_GATES];
/* The machine's IPv4 address as text, or NULL: none now. */
const char *net_address(void);
/* Frames to keep back, in one piece, for services that do not run now. */
uint64_t net_frames(void);

/* web.c: the web server: runs while there is an address. */
void web_look(void);
void web_end(void);
uint64_t web_frames(void);
extern uint64_t web_more;       /* frames that the boot line grants it, or 0 */

/* time.c */
void time_start(void);
exo_slot time_claim(uint32_t cpu);
uint32_t time_cpus(void);

/* power.c: look for the way to switch off (NULL, or why there is none); go it. */
const char *power_find(void);
_Noreturn void power_off(bool debug_exit, int code);

/* program.c: read a program from the boot archive and start it; 0 or an error, which it told. */
int program_start(const char *name, struct exos_spawn *request, struct exos_child *child);
/* Say how a program ended, from its environment page. */
void program_tell(const char *name, const struct exo_env_page *page);

#endif
