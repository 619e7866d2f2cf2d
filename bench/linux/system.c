/* SPDX-License-Identifier: MIT */
/*
 * system.c - system.h and the rest of row.h for Linux.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "linux.h"

uint64_t bench_time(void)
{
	uint64_t tsc;

	_mm_lfence();
	tsc = __rdtsc();
	_mm_lfence();
	return tsc;
}

/* Linux tells no program about ticks at a price worth paying: the median passes them over. */
uint64_t bench_slot(void)
{
	return 0;
}

void bench_counts_read(struct bench_counts *out)
{
	*out = (struct bench_counts){ .entries = 0 };
}

/* With a page that nobody may touch on each side: neighbours make no difference then. */
char *system_pages(uint32_t pages)
{
	char *at = mmap(NULL, (size_t)(pages + 2) * SYSTEM_PAGE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	at += SYSTEM_PAGE;
	system_protect(at, pages, true);
	madvise(at, (size_t)pages * SYSTEM_PAGE, MADV_NOHUGEPAGE);
	memset(at, 0, (size_t)pages * SYSTEM_PAGE);
	return at;
}

void system_pages_end(char *at, uint32_t pages)
{
	munmap(at - SYSTEM_PAGE, (size_t)(pages + 2) * SYSTEM_PAGE);
}

int system_protect(char *at, uint32_t pages, bool write)
{
	return mprotect(at, (size_t)pages * SYSTEM_PAGE,
			write ? PROT_READ | PROT_WRITE : PROT_READ);
}

#define SOFT_DIRTY (1ul << 55)  /* of an entry of pagemap */

static int pagemap = -1;

/* Only a kernel that was built with it tells. */
bool system_clean(char *at, uint32_t pages)
{
	int file = open("/proc/self/clear_refs", O_WRONLY);
	bool done = write(file, "4", 1) == 1;

	(void)pages;
	close(file);
	if (pagemap < 0)
		pagemap = open("/proc/self/pagemap", O_RDONLY);
	if (!done || system_dirty(at))
		return false;
	*(volatile char *)at = 1;
	return system_dirty(at);
}

bool system_dirty(char *at)
{
	uint64_t entry = 0;

	if (pread(pagemap, &entry, 8, (off_t)((uintptr_t)at / SYSTEM_PAGE * 8)) != 8)
		return false;
	return entry & SOFT_DIRTY;
}

static void (*store_handler)(char *at);

static void segv(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	store_handler((char *)((uintptr_t)info->si_addr & -(uintptr_t)SYSTEM_PAGE));
}

void system_store_handle(void (*handler)(char *at))
{
	struct sigaction action = { .sa_sigaction = segv, .sa_flags = SA_SIGINFO | SA_NODEFER };

	store_handler = handler;
	if (!handler)
		action.sa_handler = SIG_DFL;
	sigaction(SIGSEGV, &action, NULL);
}

int system_open(const char *path)
{
	char whole[128];

	snprintf(whole, sizeof(whole), "/disk%s", path);
	return open(whole, O_RDONLY);
}

void system_close(int file)
{
	close(file);
}

long system_read_at(int file, uint64_t offset, void *to, size_t bytes)
{
	return pread(file, to, bytes, (off_t)offset);
}

int linux_wait(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

int system_spawn_wait(void)
{
	static char *const argv[] = { "small", NULL }, *const envp[] = { NULL };
	pid_t child = vfork();

	if (child == 0) {
		execve(SMALL_PATH, argv, envp);
		_exit(127);
	}
	return linux_wait(child);
}

pid_t linux_peer(void (*part)(void))
{
	pid_t child = fork();

	if (child == 0) {
		part();
		_exit(1);
	}
	return child;
}

void linux_peer_end(pid_t peer)
{
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
}

void *linux_shared(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}
