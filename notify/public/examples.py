"""Examples of a first message on the page of the public API: for curl, and for the official clients."""

from __future__ import annotations

from string import Template
from typing import Final, NamedTuple


class Example(NamedTuple):
    """Code that sends a text message and gets its status. `install` is a command, and may be empty."""

    name: str
    install: str
    code: str


_CURL: Final = """\
curl $server/v2/notifications/sms \\
  -H "Authorization: ApiKey-v1 $$API_KEY" -H "Content-Type: application/json" \\
  -d '{"phone_number": "$number", "template_id": "'$$TEMPLATE_ID'",
       "personalisation": {"name": "Amala", "date": "Monday"}}'
"""
_PYTHON: Final = """\
import os
from notifications_python_client import NotificationsAPIClient

client = NotificationsAPIClient(os.environ["API_KEY"], base_url="$server")
sent = client.send_sms_notification(
    phone_number="$number",
    template_id=os.environ["TEMPLATE_ID"],
    personalisation={"name": "Amala", "date": "Monday"},
)
print(client.get_notification_by_id(sent["id"])["status"])
"""
_NODE: Final = """\
const { NotifyClient } = require("notifications-node-client");

const client = new NotifyClient("$server", process.env.API_KEY);
client
  .sendSms(process.env.TEMPLATE_ID, "$number", { personalisation: { name: "Amala", date: "Monday" } })
  .then((sent) => client.getNotificationById(sent.data.id))
  .then((found) => console.log(found.data.status));
"""
_RUBY: Final = """\
require "notifications/client"

client = Notifications::Client.new(ENV["API_KEY"], "$server")
sent = client.send_sms(
  phone_number: "$number",
  template_id: ENV["TEMPLATE_ID"],
  personalisation: { name: "Amala", date: "Monday" }
)
puts client.get_notification(sent.id).status
"""
_PHP: Final = """\
<?php
require "vendor/autoload.php";

$$client = new \\Alphagov\\Notifications\\Client([
    "apiKey" => getenv("API_KEY"),
    "baseUrl" => "$server",
    "httpClient" => new \\Http\\Adapter\\Guzzle7\\Client(),
]);
$$sent = $$client->sendSms("$number", getenv("TEMPLATE_ID"), ["name" => "Amala", "date" => "Monday"]);
echo $$client->getNotification($$sent["id"])["status"], "\\n";
"""
_JAVA: Final = """\
import java.util.Map;
import uk.gov.service.notify.NotificationClient;

public class First {
    public static void main(String[] arguments) throws Exception {
        NotificationClient client = new NotificationClient(System.getenv("API_KEY"), "$server");
        var sent = client.sendSms(
            System.getenv("TEMPLATE_ID"), "$number", Map.of("name", "Amala", "date", "Monday"), null);
        System.out.println(client.getNotificationById(sent.getNotificationId().toString()).getStatus());
    }
}
"""
_NET: Final = """\
using Notify.Client;

var client = new NotificationClient("$server", Environment.GetEnvironmentVariable("API_KEY"));
var sent = client.SendSms(
    "$number",
    Environment.GetEnvironmentVariable("TEMPLATE_ID"),
    new Dictionary<string, dynamic> { ["name"] = "Amala", ["date"] = "Monday" });
Console.WriteLine(client.GetNotificationById(sent.id).status);
"""
_EXAMPLES: Final = (
    Example("curl", "", _CURL),
    Example("Python", "pip install notifications-python-client", _PYTHON),
    Example("Node.js", "npm install notifications-node-client", _NODE),
    Example("Ruby", "gem install notifications-ruby-client", _RUBY),
    Example(
        "PHP",
        "composer require php-http/guzzle7-adapter alphagov/notifications-php-client",
        _PHP,
    ),
    Example("Java", "uk.gov.service.notify:notifications-java-client, from Maven Central", _JAVA),
    Example(".NET", "dotnet add package GovukNotify", _NET),
)

NUMBER: Final = "07900900123"


def examples(server: str) -> list[Example]:
    """The examples, for a server at this address."""
    base = server.rstrip("/")
    return [one._replace(code=Template(one.code).substitute(server=base, number=NUMBER).rstrip()) for one in _EXAMPLES]
