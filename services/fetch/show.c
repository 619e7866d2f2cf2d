/* SPDX-License-Identifier: MIT */
/*
 * show.c - is it text, and its checksum as XXH64.
 */
#define XXH_INLINE_ALL
#define XXH_VECTOR 0            /* programs use general registers only */
#include <xxhash.h>

#include "show.h"

#include <exos/console.h>
#include <services/client.h>

static struct {
	XXH64_state_t state;
	uint64_t bytes;
	bool quiet;             /* no text is shown: so asked, or it is none */
	bool open;              /* the last line shown has no end */
} show;

/* Text has no control bytes but white space. Judged by what comes first. */
static bool is_text(const uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if ((data[i] < ' ' && (data[i] < '\t' || data[i] > '\r')) || data[i] == 0x7f)
			return false;
	return true;
}

void show_begin(bool quiet)
{
	XXH64_reset(&show.state, 0);
	show.bytes = 0;
	show.quiet = quiet;
	show.open = false;
}

void show_body(const void *data, size_t bytes)
{
	if (bytes == 0)
		return;
	if (show.bytes == 0 && !is_text(data, bytes))
		show.quiet = true;
	XXH64_update(&show.state, data, bytes);
	show.bytes += bytes;
	if (show.quiet)
		return;
	client_print(data, bytes, true);
	show.open = ((const char *)data)[bytes - 1] != '\n';
}

void show_end(void)
{
	printf("%s%lu bytes, XXH64 %016lx\n", show.open ? "\n" : "", (unsigned long)show.bytes,
	       (unsigned long)XXH64_digest(&show.state));
}
