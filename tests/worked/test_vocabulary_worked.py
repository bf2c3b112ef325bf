"""Worked examples of the elementary vocabulary: running products, spectra, spectral norms."""

import numpy as np
import pytest

import chainrule as cr


@pytest.mark.worked("003-19.4")
def test_what_is_left_of_the_signal_after_three_noising_steps(worked):
    """003 §19.4: the running product of 1 − β."""
    left = cr.cumprod(1 - np.array([0.1, 0.2, 0.3]))[-1]
    worked("003-19.4").check([left, cr.sqrt(left), 1 - left])


@pytest.mark.worked("000-16.Q7")
def test_a_gradient_through_forget_gates_is_their_product(worked):
    worked("000-16.Q7").check(cr.prod(np.array([0.9, 0.8, 0.7])))


@pytest.mark.worked("002-A.9")
def test_a_circular_convolution_by_spectra(worked):
    """002 (A.9), yₜ = Σₛ wₛ xₜ₊ₛ: the product of one spectrum with the conjugate of the other."""
    w, x = np.array([1.0, 2.0, 3.0]), np.array([1.0, -2.0, 3.0, 5.0, 4.0])
    conjugate = cr.rfft(w, 5) * np.array([1.0, -1.0])
    worked("002-A.9").check(np.round(cr.irfft(cr.complex_multiply(conjugate, cr.rfft(x)), 5), 12))


@pytest.mark.worked("000-15.28")
def test_powers_of_a_matrix_follow_its_spectral_radius_not_its_norm():
    """000 §15.5.2: ρ < 1 sends ‖Wⁿ‖ to 0, and leaves ‖W‖ⁿ free to grow."""
    w = np.array([[0.5, 10.0], [0.0, 0.5]])
    np.testing.assert_allclose(cr.matrix_norm(w, 2), 10.024938, rtol=1e-7)
    fifth = np.linalg.matrix_power(w, 5)
    np.testing.assert_allclose(cr.matrix_norm(fifth, 2), 3.125312, rtol=1e-6)
    assert cr.matrix_norm(w, 2) ** 5 > 1e5
    assert cr.matrix_norm(np.linalg.matrix_power(w, 60), 2) < 1e-10
