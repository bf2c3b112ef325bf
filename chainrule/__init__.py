"""Chainrule: neural networks you can see through, at full speed."""

from chainrule import core, nn, ops
from chainrule.core import *  # noqa: F403
from chainrule.ops import *  # noqa: F403
