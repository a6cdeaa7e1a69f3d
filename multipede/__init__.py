"""Multipede: mixed-precision processing elements, from specification to proved RTL and its cost.

Every public name is imported on first use, so that ``import multipede`` is quick::

    import multipede as mp

    spec = mp.MixPE(weight=mp.UINT4, activation=mp.INT8, group=128)
    mp.generate(spec, "build/")
    print(mp.verify(spec))
"""

from importlib import import_module

# Before anything else is loaded, so that it is remembered as it is loaded.
from multipede.golden import source_files as source_files

_HOMES = {
    "golden.bit_serial_tile": ("BitSerialTile",),
    "golden.bitmod_bit_serial_multiplier": ("BitModBitSerialMultiplier",),
    "golden.bitmod_dequantiser": ("BitModDequantiser",),
    "golden.bitmod_exponent_match": ("BitModExponentMatch",),
    "golden.bitmod_group_accumulator": ("BitModGroupAccumulator",),
    "golden.blocks": (
        "MXFP4",
        "MXFP6_E2M3",
        "MXFP6_E3M2",
        "MXFP8_E4M3",
        "MXFP8_E5M2",
        "MXINT8",
        "NVFP4",
        "ScaleRule",
        "SharedExponent",
        "block_floating_point",
    ),
    "golden.catalogue": ("spec_from_dict", "unit", "unit_names"),
    "golden.compensated_lmul": ("CompensatedLMul",),
    "golden.compensation_table": ("compensation_table",),
    "golden.dequantiser": ("Dequantiser",),
    "golden.dequantise_first_tile": ("DequantiseFirstTile",),
    "golden.float_adder": ("FloatAdder",),
    "golden.float_lut_tensor_core": ("FloatLutTensorCore",),
    "golden.float_multiplier": ("FloatMultiplier",),
    "golden.float_multiplier_tile": ("FloatMultiplierTile",),
    "golden.float_tile": ("FloatTile", "SumOrder"),
    "golden.folded_weights": ("FoldedWeights", "fold_weights", "tile_weights", "unfold_weights"),
    "golden.folded_weights_file": ("load_folded_weights", "save_folded_weights"),
    "golden.formats": (
        *(f"{kind}INT{bits}" for kind in ("", "U") for bits in range(1, 17)),
        *("BF16", "BINARY", "E2M1", "E2M3", "E3M0", "E3M2", "E4M3", "E5M2", "E8M0", "FP16", "FP32"),
        *("ODD2", "ODD3", "ODD4", "ODD5", "ODD6", "ODD7", "ODD8"),
        *("TERNARY", "TF32", "UE4M3", "UE5M3"),
        *("Codebook", "FixedPoint", "Float", "Format", "Integer", "Overflow", "Rounding"),
        "parse_format",
    ),
    "golden.fused_multiply_add": ("FusedMultiplyAdd",),
    "golden.gabor": ("Gabor",),
    "golden.inr": ("Inr",),
    "golden.inr_activations": ("activation",),
    "golden.inr_training": ("InrTraining", "fit_inr"),
    "golden.integer_multiplier": ("IntegerMultiplier",),
    "golden.integer_tile": ("IntegerTile", "TileOutput"),
    "golden.lmul": ("LMul", "formula_products", "published_offset"),
    "golden.lmul_layers": ("LMulAttention", "LMulLinear", "rounded_lmul_matmul"),
    "golden.lmul_matmul": ("lmul_matmul", "rounded"),
    "golden.exact_lmul_tile": ("ExactLMulTile",),
    "golden.lmul_tile": ("LMulTile",),
    "golden.logarithmic_factors": ("Correction", "product_format"),
    "golden.logarithmic_multiplier": ("LogarithmicMultiplier",),
    "golden.logarithmic_policies": (
        "Policies",
        "Preset",
        "SmallOperands",
        "SpecialOperands",
        "SpecialSums",
        "SumOverflow",
        "SumUnderflow",
        "ZeroSign",
    ),
    "golden.lookup_gemv": ("lookup_gemv", "lookup_group_sums"),
    "golden.lut_tensor_core": ("LutTensorCore", "Tables"),
    "golden.matrix_product": ("dequantised_product", "group_sums", "tile_results"),
    "golden.mitchell": ("Mitchell",),
    "golden.mixed_tile": ("Accumulation", "MixedTile"),
    "golden.mixpe": ("MixPE",),
    "golden.multiplier_tile": ("MultiplierTile", "PartialProducts"),
    "golden.multiplier_statistics": ("ErrorStatistics", "multiplier_statistics"),
    "golden.number_converter": ("NumberConverter",),
    "golden.quantisation": (
        "QuantisedActivations",
        "QuantisedWeights",
        "ScaleLevels",
        "quantise_activations",
        "quantise_weights",
    ),
    "golden.reinterpretation": (
        "bit_planes",
        "reinterpret",
        "reinterpret_scales",
        "reinterpret_zeros",
    ),
    "golden.rounded_operation": ("NanResult",),
    "golden.scaled_tables": ("scaled_tables",),
    "golden.cordic_sine": ("CordicSine",),
    "golden.finer": ("Finer",),
    "golden.function_folds": ("Fold",),
    "golden.function_statistics": ("FunctionStatistics", "function_statistics"),
    "golden.inr_network": ("InrNetwork",),
    "golden.piecewise_polynomial": ("PiecewisePolynomial",),
    "golden.polynomial_search": ("Segmentation",),
    "golden.quadinr": ("Extension", "QuadINR"),
    "golden.quantised_inr": ("QuantisedInr",),
    "golden.sinc_divider": ("SincDivider",),
    "golden.taylor_sine": ("Series", "TaylorSine"),
    "golden.second_level_dequantiser": ("SecondLevelDequantiser",),
    "golden.serial_tile": ("SerialTile",),
    "golden.spec": ("Kind", "Port", "Spec"),
    "golden.stallable": ("Stallable",),
    "golden.table_precompute": ("TableFormat", "TablePrecompute"),
    "golden.ternary_quantisation": ("quantise_ternary",),
    "golden.tile": ("Tile",),
    "golden.trits": ("look_up_trits", "pack_trits", "trit_tables", "unpack_trits"),
    "golden.weights_from_codes": ("weights_from_codes",),
    "hw": ("Style", "build", "inventory"),
    "toolchain": ("ToolError", "ToolFailure", "ToolTimeout"),
    "sim.cocotb_bench": ("Simulator", "verify_cocotb"),
    "sim.coverage": ("measure_coverage",),
    "sim.coverage_report": ("CoverageReport",),
    "sim.formal": ("prove",),
    "sim.formal_report": ("ProofReport",),
    "sim.generate": ("Bus", "generate"),
    "sim.matrix_product": ("MatrixProduct", "run_matrix_product"),
    "sim.compiled": ("compile_model", "compile_verilog"),
    "sim.model": ("Model", "SimulationError", "SimulationRun"),
    "sim.mutation": ("mutate",),
    "sim.mutation_report": ("MutationReport",),
    "sim.report": ("MismatchError", "VerifyReport"),
    "sim.verify": ("verify",),
    "sim.verilog": ("verilog_of",),
    "asic_flow": ("Constraints", "Flow", "Synthesis", "UnitPower", "hand_off"),
    "asic_flow.n28": ("Corner", "n28_library", "write_n28"),
    "cost_model.comparison": ("Comparison", "compare", "compare_with_baselines"),
    "cost_model.power_comparison": ("compare_power", "compare_power_with_baselines"),
    "cost_model.demonstration": ("demonstrate",),
    "cost_model.plots.breakdown": ("breakdown", "breakdown_plot"),
    "cost_model.plots.roofline": ("roofline",),
    "cost_model.plots.sweeps": ("heat_map", "pareto_plot"),
    "cost_model.predict": ("Prediction", "predict"),
    "cost_model.prediction.calibrate": ("calibrate",),
    "cost_model.prediction.calibration": ("Calibration", "read_calibration"),
    "cost_model.recipes": ("RecipeReport", "recipes"),
    "cost_model.report.report": ("report",),
    "cost_model.sweeps.frame": ("pareto",),
    "cost_model.sweeps.results": ("read_results",),
    "cost_model.sweeps.space": ("Space", "read_spaces"),
    "cost_model.sweeps.store": ("Store",),
    "cost_model.sweeps.sweep": ("sweep",),
    "cost_model.sweeps.worker": ("Limits",),
    "fpga.build": ("Build", "build_for"),
    "fpga.fit": ("Fit", "fit"),
    "fpga.host": ("BoardError", "connect"),
    "fpga.nextpnr": ("DoesNotFitError",),
    "fpga.place_and_route": ("Routing", "route"),
    "fpga.simulated_board": ("SimulatedBoard",),
    "fpga.trial": ("Trial", "try_board"),
    "cost_model.targets": ("TARGETS", "power", "synthesize"),
    "cost_model.workload": ("array_of", "compare_workload", "products_of", "tile_costs"),
    "cost_model.workloads.array": ("Array", "Memory"),
    "cost_model.workloads.transformers": ("Transformer", "transformer"),
    "cost_model.validation": ("Validation", "validate_n28"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str):
    if name == "__version__":
        # Imported here, since it takes longer than all the rest of this module.
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("multipede")
        except PackageNotFoundError:
            return "0+unknown"
    if name not in _HOME_OF:
        raise AttributeError(f"module 'multipede' has no attribute {name!r}")
    value = getattr(import_module(f"multipede.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
