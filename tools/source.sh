#!/bin/sh
# SPDX-License-Identifier: MIT
# source.sh NAME VERSION... - fetch a Debian source package into build/src/, and unpack it there.
#
# Any user may run it: deb-src lines are derived from the machine's own apt configuration into a
# private one under build/src/apt; the system's is only read.  apt checks signatures and checksums.
# Accepted are the upstream VERSIONs named (what it was tried with).  build/src/NAME becomes a link
# to the unpacked tree, build/src/NAME.ok says it is whole.  What is there already is not fetched.
set -u
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
name=${1:?usage: source.sh NAME VERSION...}
shift
src=${SRC:-build/src}
apt=$src/apt
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

fail() {
	echo "source.sh: $*" >&2
	exit 1
}

accepted() {    # accepted VERSION: is this upstream version one that was tried?
	for v in $versions; do
		case $1 in "$v"|"$v"[+~-]*) return 0 ;; esac
	done
	return 1
}
versions=$*

[ -e "$src/$name.ok" ] && [ -d "$src/$name/." ] && exit 0
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" || fail "cannot write to $src"
# Two builds at once: the second waits and finds it there.
exec 9> "$src/.lock" || fail "cannot write to $src"
flock 9
[ -e "$src/$name.ok" ] && [ -d "$src/$name/." ] && exit 0

for tool in apt-get:apt dpkg-source:dpkg-dev; do
	command -v "${tool%%:*}" > /dev/null 2>&1 ||
		fail "${tool%%:*} is missing; as root: apt-get install --no-install-recommends ${tool#*:}"
done
[ -e "$keyring" ] || fail "$keyring is missing; as root: apt-get install debian-archive-keyring"

root=$(cd "$apt" && pwd)
config() {      # config FILE SOURCELIST SOURCEPARTS: an apt configuration with state of its own
	cat > "$1" << END
Dir::State "$root";
Dir::State::Lists "$root/lists";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$root/cache";
Dir::Etc::SourceList "$2";
Dir::Etc::SourceParts "$3";
Acquire::Languages "none";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::Retries "3";
END
	[ "$(id -u)" != 0 ] || echo 'APT::Sandbox::User "root";' >> "$1"
}
targets() {     # targets [CONFIG]: address, release and component of each Debian repository in use
	APT_CONFIG=${1:-} apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' 2> /dev/null | sort -u
}

log=$src/apt.log
list=$(targets)
if [ -z "$list" ]; then
	# The system has no package lists (a container deletes them): fetch them for ourselves.
	config "$apt/system.conf" /etc/apt/sources.list /etc/apt/sources.list.d
	APT_CONFIG=$apt/system.conf apt-get update > "$log" 2>&1 ||
		fail "the package lists could not be fetched (is there a network?): $(tail -n 1 "$log")"
	list=$(targets "$apt/system.conf")
fi
[ -n "$list" ] || fail "apt knows no Debian repository: $name comes as a Debian source package"
echo "$list" | while IFS='|' read -r uri release component; do
	printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: %s\nSigned-By: %s\n\n' \
		"$uri" "$release" "$component" "$keyring"
done > "$apt/exo.sources"
config "$apt/source.conf" "$root/exo.sources" /dev/null
export APT_CONFIG="$root/source.conf"

echo "fetching the Debian source package $name"
apt-get update > "$log" 2>&1 ||
	fail "the lists of source packages could not be fetched: $(grep -m 1 '^[EW]:' "$log" || tail -n 1 "$log")"
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
