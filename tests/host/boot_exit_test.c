/* SPDX-License-Identifier: MIT */
/*
 * boot_exit_test.c - leaving the firmware, driven by a fake that changes its map at will.
 *
 * The fake refuses, as the specification does, a key that is not the newest, and counts every call
 * that is forbidden once ExitBootServices was called.
 */
// sources: uefi/exit.c
// includes: uefi
#include "exit.h"
#include "test.h"

struct fake {
	int changes;            /* how often the map changes between get_map and leave */
	int room, needed;       /* of the map's buffer, and of the map */
	int fail_map_at;        /* get_map call that fails, counted from 1; 0: none */
	enum exit_status leave_status;  /* when the key fits */
	unsigned key, newest;
	int maps, leaves, grows, forbidden;
};

static enum exit_status fake_map(void *context)
{
	struct fake *f = context;

	if (++f->maps == f->fail_map_at)
		return EXIT_FAILED;
	if (f->needed > f->room)
		return EXIT_ROOM;
	f->key = f->newest;
	return EXIT_DONE;
}

static enum exit_status fake_leave(void *context)
{
	struct fake *f = context;

	f->leaves++;
	if (f->changes > 0) {
		f->changes--;
		f->newest++;
	}
	return f->key == f->newest ? f->leave_status : EXIT_CHANGED;
}

static enum exit_status fake_grow(void *context)
{
	struct fake *f = context;

	f->grows++;
	f->forbidden += f->leaves > 0;
	f->room += 10;
	f->newest++;            /* allocating changes the map */
	return EXIT_DONE;
}

static const struct exit_ops ops = { fake_map, fake_leave, fake_grow };

TEST(first_try)
{
	struct fake f = { .room = 10, .needed = 10 };
	int tries;

	CHECK_EQ(exit_firmware(&ops, &f, &tries), EXIT_DONE);
	CHECK_EQ(tries, 1);
	CHECK_EQ(f.maps, 1);
	CHECK_EQ(f.grows, 0);
}

TEST(retries_with_a_new_map_when_it_changed)
{
	struct fake f = { .room = 10, .needed = 10, .changes = 3 };
	int tries;

	CHECK_EQ(exit_firmware(&ops, &f, &tries), EXIT_DONE);
	CHECK_EQ(tries, 4);
	CHECK_EQ(f.maps, 4);
	CHECK_EQ(f.key, f.newest);
}

TEST(grows_the_buffer_before_the_first_try_only)
{
	struct fake f = { .room = 10, .needed = 25, .changes = 1 };
	int tries;

	CHECK_EQ(exit_firmware(&ops, &f, &tries), EXIT_DONE);
	CHECK_EQ(f.grows, 2);
	CHECK_EQ(f.forbidden, 0);
}

static struct fake *growing;
static enum exit_status leave_and_outgrow(void *context)
{
	growing->needed = growing->room + 1;
	return fake_leave(context);
}

TEST(map_that_outgrows_its_buffer_after_the_first_try_is_an_error)
{
	static const struct exit_ops outgrow = { fake_map, leave_and_outgrow, fake_grow };
	struct fake f = { .room = 10, .needed = 10, .changes = 1 };
	int tries;

	growing = &f;
	CHECK_EQ(exit_firmware(&outgrow, &f, &tries), EXIT_ROOM);
	CHECK_EQ(f.forbidden, 0);
	CHECK_EQ(f.grows, 0);
}

TEST(a_map_that_always_changes_ends)
{
	struct fake f = { .room = 10, .needed = 10, .changes = 1000 };
	int tries;

	CHECK_EQ(exit_firmware(&ops, &f, &tries), EXIT_CHANGED);
	CHECK_EQ(tries, EXIT_TRIES);
}

TEST(other_refusals_are_not_retried)
{
	struct fake f = { .room = 10, .needed = 10, .leave_status = EXIT_FAILED };
	struct fake g = { .room = 10, .needed = 10, .changes = 2, .fail_map_at = 2 };
	int tries;

	CHECK_EQ(exit_firmware(&ops, &f, &tries), EXIT_FAILED);
	CHECK_EQ(f.leaves, 1);
	CHECK_EQ(exit_firmware(&ops, &g, &tries), EXIT_FAILED);
	CHECK_EQ(g.leaves, 1);
}

TEST_MAIN
