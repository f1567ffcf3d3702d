"""Provides the messages room with the names of jobs' files."""

from notify.jobs.queries import file_names
from notify.messages.hooks import job_files

job_files.register(file_names)
