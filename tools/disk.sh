#!/bin/sh
# SPDX-License-Identifier: MIT
# disk.sh - make $O/disk.img, the ext2 disk that exo gets, from the folder $DIR.
#
# DIR empty: a copy of the project's docs and sources.  DISK set: that image is used, nothing is
# made.  The image is read by exo and never written back: each run makes a new one.
set -eu
PATH=$PATH:/usr/sbin:/sbin
out=${O:-build}/disk.img
stage=

[ -z "${DISK:-}" ] || exit 0
if [ -z "${DIR:-}" ]; then
	stage=${O:-build}/disk
	rm -rf "$stage"
	mkdir -p "$stage"
	for part in *; do
		case $part in
		build|"${O%%/*}") ;;
		*) cp -a "$part" "$stage/" ;;
		esac
	done
	find "$stage" \( -name __pycache__ -o -name build \) -prune -exec rm -rf {} +
	DIR=$stage
fi
if [ ! -d "$DIR" ]; then
	echo "DIR=$DIR: not a folder" >&2
	exit 1
fi

# Room: each file in 4 KiB steps (block maps included), each name an inode, and a quarter over.
need=$(find "$DIR" -printf '%s %b\n' | awk '
	{ files++; bytes = $2 * 512; kib += int((bytes + 4095) / 4096) * 4 + 4 }
	END { print int((kib + files) * 5 / 4) + 4096, int(files * 5 / 4) + 64 }')
kib=${need% *}
inodes=${need#* }
mkdir -p "$(dirname "$out")"
rm -f "$out"
truncate -s "${kib}k" "$out"
export E2FSPROGS_FAKE_TIME=${SOURCE_DATE_EPOCH:-1700000000}
mke2fs -q -F -t ext2 -d "$DIR" -N "$inodes" -m 0 -L exo \
	-U 65786f00-0000-4000-8000-000000000001 \
	-E root_owner=0:0,hash_seed=65786f00-0000-4000-8000-000000000002 "$out"
