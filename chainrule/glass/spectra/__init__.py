"""Jacobians, Hessians, spectra and noise: functions, and callbacks that record them."""
