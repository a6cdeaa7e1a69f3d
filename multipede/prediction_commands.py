"""Commands for predictions: predict and calibrate."""

import argparse

from multipede.answer import HELD, Answer
from multipede.options import check_output, limits_of, spec_of


def predict_command(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.predict import predict
    from multipede.cost_model.prediction.calibration import read_calibration

    spec = spec_of(options)
    if options.calibration is None:
        found = [predict(spec, target) for target in options.target or ["n28"]]
    elif options.target:
        raise ValueError("--target and --calibration, which has its own, do not go together")
    else:
        found = [predict(spec, calibration=read_calibration(options.calibration))]
    return HELD, [one.to_dict() for one in found], "\n\n".join(map(str, found))


def calibrate_command(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.prediction.calibrate import calibrate, refit
    from multipede.cost_model.prediction.families import FAMILIES

    output = options.output
    check_output(output, ".json")
    if options.refit:
        made = refit(output, options.target)
    else:
        made = calibrate(
            options.target,
            liberty=options.liberty,
            points=options.points,
            families=options.families or FAMILIES,
            store=options.store,
            executor=options.scheduler,
            workers=options.workers,
            limits=limits_of(options),
        )
    made.write(output)
    return HELD, made.calibration.to_dict(), f"{made}\n\nwritten: {output}"
