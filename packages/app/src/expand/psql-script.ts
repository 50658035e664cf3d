/**
 * What applies migrations where only the official PostgreSQL image is at hand: the same rules as our own runner (package
 * flotilla, migrate.ts), in sh and psql. Both keep the table flotilla_migrations (name, checksum, applied_at).
 *
 * One psql session holds the advisory lock for as long as it reads the script that this one writes to it, so two runs at
 * once wait for each other. \gset and \if decide in psql itself whether a file is new, known or changed.
 */

/** The advisory lock of migrations: "flotilla" as a number. Runner and script must agree. */
export const migrationLock = 7_381_240_317;

export function migrationScript(folder: string): string {
  return `set -eu
until pg_isready --quiet --timeout=2; do echo "waiting for the database at $PGHOST:$PGPORT"; sleep 1; done
{
  echo "\\set ON_ERROR_STOP on"
  echo "set client_min_messages to warning;"
  echo "select pg_advisory_lock(${migrationLock}) \\g /dev/null"
  echo "create table if not exists flotilla_migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now());"
  for file in ${folder}/*.sql; do
    name=$(basename "$file")
    sum=$(sha256sum "$file" | cut -d ' ' -f 1)
    quoted=$(printf %s "$name" | sed "s/'/''/g")
    echo "select count(*) = 0 as new, count(*) filter (where checksum <> '$sum') > 0 as changed from flotilla_migrations where name = '$quoted' \\gset"
    echo "\\if :changed"
    echo "\\warn '$quoted was changed after it was applied: put it back as it was and add a new file'"
    echo "select flotilla_migration_was_changed();"
    echo "\\endif"
    echo "\\if :new"
    echo "begin;"
    echo "\\i '$quoted'" | sed "s|'|'${folder}/|"
    echo "insert into flotilla_migrations (name, checksum) values ('$quoted', '$sum');"
    echo "commit;"
    echo "\\echo applied '$quoted'"
    echo "\\endif"
  done
} | psql --no-psqlrc --quiet
`;
}
