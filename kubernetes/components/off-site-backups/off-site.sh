#!/usr/bin/env bash
# A full backup on Sundays and a differential one on other days, off-site. pgBackRest makes the first
# one a full backup. Ends with an error when a backup fails: the pod's container is started again.
set -euo pipefail
until pgbackrest stanza-create; do sleep 10; done
while :; do
  kind=diff
  [ "$(date -u +%u)" != 7 ] || kind=full
  pgbackrest --type="$kind" backup
  sleep 86400
done
