/* SPDX-License-Identifier: MIT */
/*
 * fork.c - a copy of the process that ends at once, waited for; and one that becomes the small
 * program, the same job as both/spawn.c.
 */
#define _GNU_SOURCE
#include <unistd.h>

#include "linux.h"

static uint32_t right;

static void fork_run(uint32_t rounds)
{
	right = 0;
	for (uint32_t i = rounds; i; i--) {
		pid_t child = fork();

		if (child == 0)
			_exit(SMALL_CODE);
		right += linux_wait(child) == SMALL_CODE;
	}
}

static const char *fork_check(uint32_t rounds)
{
	return right == rounds ? NULL : "a child did not end as it should";
}

static const struct bench_row fork_wait = {
	.name = "fork_wait", .way = "fork", .rounds = 4, .share = 1, .run = fork_run,
	.check = fork_check,
};
BENCH_ROW(fork_wait);

static void exec_run(uint32_t rounds)
{
	static char *const argv[] = { "small", NULL }, *const envp[] = { NULL };

	right = 0;
	for (uint32_t i = rounds; i; i--) {
		pid_t child = fork();

		if (child == 0) {
			execve(SMALL_PATH, argv, envp);
			_exit(127);
		}
		right += linux_wait(child) == SMALL_CODE;
	}
}

static const struct bench_row fork_exec_wait = {
	.name = "fork_exec_wait", .way = "fork and exec", .rounds = 4, .share = 1,
	.flags = BENCH_LONG, .run = exec_run, .check = fork_check,
};
BENCH_ROW(fork_exec_wait);
