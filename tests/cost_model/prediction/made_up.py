"""Calibration points of a made-up technology whose law is known."""

import numpy as np

from multipede.cost_model.prediction.calibration import Origin
from multipede.cost_model.prediction.families import FAMILIES, family_points, read_families
from multipede.cost_model.prediction.fitting import Sample, calibrated
from multipede.cost_model.prediction.measures import measures
from multipede.cost_model.prediction.models import quantities
from multipede.hw import Style

UNITS = {"area": "um2", "delay": "ps", "energy_per_record": "pJ"}
ORIGIN = Origin("made up", "cells", "a law", {"law": "1"}, UNITS)
FAMILIES_TAKEN = {"integer": "integer_multiplier", "bitmod": None, "lmul": "lmul"}
"""families, and units of them where not all are taken"""


def law(measured):
    """Of a sample's figures."""
    area = measured.gates + 0.5 * measured.operators.get("full_adder", 0)
    depth = measured.depth or 10 * measured.shape["operator bits"] ** 0.3
    return {"area": area, "delay": 40 * depth, "energy_per_record": 1e-3 * measured.gates**1.1}


def points(seed=1, number=12):
    """Group and specification of points of some families."""
    found = []
    for family, name in FAMILIES_TAKEN.items():
        spaces = [s for s in read_families(FAMILIES)[family] if name in (None, s.unit)]
        found += [((family, s.unit), s) for s in family_points(spaces, number, seed)]
    return found


def samples(noise=0.0, seed=1):
    """Points, their figures off by about ``noise``."""
    generator = np.random.default_rng(seed)
    found = []
    for group, spec in points(seed):
        measured = measures(spec, Style.CELLS)
        off = np.exp(noise * generator.standard_normal(3))
        figures = {name: v * f for (name, v), f in zip(law(measured).items(), off, strict=True)}
        found.append(Sample(group, measured, figures))
    return found


def calibration(noise=0.0):
    """That of the samples."""
    return calibrated(samples(noise), quantities("n28"), ORIGIN)
