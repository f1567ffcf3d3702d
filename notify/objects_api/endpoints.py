"""The calls of the admin app (contract: admin-app 2.1): PUT, GET, HEAD and copy of objects at
`/objects/<bucket>/<key>`. Buckets are created at their first use.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from flask import Blueprint, Request, Response, request
from werkzeug.exceptions import HTTPException

from notify.infra.container import Container
from notify.infra.http import read_body
from notify.infra.objects import Bucket, Details, InvalidKeyError, ObjectInfo, ObjectMissingError, is_bucket_name
from notify.infra.request_gate import allow_large_body
from notify.infra.times import format_datetime as iso_time
from notify.infra.times import utc_now
from notify.objects_api import bodies, signatures
from notify.objects_api.access import PREFIX, credentials_of
from notify.objects_api.faults import FaultError, answer
from notify.objects_api.signatures import SignedRequest

METADATA: Final = "x-amz-meta-"
USUAL_TYPE: Final = "binary/octet-stream"
MOST_METADATA_BYTES: Final = 2048


def blueprint(container: Container) -> Blueprint:
    """The endpoints, for Flask to serve."""
    routes = Blueprint("objects_api", __name__, url_prefix=PREFIX)
    credentials, objects = credentials_of(container.parts.settings), container.parts.objects

    @routes.errorhandler(FaultError)
    def refused(error: FaultError) -> Response:
        return answer(error, request.path)

    @routes.errorhandler(ObjectMissingError)
    def missing(_error: ObjectMissingError) -> Response:
        return answer(FaultError("NoSuchKey", "The specified key does not exist.", 404), request.path)

    @routes.errorhandler(InvalidKeyError)
    def invalid(_error: InvalidKeyError) -> Response:
        return answer(FaultError("InvalidArgument", "There can be no object with that key"), request.path)

    @routes.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        code = "EntityTooLarge" if error.code == 413 else "InvalidRequest"
        return answer(FaultError(code, error.name, error.code or 400), request.path)

    @routes.before_request
    def authenticate() -> None:
        if not credentials.secret:
            raise FaultError("AccessDenied", "The admin app has no secret", 403)
        headers = _headers(request)
        query = parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True)
        signed = SignedRequest(request.method, request.path, query, headers)
        request.environ["notify.payload"] = signatures.check(signed, credentials, utc_now())
        allow_large_body(request.environ)

    @routes.get("/<bucket>/<path:key>")
    def get_object(bucket: str, key: str) -> Response:
        """GET, and HEAD, which Flask answers without the content."""
        place = objects.bucket(_bucket_name(bucket))
        info = place.info(key)
        headers = _described(info)
        if request.method == "HEAD":
            response = Response(headers=headers)
            response.content_length = info.size
            return response
        content = place.get(key)
        headers["x-amz-checksum-crc32"] = bodies.crc32(content)
        return Response(content, headers=headers)

    @routes.put("/<bucket>/<path:key>")
    def put_object(bucket: str, key: str) -> Response:
        """PUT of content, or of a copy."""
        target, headers = objects.bucket(_bucket_name(bucket)), _headers(request)
        content = bodies.checked(read_body(request), headers, request.environ["notify.payload"])
        source = headers.get("x-amz-copy-source")
        if source is None:
            etag = target.put(key, content, _given(headers))
            return Response(headers={"ETag": f'"{etag}"'})
        source_bucket, _, source_key = unquote(source.partition("?")[0]).lstrip("/").partition("/")
        return _copied(objects.bucket(_bucket_name(source_bucket)), source_key, target, key, headers)

    return routes


def _copied(source: Bucket, source_key: str, target: Bucket, key: str, headers: Mapping[str, str]) -> Response:
    kept, given = source.info(source_key).details, _given(headers)
    replaces = headers.get("x-amz-metadata-directive", "COPY").upper() == "REPLACE"
    replaces_tags = headers.get("x-amz-tagging-directive", "COPY").upper() == "REPLACE"
    about = given if replaces else kept
    details = Details(about.metadata, about.content_type, given.tags if replaces_tags else kept.tags)
    if source is target and source_key == key:
        if not replaces and not replaces_tags:
            raise FaultError("InvalidRequest", "A copy of an object onto itself must change its metadata")
        etag = target.replace_details(key, details)
    else:
        etag = target.put(key, source.get(source_key), details)
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<CopyObjectResult>'
        f"<LastModified>{iso_time(utc_now())}</LastModified><ETag>&quot;{etag}&quot;</ETag></CopyObjectResult>"
    )
    return Response(body, content_type="application/xml")


def _headers(asked: Request) -> dict[str, str]:
    """The headers, with those of metadata spelt as signed: `x-amz-meta-original_file_name`."""
    signed = signatures.signed_names(asked.headers.get("Authorization", ""))
    spelt = {name.replace("_", "-"): name for name in signed}
    names = ((name.lower(), value) for name, value in asked.headers.items())
    return {spelt.get(name, name): value for name, value in names}


def _bucket_name(name: str) -> str:
    if not is_bucket_name(name):
        raise FaultError("InvalidBucketName", "The specified bucket is not valid.")
    return name


def _given(headers: Mapping[str, str]) -> Details:
    """The details of an object, from a request's headers. Raises `FaultError`."""
    metadata = {name.removeprefix(METADATA): value for name, value in headers.items() if name.startswith(METADATA)}
    if sum(len(name) + len(value) for name, value in metadata.items()) > MOST_METADATA_BYTES:
        raise FaultError("MetadataTooLarge", "The metadata of an object must be smaller than 2 KB")
    tags = dict(parse_qsl(headers.get("x-amz-tagging", ""), keep_blank_values=True))
    return Details(metadata, headers.get("content-type"), tags)


def _described(info: ObjectInfo) -> dict[str, Any]:
    details = info.details
    headers: dict[str, Any] = {f"{METADATA}{name}": value for name, value in details.metadata.items()}
    headers |= {
        "ETag": f'"{info.etag}"',
        "Last-Modified": format_datetime(info.modified, usegmt=True),
        "Content-Type": details.content_type or USUAL_TYPE,
        "Accept-Ranges": "none",
        "x-amz-server-side-encryption": "AES256",
    }
    if details.tags:
        headers["x-amz-tagging-count"] = str(len(details.tags))
    return headers
