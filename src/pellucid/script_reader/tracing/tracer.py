"""Runs a user's own training script until its first steps and its first evaluation, and writes down what it saw.

Started as ``python -m pellucid.script_reader.tracing.tracer SCRIPT REPORT SECONDS PIPE``, in a session of its own; the
report is JSON, and when the pipe of that number closes, the script ends with all that it started. The script runs as it
would by itself, with three differences: every `DataLoader` ends after two batches, ``torch.save`` writes nothing
(weights of two batches would take the place of good ones), and it is stopped when enough was seen.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import runpy
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["main"]

_LOSSES = (
    "cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "l1_loss",
    "smooth_l1_loss", "huber_loss",
)  # fmt: skip
_BATCHES = 2
_STEPS = 2
_KEPT = 40
_PR_SET_PDEATHSIG = 1


class _Enough(BaseException):
    """Everything of interest was seen; no script catches this by accident."""


class _Tracer:
    def __init__(self, script: str, report: str, seconds: float) -> None:
        self.script = str(Path(script).resolve())
        self.path = Path(report)
        self.until = time.monotonic() + seconds
        self.losses: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.evaluations: list[dict[str, Any]] = []
        self.saves: list[int] = []
        self.since = {"backward": 0, "zero_grad": 0}
        self.gradient: Any = None  # of the first parameter at the last step, and its version
        self.version = 0
        self.depth = 0
        self.stopped = False

    def line(self) -> int:
        """The line of the script that is at work."""
        frame = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename == self.script:
                return frame.f_lineno
            frame = frame.f_back  # type: ignore[assignment]
        return 0

    def enough(self) -> None:
        """Stop where all was seen or the time is over."""
        if self.stopped:
            os._exit(0)  # the script swallowed the stop; the report is written
        complete = len(self.steps) >= _STEPS and bool(self.evaluations)
        if complete or time.monotonic() > self.until:
            self.stopped = True
            self.write({"end": "enough"})
            raise _Enough

    def kept(self, gradients: list[Any]) -> bool:
        """Whether the first gradient still holds what it held at the last step: nothing has set it to zero since.

        A tensor counts its changes: one for each backward, one more for ``zero_()``; ``set_to_none`` makes a new one.
        """
        first = gradients[0] if gradients else None
        version = int(first._version) if first is not None else 0
        kept = first is not None and first is self.gradient and version - self.version <= self.since["backward"]
        self.gradient, self.version = first, version
        return kept

    def write(self, outcome: dict[str, Any]) -> None:
        """Write what was seen."""
        seen = {"losses": self.losses, "steps": self.steps, "evaluations": self.evaluations, "saves": self.saves}
        self.path.write_text(json.dumps({**seen, **outcome}, default=str), encoding="utf-8")


_SHAPES = (
    "View",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "ToCopy",
    "T",
    "Transpose",
    "Alias",
    "Clone",
    "UnsafeView",
    "Select",
)


def _made_by(value: Any) -> str:
    """The last operation that changed the values: ``Softmax`` of ``SoftmaxBackward0``."""
    node = value.grad_fn
    while node is not None:
        name = type(node).__name__.partition("Backward")[0]
        if name not in _SHAPES or not node.next_functions:
            return name
        node = node.next_functions[0][0]
    return ""


def _facts(value: Any) -> dict[str, Any] | None:
    import torch

    if not isinstance(value, torch.Tensor):
        return None
    found: dict[str, Any] = {
        "shape": list(value.shape), "dtype": str(value.dtype).removeprefix("torch."), "device": value.device.type,
        "made_by": _made_by(value),
    }  # fmt: skip
    if value.numel() and value.is_floating_point():
        with torch.no_grad():
            x = value.detach().double()
            if bool(x.isfinite().all()):
                found |= {"min": float(x.min()), "max": float(x.max())}
            if x.ndim >= 2 and x.shape[1] > 1:
                found["sums_to_one"] = bool(((x.sum(1) - 1).abs() < 1e-3).all() and (x >= 0).all())
    return found


def _hook_losses(tracer: _Tracer) -> None:
    from torch.nn import functional

    def wrapped(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def loss(*args: Any, **kwargs: Any) -> Any:
            given = dict(zip(("input", "target"), args, strict=False)) | kwargs
            if len(tracer.losses) < _KEPT:
                facts = {"input": _facts(given.get("input")), "target": _facts(given.get("target"))}
                tracer.losses.append({"loss": name, "line": tracer.line(), **facts})
            return original(*args, **kwargs)

        return loss

    for name in _LOSSES:
        setattr(functional, name, wrapped(name, getattr(functional, name)))


def _hook_steps(tracer: _Tracer) -> None:
    import torch
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    def step(optimizer: Any, *_: Any) -> None:
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        count = sum(len(group["params"]) for group in optimizer.param_groups)
        norm = float(sum(float(g.detach().double().norm()) ** 2 for g in gradients if not g.is_sparse) ** 0.5)
        tracer.steps.append(
            {"line": tracer.line(), "optimizer": type(optimizer).__name__, "parameters": count,
             "with_gradient": len(gradients),
             "norm": norm if math.isfinite(norm) else None, "kept": tracer.kept(gradients), **tracer.since}
        )  # fmt: skip
        tracer.since = {"backward": 0, "zero_grad": 0}
        del tracer.steps[_KEPT:]
        tracer.enough()

    register_optimizer_step_pre_hook(step)
    backward, zero_grad, module_zero = torch.Tensor.backward, torch.optim.Optimizer.zero_grad, torch.nn.Module.zero_grad

    def counted(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            tracer.since[name] += 1
            return original(self, *args, **kwargs)

        return call

    torch.Tensor.backward = counted("backward", backward)  # type: ignore[method-assign]
    torch.optim.Optimizer.zero_grad = counted("zero_grad", zero_grad)  # type: ignore[method-assign]
    torch.nn.Module.zero_grad = counted("zero_grad", module_zero)  # type: ignore[method-assign]


def _noise(module: Any) -> str | None:
    from torch import nn

    kinds = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase)
    return next((type(m).__name__ for m in module.modules() if isinstance(m, kinds)), None)


def _hook_models(tracer: _Tracer) -> None:
    import torch

    original = torch.nn.Module.__call__

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        plain = type(self).__module__.startswith("torch.nn.modules.loss")
        tracer.depth += 1
        try:
            result = original(self, *args, **kwargs)
        finally:
            tracer.depth -= 1
        if tracer.depth == 0 and not plain and tracer.steps:
            after_training = not self.training or not torch.is_grad_enabled()
            if after_training and len(tracer.evaluations) < _KEPT:
                tracer.evaluations.append(
                    {
                        "line": tracer.line(),
                        "training": self.training,
                        "grad": torch.is_grad_enabled(),
                        "noise": _noise(self),
                    }
                )
                tracer.enough()
        if tracer.depth == 0:
            _check_time(tracer)
        return result

    torch.nn.Module.__call__ = call  # type: ignore[method-assign]


def _check_time(tracer: _Tracer) -> None:
    if time.monotonic() > tracer.until:
        tracer.enough()


def _hook_data(tracer: _Tracer) -> None:
    import torch
    from torch.utils.data import DataLoader

    original = DataLoader.__iter__

    def short(self: Any) -> Iterator[Any]:
        for index, batch in enumerate(original(self)):
            if index >= _BATCHES:
                return
            yield batch

    def save(*args: Any, **kwargs: Any) -> None:
        tracer.saves.append(tracer.line())

    DataLoader.__iter__ = short  # type: ignore[method-assign,assignment]
    torch.save = save


def _outcome(tracer: _Tracer, script: str) -> dict[str, Any]:
    """Run the script; how it ended."""
    sys.argv = [script]
    sys.path[0] = str(Path(script).resolve().parent)
    try:
        runpy.run_path(tracer.script, run_name="__main__")
    except _Enough:
        return {"end": "enough"}
    except SystemExit as end:
        return {"end": "exit", "message": str(end.code), "line": 0}
    except KeyboardInterrupt:
        return {"end": "interrupted"}
    except BaseException as error:
        frames = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == tracer.script]
        message = f"{type(error).__name__}: {error}"[:2000]
        return {"end": "enough" if tracer.stopped else "error", "message": message, "line": frames[-1] if frames else 0}
    return {"end": "done"}


def _end_with(pipe: int) -> None:
    """Start a watcher that kills this process's group as soon as nobody holds the other end of ``pipe``.

    It is a process, not a thread: a script can hold Python's lock in C code for as long as it likes. On Linux the
    kernel ends this process as well, should the watcher have been killed.
    """
    if not hasattr(os, "fork"):  # pragma: no cover
        return
    group = os.getpgid(0)
    parent = os.getppid()
    if os.fork() == 0:
        with suppress(BaseException):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            while os.read(pipe, 1):
                pass
            os.killpg(group, signal.SIGKILL)
        os._exit(0)
    os.close(pipe)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it was gone before the kernel knew
            os.killpg(group, signal.SIGKILL)


def main(script: str, report: str, seconds: float, pipe: int) -> None:
    """Run ``script`` for at most ``seconds`` and write the recorded facts to ``report`` as JSON.

    Parameters
    ----------
    script
        The file to run.
    report
        The JSON file to write.
    seconds
        The longest time.
    pipe
        The reading end of a pipe. When the caller closes the other end, or dies, this process group is killed.
    """
    _end_with(pipe)
    tracer = _Tracer(script, report, seconds)
    for hook in (_hook_losses, _hook_steps, _hook_models, _hook_data):
        hook(tracer)
    tracer.write(_outcome(tracer, script))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # threads and processes of the script do not hold the tracer


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
