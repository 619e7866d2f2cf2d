/* SPDX-License-Identifier: MIT */
/*
 * libexos_tree_test.c - the tree of regions against a plain array, in orders that hurt plain trees.
 */
// sources: libexos/tree.c
// includes: exo/base/include exo/include libexos libexos/include
#include "test.h"
#include "tree.h"

#include <stdint.h>
#include <stdlib.h>

#define COUNT 1000u
#define SPAN  0x10000ul         /* addresses between starts; the region fills half of it */

static struct exos_region region[COUNT];
static uint8_t inside[COUNT];
static struct exos_region *root;

static void start(void)
{
	root = NULL;
	memset(inside, 0, sizeof(inside));
	for (unsigned i = 0; i < COUNT; i++)
		region[i] = (struct exos_region){ .lo = i * SPAN, .hi = i * SPAN + SPAN / 2 };
}

static unsigned depth(const struct exos_region *r)
{
	unsigned a, b;

	if (!r)
		return 0;
	a = depth(r->left);
	b = depth(r->right);
	return 1 + (a > b ? a : b);
}

static void compare(void)
{
	for (unsigned i = 0; i < COUNT; i++) {
		unsigned n = i;

		REQUIRE(tree_find(root, i * SPAN) == (inside[i] ? &region[i] : NULL));
		REQUIRE(tree_find(root, i * SPAN + SPAN / 2 - 1) ==
			(inside[i] ? &region[i] : NULL));
		REQUIRE(!tree_find(root, i * SPAN + SPAN / 2));
		while (n < COUNT && !inside[n])
			n++;
		REQUIRE(tree_next(root, i * SPAN) == (n < COUNT ? &region[n] : NULL));
	}
}

static void put(unsigned i)
{
	tree_insert(&root, &region[i]);
	inside[i] = 1;
}

static void out(unsigned i)
{
	tree_remove(&root, &region[i]);
	inside[i] = 0;
}

TEST(tree_ascending_order_stays_shallow)
{
	start();
	for (unsigned i = 0; i < COUNT; i++)
		put(i);
	compare();
	CHECK(depth(root) < 40);
}

TEST(tree_descending_order_stays_shallow)
{
	start();
	for (unsigned i = COUNT; i-- > 0;)
		put(i);
	compare();
	CHECK(depth(root) < 40);
	for (unsigned i = 0; i < COUNT; i += 2)
		out(i);
	compare();
}

TEST(tree_agrees_with_the_array)
{
	srand(7);
	start();
	for (int n = 0; n < 20000; n++) {
		unsigned i = (unsigned)rand() % COUNT;

		if (inside[i])
			out(i);
		else
			put(i);
		if (n % 1000 == 0)
			compare();
	}
	compare();
	for (unsigned i = 0; i < COUNT; i++)
		if (inside[i])
			out(i);
	CHECK(!root);
}

TEST_MAIN
