"""Airflow keeps the time: thin DAGs around `outcry.pipeline`."""
