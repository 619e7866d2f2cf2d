/* SPDX-License-Identifier: MIT */
/*
 * fuzz_filter.c - arbitrary bytes as operations on filters and as packets, against the model.
 */
// sources: exo/filter.c exo/filter_check.c exo/filter_find.c exo/filter_group.c
// includes: exo
// flags: -include tests/host/claims_fake.h -fno-builtin
// prepare: python3 tests/host/gen_filter.py
#include <stdlib.h>

#define MUST(promise) do { if (!(promise)) abort(); } while (0)
#include "filter_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *next;
static size_t left;

static unsigned pick(unsigned n)
{
	if (!left)
		return 0;
	left--;
	return *next++ % n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	next = data;
	left = size;
	model_start(pick(3), pick(4));
	while (left)
		model_step();
	disjoint_check();
	addresses_check();
	model_end();
	return 0;
}
