#!/usr/bin/env bash
# Bring Airflow's database up to date, declare the pools, and set the administrator's password.
# Safe to run at every start.
set -euo pipefail

airflow db migrate
airflow pools import "$(dirname "$0")/pools.json"
python - <<'PY'
import json
import os
from pathlib import Path

file = Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
file.touch(mode=0o600)
file.write_text(json.dumps({"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}) + "\n")
PY
