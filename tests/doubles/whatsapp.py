"""WhatsApp's Cloud API on loopback: it holds messages against what Meta documents, and can fail with Meta's codes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from tests.doubles.http import HttpDouble, Request

TOKEN, PHONE_NUMBER_ID = "EAAB-test-token", "106540352242922"
TEMPLATE, LANGUAGE, PARAMETERS = "jira_sync_alert", "en", 3


class WhatsAppDouble(HttpDouble):
    @property
    def url(self) -> str:
        """The base address, as WHATSAPP_BASE_URL."""
        return f"http://127.0.0.1:{self.port}/v23.0"

    @property
    def environ(self) -> dict[str, str]:
        """The settings with which a notifier sends here, but for WHATSAPP_TO."""
        return {
            "WHATSAPP_BASE_URL": self.url,
            "WHATSAPP_TOKEN": TOKEN,
            "WHATSAPP_PHONE_NUMBER_ID": PHONE_NUMBER_ID,
            "WHATSAPP_TEMPLATE": TEMPLATE,
            "WHATSAPP_LANGUAGE": LANGUAGE,
        }

    @property
    def messages(self) -> list[list[str]]:
        """The parameters of the messages it took."""
        return [
            [one["text"] for one in request.body["template"]["components"][0]["parameters"]] for request in self.taken
        ]

    def plan_error(self, status: int, code: int, details: str = "", *, times: int = 1) -> None:
        """Fail the next requests with a code of Meta's."""
        self.plan(status, json.dumps(error_body(code, details)), times=times)

    def judge(self, request: Request) -> web.Response | None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response(error_body(190, "Invalid OAuth access token."), status=401)
        if request.path != f"/v23.0/{PHONE_NUMBER_ID}/messages":
            return web.json_response(error_body(100, "Unsupported post request."), status=400)
        if not (problem := problem_of(request.body)):
            return None
        self.refused.append(problem)
        code = 132000 if "number of parameters" in problem else 132001 if "template name" in problem else 100
        return web.json_response(error_body(code, problem), status=404 if code == 132001 else 400)

    def accept(self, request: Request, number: int) -> web.Response:
        to = request.body["to"]
        return web.json_response(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": to, "wa_id": to.lstrip("+")}],
                "messages": [{"id": f"wamid.{number}", "message_status": "accepted"}],
            }
        )


def error_body(code: int, details: str) -> dict[str, Any]:
    """An error as the Graph API sends it."""
    return {
        "error": {
            "message": f"(#{code}) {details}",
            "type": "OAuthException",
            "code": code,
            "error_data": {"messaging_product": "whatsapp", "details": details},
            "fbtrace_id": "AbCdEf",
        }
    }


def problem_of(body: Any) -> str:
    """What Meta would not take of a template message; empty when it takes it."""
    if not isinstance(body, dict):
        return "no JSON object"
    known = {"messaging_product", "recipient_type", "to", "type", "template", "biz_opaque_callback_data"}
    if unknown := set(body) - known:
        return f"unknown fields {sorted(unknown)}"
    if (body.get("messaging_product"), body.get("recipient_type"), body.get("type")) != (
        "whatsapp",
        "individual",
        "template",
    ):
        return "messaging_product, recipient_type or type"
    if not re.fullmatch(r"\+?\d{7,15}", str(body.get("to", ""))):
        return "to is no number"
    if len(body.get("biz_opaque_callback_data", "")) > 512:
        return "biz_opaque_callback_data of more than 512 characters"
    return _template_problem(body["template"])


def _template_problem(template: dict[str, Any]) -> str:
    if set(template) != {"name", "language", "components"}:
        return "template has other fields"
    if template["name"] != TEMPLATE or template["language"] != {"code": LANGUAGE}:
        return "template name does not exist in the translation"
    components = template["components"]
    if [component.get("type") for component in components] != ["body"]:
        return "components other than one body"
    return _parameters_problem(components[0]["parameters"])


def _parameters_problem(parameters: list[dict[str, str]]) -> str:
    if len(parameters) != PARAMETERS:
        return f"number of parameters {len(parameters)} does not match {PARAMETERS}"
    if any(set(one) != {"type", "text"} or one["type"] != "text" or not one["text"] for one in parameters):
        return "parameter without text"
    if any(re.search(r"[\n\t]| {5,}", one["text"]) for one in parameters):
        return "parameter has new-line/tab characters or more than 4 consecutive spaces"
    return "body of more than 1024 characters" if sum(len(one["text"]) for one in parameters) > 1024 else ""


@contextmanager
def whatsapp_double() -> Iterator[WhatsAppDouble]:
    """A Cloud API that takes messages of one template."""
    double = WhatsAppDouble()
    with double.serving():
        yield double
