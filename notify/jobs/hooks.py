"""What jobs do for messages: the names of the files that they came from."""

from notify.jobs.queries import file_names
from notify.messages.hooks import job_files

job_files.register(file_names)
