# SPDX-License-Identifier: MIT
# file: exo/lend.c
# fault: frames that were given away are lent to a device
# machine: smp1
# tests: evil_frames_are_lent_by_their_holder requests_that_lie_are_refused_one_by_one
s/ !claim_is_whole(c) &&$/ 0 \&\&/
