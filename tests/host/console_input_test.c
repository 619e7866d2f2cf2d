/* SPDX-License-Identifier: MIT */
/*
 * console_input_test.c - the console's ring of input and its stack of readers.
 */
// sources: services/console/input.c
// includes: services/console exo/base/include
#include "input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct input in;
static int failures, rings[32], dropped[32];
static bool gone[32];

static bool ring(uint64_t bell)
{
	rings[bell]++;
	return !gone[bell];
}

static void drop(uint64_t bell)
{
	dropped[bell]++;
}

static void check(const char *name, int passed)
{
	printf(passed ? "ok input_%s\n" : "FAIL input_%s: see the code at this name\n", name);
	failures += !passed;
}

static void fresh(void)
{
	memset(&in, 0, sizeof(in));
	memset(rings, 0, sizeof(rings));
	memset(dropped, 0, sizeof(dropped));
	memset(gone, 0, sizeof(gone));
	in.ring = ring;
	in.drop = drop;
}

static void type(const char *text)
{
	input_put(&in, (const uint8_t *)text, strlen(text));
	input_wake(&in);
}

static int takes(uint32_t mark, const char *want)
{
	uint8_t out[57] = { 0 };
	size_t n = input_take(&in, mark, out, 56);

	return n == strlen(want) && memcmp(out, want, n) == 0;
}

static void test_stack(void)
{
	fresh();
	type("ab");
	check("kept_without_reader", takes(1, "") && input_room(&in) == INPUT_BYTES - 2);
	input_attach(&in, 1, 1);
	check("told_of_earlier_input", rings[1] == 1 && takes(1, "ab"));
	input_attach(&in, 2, 2);
	type("c");
	check("only_front_reads", takes(1, "") && rings[1] == 2 && takes(2, "c"));
	check("sweep_posts_all", rings[1] == 2 && rings[2] == 1);
	type("d");
	input_detach(&in, 2);
	check("detach_wakes_next", dropped[2] == 1 && rings[1] == 3 && takes(1, "d"));
	input_detach(&in, 7);
	check("detach_unknown", in.readers == 1);
}

static void test_gone(void)
{
	fresh();
	for (uint32_t i = 1; i <= 3; i++)
		input_attach(&in, i, i);
	gone[3] = gone[2] = true;
	type("x");
	check("ended_readers_leave", in.readers == 1 && dropped[3] == 1 && dropped[2] == 1 &&
	      takes(1, "x"));
	gone[1] = true;
	type("y");
	check("nobody_left", in.readers == 0 && dropped[1] == 1);
	input_attach(&in, 4, 4);
	check("input_waits_for_next", takes(4, "y"));
}

/* Ctrl-\ gives the console back to the first reader, whoever reads. */
static void test_break(void)
{
	fresh();
	for (uint32_t i = 1; i <= 3; i++)
		input_attach(&in, i, i);
	type("a\x1c");
	check("break", in.readers == 1 && dropped[3] == 1 && dropped[2] == 1 && takes(1, "a\x1c"));
	type("\x1c");
	check("break_keeps_the_first", in.readers == 1 && takes(1, "\x1c"));
}

static void test_full(void)
{
	static uint8_t bytes[INPUT_BYTES];
	uint8_t out[56];
	int sound = 1;

	fresh();
	for (uint32_t i = 0; i < INPUT_READERS; i++)
		sound &= input_attach(&in, 1, i);
	check("readers_full", sound && !input_attach(&in, 1, 20) && dropped[20] == 0);
	gone[5] = true;
	check("ended_makes_room", input_attach(&in, 1, 21) && dropped[5] == 1);
	for (size_t i = 0; i < INPUT_BYTES; i++)
		bytes[i] = (uint8_t)(i * 31 >> 3);
	in.head = in.tail = UINT64_MAX - 100;
	input_put(&in, bytes, INPUT_BYTES);
	check("ring_full", input_room(&in) == 0);
	for (size_t at = 0, n; (n = input_take(&in, 1, out, sizeof(out))) > 0; at += n)
		sound &= memcmp(out, bytes + at, n) == 0;
	check("ring_in_order_over_the_wrap", sound && input_room(&in) == INPUT_BYTES);
}

int main(void)
{
	test_stack();
	test_gone();
	test_break();
	test_full();
	return failures != 0;
}
