#!/usr/bin/env bash
# Backs up PostgreSQL with its own tools: full backups by pg_basebackup, and an archive of the WAL.
# Restores any moment of both. The script runs in the cluster (jobs.yaml, archive_command) and on a
# laptop (npx boxoffice backup, npx boxoffice restore).
#
#   archive PATH NAME    archive_command: copies one finished WAL file to $BACKUPS/wal atomically
#   fetch NAME PATH      restore_command: copies it back
#   full                 makes a full backup of $DATABASE_URL (or of the URL in $DATABASE_URL_FILE);
#                        keeps the newest $KEEP_FULL full backups and their WAL
#   list                 lists the full backups, oldest first
#   restore DIR [TIME]   unpacks the newest full backup that ended before TIME
#                        (2026-11-24T20:00:00Z; default: the newest) into the empty folder DIR. The
#                        server that starts on it replays the WAL up to TIME, or to its end
#   drill DIR            restores the newest, starts a server on it, checks every table and index by
#                        pg_amcheck, and $INVARIANTS, stops it; exit code 0 only if all checks pass
#   amcheck DATABASE     checks every table and index of a running server: a name or a URL
#
# $BACKUP_KEY_FILE encrypts all output (AES-256) with a key made of the file's first line. Without
# that file the backups are lost.
set -euo pipefail
umask 077

fail() { echo "backup: $*" >&2; exit 1; }
: "${BACKUPS:?must name the folder of the backups}"
FULL=$BACKUPS/full WAL=$BACKUPS/wal
SELF=$(readlink -f "$0")
DAMAGED_LOG='checksum in record|record with in|invalid (magic|info|record|resource)|unexpected pageaddr'

cipher() {
  openssl enc -aes-256-ctr -pbkdf2 -iter 100000 -md sha256 -pass "file:$BACKUP_KEY_FILE" "$@"
}
seal() { if [ -n "${BACKUP_KEY_FILE:-}" ]; then gzip -1 | cipher; else gzip -1; fi; }
# Detects encryption per file: an archive that began without a key stays readable with one.
unseal() {
  if [ "$(head -c 8 "$1" | tr -d '\0')" != Salted__ ]; then gzip -dc < "$1"; return; fi
  [ -n "${BACKUP_KEY_FILE:-}" ] || fail "$1 is encrypted; BACKUP_KEY_FILE names no key"
  cipher -d < "$1" | gzip -dc
}

archive() {
  local target=$WAL/$2.gz
  mkdir -p "$WAL"
  # The server repeats a file whose outcome it does not know. Other content under the same name
  # comes from another server.
  if [ -e "$target" ]; then
    unseal "$target" | cmp -s - "$1" || fail "$2 is in the archive with other content"
    return
  fi
  seal < "$1" > "$target.part"
  sync "$target.part"
  mv "$target.part" "$target"
}

fetch() {
  # Exit code 1 means "not found" and ends a recovery. An unreadable file returns another code.
  [ -e "$WAL/$1.gz" ] || exit 1
  unseal "$WAL/$1.gz" > "$2" || exit 255
}

full() {
  [ -z "${DATABASE_URL_FILE:-}" ] || DATABASE_URL=$(cat "$DATABASE_URL_FILE")
  mkdir -p "$FULL"
  local part
  part=$(mktemp -d "$FULL/.part-XXXXXX")
  trap 'rm -rf "$part"' EXIT
  pg_basebackup -d "$DATABASE_URL" -D - -Ft -X none --checkpoint=fast \
    --manifest-checksums=SHA256 2> "$part/messages" | seal > "$part/base.tar.gz" \
    || fail "$(cat "$part/messages")"
  rm "$part/messages"
  # The first WAL file that the backup needs. pg_archivecleanup keeps the files from there on.
  unseal "$part/base.tar.gz" | tar -xO backup_label | sed -n 's/.*(file \(.*\))/\1/p' > "$part/first-wal"
  [ -s "$part/first-wal" ] || fail "the backup has no label"
  sync "$part/base.tar.gz"
  # Named by the second after its end: a recovery to an earlier moment cannot start from it.
  local name
  name=$(date -u -d '+1 second' +%Y%m%dT%H%M%SZ)
  mv "$part" "$FULL/$name"
  trap - EXIT
  forget
  # Last step: metrics and alerts must count complete backups only.
  psql -d "$DATABASE_URL" -Xq -v ON_ERROR_STOP=1 \
    -c "INSERT INTO backup_run (name) VALUES ('$name')"
  echo "$name"
}

forget() {
  local keep=${KEEP_FULL:-7} old oldest
  list | head -n "-$keep" | while read -r old; do rm -rf "${FULL:?}/$old"; done
  oldest=$(list | head -n 1)
  pg_archivecleanup -x .gz "$WAL" "$(cat "$FULL/$oldest/first-wal")"
}

list() { find "$FULL" -mindepth 1 -maxdepth 1 -type d -name '2*Z' -printf '%f\n' 2> /dev/null | sort; }

restore() {
  local target=$1 moment=${2:-} name limit=99999999T999999Z
  [ -z "$moment" ] || limit=$(date -u -d "$moment" +%Y%m%dT%H%M%SZ) ||
    fail "$moment is not a time; write 2026-11-24T20:00:00Z"
  name=$(list | awk -v limit="$limit" '$0 <= limit' | tail -n 1)
  [ -n "$name" ] ||
    fail "there is no full backup from before ${moment:-now} in $FULL"
  mkdir -p "$target"
  [ -z "$(ls -A "$target")" ] || fail "$target is not empty"
  unseal "$FULL/$name/base.tar.gz" | tar -x -C "$target"
  chmod 700 "$target"
  pg_verifybackup --no-parse-wal "$target" > /dev/null
  touch "$target/recovery.signal"
  {
    printf '%s\n' "restore_command = 'BACKUPS=\"$BACKUPS\" BACKUP_KEY_FILE=\"${BACKUP_KEY_FILE:-}\"\
 bash \"$SELF\" fetch \"%f\" \"%p\"'"
    echo "recovery_target_action = 'promote'"
    # Also without a moment: the backup of a restored server still contains the earlier target.
    target_time=$([ -z "$moment" ] || date -u -d "$moment" '+%Y-%m-%d %H:%M:%S.%N+00')
    echo "recovery_target_time = '$target_time'"
  } >> "$target/postgresql.auto.conf"
  echo "$name"
}

# Finds what a checksum cannot: an index that disagrees with its table, a row that makes no sense.
amcheck() {
  local found
  found=$(PGOPTIONS="-c statement_timeout=0 -c lock_timeout=0" pg_amcheck --install-missing \
    --parent-check --heapallindexed "$@" 2>&1) || fail "pg_amcheck found damage: ${found:0:2000}"
}

drill() {
  # Global, because the trap at the script's end uses it.
  target=$1
  local began=$SECONDS name broken
  rm -rf "$target" "$target.socket"
  name=$(restore "$target")
  # Only this user can connect: the socket lies in a closed folder.
  mkdir "$target.socket"
  echo 'local all all trust' > "$target.hba"
  # The copy must not write to the archive: its WAL is another timeline.
  pg_ctl -D "$target" -w -t 3600 -l "$target.log" start \
    -o "-c listen_addresses='' -c unix_socket_directories='$target.socket' \
    -c hba_file='$target.hba' -c archive_mode=off -c hot_standby=off" > /dev/null ||
    { tail "$target.log" >&2; exit 1; }
  trap 'pg_ctl -D "$target" -m immediate stop > /dev/null
    rm -rf "$target" "$target.socket" "$target.hba" "$target.log"' EXIT
  # The role's own time-out is that of a sale.
  export PGOPTIONS="-c statement_timeout=0"
  ask() { psql -h "$target.socket" -U boxoffice -d boxoffice -XqAt -v ON_ERROR_STOP=1 "$@"; }
  # The server accepts connections after the WAL is replayed.
  until ask -c 'SELECT 1' > /dev/null 2>&1; do
    pg_ctl -D "$target" status > /dev/null || { tail "$target.log" >&2; exit 1; }
    sleep 0.2
  done
  # PostgreSQL takes a record that it cannot read for the end of the log.
  ! damage=$(grep -m 1 -E "$DAMAGED_LOG" "$target.log") || fail "damaged log: $damage"
  amcheck -h "$target.socket" -U boxoffice boxoffice
  broken=$(ask -f "$INVARIANTS")
  newest=$(ask -c "SELECT coalesce(max(purchased_at)::text, 'none') FROM event_tickets")
  echo "restored $name and all WAL after it in $((SECONDS - began)) s; newest ticket $newest"
  [ -z "$broken" ] || fail "the restored database breaks invariants: $broken"
}

command=${1:-}
[ $# -gt 0 ] && shift
case $command in
  archive | fetch | full | list | restore | drill | amcheck) "$command" "$@" ;;
  *) sed -n '2,/^set/p' "$0" | sed '$d' >&2; exit 2 ;;
esac
