"""Plans: a whole step recorded once, made fast by passes, replayed on named buffers; and seen through while it runs."""

from chainrule.plan.compile import Plan, PlanWarning, compile

__all__ = ["Plan", "PlanWarning", "compile"]
