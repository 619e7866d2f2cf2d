/* SPDX-License-Identifier: MIT */
/*
 * matrix.c - does the system take anything from a program that does not call it?  A product of two
 * matrices of 150 x 150 words, as the first exokernel paper had it.
 *
 * The inner loop is unrolled: an emulator keeps registers in memory between blocks of
 * instructions, so that a short loop hangs on each store and the load that follows it, and has been
 * seen to run at either of two speeds, 2.4 times apart, by chance and for seconds, under either
 * system.
 */
#include "row.h"
#include "system.h"

#define N 150u

static uint64_t a[N][N], b[N][N], c[N][N];
static uint64_t trace;          /* that the product should have */

static const char *matrix_begin(void)
{
	trace = 0;
	for (uint64_t i = 0; i < N; i++)
		for (uint64_t k = 0; k < N; k++) {
			a[i][k] = i * 31 + k * 7;
			b[i][k] = i * 3 + k * 11;
		}
	for (uint64_t i = 0; i < N; i++)
		for (uint64_t k = 0; k < N; k++)
			trace += (i * 31 + k * 7) * (k * 3 + i * 11);
	return NULL;
}

static void matrix_run(uint32_t rounds)
{
	for (uint32_t r = rounds; r; r--)
		for (unsigned i = 0; i < N; i++)
			for (unsigned k = 0; k < N; k++) {
				uint64_t sum = 0;

#pragma GCC unroll 15
				for (unsigned j = 0; j < N; j++)
					sum += a[i][j] * b[j][k];
				c[i][k] = sum;
			}
}

static const char *matrix_check(uint32_t rounds)
{
	uint64_t found = 0;

	(void)rounds;
	for (unsigned i = 0; i < N; i++)
		found += c[i][i];
	memset(c, 0, sizeof(c));
	return found == trace ? NULL : "the product is wrong";
}

static const struct bench_row matrix = {
	.name = "matrix_150", .rounds = 1, .share = 1, .flags = BENCH_LONG, .begin = matrix_begin,
	.run = matrix_run, .check = matrix_check,
};
BENCH_ROW(matrix);
