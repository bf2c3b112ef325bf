"""Named architectures, one per file, each readable alone."""

from chainrule.models import neurons
from chainrule.models.mlp import MLP

__all__ = ["MLP", "neurons"]
