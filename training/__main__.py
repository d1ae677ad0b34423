"""`python -m training fetch | extract | train | evaluate | all`; see README.md beside this."""

import argparse
import os
import sys

# One thread: the same sums in the same order everywhere, and no fight with anybody else.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

STEPS = ("fetch", "extract", "train", "evaluate", "all")


def main() -> int:
    """Carry out one step, or all of them in order."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("step", choices=STEPS)
    step = parser.parse_args().step
    if step in ("fetch", "all"):
        from training.fetch import fetch_all

        fetch_all()
    if step == "fetch":
        return 0
    from training import evaluate, train
    from training.dataset import assemble
    from training.extract import extract_all

    data = assemble(extract_all())
    if step in ("train", "all"):
        found = train.train(data)
    elif step == "evaluate":
        found = evaluate.figures(data, *evaluate.held_out(data))
    else:
        return 0
    print(f"balanced accuracy of clips {found.clips:.3f}, of tracks {found.tracks:.3f}")
    print(
        f"speech against music {found.speech_accuracy:.3f}, taken for it {found.false_speech:.2%}"
    )
    print(f"calibration error {found.error:.3f}; weights {train.weights_hash()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
