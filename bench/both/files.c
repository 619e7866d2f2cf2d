/* SPDX-License-Identifier: MIT */
/*
 * files.c - what does it cost to open a file, and to read 1 B to 1 MiB of it that lie in the cache?
 * And all of it: open, read 4 KiB, close.
 *
 * Byte i of the file is i * 31 % 251 (bench/disk.py); each read begins where the one before ended.
 */
#include "row.h"
#include "system.h"

#define PATH "/folder/data"
#define FILE_BYTES (4ul << 20)
#define READ_MAX   (1u << 20)

static uint8_t buffer[READ_MAX] __attribute__((aligned(4096)));
static uint32_t bytes;          /* of a read */
static int file;
static uint64_t position, wrong;

static uint8_t byte_at(uint64_t i)
{
	return (uint8_t)(i * 31 % 251);
}

/* Bring it all into the cache, and look at it once. */
static const char *read_begin(uint32_t each)
{
	bytes = each;
	file = system_open(PATH);
	if (file < 0)
		return "the file could not be opened";
	for (uint64_t at = 0; at < FILE_BYTES; at += READ_MAX) {
		if (system_read_at(file, at, buffer, READ_MAX) != READ_MAX)
			return "the file could not be read";
		for (uint64_t i = 0; i < READ_MAX; i++)
			if (buffer[i] != byte_at(at + i))
				return "the file is not what it should be";
	}
	return NULL;
}

static void read_reset(uint32_t rounds)
{
	(void)rounds;
	position = wrong = 0;
}

static void read_run(uint32_t rounds)
{
	for (uint32_t r = rounds; r; r--) {
		wrong |= system_read_at(file, position, buffer, bytes) != bytes;
		position += bytes;
		if (position == FILE_BYTES)
			position = 0;
	}
}

static const char *read_check(uint32_t rounds)
{
	uint64_t start = (position ? position : FILE_BYTES) - bytes;

	(void)rounds;
	for (uint64_t i = 0; i < bytes; i++)
		wrong |= buffer[i] != byte_at(start + i);
	return wrong ? "a read was wrong" : NULL;
}

static void read_end(void)
{
	if (file >= 0)
		system_close(file);
}

#define READ(id, each, count, which, goal, better) \
	static const char *id##_begin(void) { return read_begin(each); } \
	static const struct bench_row id = { \
		.name = #id, .must = goal, .stretch = better, .rounds = count, .share = 1, \
		.flags = BENCH_DISK | (which), .begin = id##_begin, .reset = read_reset, \
		.run = read_run, .check = read_check, .end = read_end, \
	}; \
	BENCH_ROW(id)
READ(read1_cached, 1, 20, 0, 0, 0);
READ(read64_cached, 64, 20, 0, 0, 0);
READ(read1k_cached, 1024, 20, 0, 0, 0);
READ(read4k_cached, 4096, 8, 0, 900, 700);
READ(read16k_cached, 16384, 4, 0, 0, 0);
READ(read64k_cached, 65536, 2, 0, 0, 0);
READ(read256k_cached, 262144, 1, BENCH_LONG, 0, 0);
READ(read1m_cached, 1048576, 1, BENCH_LONG, 0, 0);

static void open_run(uint32_t rounds)
{
	for (uint32_t r = rounds; r; r--) {
		file = system_open(PATH);
		wrong += file < 0;
		system_close(file);
	}
}

static const char *open_begin(void)
{
	file = system_open(PATH);
	if (file < 0)
		return "the file could not be opened";
	system_close(file);
	return NULL;
}

static const char *open_check(uint32_t rounds)
{
	(void)rounds;
	return wrong ? "the file could not be opened" : NULL;
}

static const struct bench_row open_close = {
	.name = "open_close", .must = 1200, .stretch = 600, .rounds = 24, .share = 1,
	.flags = BENCH_DISK | BENCH_LONG, .begin = open_begin, .reset = read_reset, .run = open_run,
	.check = open_check,
};
BENCH_ROW(open_close);

#define WHOLE 4096u             /* bytes that are read of each file that is opened */

static void whole_run(uint32_t rounds)
{
	for (uint32_t r = rounds; r; r--) {
		file = system_open(PATH);
		wrong |= file < 0 || system_read_at(file, 0, buffer, WHOLE) != WHOLE;
		system_close(file);
	}
}

static void whole_reset(uint32_t rounds)
{
	read_reset(rounds);
	memset(buffer, 0, WHOLE);
}

static const char *whole_check(uint32_t rounds)
{
	(void)rounds;
	for (uint64_t i = 0; i < WHOLE; i++)
		wrong |= buffer[i] != byte_at(i);
	return wrong ? "a file was not opened and read" : NULL;
}

static const struct bench_row open_read4k_close = {
	.name = "open_read4k_close", .rounds = 12, .share = 1, .flags = BENCH_DISK | BENCH_LONG,
	.begin = open_begin, .reset = whole_reset, .run = whole_run, .check = whole_check,
};
BENCH_ROW(open_read4k_close);
