"""CAP messages for tests."""

from __future__ import annotations

POLYGON = "51.5,-0.1 51.6,-0.1 51.6,0.0 51.5,-0.1"


def area(name: str = "Ash Weir", *polygons: str) -> str:
    inner = "".join(f"<polygon>{polygon}</polygon>" for polygon in polygons or (POLYGON,))
    return f"<area><areaDesc>{name}</areaDesc>{inner}</area>"


def cap(
    *areas: str,
    kind: str = "Alert",
    identifier: str = "4f6d28b10ab7aa447bbd46d85f1e9effE",
    description: str = "Water is rising. Go upstairs.",
    references: str | None = None,
    category: str = "Met",
    before: str = "",
) -> bytes:
    refers = "" if references is None else f"<references>{references}</references>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
        f"<identifier>{identifier}</identifier><sender>www.example.gov.uk</sender>"
        f"<sent>2020-02-16T23:01:13-00:00</sent><status>Actual</status><msgType>{kind}</msgType><source>Flood</source>"
        f"<scope>Public</scope>{refers}<info><language>en-GB</language><category>{category}</category>"
        "<event><![CDATA[053/055 Issue Severe Flood Warning EA]]></event><urgency>Immediate</urgency>"
        "<severity>Severe</severity><certainty>Likely</certainty><expires>2020-02-26T23:14:13-00:00</expires>"
        f"<senderName>Agency</senderName><description><![CDATA[{description}]]></description>"
        f"{''.join(areas or (area(),))}</info></alert>"
    ).encode()
