#!/bin/sh
# Makes random passwords once, and lays out for each reader what it needs, under the folder given as the argument.
# A second run changes nothing: passwords that are there stay.
set -eu
umask 022
root=$1

password() { # NAME: prints the password, made where there is none
  file="$root/origin/$1"
  if [ ! -s "$file" ]; then
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$file.new"
    mv "$file.new" "$file"
  fi
  cat "$file"
}

lay() { # FILE CONTENT: whole or not at all
  printf '%s\n' "$2" >"$root/$1.new"
  mv "$root/$1.new" "$root/$1"
}

for reader in origin postgres temporal nats database relay telemetry notifier doctor; do
  mkdir -p "$root/$reader"
done
chmod 700 "$root/origin"

database="postgresql://jdi:$(password jdi)@postgres:5432/jdi"
lay postgres/admin_password "$(password postgres)"
lay postgres/jdi_password "$(password jdi)"
lay postgres/temporal_password "$(password temporal)"
lay temporal/password "$(password temporal)"
lay nats/passwords.conf "ADMIN_PASSWORD: \"$(password nats-admin)\"
RELAY_PASSWORD: \"$(password nats-relay)\"
TELEMETRY_PASSWORD: \"$(password nats-telemetry)\"
NOTIFIER_PASSWORD: \"$(password nats-notifier)\"
DOCTOR_PASSWORD: \"$(password nats-doctor)\""
lay database/database_url "$database"
for user in relay telemetry notifier doctor; do
  lay "$user/database_url" "$database"
  lay "$user/nats_url" "nats://$user:$(password "nats-$user")@nats:4222"
done
