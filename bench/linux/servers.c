/* SPDX-License-Identifier: MIT */
/*
 * servers.c - web servers that are measured beside our own: /etc/servers has a command line for
 * each, words with single blanks between (bench/servers.py).
 *
 * Whether they serve is seen by who asks them, at the other end of the wire.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include "linux.h"

#define WORDS 32

static void server_start(char *line)
{
	char *argv[WORDS + 1] = { NULL };
	int count = 0;

	for (char *word = strtok(line, " \n"); word && count < WORDS; word = strtok(NULL, " \n"))
		argv[count++] = word;
	if (!count || fork())
		return;
	execv(argv[0], argv);
	printf("bench: %s: %m\n", argv[0]);
	_exit(127);
}

void linux_servers(void)
{
	FILE *file = fopen("/etc/servers", "r");
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		server_start(line);
	if (file)
		fclose(file);
}
