"""What the benchmark ran on, in general terms."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from peers.limits import all_cores

__all__ = ["described", "instructions"]

_FLAGS = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "AVX-512 BF16", "amx_tile": "AMX", "asimd": "NEON"}
_PACKAGES = (
    "numpy", "torch", "numba", "scikit-learn", "skorch", "keras", "lightning", "jax", "pandas",
)  # fmt: skip


def instructions(cpu: str) -> list[str]:
    """The vector instructions that a text like ``/proc/cpuinfo`` names.

    >>> instructions("flags : fpu avx2 avx512f")
    ['AVX2', 'AVX-512']
    """
    flags = set(cpu.split())
    return [name for flag, name in _FLAGS.items() if flag in flags]


def described(threads: int) -> str:
    """One paragraph."""
    source = Path("/proc/cpuinfo")
    vectors = ", ".join(instructions(source.read_text(encoding="utf-8"))) if source.exists() else ""
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB of memory"
    versions = []
    for package in _PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} not installed")
    return (
        f"{platform.system()} on {platform.machine()}, {all_cores()} cores"
        f"{f' with {vectors}' if vectors else ''}{memory}; "
        f"{threads} {'thread' if threads == 1 else 'threads'} for everybody. Python {platform.python_version()}, "
        f"{', '.join(versions)}."
    )
