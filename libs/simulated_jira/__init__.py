"""A Jira Cloud that runs on loopback: the endpoints the integrator uses, as Atlassian documents them.

Its data set can be changed while it runs, keeps a change log of its own from which tests compute what should have
arrived, and fails on demand. For demo and tests; the services never import it.
"""

from libs.simulated_jira.dataset import Dataset
from libs.simulated_jira.generate import Shape, generate
from libs.simulated_jira.server import EMAIL, TOKEN, Simulator, serve

__all__ = ["EMAIL", "TOKEN", "Dataset", "Shape", "Simulator", "generate", "serve"]
