/* SPDX-License-Identifier: MIT */
/*
 * bootline.c - the words of the boot line.
 *
 * Words for other readers (the kernel, measuring programs) are passed over; unknown ones are told
 * and ignored.
 */
#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <exos/console.h>

#include "init.h"

#define WEB       "web="
#define WEB_LEAST 6u            /* MiB */
#define WEB_MOST  65536u
#define WORD_SHOWN 60u          /* bytes of an unknown word that are shown */

static bool word_is(const char *word, size_t bytes, const char *name)
{
	return bytes == strlen(name) && memcmp(word, name, bytes) == 0;
}

/* Does the word belong to somebody else?  Names that end in = are followed by a value. */
static bool word_foreign(const char *word, size_t bytes)
{
	static const char *const name[] = {
		"panic=", "dma=", "leave=", "icount=", "log=", "test=", "slice=",
	};

	for (size_t i = 0; i < ARRAY_LEN(name); i++)
		if (bytes > strlen(name[i]) && memcmp(word, name[i], strlen(name[i])) == 0)
			return true;
	return false;
}

/* The boot line is data from outside: only printable bytes of it reach the terminal. */
static void word_unknown(const char *word, size_t bytes)
{
	char shown[WORD_SHOWN + 1];
	size_t n = min_u64(bytes, WORD_SHOWN);

	for (size_t i = 0; i < n; i++)
		shown[i] = word[i] > ' ' && word[i] < 0x7f ? word[i] : '?';
	shown[n] = '\0';
	printf("init: ignoring an unknown word of the boot line: %s%s\n", shown,
	       n < bytes ? "..." : "");
}

/* web=MEGABYTES: memory of the web server, most of it a cache of the disk. */
static void word_web(const char *value, size_t bytes, struct bootline *out)
{
	const char *end;
	uint64_t mib;

	if (parse_u64(value, &end, &mib) < 0 || end != value + bytes || mib < WEB_LEAST ||
	    mib > WEB_MOST)
		printf("init: web= takes a number of MiB from %u to %u; the web server gets the "
		       "usual memory\n", WEB_LEAST, WEB_MOST);
	else
		out->web_frames = mib << 20 >> EXO_PAGE_SHIFT;
}

static void word_take(const char *word, size_t bytes, struct bootline *out)
{
	if (word_is(word, bytes, "app"))
		out->app = true;
	else if (word_is(word, bytes, "debug-exit"))
		out->debug_exit = true;
	else if (bytes > sizeof(WEB) - 1 && memcmp(word, WEB, sizeof(WEB) - 1) == 0)
		word_web(word + sizeof(WEB) - 1, bytes - (sizeof(WEB) - 1), out);
	else if (!word_is(word, bytes, "latency") && !word_foreign(word, bytes))
		word_unknown(word, bytes);
}

void bootline_read(struct bootline *out)
{
	const struct exo_machine *m = exos_machine();
	const char *at = exos_machine_at(m->cmdline_off);
	const char *end = at + m->cmdline_bytes;

	memset(out, 0, sizeof(*out));
	while (at < end) {
		const char *word = at;

		while (at < end && (unsigned char)*at > ' ')
			at++;
		if (at > word)
			word_take(word, (size_t)(at - word), out);
		else
			at++;
	}
}
