/* SPDX-License-Identifier: MIT */
/*
 * lend.c - does a claim hold frames, and may they be given to a device for a while?
 *
 * Invariant: changes nothing; what it finds holds for as long as tree_lock does, or once the frames
 * are pinned.
 */
#include "claim.h"
#include "frame.h"
#include "kernel.h"

int claim_holds(const struct exo_cap *c, uint64_t pfn, uint64_t count)
{
	if (pfn < c->lo || !range_fits(pfn - c->lo, count, c->hi - c->lo))
		return -EXO_E_RANGE;
	if (!(c->flags & EXO_CAP_SHARE) && !claim_is_whole(c) &&
	    !frame_range_held(pfn, pfn + count, slot_sid(c)))
		return -EXO_E_SPLIT;
	return 0;
}

int claim_lends(const struct exo_cap *c, uint64_t pfn, uint64_t count)
{
	int err = c->flags & EXO_CAP_FROZEN ? -EXO_E_FROZEN : claim_holds(c, pfn, count);

	if (err)
		return err;
	for (uint64_t i = 0; i < count; i++) {
		if (!frame_entry(pfn + i) || frame_use(pfn + i) != EXO_USE_MEMORY)
			return -EXO_E_USE;
	}
	return 0;
}
