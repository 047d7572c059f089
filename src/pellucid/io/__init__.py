"""Bytes in and out, guarded.

Files written safely, JSON, YAML and safetensors from files that may be hostile, locks. Knows no network.
"""
