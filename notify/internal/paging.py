"""Links between the pages of a list (contract: internal-jobs 0.2)."""

from __future__ import annotations

from typing import Any

from flask import request

from notify.infra import paging
from notify.infra.paging import Page


def links(page: Page[Any]) -> dict[str, str]:
    """The links of a page of the requested list. They keep the request's other parameters."""
    return paging.links(page, request.path, request.args.items(multi=True))
