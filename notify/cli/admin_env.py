"""`notify admin-env`: the environment of the official admin app for this instance (contract: admin-app 1, 2)."""

from __future__ import annotations

import shlex
from typing import Final

import click

from notify import settings as configuration
from notify.file_checks.access import ANTIVIRUS, DOCUMENT_DOWNLOAD, antivirus_secrets, document_download_secrets
from notify.file_checks.access import address_of as file_checks_address
from notify.objects_api.access import address_of, credentials_of
from notify.settings import Settings
from notify.template_preview.access import address_of as template_preview_address
from notify.template_preview.access import secrets_of

REGION: Final = "eu-west-1"


@click.command("admin-env")
def admin_env() -> None:
    """Print the environment of the official admin app for this instance.

    Use it in a shell: `eval "$(notify admin-env)"`.

    In development and test only: elsewhere the admin app has its own secrets and its own object store.
    """
    settings = configuration.load()
    if not settings.is_safe_environment:
        raise click.ClickException(f"refused in environment {settings.notify_environment!r}")
    for name, value in variables(settings).items():
        click.echo(f"export {name}={shlex.quote(value)}")


def variables(settings: Settings) -> dict[str, str]:
    """The admin app's environment, by variable."""
    address = settings.api_host_name.rstrip("/")
    credentials = credentials_of(settings)
    checks = file_checks_address(settings, DOCUMENT_DOWNLOAD)
    return {
        "NOTIFY_ENVIRONMENT": "development",
        "API_HOST_NAME": address,
        "ADMIN_BASE_URL": settings.admin_base_url,
        "ADMIN_CLIENT_ID": settings.admin_client_id,
        "ADMIN_CLIENT_SECRET": credentials.secret,
        "SECRET_KEY": settings.secret_key[-1],
        "DANGEROUS_SALT": settings.dangerous_salt,
        "TOKEN_SECRET_KEY": settings.token_secret_key,
        "REDIS_ENABLED": "1" if settings.redis_enabled else "0",
        "REDIS_URL": settings.redis_url,
        "AWS_ENDPOINT_URL": address_of(settings),
        "AWS_ACCESS_KEY_ID": credentials.key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "TEMPLATE_PREVIEW_API_HOST": template_preview_address(settings),
        "TEMPLATE_PREVIEW_API_KEY": secrets_of(settings)[0],
        "DOCUMENT_DOWNLOAD_API_HOST_NAME": checks,
        "DOCUMENT_DOWNLOAD_API_HOST_NAME_INTERNAL": checks,
        "DOCUMENT_DOWNLOAD_API_KEY": document_download_secrets(settings)[0],
        "ANTIVIRUS_ENABLED": "1",
        "ANTIVIRUS_API_HOST": file_checks_address(settings, ANTIVIRUS),
        "ANTIVIRUS_API_KEY": antivirus_secrets(settings)[0],
        "S3_BUCKET_CSV_UPLOAD": settings.s3_bucket_csv_upload,
        "S3_BUCKET_CONTACT_LIST_UPLOAD": settings.s3_bucket_contact_list,
        "S3_BUCKET_REPORT_REQUESTS_DOWNLOAD": settings.s3_bucket_report_requests_download,
        "S3_BUCKET_TEMPLATE_EMAIL_FILES": settings.s3_bucket_template_email_files,
        "S3_BUCKET_LETTER_ATTACHMENTS": settings.s3_bucket_letter_attachments,
        "S3_BUCKET_TRANSIENT_UPLOADED_LETTERS": settings.s3_bucket_transient_uploaded_letters,
        "S3_BUCKET_PRECOMPILED_ORIGINALS_BACKUP_LETTERS": settings.s3_bucket_precompiled_originals_backup_letters,
        "S3_BUCKET_LOGO_UPLOAD": settings.s3_bucket_logo_upload,
        "S3_BUCKET_MOU": settings.s3_bucket_mou,
    }
