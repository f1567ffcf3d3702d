"""XML Schema of a CAP 1.2 message, written from the text of the standard (OASIS, section 3.2)."""

from __future__ import annotations

from typing import Final

_NAMED_VALUES: Final = """
<xs:complexType name="NamedValue">
  <xs:sequence>
    <xs:element name="valueName" type="xs:string"/>
    <xs:element name="value" type="xs:string"/>
  </xs:sequence>
</xs:complexType>
"""

_DATE_TIME: Final = r"""
<xs:simpleType name="DateTime">
  <xs:restriction base="xs:dateTime">
    <xs:pattern value="\d\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d"/>
  </xs:restriction>
</xs:simpleType>
"""


def _words(name: str, *words: str) -> str:
    values = "".join(f'<xs:enumeration value="{word}"/>' for word in words)
    return f'<xs:simpleType name="{name}"><xs:restriction base="xs:string">{values}</xs:restriction></xs:simpleType>'


_CLOSED_LISTS: Final = "".join(
    (
        _words("Status", "Actual", "Exercise", "System", "Test", "Draft"),
        _words("MsgType", "Alert", "Update", "Cancel", "Ack", "Error"),
        _words("Scope", "Public", "Restricted", "Private"),
        _words(
            "Category",
            *("Geo", "Met", "Safety", "Security", "Rescue", "Fire"),
            *("Health", "Env", "Transport", "Infra", "CBRNE", "Other"),
        ),
        _words(
            "ResponseType",
            *("Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"),
        ),
        _words("Urgency", "Immediate", "Expected", "Future", "Past", "Unknown"),
        _words("Severity", "Extreme", "Severe", "Moderate", "Minor", "Unknown"),
        _words("Certainty", "Observed", "Likely", "Possible", "Unlikely", "Unknown"),
    )
)

_INFO: Final = """
<xs:complexType name="Info">
  <xs:sequence>
    <xs:element name="language" type="xs:language" default="en-US" minOccurs="0"/>
    <xs:element name="category" type="cap:Category" maxOccurs="unbounded"/>
    <xs:element name="event" type="xs:string"/>
    <xs:element name="responseType" type="cap:ResponseType" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="urgency" type="cap:Urgency"/>
    <xs:element name="severity" type="cap:Severity"/>
    <xs:element name="certainty" type="cap:Certainty"/>
    <xs:element name="audience" type="xs:string" minOccurs="0"/>
    <xs:element name="eventCode" type="cap:NamedValue" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="effective" type="cap:DateTime" minOccurs="0"/>
    <xs:element name="onset" type="cap:DateTime" minOccurs="0"/>
    <xs:element name="expires" type="cap:DateTime" minOccurs="0"/>
    <xs:element name="senderName" type="xs:string" minOccurs="0"/>
    <xs:element name="headline" type="xs:string" minOccurs="0"/>
    <xs:element name="description" type="xs:string" minOccurs="0"/>
    <xs:element name="instruction" type="xs:string" minOccurs="0"/>
    <xs:element name="web" type="xs:anyURI" minOccurs="0"/>
    <xs:element name="contact" type="xs:string" minOccurs="0"/>
    <xs:element name="parameter" type="cap:NamedValue" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="resource" type="cap:Resource" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="area" type="cap:Area" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence>
</xs:complexType>
<xs:complexType name="Resource">
  <xs:sequence>
    <xs:element name="resourceDesc" type="xs:string"/>
    <xs:element name="mimeType" type="xs:string"/>
    <xs:element name="size" type="xs:integer" minOccurs="0"/>
    <xs:element name="uri" type="xs:anyURI" minOccurs="0"/>
    <xs:element name="derefUri" type="xs:string" minOccurs="0"/>
    <xs:element name="digest" type="xs:string" minOccurs="0"/>
  </xs:sequence>
</xs:complexType>
<xs:complexType name="Area">
  <xs:sequence>
    <xs:element name="areaDesc" type="xs:string"/>
    <xs:element name="polygon" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="circle" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="geocode" type="cap:NamedValue" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="altitude" type="xs:decimal" minOccurs="0"/>
    <xs:element name="ceiling" type="xs:decimal" minOccurs="0"/>
  </xs:sequence>
</xs:complexType>
"""

_ALERT: Final = """
<xs:element name="alert">
  <xs:complexType>
    <xs:sequence>
      <xs:element name="identifier" type="xs:string"/>
      <xs:element name="sender" type="xs:string"/>
      <xs:element name="sent" type="cap:DateTime"/>
      <xs:element name="status" type="cap:Status"/>
      <xs:element name="msgType" type="cap:MsgType"/>
      <xs:element name="source" type="xs:string" minOccurs="0"/>
      <xs:element name="scope" type="cap:Scope"/>
      <xs:element name="restriction" type="xs:string" minOccurs="0"/>
      <xs:element name="addresses" type="xs:string" minOccurs="0"/>
      <xs:element name="code" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>
      <xs:element name="note" type="xs:string" minOccurs="0"/>
      <xs:element name="references" type="xs:string" minOccurs="0"/>
      <xs:element name="incidents" type="xs:string" minOccurs="0"/>
      <xs:element name="info" type="cap:Info" minOccurs="0" maxOccurs="unbounded"/>
      <xs:any namespace="http://www.w3.org/2000/09/xmldsig#" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence>
  </xs:complexType>
</xs:element>
"""

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
SCHEMA: Final = (
    f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:cap="{NAMESPACE}" targetNamespace="{NAMESPACE}" '
    f'elementFormDefault="qualified">{_ALERT}{_INFO}{_NAMED_VALUES}{_DATE_TIME}{_CLOSED_LISTS}</xs:schema>'
)
