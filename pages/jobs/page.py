"""Jobs: running, queued and finished jobs, or the one that the query string names."""

from __future__ import annotations

from fer_ui.frame.header import page_header
from fer_ui.jobs.list_view import show_jobs
from fer_ui.jobs.one_job_view import show_one_job
from fer_ui.query_params import QueryParam, get_param


def main() -> None:
    header = page_header(
        "Jobs", "Training runs, imports and other background work. They keep running when you close the app."
    )
    job_id = get_param(QueryParam.JOB)
    if not job_id or not show_one_job(job_id):
        show_jobs(header)


main()
