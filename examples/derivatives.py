"""Derivatives of any order, in both modes: sin(x²) and its slopes, checked."""

import math

import numpy as np

import chainrule as cr


def f(x):
    return cr.sin(x * x)


x = np.array(1.3)
slope = cr.grad(f)(x)
curvature = cr.grad(cr.grad(f))(x)
along = cr.jvp(cr.grad(f), (x,), (np.array(1.0),))[1]  # forward over reverse

print(f"f' {slope:.6f}   f'' {curvature:.6f} = {along:.6f}")
assert math.isclose(slope, 2 * 1.3 * math.cos(1.69), rel_tol=1e-12)
assert math.isclose(curvature, along, rel_tol=1e-12)
assert cr.check_gradients(f, x, order=2)
