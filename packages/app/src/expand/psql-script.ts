/**
 * What applies migrations where only the official PostgreSQL image is at hand: the same rules as our own runner (package
 * flotilla, migrate.ts), in sh and psql. Both keep the table flotilla_migrations (name, checksum, applied_at).
 *
 * One psql session holds the advisory lock for as long as it reads the script that this one writes to it, so two runs at
 * once wait for each other. (The lines are printed by printf: the echo of some shells reads backslashes.) \gset and \if decide in psql itself whether a file is new, known or changed.
 */

/** The advisory lock of migrations: "flotilla" as a number. Runner and script must agree. */
const migrationLock = 7_381_240_317;

export function migrationScript(folder: string): string {
  return `set -eu
line() { printf '%s\\n' "$1"; }
until pg_isready --quiet --timeout=2; do echo "waiting for the database at $PGHOST:$PGPORT"; sleep 1; done
{
  line "\\set ON_ERROR_STOP on"
  line "set client_min_messages to warning;"
  line "select pg_advisory_lock(${migrationLock}) \\g /dev/null"
  line "create table if not exists flotilla_migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now());"
  for file in ${folder}/*.sql; do
    name=$(basename "$file")
    sum=$(sha256sum "$file" | cut -d ' ' -f 1)
    quoted=$(printf %s "$name" | sed "s/'/''/g")
    line "select count(*) = 0 as new, count(*) filter (where checksum <> '$sum') > 0 as changed from flotilla_migrations where name = '$quoted' \\gset"
    line "\\if :changed"
    line "\\warn '$quoted was changed after it was applied: put it back as it was and add a new file'"
    line "select flotilla_migration_was_changed();"
    line "\\endif"
    line "\\if :new"
    line "begin;"
    line "\\i '$quoted'" | sed "s|'|'${folder}/|"
    line "insert into flotilla_migrations (name, checksum) values ('$quoted', '$sum');"
    line "commit;"
    line "\\echo applied '$quoted'"
    line "\\endif"
  done
} | psql --no-psqlrc --quiet
`;
}
