#!/bin/sh
# SPDX-License-Identifier: MIT
# source.sh NAME VERSION... - fetch a Debian source package into build/src/, and unpack it there.
#
# Any user may run it (apt.sh).  Accepted are the upstream VERSIONs named (what it was tried with).
# build/src/NAME becomes a link to the unpacked tree, build/src/NAME.ok says it is whole.  What is
# there already is not fetched.
set -u
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
. "${0%/*}/apt.sh"
name=${1:?usage: source.sh NAME VERSION...}
shift
versions=$*
src=${SRC:-build/src}

[ -e "$src/$name.ok" ] && [ -d "$src/$name/." ] && exit 0
mkdir -p "$src" || fail "cannot write to $src"
# Two builds at once: the second waits and finds it there.
exec 9> "$src/.lock" || fail "cannot write to $src"
flock 9
[ -e "$src/$name.ok" ] && [ -d "$src/$name/." ] && exit 0

need_tools apt-get:apt dpkg-source:dpkg-dev
echo "fetching the Debian source package $name"
apt_prepare apt deb-src
work=$src/.$name.new
rm -rf "$work"
mkdir "$work" || exit 1
(cd "$work" && apt-get source --download-only "$name") >> "$log" 2>&1 ||
	fail "$name could not be fetched: $(grep -m 1 '^E:' "$log" || tail -n 1 "$log")"
dsc=$(ls "$work"/*.dsc)
version=$(sed -n 's/^Version: *//p' "$dsc" | head -n 1)
accepted "${version#*:}" ||
	fail "$name $version is in Debian's archive here; this was tried with $versions only"
dpkg-source -x "$dsc" "$work/tree" >> "$log" 2>&1 ||
	fail "$name could not be unpacked: $(tail -n 1 "$log")"
rm -rf "${src:?}/$name-$version"
mv "$work/tree" "$src/$name-$version" && ln -sfn "$name-$version" "$src/$name" || exit 1
rm -rf "$work"
echo "$version" > "$src/$name.ok"
echo "  $name $version in $src/$name"
