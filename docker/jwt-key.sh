#!/bin/sh
# jwt-key.sh FILE: make the key that the auth service signs tokens with, once; later starts keep it.
set -eu

file=$1
[ -s "$file" ] && exit 0
umask 077
# Renamed when it is whole: a start that is cut short leaves no half of a key.
od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$file.new"
mv "$file.new" "$file"
