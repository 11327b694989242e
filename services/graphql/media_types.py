"""Which media type an answer has: the GraphQL-over-HTTP draft knows two, and their status codes differ.

`application/graphql-response+json` says with 4xx that the request itself was wrong. `application/json` is for older
clients, which expect 200 for whatever was well-formed JSON.
"""

from typing import Final

from aiohttp import web

GRAPHQL: Final = "application/graphql-response+json"
JSON: Final = "application/json"


def answer_type(request: web.Request) -> str:
    """The known type that the Accept header prefers; JSON when it names none."""
    best, best_weight = JSON, 0.0
    for part in ",".join(request.headers.getall("Accept", ())).split(","):
        name, _, parameters = part.partition(";")
        weight = _weight(parameters)
        if name.strip().lower() in (GRAPHQL, JSON) and weight > best_weight:
            best, best_weight = name.strip().lower(), weight
    return best


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
