#!/usr/bin/env bash
# Give a fresh Elasticsearch the roles of deploy/roles and the users that carry them, and
# Kibana's own user its password. Safe to run at every start: everything is set, not added.
set -euo pipefail

roles=${ROLES:-/roles}

put() { # method, path, body or @file
  curl --silent --show-error --fail --output /dev/null --max-time 60 \
    --config <(printf 'user = "elastic:%s"\n' "$ELASTIC_PASSWORD") \
    --request "$1" --header 'Content-Type: application/json' --data-binary "$3" \
    "$ELASTICSEARCH$2" || { echo "setup: $1 $2 was refused" >&2; exit 1; }
}

for name in ELASTIC_PASSWORD KIBANA_PASSWORD PIPELINE_PASSWORD DESK_PASSWORD ANALYST_PASSWORD; do
  if [[ ! ${!name} =~ ^[A-Za-z0-9_-]{6,}$ ]]; then
    echo "setup: $name must be 6 or more letters, digits, '_' and '-'" >&2
    exit 2
  fi
done

put POST /_security/user/kibana_system/_password "{\"password\":\"$KIBANA_PASSWORD\"}"
for file in "$roles"/*.json; do
  put PUT "/_security/role/$(basename "$file" .json)" "@$file"
done
put PUT /_security/user/outcry_pipeline \
  "{\"password\":\"$PIPELINE_PASSWORD\",\"roles\":[\"outcry_pipeline\"]}"
put PUT /_security/user/outcry_desk \
  "{\"password\":\"$DESK_PASSWORD\",\"roles\":[\"outcry_desk\"]}"
put PUT /_security/user/outcry_analyst \
  "{\"password\":\"$ANALYST_PASSWORD\",\"roles\":[\"outcry_analyst\"]}"
