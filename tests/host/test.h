/* SPDX-License-Identifier: MIT */
/*
 * test.h - a small harness for host tests: self-registering tests, checks with place and values.
 *
 * Each TEST runs to its end and prints one line: `ok NAME`, `FAIL NAME: reason` (the first reason)
 * or `skip NAME: reason`.  The file that says TEST_MAIN gets main(), which returns 1 if any failed.
 * One translation unit a program: everything is static.
 */
#ifndef TEST_H
#define TEST_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};

static struct test *test_first, **test_last = &test_first;
static char test_reason[512];   /* of the running test; empty: none so far */
static int test_skipped;

static inline void test_register(struct test *t)
{
	*test_last = t;
	test_last = &t->next;
}

/* Note why the running test failed; only the first reason is kept. */
__attribute__((format(printf, 1, 2)))
static inline void test_fail(const char *format, ...)
{
	va_list args;

	if (test_reason[0])
		return;
	va_start(args, format);
	vsnprintf(test_reason, sizeof(test_reason), format, args);
	va_end(args);
	test_skipped = 0;
}

/* End the running test as skipped, with the reason in words. */
#define TEST_SKIP(reason) \
	do { \
		test_fail("%s", reason); \
		test_skipped = 1; \
		return; \
	} while (0)

#define TEST(test_name) \
	static void test_name(void); \
	__attribute__((constructor)) static void test_name##_register(void) \
	{ \
		static struct test t = { #test_name, test_name, 0 }; \
		test_register(&t); \
	} \
	static void test_name(void)

/* Check a condition; go on after a failure. */
#define CHECK(condition) \
	do { \
		if (!(condition)) \
			test_fail("%s:%d: %s", __FILE__, __LINE__, #condition); \
	} while (0)

/* Check a condition; leave the function after a failure. */
#define REQUIRE(condition) \
	do { \
		if (!(condition)) { \
			test_fail("%s:%d: %s", __FILE__, __LINE__, #condition); \
			return; \
		} \
	} while (0)

/* Compare two integers and show both. */
#define CHECK_EQ(a, b) \
	do { \
		long long test_a = (long long)(a), test_b = (long long)(b); \
		if (test_a != test_b) \
			test_fail("%s:%d: %s is %lld (%#llx), expected %s = %lld (%#llx)", \
				  __FILE__, __LINE__, #a, test_a, (unsigned long long)test_a, \
				  #b, test_b, (unsigned long long)test_b); \
	} while (0)

/* Compare two strings and show both. */
#define CHECK_STR(a, b) \
	do { \
		const char *test_a = (a), *test_b = (b); \
		if (!test_a || !test_b || strcmp(test_a, test_b)) \
			test_fail("%s:%d: %s is \"%s\", expected \"%s\"", __FILE__, __LINE__, #a, \
				  test_a ? test_a : "(null)", test_b ? test_b : "(null)"); \
	} while (0)

/* Run all tests of the program; its exit status. */
static inline int test_all(void)
{
	int bad = 0;

	for (struct test *t = test_first; t; t = t->next) {
		test_reason[0] = 0;
		test_skipped = 0;
		t->run();
		if (!test_reason[0])
			printf("ok %s\n", t->name);
		else
			printf("%s %s: %s\n", test_skipped ? "skip" : "FAIL", t->name, test_reason);
		bad |= test_reason[0] && !test_skipped;
		fflush(stdout);
	}
	return bad;
}

#define TEST_MAIN int main(void) { return test_all(); }

#endif
