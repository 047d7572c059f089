"""``pellucid generate``: a trained network continues a text."""

from __future__ import annotations

from typing import Annotated

import typer

from pellucid.cli.streams import say

__all__ = ["generate"]


def generate(
    run: Annotated[str, typer.Argument(help="A run that was trained on a text, or its model file.")],
    *,
    prompt: Annotated[str, typer.Option(help="What to go on from; default: nothing.")] = "",
    length: Annotated[int, typer.Option(help="How many characters to write.")] = 500,
    temperature: Annotated[
        float, typer.Option(help="Below 1: more probable text; above 1: bolder; 0: always the most probable token.")
    ] = 0.8,
    top_k: Annotated[
        int | None, typer.Option(help="Draw from so many of the most probable tokens only.", metavar="N")
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(help="Draw from the most probable tokens that together have this probability.", metavar="SHARE"),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 0,
) -> None:
    """Write on from a prompt, character by character.

    The prompt comes first, then what the network of RUN writes. A seed gives the same text on every machine.
    """
    import sys

    from pellucid.runs.run import load

    pieces = load(run).generate(prompt, length=length, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
    say(prompt, end="")
    try:
        for piece in pieces:
            say(piece, end="")
            sys.stdout.flush()
    except KeyboardInterrupt:
        say("")
        raise typer.Exit(130) from None
    say("")
