"""What makes a recorded step fast: passes over its program, each tested alone, each can be left out.

    dead code     what nobody reads is not computed
    turned        a product that is only used transposed is made transposed
    affine        x wᵀ + b is cut into a product and an addition, so that the addition can join a chain
    copies        what is copied later is made in place at once
    chains        operations entry by entry pass over memory once
    gradients     gradients are made where they belong
    reuse         values that are not alive at the same time share memory
    shared memory PyTorch's tensors on the CPU are computed with by compiled kernels

Between them values are given their places (`views`): what strides can say costs nothing.
"""

from __future__ import annotations

from collections.abc import Collection

from chainrule.base.errors import OptionError
from chainrule.plan.passes.affine import cut_affine
from chainrule.plan.passes.chains import Joins, with_chains
from chainrule.plan.passes.copies import with_direct_copies
from chainrule.plan.passes.dead_code import without_dead_code
from chainrule.plan.passes.gradients import with_direct_stores
from chainrule.plan.passes.turned import with_turned_products
from chainrule.plan.passes.views import with_places
from chainrule.plan.program import Call, Draw, Instruction, Program

NAMES = ("dead code", "turned", "affine", "copies", "chains", "gradients", "reuse", "shared memory")
"""What can be left out: the passes in their order, the reuse of buffers, and the choice of kernels."""


def check_names(without: Collection[str]) -> None:
    """Refuse the name of a pass that does not exist.

    Raises:
        OptionError: there is none of this name.
    """
    for name in without:
        if name not in NAMES:
            raise OptionError(f"There is no pass {name!r} to leave out.", known=", ".join(NAMES))


def _draws_first(program: Program) -> Program:
    """Random numbers before everything else: they depend on nothing, and are made in Python."""
    draws = [line for line in program if isinstance(line, Draw)]
    return program.having([*draws, *(line for line in program if not isinstance(line, Draw))])


def writes_strided(line: Instruction) -> bool:
    """Whether a kernel writes results that lie with any strides as fast as others."""
    return isinstance(line, Call) and line.name in ("attention", "attention_back")


def prepared(program: Program, joins: Joins | None, without: Collection[str] = ()) -> Program:
    """The program after all passes that suit its executor; `joins` says which calls a chain can hold."""
    if "dead code" not in without:
        program = without_dead_code(program)
    if joins is not None and "affine" not in without:
        program = cut_affine(program)
    if "turned" not in without:
        program = with_turned_products(program)
    program = _draws_first(program)
    program = with_places(program) if "copies" in without else with_direct_copies(program, writes_strided)
    if joins is not None and "chains" not in without:
        program = with_chains(program, joins)
    return program if "gradients" in without else with_direct_stores(program)
