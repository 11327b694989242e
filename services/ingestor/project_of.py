"""Which project a message of Temporal's is about. `libs.temporal` knows no events, so it cannot say so itself."""

from typing import Protocol

from libs.events import ProjectKey


class AboutProject(Protocol):
    """A command, or a step of a run."""

    @property
    def site(self) -> str: ...
    @property
    def project(self) -> str: ...


def project_of(message: AboutProject) -> ProjectKey:
    """The project's key; its own part is empty where the message concerns the site as a whole."""
    return ProjectKey(message.site, message.project)


def control_entity(project: ProjectKey) -> str:
    """Whose control stream holds what is decided about it: the project's, or that of its site as a whole."""
    return project.key or project.site
