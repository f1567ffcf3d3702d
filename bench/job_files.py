"""Jobs, begun as the admin app begins them."""

from __future__ import annotations

import json
import time
import urllib.request
import uuid

import jwt

from bench.stack import Stack
from notify import settings
from notify.infra.container import Container
from notify.infra.objects import Details
from notify.infra.parts import build_parts


def begin_job(stack: Stack, notification_type: str, content: bytes, rows: int) -> str:
    """Put a CSV file into the store and begin its job, with the demo template of a type; the job's id."""
    demo, job_id = stack.demo, str(uuid.uuid4())
    template_id = demo["templates"][notification_type]
    metadata = {"template_id": template_id, "notification_count": str(rows), "valid": "True"}
    container = container_of(stack)
    bucket = container.parts.objects.bucket(container.parts.settings.s3_bucket_csv_upload)
    details = Details({**metadata, "original_file_name": "list.csv"})
    bucket.put(f"service-{demo['service_id']}-notify/{job_id}.csv", content, details)
    container.parts.close()
    client = demo["admin_client"]
    token = jwt.encode({"iss": client["id"], "iat": int(time.time())}, client["secret"], algorithm="HS256")
    request = urllib.request.Request(
        f"http://127.0.0.1:{stack.port}/service/{demo['service_id']}/job",
        data=json.dumps({"id": job_id, "created_by": demo["user"]["id"], "valid": "True"}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 201
    return job_id


def container_of(stack: Stack) -> Container:
    """The objects of a process beside those of the stack."""
    environment = stack.environment
    loaded = settings.load(
        notify_environment="development",
        sqlalchemy_database_uri=environment["SQLALCHEMY_DATABASE_URI"],
        redis_url=environment["REDIS_URL"],
        notify_data_dir=stack.folder,
    )
    return Container(build_parts(loaded))
