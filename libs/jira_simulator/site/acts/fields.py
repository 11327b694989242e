"""The fields of the site. A change of them has no entry in the log."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from libs.jira_simulator.site import catalogue
from libs.jira_simulator.site.acts.acting import Acts

TEXT_FIELD = "com.atlassian.jira.plugin.system.customfieldtypes:textfield"


class FieldActs(Acts):
    """Acts on custom fields."""

    def add_field(
        self,
        name: str,
        *,
        type: str = "string",  # noqa: A002 (Jira's name for it)
        items: str | None = None,
        custom: str = TEXT_FIELD,
        value: Any = None,
    ) -> dict[str, Any]:
        """A new custom field, in which every issue shows the value."""
        fields = self._dataset.directory.fields
        field = catalogue.custom_field(fields.take_id(), name, type, custom, items=items)
        return self._put_field(field, value)

    def remove_field(self, field: str) -> dict[str, Any]:
        """Delete a custom field: neither the list nor an issue shows it any more."""
        removed = self._custom_field(field)
        fields = self._dataset.directory.fields
        del fields.all[field]
        fields.values.pop(field, None)
        self._dataset.renderer.names_changed()
        return removed

    def retype_field(
        self,
        field: str,
        type: str,  # noqa: A002
        *,
        items: str | None = None,
        custom: str | UnsetType = UNSET,
        value: Any = UNSET,
    ) -> dict[str, Any]:
        """Give a custom field another type; with a value, one that every issue then shows."""
        old = self._custom_field(field)
        kind = old["schema"]["custom"] if custom is UNSET else custom
        return self._put_field(catalogue.custom_field(field, old["name"], type, kind, items=items), value)

    def rename_field(self, field: str, name: str) -> dict[str, Any]:
        schema = self._custom_field(field)["schema"]
        new = catalogue.custom_field(field, name, schema["type"], schema["custom"], items=schema.get("items"))
        return self._put_field(new, UNSET)

    def _put_field(self, field: dict[str, Any], value: Any) -> dict[str, Any]:
        fields = self._dataset.directory.fields
        fields.all[field["id"]] = field
        if value is not UNSET:
            fields.values[field["id"]] = value
            self._dataset.renderer.names_changed()
        return field
