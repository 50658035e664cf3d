#!/bin/sh
# PostgreSQL with the environment of the official image: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, PGDATA.
# There is no psql among the embedded programs, so the first statements are given to a single-user server.
set -eu
programs=${POSTGRES_PROGRAMS:-/flotilla/postgres/bin}
template=${POSTGRES_TEMPLATE:-/flotilla/postgres-template}
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
quoted() { printf "%s" "$1" | sed "s/'/''/g"; }

# A folder that was being made when the last attempt was killed is not a database.
rm -rf "$PGDATA.new"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  : "${POSTGRES_PASSWORD:?POSTGRES_PASSWORD is empty}"
  mkdir -p "$(dirname "$PGDATA")"
  if [ -s "$template/PG_VERSION" ]; then
    cp -R "$template" "$PGDATA.new"
  else
    "$programs/initdb" --pgdata="$PGDATA.new" --username=postgres --auth=scram-sha-256 --pwfile=/dev/fd/3 \
      --encoding=UTF8 --locale=C.UTF-8 --no-sync 3<<END >/dev/null
unused
END
    # initdb takes over a second; a copy of what it made does not. Whoever is second to rename loses nothing.
    if [ -d "$template" ] && [ -w "$template" ]; then
      cp -R "$PGDATA.new/." "$template/.new.$$" && mv "$template/.new.$$"/* "$template/" || true
      rm -rf "$template/.new.$$"
    fi
  fi
  chmod 0700 "$PGDATA.new"
  printf 'host all all all scram-sha-256\n' >"$PGDATA.new/pg_hba.conf"
  {
    if [ "$user" != postgres ]; then printf 'create role "%s" superuser login;\n' "$user"; fi
    printf "alter role \"%s\" with password '%s';\n" "$user" "$(quoted "$POSTGRES_PASSWORD")"
    if [ "$database" != postgres ]; then printf 'create database "%s" owner "%s";\n' "$database" "$user"; fi
  } | "$programs/postgres" --single -D "$PGDATA.new" postgres >/dev/null
  sync
  mv "$PGDATA.new" "$PGDATA"
fi
# A server that was killed leaves its lock; in this container nobody else can hold it.
rm -f "$PGDATA/postmaster.pid"
exec "$programs/postgres" -D "$PGDATA" -c "listen_addresses=${HOST:-*}" -p "${PORT:-5432}" -c unix_socket_directories= \
  -c dynamic_shared_memory_type=mmap -c shared_buffers=16MB -c max_connections=50
