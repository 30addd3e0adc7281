"""The archive: the log of closed days as Parquet files in S3, which outlive the log itself."""

from daybook.archive.days import read_day
from daybook.archive.job import Archived, archive_days
from daybook.archive.notes import note_arrivals
from daybook.archive.parquet import read_archived

__all__ = ["Archived", "archive_days", "note_arrivals", "read_archived", "read_day"]
