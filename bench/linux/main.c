/* SPDX-License-Identifier: MIT */
/*
 * main.c - the measuring program as Linux's first process: the same table, by Linux's means.
 *
 * The boot line has the words that exo's has (icount=N only=A,B disk scaling), and `serve`.
 * Modules are loaded from /modules in order of name; the disk, if asked for, is mounted at /disk.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "linux.h"

#define EXIT_PORT 0xf4          /* QEMU's isa-debug-exit */
#define EXIT_GOOD 0x10
#define EXIT_BAD  0x11

static char line[4096];         /* the boot line, a space first */

static const char *word_find(const char *word)
{
	const char *at = strstr(line, word);

	return at ? at + strlen(word) : NULL;
}

static int module_is(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void modules_load(void)
{
	struct dirent **found;
	int count = scandir("/modules", &found, module_is, alphasort);
	char path[300];

	if (count < 0)
		printf("bench: /modules: %m\n");
	for (int i = 0; i < count; i++) {
		int file;

		snprintf(path, sizeof(path), "/modules/%s", found[i]->d_name);
		file = open(path, O_RDONLY);
		if (syscall(SYS_finit_module, file, "", 0))
			printf("bench: %s: %m\n", path);
		close(file);
	}
}

static void system_start(void)
{
	int file;

	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mkdir("/disk", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	file = open("/dev/console", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(file, i);
	setvbuf(stdout, NULL, _IOLBF, 0);
	line[0] = ' ';
	file = open("/proc/cmdline", O_RDONLY);
	if (read(file, line + 1, sizeof(line) - 2) < 0)
		printf("bench: /proc/cmdline: %m\n");
	close(file);
	/* No words on signals that are handled. */
	file = open("/proc/sys/debug/exception-trace", O_WRONLY);
	if (write(file, "0", 1) != 1)
		printf("bench: exception-trace: %m\n");
	close(file);
	modules_load();
}

static void disk_start(void)
{
	if (mount("/dev/vda", "/disk", "ext4", MS_NOATIME | MS_RDONLY, NULL))
		printf("bench: the disk could not be mounted: %m\n");
}

/* One CPU, the last: devices interrupt the first. */
static void cpu_bind(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Time stamps a second, against the clock, over a fifth of a second. */
static uint64_t tsc_measure(void)
{
	struct timespec from, to;
	uint64_t start, end, ns;

	clock_gettime(CLOCK_MONOTONIC_RAW, &from);
	start = bench_time();
	do {
		clock_gettime(CLOCK_MONOTONIC_RAW, &to);
		end = bench_time();
		ns = (uint64_t)(to.tv_sec - from.tv_sec) * 1000000000ul + to.tv_nsec - from.tv_nsec;
	} while (ns < 200000000ul);
	return (uint64_t)((end - start) * (1e9 / ns));
}

static void values_print(uint64_t main_tsc)
{
	static const struct bench_row row = { .name = "boot_to_main", .way = "from reset on" };
	struct bench_result result = { .n = 1, .operations = 1 };
	struct sysinfo info;

	if (bench_scale) {
		result.median10 = result.min10 = result.max10 = 10 * (main_tsc / bench_scale);
		bench_row_print(&row, &result);
	}
	if (sysinfo(&info) == 0)
		bench_value_print("memory_used", "bytes",
				  (info.totalram - info.freeram) * info.mem_unit, NULL);
}

/* In a process like any other: signals of the first are special. */
static unsigned table_measure(uint64_t main_tsc)
{
	const char *only, *shift;
	unsigned missed;
	bool table;             /* not the disk's part, nor the network's */

	cpu_bind();
	if (word_find(" serve")) {
		linux_servers();
		linux_net();
		return 1;
	}
	table = !word_find(" disk") && !word_find(" answers=") && !word_find(" scaling");
	only = word_find(" only=");
	shift = word_find(" icount=");
	bench_tsc_hz = tsc_measure();
	bench_scale = shift ? 1ul << atoi(shift) : 0;
	bench_calibrate();
	bench_head_print();
	if (!only && table)
		values_print(main_tsc);
	if (word_find(" disk"))
		disk_start();
	missed = 0;
	if (word_find(" scaling"))
		bench_scaling(only);
	else if (word_find(" answers="))
		missed = linux_udp((uint32_t)atoi(word_find(" answers=")));
	else
		missed = bench_table(only, word_find(" disk") != NULL);
	if (bench_scale && table && bench_wanted("share_", only))
		bench_shares();
	bench_end_print(missed);
	fflush(stdout);
	tcdrain(1);
	return missed;
}

int main(void)
{
	uint64_t main_tsc = bench_time();
	pid_t child;
	int missed;

	system_start();
	child = fork();
	if (child == 0)
		_exit(table_measure(main_tsc) != 0);
	missed = linux_wait(child);
	if (missed < 0)
		printf("bench: the measuring process died\n");
	tcdrain(1);
	if (iopl(3) == 0)
		outl(missed ? EXIT_BAD : EXIT_GOOD, EXIT_PORT);
	reboot(RB_POWER_OFF);
	return 1;
}
