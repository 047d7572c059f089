"""Runs one batch of a user's training script in a separate process, and reports the mistakes it made.

The script really runs: it reads its data and may write its files. It runs in the folder from which Pellucid was
called, without input, with a time limit, and its loaders end after two batches; ``torch.save`` writes nothing, so that
weights trained on two batches do not overwrite good ones.

It never outlives Pellucid: a signal that ends Pellucid ends the script as well, and if Pellucid is killed outright, a
watcher in the script's process notices that the pipe between them has closed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from pellucid.errors import SettingError
from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.source.text import read_script

__all__ = ["TracedScript", "trace_script"]

_GRACE = 15.0
_TAIL = 4000


@dataclass(frozen=True, kw_only=True)
class TracedScript:
    """What a traced run showed: the mistakes, one sentence on how far it got, and the recorded facts."""

    findings: tuple[ScriptFinding, ...]
    sentence: str
    facts: Mapping[str, Any]


def trace_script(path: str | os.PathLike[str], *, seconds: float = 60.0) -> TracedScript:
    """Run a PyTorch script until its second step and its first evaluation, and return the mistakes found.

    Parameters
    ----------
    path
        The script. It is executed.
    seconds
        The time limit: after it the script is stopped.

    Raises
    ------
    SettingError
        When ``seconds`` is not above 0.
    StorageError, DataError
        When the script cannot be read.
    """
    if not 0 < seconds < 86_400:
        raise SettingError(f"seconds must be above 0 and under a day, got {seconds}")
    lines = read_script(path).splitlines()
    facts = _run(Path(path), seconds)
    found = {(f.rule, f.line): f for judge in _JUDGES for f in judge(facts, lines)}
    return TracedScript(findings=tuple(found.values()), sentence=_sentence(facts, seconds), facts=facts)


def _run(script: Path, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="pellucid-") as folder, _ended_by_signals(), _pipe() as (alive, _):
        report = Path(folder) / "report.json"
        tracer = [sys.executable, "-m", "pellucid.script_reader.tracing.tracer"]
        command = [*tracer, str(script), str(report), str(seconds), str(alive)]
        environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=environment, start_new_session=True, pass_fds=(alive,) if os.name == "posix" else (),
        )  # fmt: skip
        tail: deque[int] = deque(maxlen=_TAIL)
        reader = threading.Thread(target=_drain, args=(process, tail), daemon=True)
        timed_out = False
        try:
            reader.start()
            process.wait(seconds + _GRACE)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            _end(process)
            reader.join(timeout=5)
        facts = _read(report)
        if facts is None:
            last = bytes(tail).decode("utf-8", "replace").strip().splitlines()[-1:]
            message = last[0] if last else f"the process ended with code {process.returncode}"
            facts = {"end": "timeout" if timed_out else "died", "message": message, "line": 0}
        return facts


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """A pipe that nothing is written to: when this process ends for any reason, the reader sees the end of the pipe."""
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Within the block, SIGTERM and SIGHUP raise `SystemExit`, so that the script is ended and files are removed first.

    Signals that are ignored (``nohup``) or already handled keep their handling.
    """
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    mine = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for number in mine:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)


def _drain(process: subprocess.Popen[bytes], tail: deque[int]) -> None:
    """Read the script's output and keep its end."""
    stream = process.stderr
    assert stream is not None
    with stream:
        while chunk := stream.read1(65536):  # type: ignore[attr-defined]
            tail.extend(chunk[-_TAIL:])


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the script and the processes it started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:  # pragma: no cover
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()


def _read(report: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def _sentence(facts: Mapping[str, Any], seconds: float) -> str:
    steps, scored = len(facts.get("steps", [])), len(facts.get("evaluations", []))
    seen = f"{steps} optimizer step{'s' * (steps != 1)} and {'an' if scored else 'no'} evaluation batch"
    how = {
        "enough": "was stopped on purpose",
        "done": "ran to its end",
        "exit": f"called exit({facts.get('message', '')})",
        "error": f"stopped with {facts.get('message', '')}",
        "timeout": f"was stopped after {seconds:g} s, in code that does not call PyTorch",
        "died": f"died: {facts.get('message', '')}",
        "interrupted": "was interrupted",
    }[str(facts.get("end"))]
    saves = sorted({n for n in facts.get("saves", []) if n})
    kept = f"; torch.save in line {', '.join(map(str, saves))} wrote nothing" if saves else ""
    return f"The script {how} after {seen}{kept}."


# ── what the facts say ────────────────────────────────────────────────────────────────────────────────────────


def _evidence(lines: list[str], line: int, *said: str) -> str:
    source = [f"{line}: {lines[line - 1].strip()[:200]}"] if 0 < line <= len(lines) else []
    return "\n".join([*source, *said])


def _activations(facts: Mapping[str, Any], lines: list[str]) -> Iterator[ScriptFinding]:
    for call in facts.get("losses", []):
        x, loss = call.get("input") or {}, call["loss"]
        made = {"Softmax": "softmax", "Sigmoid": "sigmoid", "Relu": "relu"}.get(x.get("made_by", ""), "")
        logits = loss == "binary_cross_entropy_with_logits"
        if loss not in ("cross_entropy", "binary_cross_entropy_with_logits") or not made or (made == "relu" and logits):
            continue
        rows = "; each row sums to one" if x.get("sums_to_one") else ""
        low, high = x.get("min", 0.0), x.get("max", 1.0)
        yield ScriptFinding(
            rule=f"{made}-before-{'bce-with-logits' if logits else 'cross-entropy'}",
            line=call["line"],
            finding=f"In the run, {loss} was given the output of a {made}; it expects raw outputs (logits).",
            evidence=_evidence(
                lines, call["line"], f"predictions of shape {x['shape']} from {low:.3g} to {high:.3g}{rows}"
            ),
            consequence="The loss applies its own activation on top: it cannot come near zero, and the network "
            "learns slowly.",
            fix=f"Give the loss the outputs without the {made}",
        )
        return


def _shapes(facts: Mapping[str, Any], lines: list[str]) -> Iterator[ScriptFinding]:
    for call in facts.get("losses", []):
        x, y = call.get("input"), call.get("target")
        if not x or not y or call["loss"] in ("cross_entropy", "nll_loss") or x["shape"] == y["shape"]:
            continue
        yield ScriptFinding(
            rule="column-against-row",
            line=call["line"],
            finding=f"In the run, the predictions had the shape {x['shape']} and the targets {y['shape']}.",
            evidence=_evidence(lines, call["line"]),
            consequence="Broadcasting compares predictions with the targets of other rows, or the loss raises an "
            "error.",
            fix="Give both the same shape: output.squeeze(1), or y.unsqueeze(1)",
        )
        return


def _steps(facts: Mapping[str, Any], lines: list[str]) -> Iterator[ScriptFinding]:
    steps = facts.get("steps", [])
    for number, step in enumerate(steps):
        if not step["with_gradient"] or step["norm"] == 0:
            order = step["backward"] > 0
            yield ScriptFinding(
                rule="step-order" if order else "backward",
                line=step["line"],
                finding=f"In the run, {step['optimizer']} stepped without gradients"
                + (": they were zeroed after backward()." if order else ": backward() was not called."),
                evidence=_evidence(
                    lines, step["line"], f"{step['with_gradient']} of {step['parameters']} had a gradient"
                ),
                consequence="Such a step changes no weights.",
                fix="optimizer.zero_grad(); loss.backward(); optimizer.step()  # in this order",
            )
            return
        one = len({s["optimizer"] for s in steps}) == 1 and len({s["line"] for s in steps}) == 1
        if number and step["kept"] and one and step["backward"]:
            yield ScriptFinding(
                rule="zero-grad",
                line=step["line"],
                finding="In the run, the gradients were not set to zero between two steps.",
                evidence=_evidence(lines, step["line"]),
                consequence="Every step follows the sum of all gradients so far.",
                fix="optimizer.zero_grad()  # before loss.backward()",
            )
            return


def _evaluations(facts: Mapping[str, Any], lines: list[str]) -> Iterator[ScriptFinding]:
    for call in facts.get("evaluations", []):
        if call["training"] and call["noise"]:
            yield ScriptFinding(
                rule="eval-mode",
                line=call["line"],
                finding=f"In the run, the model (with {call['noise']}) was evaluated in training mode.",
                evidence=_evidence(lines, call["line"]),
                consequence="Dropout keeps dropping units, and batch norm uses the batch's own statistics: the score "
                "is wrong.",
                fix="model.eval()  # before scoring, and model.train() before the next epoch",
            )
            return
        if not call["training"] and call["grad"]:
            yield ScriptFinding(
                rule="no-grad",
                line=call["line"],
                finding="In the run, the model was evaluated while PyTorch recorded a graph for gradients.",
                evidence=_evidence(lines, call["line"]),
                consequence="Scoring takes more memory and time than necessary; the predictions are the same.",
                fix="with torch.no_grad():  # around the scoring",
            )
            return


def _stopped(facts: Mapping[str, Any], lines: list[str]) -> Iterator[ScriptFinding]:
    if facts.get("end") in ("error", "died"):
        yield ScriptFinding(
            rule="error",
            line=int(facts.get("line", 0)),
            finding=f"The script stops with {facts.get('message', '')}",
            evidence=_evidence(lines, int(facts.get("line", 0))),
            consequence="Nothing after this line runs.",
            fix="Fix this first; the findings before it may show the cause",
        )


_JUDGES = (_activations, _shapes, _steps, _evaluations, _stopped)
