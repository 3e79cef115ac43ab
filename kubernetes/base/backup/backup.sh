#!/usr/bin/env bash
# Backups of PostgreSQL with PostgreSQL's own tools: full ones by pg_basebackup, the WAL in between file by file, and any moment of both back.
# The same script runs in the cluster (jobs.yaml, the server's archive_command) and on a laptop (npx boxoffice backup, npx boxoffice restore).
#
#   archive PATH NAME    archive_command: one finished WAL file goes to $BACKUPS/wal, whole or not at all
#   fetch NAME PATH      restore_command: and comes back
#   full                 a full backup of $DATABASE_URL (or what $DATABASE_URL_FILE holds); keeps the newest $KEEP_FULL and their WAL
#   list                 the full backups, the oldest first
#   restore DIR [TIME]   the newest full backup that ended before TIME (2026-11-24T20:00:00Z; without: the newest) into the empty folder DIR, ready to be
#                        played to that moment, or to the end of the WAL, by the server that starts on it
#   drill DIR            restores the newest, starts a server on it, judges it by $INVARIANTS, stops it: exit code 0 only if all is well
#
# With $BACKUP_KEY_FILE everything written is encrypted (AES-256) with a key made of that file's first line. Without that file it is lost.
set -euo pipefail
umask 077

fail() { echo "backup: $*" >&2; exit 1; }
: "${BACKUPS:?names the folder of the backups}"
FULL=$BACKUPS/full WAL=$BACKUPS/wal
SELF=$(readlink -f "$0")

cipher() { openssl enc -aes-256-ctr -pbkdf2 -iter 100000 -md sha256 -pass "file:$BACKUP_KEY_FILE" "$@"; }
seal() { if [ -n "${BACKUP_KEY_FILE:-}" ]; then gzip -1 | cipher; else gzip -1; fi; }
# What is encrypted says so: an archive that began without a key can be read with one.
unseal() {
  if [ "$(head -c 8 "$1" | tr -d '\0')" != Salted__ ]; then gzip -dc < "$1"; return; fi
  [ -n "${BACKUP_KEY_FILE:-}" ] || fail "$1 is encrypted; BACKUP_KEY_FILE names no key"
  cipher -d < "$1" | gzip -dc
}

archive() {
  local target=$WAL/$2.gz
  mkdir -p "$WAL"
  # The server asks again when it does not know whether the last time went well. Another file under the same name is another server's.
  if [ -e "$target" ]; then unseal "$target" | cmp -s - "$1" || fail "$2 is in the archive with other content"; return; fi
  seal < "$1" > "$target.part"
  sync "$target.part"
  mv "$target.part" "$target"
}

fetch() {
  # Exit code 1: not there, which ends a recovery; a file that cannot be read must not look like that.
  [ -e "$WAL/$1.gz" ] || exit 1
  unseal "$WAL/$1.gz" > "$2" || exit 255
}

full() {
  [ -z "${DATABASE_URL_FILE:-}" ] || DATABASE_URL=$(cat "$DATABASE_URL_FILE")
  mkdir -p "$FULL"
  local part
  part=$(mktemp -d "$FULL/.part-XXXXXX")
  trap 'rm -rf "$part"' EXIT
  pg_basebackup -d "$DATABASE_URL" -D - -Ft -X none --checkpoint=fast --manifest-checksums=SHA256 2> "$part/words" | seal > "$part/base.tar.gz" \
    || fail "$(cat "$part/words")"
  rm "$part/words"
  # The first WAL file it needs; pg_archivecleanup keeps from there on.
  unseal "$part/base.tar.gz" | tar -xO backup_label | sed -n 's/.*(file \(.*\))/\1/p' > "$part/first-wal"
  [ -s "$part/first-wal" ] || fail "the backup has no label"
  sync "$part/base.tar.gz"
  # Named by the second after its end: a recovery to an earlier moment cannot begin here.
  local name
  name=$(date -u -d '+1 second' +%Y%m%dT%H%M%SZ)
  mv "$part" "$FULL/$name"
  trap - EXIT
  forget
  # Last: what metrics and alerts take for the newest backup is one that is whole.
  psql -d "$DATABASE_URL" -Xq -v ON_ERROR_STOP=1 -c "INSERT INTO backup_run (name) VALUES ('$name')"
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
  [ -z "$moment" ] || limit=$(date -u -d "$moment" +%Y%m%dT%H%M%SZ) || fail "$moment is no moment; give 2026-11-24T20:00:00Z"
  name=$(list | awk -v limit="$limit" '$0 <= limit' | tail -n 1)
  [ -n "$name" ] || fail "there is no full backup from before ${moment:-now} in $FULL"
  mkdir -p "$target"
  [ -z "$(ls -A "$target")" ] || fail "$target is not empty"
  unseal "$FULL/$name/base.tar.gz" | tar -x -C "$target"
  chmod 700 "$target"
  pg_verifybackup --no-parse-wal "$target" > /dev/null
  touch "$target/recovery.signal"
  {
    echo "restore_command = 'BACKUPS=\"$BACKUPS\" BACKUP_KEY_FILE=\"${BACKUP_KEY_FILE:-}\" bash \"$SELF\" fetch \"%f\" \"%p\"'"
    echo "recovery_target_action = 'promote'"
    # Also without one: the backup of a server that was restored itself still names its moment.
    echo "recovery_target_time = '$([ -z "$moment" ] || date -u -d "$moment" '+%Y-%m-%d %H:%M:%S.%N+00')'"
  } >> "$target/postgresql.auto.conf"
  echo "$name"
}

drill() {
  # Of the whole script, for what is undone at its end.
  target=$1
  local began=$SECONDS name broken
  rm -rf "$target" "$target.socket"
  name=$(restore "$target")
  # Nobody but us comes in, by a folder that is closed to others.
  mkdir "$target.socket"
  echo 'local all all trust' > "$target.hba"
  # Beside the archive it must write nothing: it is a copy, and its WAL another history.
  pg_ctl -D "$target" -w -t 3600 -l "$target.log" start -o "-c listen_addresses='' -c unix_socket_directories='$target.socket' \
    -c hba_file='$target.hba' -c archive_mode=off -c hot_standby=off" > /dev/null || { tail "$target.log" >&2; exit 1; }
  trap 'pg_ctl -D "$target" -m immediate stop > /dev/null; rm -rf "$target" "$target.socket" "$target.hba" "$target.log"' EXIT
  ask() { psql -h "$target.socket" -U boxoffice -d boxoffice -XqAt -v ON_ERROR_STOP=1 "$@"; }
  # It lets nobody in before it has played all there is.
  until ask -c 'SELECT 1' > /dev/null 2>&1; do
    pg_ctl -D "$target" status > /dev/null || { tail "$target.log" >&2; exit 1; }
    sleep 0.2
  done
  broken=$(ask -f "$INVARIANTS")
  echo "restored $name and all WAL after it in $((SECONDS - began)) s; newest ticket $(ask -c "SELECT coalesce(max(purchased_at)::text, 'none') FROM event_tickets")"
  [ -z "$broken" ] || fail "the restored database breaks: $broken"
}

command=${1:-}
[ $# -gt 0 ] && shift
case $command in
  archive | fetch | full | list | restore | drill) "$command" "$@" ;;
  *) sed -n '2,/^set/p' "$0" | sed '$d' >&2; exit 2 ;;
esac
