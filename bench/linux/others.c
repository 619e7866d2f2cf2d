/* SPDX-License-Identifier: MIT */
/*
 * others.c - other programs, as system.h wants them, on Linux: processes of our image.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "linux.h"

#define OTHERS_MAX 63u
#define BYTES_MAX  65536u

static struct counter {         /* a cache line each */
	uint64_t count;
	uint64_t spare[7];
} *counter;
static pid_t child[OTHERS_MAX];
static uint32_t children, bytes_each;
static char own[BYTES_MAX];

static void ring_part(void)
{
	volatile uint64_t *count = &counter[children].count;

	memset(own, 1, sizeof(own));
	for (;;) {
		(*count)++;
		bench_read(own, bytes_each / 64);
		sched_yield();
	}
}

static void cpu_use(uint32_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void protect_for_ever(volatile uint64_t *count)
{
	char *page = system_pages(1);

	for (bool write = false; page && system_protect(page, 1, write) == 0; write = !write)
		(*count)++;
}

static void user_for_ever(volatile uint64_t *count)
{
	for (;; (*count)++)
		bench_empty(SYSTEM_USER_ROUNDS);
}

static void null_for_ever(volatile uint64_t *count)
{
	while (syscall(SYS_getppid) > 0)
		(*count)++;
}

static void map_for_ever(volatile uint64_t *count)
{
	int file = memfd_create("work", 0);

	if (file < 0 || ftruncate(file, SYSTEM_PAGE))
		return;
	for (;; (*count)++) {
		char *at = mmap(NULL, SYSTEM_PAGE, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_POPULATE, file, 0);

		if (at == MAP_FAILED || munmap(at, SYSTEM_PAGE))
			return;
	}
}

static void (*const works[SYSTEM_WORKS])(volatile uint64_t *) = {
	[SYSTEM_WORK_PROTECT] = protect_for_ever,
	[SYSTEM_WORK_USER] = user_for_ever,
	[SYSTEM_WORK_NULL] = null_for_ever,
	[SYSTEM_WORK_MAP] = map_for_ever,
};
static enum system_work work_which;

/* From the processor that the parent is on. */
static void work_part(void)
{
	cpu_use((system_cpus() - 1 + children) % system_cpus());
	works[work_which](&counter[children].count);
}

static int others_start(void (*part)(void), uint32_t count)
{
	if (!counter)
		counter = linux_shared(OTHERS_MAX * sizeof(*counter));
	if (!counter || count > OTHERS_MAX)
		return -1;
	memset(counter, 0, OTHERS_MAX * sizeof(*counter));
	for (children = 0; children < count; children++) {
		child[children] = linux_peer(part);
		if (child[children] < 0)
			return -1;
	}
	return 0;
}

static uint64_t count_all(void)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < children; i++)
		sum += __atomic_load_n(&counter[i].count, __ATOMIC_RELAXED);
	return sum;
}

static void end_all(void)
{
	while (children)
		linux_peer_end(child[--children]);
}

/* Of equal real-time priority: a yield goes once through all. */
int system_ring_start(uint32_t count, uint32_t bytes)
{
	const struct sched_param one = { .sched_priority = 1 };

	bytes_each = bytes;
	if (sched_setscheduler(0, SCHED_FIFO, &one) || others_start(ring_part, count))
		return -1;
	while (count_all() < count)
		sched_yield();
	return 0;
}

void system_ring_round(void)
{
	sched_yield();
}

uint64_t system_ring_count(void)
{
	return count_all();
}

void system_ring_end(void)
{
	const struct sched_param zero = { .sched_priority = 0 };

	end_all();
	sched_setscheduler(0, SCHED_OTHER, &zero);
}

int system_work_start(uint32_t cpus, enum system_work work)
{
	work_which = work;
	return others_start(work_part, cpus);
}

uint64_t system_work_count(void)
{
	return count_all();
}

void system_work_end(void)
{
	end_all();
}

static int text_write(const char *path, const char *text)
{
	int file = open(path, O_WRONLY);
	bool done = write(file, text, strlen(text)) == (ssize_t)strlen(text);

	close(file);
	return done ? 0 : -1;
}

static void share_part(void)
{
	protect_for_ever(&counter[children].count);
}

/* Program i in a control group of its own, of weight 100 a part. */
static int group_enter(uint32_t i, uint32_t share)
{
	char path[64], text[16];

	snprintf(path, sizeof(path), "/groups/%u", i);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "/groups/%u/cpu.weight", i);
	snprintf(text, sizeof(text), "%u", 100 * share);
	if (text_write(path, text))
		return -1;
	snprintf(path, sizeof(path), "/groups/%u/cgroup.procs", i);
	snprintf(text, sizeof(text), "%d", child[i]);
	return text_write(path, text);
}

int system_shares_start(const uint32_t *share, uint32_t count)
{
	mkdir("/groups", 0755);
	mount("groups", "/groups", "cgroup2", 0, NULL);
	if (text_write("/groups/cgroup.subtree_control", "+cpu") || others_start(share_part, count))
		return -1;
	for (uint32_t i = 0; i < count; i++)
		if (group_enter(i, share[i]))
			return -1;
	return 0;
}

uint64_t system_share_count(uint32_t i)
{
	return __atomic_load_n(&counter[i].count, __ATOMIC_RELAXED);
}

uint32_t system_cpus(void)
{
	return (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
}

void system_sleep(uint32_t ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l };

	nanosleep(&time, NULL);
}

/* Who sleeps has no time that others could take for theirs. */
void system_stay(uint32_t ms)
{
	system_sleep(ms);
}
