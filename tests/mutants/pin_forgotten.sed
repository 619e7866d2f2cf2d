# SPDX-License-Identifier: MIT
# file: exo/dev/disk_request.c
# fault: frames of a request in flight are not pinned
# machine: smp1
# tests: frames_revoked_in_flight_are_quiet_when_done pinned_frames_become_no_objects
s/^\tframe_pin(claim, out->pfn, out->frames);/\tframe_pin(claim, out->pfn, 0);/
